"""Loading: which format is at a path, by what is in the file and never by its name, and the way to it."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from reference_impl.errors import LoadError, LoadOSError, missing_path
from reference_impl.paths import as_text, open_group
from reference_impl.saving import check_built
from reference_impl.variables import deferred

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC = b"PK\x03\x04"


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model saved at ``path`` (``str``, PathLike, or an open ``h5py.File``).

    Raises ``LoadError``: ``FileNotFoundError`` for a missing path, and whatever is wrong with the file.
    """
    if open_group(path) is None and os.path.isdir(as_text(path)):
        from reference_impl.formats.savedmodel import stored

        if stored.is_saved_model(as_text(path)):
            from reference_impl.formats.savedmodel import revive

            with deferred(_most(path)):
                return revive.load_model(as_text(path), custom_objects, compile)
    if _is_zip(path):
        from reference_impl.formats.keras_v3.archive import read_model as read_archive

        with deferred(_most(path)):
            return read_archive(as_text(path), custom_objects, compile)
    from reference_impl.formats.hdf5.model import read_model

    with _open_hdf5(path, _refuse_other_model) as (file, name), deferred(_most(path)):
        return read_model(file, name, custom_objects, compile)


def _most(path: Any) -> int:
    """Bytes that a value may have which a config asks for and the file does not give: not much more than all that it gives."""
    group = open_group(path)
    if group is not None:
        size = int(group.file.id.get_filesize())
    elif os.path.isdir(as_text(path)):
        size = sum(
            os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(as_text(path)) for name in names
        )
    else:
        size = os.path.getsize(as_text(path))
    return 2 * size + (32 << 20)


def _is_zip(path: Any) -> bool:
    return open_group(path) is None and (_first_bytes(as_text(path)) or b"").startswith(_ZIP_MAGIC)


def load_weights(model: Any, path: Any, by_name: bool = False, skip_mismatch: bool = False) -> Any:
    """Load weights into ``model``: from an HDF5 file (of weights or of a whole model), or a TF checkpoint.

    Returns the load status for a checkpoint, None for HDF5. Raises ``LoadError``, and then nothing has
    changed; ``ValueError`` for HDF5 into a model without weights yet (a checkpoint waits for them).
    """
    sharded = _is_sharded(path)
    v3 = sharded or _is_v3_weights(path) or _is_archive(path)
    if skip_mismatch and not by_name and not v3:
        raise ValueError("When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.")
    prefix = _checkpoint_prefix(path)
    if prefix is not None:
        return _load_checkpoint(model, prefix, by_name)
    if sharded:
        from reference_impl.formats.keras_v3.shards import load as load_shards

        check_built(model, "loaded")
        load_shards(as_text(path), model, skip_mismatch)
        return None
    from reference_impl.formats.hdf5 import stored, weights
    from reference_impl.formats.hdf5.model import MODEL_WEIGHTS

    if _is_archive(path):
        from reference_impl.formats.keras_v3.archive import load_weights as load_from_archive

        check_built(model, "loaded")
        load_from_archive(as_text(path), model, skip_mismatch)
        return None
    with _open_hdf5(path, _refuse_other_weights) as (file, name):
        if not model.built:
            raise ValueError(
                f"{name}: HDF5 weights cannot be loaded into {model.name}, which has not created its variables yet. "
                "Call the model first, or build it, then load the weights."
            )
        if v3:
            if by_name:
                raise LoadError(f"{name}: found Keras v3 weights, and by_name=True is for HDF5 of Keras 2")
            from reference_impl.formats.keras_v3.weights import load

            load(file, model, name, optimizer=False, skip_mismatch=skip_mismatch)
            return None
        group = file
        if not stored.has_weights(file) and MODEL_WEIGHTS in file:
            group = stored.subgroup(file, MODEL_WEIGHTS, name, "the model's weights")
            name = f"{name}: {MODEL_WEIGHTS}"
        weights.load_weights(group, model, name, by_name=by_name, skip_mismatch=skip_mismatch)
    return None


def _is_sharded(path: Any) -> bool:
    """Whether ``path`` is the JSON file that names the files of Keras v3 weights."""
    return open_group(path) is None and os.path.isfile(as_text(path)) and as_text(path).endswith(".weights.json")


def _is_archive(path: Any) -> bool:
    return open_group(path) is None and os.path.isfile(as_text(path)) and _is_zip(path)


def _is_v3_weights(path: Any) -> bool:
    """Whether ``path`` is an HDF5 file laid out as a model, not as a list of layers."""
    if open_group(path) is None:
        text = as_text(path)
        start = _first_bytes(text) if os.path.isfile(text) else b""
        if start is None or start[:8] != _HDF5_MAGIC:
            return False
    from reference_impl.formats.keras_v3.weights import is_v3

    with _open_hdf5(path, _refuse_other_weights) as (file, _):
        return is_v3(file)


def _load_checkpoint(model: Any, prefix: str, by_name: bool) -> Any:
    from reference_impl.formats.checkpoint.restore import restore

    if by_name:
        raise LoadError(
            f"{prefix}: found a TensorFlow checkpoint, and by_name=True is for HDF5; a checkpoint goes by the names of "
            "attributes"
        )
    optimizer = getattr(model, "optimizer", None)
    before = _rates(optimizer)
    status = restore(prefix, model)
    changed = [
        f"{name} {before[name]:g} -> {value:g}" for name, value in _rates(optimizer).items() if before[name] != value
    ]
    if changed:
        warnings.warn(
            f"{prefix}: it is the checkpoint of a compiled model, and its optimizer's hyper-parameters took the place of "
            f"those given to compile(): {', '.join(changed)}; set them again if they are not meant",
            stacklevel=4,
        )
    if status.misplaced:
        warnings.warn(
            f"{prefix}: nothing was loaded into {model.name!r}: its layers and those of the checkpoint do not "
            "correspond; load the checkpoint into the model (or inner model) that it was saved from",
            stacklevel=4,
        )
    elif unfilled := status.unfilled():
        more = f" and {len(unfilled) - 8} more" if len(unfilled) > 8 else ""
        warnings.warn(
            f"{prefix}: the checkpoint holds no value for {', '.join(unfilled[:8])}{more} of {model.name!r}, which stay as "
            "they are",
            stacklevel=4,
        )
    return status


def _rates(optimizer: Any) -> dict[str, float]:
    """The optimizer's hyper-parameters; schedules are no numbers."""
    given: Mapping[str, Any] = getattr(optimizer, "_hyper", {})
    return {name: float(optimizer.hyper(name)) for name, value in given.items() if not callable(value)}


def _checkpoint_prefix(path: Any) -> str | None:
    """The prefix of the checkpoint at ``path``: ``path`` itself, or the variables of a SavedModel folder."""
    if open_group(path) is not None:
        return None
    text = as_text(path)
    if os.path.isfile(text):
        return None
    for prefix in (text, os.path.join(text, "variables", "variables")):
        if os.path.isfile(f"{prefix}.index"):
            return prefix
    return None


@contextmanager
def _open_hdf5(path: Any, refuse: Callable[[str, bytes], None]) -> Generator[tuple[Any, str]]:
    """The open file and its name. What is no HDF5 is given to ``refuse`` (path, first bytes), which raises."""
    from reference_impl.formats.hdf5.noticed import noticed

    group = open_group(path)
    if group is not None:
        place = str(group.file.filename)
        with noticed(place):
            yield group, place
        return
    text = as_text(path)
    start = _first_bytes(text)
    if start is None or start[:8] != _HDF5_MAGIC:
        refuse(text, b"" if start is None else start)
    with noticed(text), _File(text) as opened:
        yield opened


class _File(AbstractContextManager["tuple[Any, str]"]):
    """An HDF5 file open for reading; what h5py raises in opening it is a ``LoadError``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: Any = None

    def __enter__(self) -> tuple[Any, str]:
        import h5py  # pyright: ignore[reportMissingTypeStubs]

        from reference_impl.formats.hdf5 import heaps
        from reference_impl.formats.hdf5.attributes import H5PY_ERRORS

        try:
            heaps.check_file(self._path)
            self._file = h5py.File(self._path, "r")
        except LoadError:
            raise
        except PermissionError as error:
            raise LoadOSError(f"{self._path}: cannot be read: {error}") from error
        except H5PY_ERRORS as error:
            raise LoadError(
                f"{self._path}: found an HDF5 file that is damaged ({error}), expected a whole one"
            ) from error
        return self._file, self._path

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _first_bytes(path: str) -> bytes | None:
    """The first bytes of the file, None for a folder."""
    if os.path.isdir(path):
        return None
    try:
        with open(path, "rb") as file:
            return file.read(16)
    except FileNotFoundError as error:
        if os.path.isfile(f"{path}.index"):  # a checkpoint given where a model is expected
            return b""
        raise missing_path(path, "a saved model or weights") from error
    except OSError as error:
        raise LoadOSError(f"{path}: cannot be read: {error.strerror}") from error


def _refuse_other_model(path: str, start: bytes) -> None:
    if os.path.isfile(f"{path}.index") and not os.path.isfile(path):
        raise LoadError(
            f"{path}: found a TensorFlow checkpoint, which holds weights only; expected a whole model; build the model "
            "and use load_weights"
        )
    _refuse(path, start, "a whole model in HDF5")


def _refuse_other_weights(path: str, start: bytes) -> None:
    _refuse(path, start, "weights in HDF5 or the prefix of a checkpoint")


def _refuse(path: str, start: bytes, expected: str) -> None:
    if os.path.isdir(path):
        raise LoadError(f"{path}: found a folder without saved_model.pb, expected {expected}")
    raise LoadError(f"{path}: byte 0: found {start[:8]!r}, expected {_HDF5_MAGIC!r}, the start of {expected}")
