"""Saving: which format a path means, and the way to it.

The ``save_format`` argument and the path's suffix say, and must not contradict each other. A save takes the old file's
place when it is complete, and not before.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from reference_impl import dialects
from reference_impl.paths import as_text, open_group
from reference_impl.told import tell

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
    target = open_group(path)
    chosen = _choose(path, save_format)
    tell(model, revived=chosen == TENSORFLOW)
    if chosen == KERAS_V3:
        from reference_impl.formats.keras_v3.archive import write_model as write_archive

        _check_overwrite(Path(as_text(path)), Path(as_text(path)), overwrite)
        write_archive(Path(as_text(path)), model, _generation(), include_optimizer)
        return
    if chosen == TENSORFLOW and dialects.current() == "keras-3":
        raise ValueError(
            f"{path!s}: the models of Keras 3 are in files that end in {V3_SUFFIXES[0]}, or .h5; change the name"
        )
    if chosen == TENSORFLOW:
        _write_saved_model(model, Path(as_text(path)), include_optimizer, overwrite)
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
    target = open_group(path)
    chosen = _choose(path, save_format)
    if dialects.current() == "keras-3" and chosen != KERAS_V3:
        raise ValueError(f"{path!s}: the weights of Keras 3 are in files that end in {V3_SUFFIXES[1]}; change the name")
    check_built(model, "saved")
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
    if open_group(path) is not None:
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
    text = as_text(path)
    name = os.path.basename(text)
    if name in ("", ".", "..") or name.lower() in HDF5_SUFFIXES:
        raise ValueError(f"{text!r} names no file: found {name!r} as its last part, expected a name")
    return name


def _check_saved_whole(model: Any) -> None:
    from reference_impl.models import Sequential

    if model._graph is None and not isinstance(model, Sequential):
        raise NotImplementedError(
            f"Saving the model {model.name!r} to HDF5 requires it to be a Functional or a Sequential model; it is a "
            f"subclassed {type(model).__name__}, whose call is Python code that HDF5 cannot hold. Save its weights "
            "(save_weights) or use the SavedModel format"
        )


def check_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"Weights for model {model.name} have not yet been created, so they cannot be {what}. Weights are created "
            "when the model is first called on inputs or `build()` is called with an `input_shape`."
        )


def _write_hdf5(path: Any, overwrite: bool, write: Callable[[Callable[[], Any]], None]) -> None:
    """Call ``write`` with a function that opens the new file."""
    from reference_impl.formats.files import replacing
    from reference_impl.formats.hdf5.creating import created

    target = Path(as_text(path))
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

    named = Path(as_text(path))
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
