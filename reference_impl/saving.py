"""Saving and loading: which format a path means, and the way to it.

Saving goes by the ``save_format`` argument and the path's suffix, which must not contradict each other.
Loading goes by what is in the file and never by its name. A save takes the old file's place when it is
complete, and not before.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

from reference_impl import dialects
from reference_impl.errors import LoadError, LoadOSError, missing_path
from reference_impl.told import tell
from reference_impl.variables import deferred

HDF5 = "HDF5"
TENSORFLOW = "TensorFlow"

FORMATS = {"h5": HDF5, "hdf5": HDF5, "keras": HDF5, "tf": TENSORFLOW, "tensorflow": TENSORFLOW}
"""What ``save_format`` may be. ``keras`` means HDF5 in this generation, as the suffix ``.keras`` does."""

HDF5_SUFFIXES = (".h5", ".hdf5", ".keras")
"""Suffixes (in any case) that select HDF5."""

KERAS_V3 = "Keras v3"
V3_SUFFIXES = (".keras", ".weights.h5")
"""Suffixes that select Keras v3, in the dialects that have it."""
_V3 = ("keras-2.15", "keras-3")

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC = b"PK\x03\x04"
_fspath: Callable[[Any], Any] = os.fspath


# -- saving ------------------------------------------------------------------------------------------------


def save_model(
    model: Any,
    path: Any,
    save_format: str | None = None,
    include_optimizer: bool = True,
    overwrite: bool = True,
) -> None:
    """Save the whole ``model`` to ``path`` (``str``, PathLike, or an open ``h5py.File``).

    ``ValueError`` for a path or format that cannot be used,
    ``NotImplementedError`` for a subclassed model in HDF5, ``FileExistsError`` when not to overwrite. A
    save that fails leaves what was there.
    """
    target = _open_group(path)
    chosen = _choose(path, save_format)
    tell(model, revived=chosen == TENSORFLOW)
    if chosen == KERAS_V3:
        from reference_impl.formats.keras_v3.archive import write_model as write_archive

        _check_overwrite(Path(_as_text(path)), Path(_as_text(path)), overwrite)
        write_archive(Path(_as_text(path)), model, _generation(), include_optimizer)
        return
    if chosen == TENSORFLOW and dialects.current() == "keras-3":
        raise ValueError(
            f"{path!s}: the models of Keras 3 are in files that end in {V3_SUFFIXES[0]}, or .h5; change the name"
        )
    if chosen == TENSORFLOW:
        _write_saved_model(model, Path(_as_text(path)), include_optimizer, overwrite)
        return
    _check_saved_whole(model)
    from reference_impl.formats.hdf5.model import write_model

    if target is not None:
        write_model(lambda: nullcontext(target), model, include_optimizer)
        return
    _write_hdf5(path, overwrite, lambda open_file: write_model(open_file, model, include_optimizer))


def save_weights(model: Any, path: Any, save_format: str | None = None, overwrite: bool = True) -> None:
    """Save the weights of ``model`` to ``path``: a TF checkpoint with that prefix, or an HDF5 file.

    Errors as :func:`save_model` raises them.
    """
    target = _open_group(path)
    chosen = _choose(path, save_format)
    if dialects.current() == "keras-3" and chosen != KERAS_V3:
        raise ValueError(f"{path!s}: the weights of Keras 3 are in files that end in {V3_SUFFIXES[1]}; change the name")
    _check_built(model, "saved")
    if chosen == TENSORFLOW:
        _write_checkpoint(model, path, overwrite)
        return
    from reference_impl.formats.hdf5.weights import write_weights

    if target is not None:
        write_weights(target, model)
        return

    def write(open_file: Callable[[], Any]) -> None:
        with open_file() as file:
            if chosen == KERAS_V3:
                from reference_impl.formats.keras_v3.weights import write as write_v3

                write_v3(file, model, _generation())
            else:
                write_weights(file, model)

    _write_hdf5(path, overwrite, write)


def _generation() -> Any:
    return dialects.current()


def _choose(path: Any, save_format: str | None) -> str:
    """The format that ``path`` and ``save_format`` select."""
    chosen = FORMATS.get(save_format) if isinstance(save_format, str) else None
    if save_format is not None and chosen is None:
        raise ValueError(f"Unknown format {save_format!r}; expected one of {', '.join(map(repr, FORMATS))}")
    if _open_group(path) is not None:
        if chosen == TENSORFLOW:
            raise ValueError(f"save_format={save_format!r} contradicts the open HDF5 file given as path")
        return HDF5
    name = _check_path(path)
    if save_format in (None, "keras") and dialects.current() in _V3 and name.lower().endswith(V3_SUFFIXES):
        return KERAS_V3
    suffix = next((suffix for suffix in HDF5_SUFFIXES if name.lower().endswith(suffix)), None)
    if suffix is not None and chosen == TENSORFLOW:
        raise ValueError(
            f"{os.fspath(path)}: save_format={save_format!r} contradicts the suffix, which selects HDF5; "
            "change one of them"
        )
    return chosen or (HDF5 if suffix else TENSORFLOW)


def _check_path(path: Any) -> str:
    """The last part of ``path``; an error if it names no file."""
    text = _as_text(path)
    name = os.path.basename(text)
    if name in ("", ".", "..") or name.lower() in HDF5_SUFFIXES:
        raise ValueError(f"{text!r} names no file: found {name!r} as its last part, expected a name")
    return name


def _as_text(path: Any) -> str:
    text = _fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"found a path of bytes {text!r}, expected str or PathLike of str")
    return text


def _check_saved_whole(model: Any) -> None:
    from reference_impl.models import Sequential

    if model._graph is None and not isinstance(model, Sequential):
        raise NotImplementedError(
            f"Saving the model {model.name!r} to HDF5 requires it to be a Functional or a Sequential model; it is a "
            f"subclassed {type(model).__name__}, whose call is Python code that HDF5 cannot hold. Save its weights "
            "(save_weights) or use the SavedModel format"
        )


def _check_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"Weights for model {model.name} have not yet been created, so they cannot be {what}. Weights are created "
            "when the model is first called on inputs or `build()` is called with an `input_shape`."
        )


def _write_hdf5(path: Any, overwrite: bool, write: Callable[[Callable[[], Any]], None]) -> None:
    """Call ``write`` with a function that opens the new file."""
    from reference_impl.formats.files import replacing
    from reference_impl.formats.hdf5.creating import created

    target = Path(_as_text(path))
    _check_overwrite(target, target, overwrite)
    with replacing(target) as temporary:
        write(lambda: created(temporary))


def _write_saved_model(model: Any, path: Path, include_optimizer: bool, overwrite: bool) -> None:
    from reference_impl.formats.savedmodel.write.folder import write_model

    if not model.built:
        raise ValueError(
            f"Model {model.name!r} cannot be saved because the input shapes have not been set. Usually, input shapes are "
            "automatically determined from calling `.fit()` or `.predict()`. To manually set the shapes, call "
            "`model.build(input_shape)`."
        )
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path}: found a file, expected a folder or nothing; choose another name")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: found a folder already there, and overwrite is False")
    write_model(path, model, include_optimizer)


def _write_checkpoint(model: Any, path: Any, overwrite: bool) -> None:
    from reference_impl.formats.checkpoint import bundle, object_graph, state

    named = Path(_as_text(path))
    if named.is_file():
        raise FileExistsError(
            f"{named}: found a file, which would be loaded in place of the checkpoint; choose another name"
        )
    _check_overwrite(bundle.index_path(path), named, overwrite)
    bundle.write_bundle(path, object_graph.encode(model))
    state.write_state(path)


def _check_overwrite(path: Path, named: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{path}: found a folder, expected a file or nothing; choose another name")
    if not overwrite and path.exists():
        raise FileExistsError(f"{named}: found a file already there, and overwrite is False")


# -- loading -----------------------------------------------------------------------------------------------


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model saved at ``path`` (``str``, PathLike, or an open ``h5py.File``).

    Raises ``LoadError``: ``FileNotFoundError`` for a missing path, and whatever is wrong with the file.
    """
    if _open_group(path) is None and os.path.isdir(_as_text(path)):
        from reference_impl.formats.savedmodel import stored

        if stored.is_saved_model(_as_text(path)):
            from reference_impl.formats.savedmodel import revive

            with deferred():
                return revive.load_model(_as_text(path), custom_objects, compile)
    if _is_zip(path):
        from reference_impl.formats.keras_v3.archive import read_model as read_archive

        with deferred():
            return read_archive(_as_text(path), custom_objects, compile)
    from reference_impl.formats.hdf5.model import read_model

    with _open_hdf5(path, _refuse_other_model) as (file, name), deferred():
        return read_model(file, name, custom_objects, compile)


def _is_zip(path: Any) -> bool:
    return _open_group(path) is None and (_first_bytes(_as_text(path)) or b"").startswith(_ZIP_MAGIC)


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

        _check_built(model, "loaded")
        load_shards(_as_text(path), model, skip_mismatch)
        return None
    from reference_impl.formats.hdf5 import stored, weights
    from reference_impl.formats.hdf5.model import MODEL_WEIGHTS

    if _is_archive(path):
        from reference_impl.formats.keras_v3.archive import load_weights as load_from_archive

        _check_built(model, "loaded")
        load_from_archive(_as_text(path), model, skip_mismatch)
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
    return _open_group(path) is None and os.path.isfile(_as_text(path)) and _as_text(path).endswith(".weights.json")


def _is_archive(path: Any) -> bool:
    return _open_group(path) is None and os.path.isfile(_as_text(path)) and _is_zip(path)


def _is_v3_weights(path: Any) -> bool:
    """Whether ``path`` is an HDF5 file laid out as a model, not as a list of layers."""
    if _open_group(path) is None:
        text = _as_text(path)
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
    if _open_group(path) is not None:
        return None
    text = _as_text(path)
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

    group = _open_group(path)
    if group is not None:
        place = str(group.file.filename)
        with noticed(place):
            yield group, place
        return
    text = _as_text(path)
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
    if start.startswith(_ZIP_MAGIC):
        raise LoadError(f"{path}: found a Keras v3 (zip) file, which is not yet supported by this version")
    raise LoadError(f"{path}: byte 0: found {start[:8]!r}, expected {_HDF5_MAGIC!r}, the start of {expected}")


def _open_group(path: Any) -> Any:
    """``path`` if it is an open HDF5 file or group, else None. Does not import h5py: who has one, has."""
    import sys

    h5py = sys.modules.get("h5py")
    return path if h5py is not None and isinstance(path, cast("Any", h5py).Group) else None
