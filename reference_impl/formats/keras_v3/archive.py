"""A whole model in a zip archive, ``.keras``.

::

    metadata.json       keras_version, date_saved
    config.json         {"module", "class_name", "config", "registered_name", "build_config", "compile_config"}
    model.weights.h5    see ``weights``
    assets/<path>/…     what else layers keep, by their paths: vocabulary.txt, the tokens of a lookup layer, a line each

All are stored without compression. Nothing in the archive is unpacked to disk.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import io
import json
import lzma
import os
import struct
import time
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from reference_impl import dialects
from reference_impl.errors import LoadError
from reference_impl.formats.files import replacing
from reference_impl.formats.hdf5 import heaps
from reference_impl.formats.hdf5.model import NOT_COMPILED
from reference_impl.formats.keras_v3 import weights
from reference_impl.formats.keras_v3.walk import Generation, places
from reference_impl.serialization.generic import REFUSALS

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
PICKLED = "model.weights.npz"
_MAX_JSON = 256 << 20
_MORE = 64 << 20
_FLAGS, _FLAGS_TO_CHECKSUM, _CHECKSUM_FOLLOWS = 6, struct.Struct("<H6xI"), 8  # of a member's header
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, struct.error),
)


# -- writing -----------------------------------------------------------------------------------------------


def write_model(path: Path, model: Any, generation: Generation, include_optimizer: bool = True) -> None:
    """Write ``model`` to ``path`` when all of it has been made. The date is ``SOURCE_DATE_EPOCH`` where that is set."""
    import h5py  # pyright: ignore[reportMissingTypeStubs]

    from reference_impl.formats.keras_v3.config import config_of

    now = time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    metadata = {"keras_version": dialects.VERSIONS[generation], "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S", now)}
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        weights.write(file, model, generation, include_optimizer)
    members = {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: json.dumps(config_of(model)).encode(),
        WEIGHTS: stored.getvalue(),
        **{
            f"assets/{place.path}/{name}": content
            for place in places(model, generation, optimizer=False)
            if hasattr(place.target, "assets")
            for name, content in place.target.assets().items()
        },
    }
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content)


# -- reading -----------------------------------------------------------------------------------------------


def read_model(path: str, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model in the archive, compiled as it was with ``compile``. Raises ``LoadError``."""
    from reference_impl.serialization import deserialize_model
    from reference_impl.training.config import compile_from_config

    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_ERRORS as error:
        raise LoadError(f"{path}: found a zip archive that is damaged ({error}), expected a whole one") from error
    with archive:
        config = _json(archive, CONFIG, path)
        _json(archive, METADATA, path)
        model = _naming(f"{path}: {CONFIG}", lambda: deserialize_model(config, custom_objects))
        _build(model, config)
        training: Any = config.get("compile_config")
        if compile and isinstance(training, Mapping) and "optimizer" in training:
            told = cast("Mapping[str, Any]", training)
            _naming(
                f"{path}: {CONFIG}: compile_config",
                lambda: compile_from_config(model, _training(told), custom_objects),
            )
        elif compile:
            warnings.warn(NOT_COMPILED, stacklevel=3)
        _read_weights(archive, path, model, assets=True)
    return model


def load_weights(path: str, model: Any, skip_mismatch: bool = False) -> None:
    """Give ``model`` the weights of the model in the archive, all or (``LoadError``) none."""
    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_ERRORS as error:
        raise LoadError(f"{path}: found a zip archive that is damaged ({error}), expected a whole one") from error
    with archive:
        _read_weights(archive, path, model, optimizer=False, skip_mismatch=skip_mismatch)


def _build(model: Any, config: Mapping[str, Any]) -> None:
    shape: Any = config.get("build_config")
    if model.built or not isinstance(shape, Mapping):
        return
    given = cast("Mapping[str, Any]", shape)
    found = given.get("input_shape", given.get("shapes_dict"))
    if found is None:
        return
    try:
        model.build(tuple(cast("list[Any]", found)) if isinstance(found, list) else found)
    except REFUSALS as error:
        warnings.warn(f"{model.name!r} could not be built for {found}: {error}", stacklevel=4)


def _training(config: Mapping[str, Any]) -> dict[str, Any]:
    from reference_impl.serialization import later

    told = later.model_config(dict(config))
    names = ("loss", "metrics", "weighted_metrics", "loss_weights")
    return {"optimizer_config": told.get("optimizer"), **{name: told.get(name) for name in names}}


def _read_weights(
    archive: zipfile.ZipFile,
    path: str,
    model: Any,
    optimizer: bool = True,
    skip_mismatch: bool = False,
    assets: bool = False,
) -> None:
    import h5py  # pyright: ignore[reportMissingTypeStubs]

    from reference_impl.formats.hdf5.attributes import H5PY_ERRORS
    from reference_impl.formats.hdf5.noticed import noticed

    if WEIGHTS not in archive.namelist():
        found = sorted(archive.namelist())[:8]
        pickled = f"; {PICKLED} holds Python objects, which are never loaded from a file" if PICKLED in found else ""
        raise LoadError(f"{path}: found no {WEIGHTS} among {found}, expected it{pickled}")
    content = _member(archive, WEIGHTS, path, _most(path))
    place = f"{path}: {WEIGHTS}"
    heaps.check(content, place)
    try:
        file = h5py.File(io.BytesIO(content), "r")
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found an HDF5 file that is damaged ({error}), expected a whole one") from error
    with file, noticed(place):
        if assets:
            _read_assets(archive, path, model, _generation(file, place))
        stored = cast("Any", file).get("optimizer/vars") if optimizer else None
        own: Any = model.optimizer
        has_state = own is not None and stored is not None and len(stored) > 0
        if has_state:
            cast("Any", own).create_slots(model.trainable_weights)
        weights.load(file, model, place, optimizer=has_state, skip_mismatch=skip_mismatch)


def _generation(file: Any, place: str) -> Generation:
    from reference_impl.formats.hdf5.attributes import H5PY_ERRORS

    try:
        return weights.generation_of(file)
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found data that cannot be read: {error}") from error


def _read_assets(archive: zipfile.ZipFile, path: str, model: Any, generation: Generation) -> None:
    for place in places(model, generation, optimizer=False):
        if not hasattr(place.target, "set_assets"):
            continue
        names: list[str] = list(place.target.assets())
        found = {name: _member(archive, f"assets/{place.path}/{name}", path, _most(path)) for name in names}
        try:
            place.target.set_assets(found)
        except ValueError as error:
            raise LoadError(f"{path}: assets/{place.path}: found what {place.name!r} cannot take: {error}") from error


def _most(path: str) -> int:
    """Bytes that a member may unpack to: Keras compresses nothing, people who pack archives anew do."""
    return 10 * os.path.getsize(path) + _MORE


def _member(archive: zipfile.ZipFile, name: str, path: str, limit: int) -> bytes:
    """The content of a member of at most ``limit`` bytes, its checksum verified."""
    try:
        info = archive.getinfo(name)
        if info.file_size > limit:
            raise LoadError(f"{path}: {name}: found {info.file_size} bytes, expected at most {limit}")
        _check_header(info, path)
        return archive.read(info)
    except LoadError:
        raise
    except _ZIP_ERRORS as error:
        raise LoadError(f"{path}: {name}: found no member that can be read ({error}), expected a whole one") from error


def _check_header(info: zipfile.ZipInfo, path: str) -> None:
    """What stands before a member and what the directory at the end says of it are of one saving.

    Where the beginning of one archive was put before the end of another, nothing else may tell.
    """
    with open(path, "rb") as file:
        file.seek(info.header_offset + _FLAGS)
        flags, checksum = _FLAGS_TO_CHECKSUM.unpack(file.read(_FLAGS_TO_CHECKSUM.size))
    if not flags & _CHECKSUM_FOLLOWS and checksum != info.CRC:
        raise LoadError(
            f"{path}: {info.filename}: found the checksum {checksum:08x} in its header (offset {info.header_offset}),"
            f" expected {info.CRC:08x} as in the directory: parts of two files; use another copy"
        )


def _json(archive: zipfile.ZipFile, name: str, path: str) -> dict[str, Any]:
    try:
        value = json.loads(_member(archive, name, path, _MAX_JSON))
    except (ValueError, RecursionError) as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(f"{path}: {name}: found text that is not JSON ({error}), expected JSON") from error
    if not isinstance(value, dict):
        raise LoadError(f"{path}: {name}: found a {type(value).__name__}, expected a JSON object")
    return cast("dict[str, Any]", value)


def _naming(place: str, action: Any) -> Any:
    try:
        return action()
    except LoadError as error:
        raise type(error)(f"{error} ({place})") from error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise LoadError(f"{place}: found a config that its classes refuse: {type(error).__name__}: {error}") from error
