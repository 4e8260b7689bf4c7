"""Operations on files: whole models and weights, and the status a checkpoint load gives."""

from __future__ import annotations

import contextlib
import pathlib
from typing import Any, Dict, Generator

from conformance.adapters.configs import custom_objects
from conformance.adapters.workspace import Operation, Params, Result, Workspace, given


def _save(work: Workspace, params: Params) -> Result:
    with _path(params, "w") as path:
        work.get(params["object"]).save(path, **_format(params), **given(params, "include_optimizer", "overwrite"))
    return {}


def _load(work: Workspace, params: Params) -> Result:
    with _path(params, "r") as path:
        model = work.keras.models.load_model(path, **custom_objects(work, params), **given(params, "compile"))
    return {"object": work.add("model", model)}


def _save_weights(work: Workspace, params: Params) -> Result:
    with _path(params, "w") as path:
        size = params.get("max_shard_size")
        options = {} if size is None else {"options": work.library.shard_options(size)}
        work.get(params["object"]).save_weights(path, **_format(params), **given(params, "overwrite"), **options)
    return {}


def _load_weights(work: Workspace, params: Params) -> Result:
    with _path(params, "r") as path:
        status = work.get(params["object"]).load_weights(path, **given(params, "by_name", "skip_mismatch"))
    return {"status": None if status is None else work.add("status", status)}


def _status(work: Workspace, params: Params) -> Result:
    found = work.get(params["object"])
    return {"returns_itself": getattr(found, params["check"])() is found}


class _PathLike:
    """The least an os.PathLike can be."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return self._path


_PATH_TYPES = {"str": str, "pathlib": pathlib.Path, "pathlike": _PathLike, "bytes": str.encode}


@contextlib.contextmanager
def _path(params: Params, mode: str) -> Generator[Any, None, None]:
    """The path as the type asked for: a str if none is."""
    kind: str = params.get("path_type", "str")
    if kind == "h5py":
        import h5py  # pyright: ignore  # of the interpreter under test; no type information

        with h5py.File(params["path"], mode) as file:  # pyright: ignore
            yield file
    else:
        yield _PATH_TYPES[kind](params["path"])


def _format(params: Params) -> Dict[str, Any]:
    return {"save_format": params["format"]} if "format" in params else {}


OPERATIONS: Dict[str, Operation] = {
    "save": _save,
    "load": _load,
    "save_weights": _save_weights,
    "load_weights": _load_weights,
    "status": _status,
}
