"""Facts about a Keras v3 file: a zip with ``metadata.json``, ``config.json`` and ``model.weights.h5``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.witness import hdf5
from conformance.witness.error import WitnessError, json_object

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"


@dataclass(frozen=True)
class Entry:
    """An entry of the zip: its size in bytes, unpacked, and whether it is stored uncompressed."""

    name: str
    size: int
    stored: bool


@dataclass(frozen=True)
class KerasZip:
    """The facts. ``weights`` is None where the weights are kept another way (sharded, npz)."""

    path: Path
    entries: tuple[Entry, ...]
    metadata: Mapping[str, Any]
    config: Mapping[str, Any]
    weights: hdf5.Hdf5 | None


def read(path: str | Path) -> KerasZip:
    """The facts of the file at ``path``. Raises WitnessError when it is no zip, or lacks its two JSON entries."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            contents = {name: archive.read(name) for name in (METADATA, CONFIG, WEIGHTS) if name in archive.namelist()}
    except OSError as error:
        raise WitnessError(path, "file", f"cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise WitnessError(path, "zip", str(error)) from None
    for name in (METADATA, CONFIG):
        if name not in contents:
            raise WitnessError(path, "zip", f"no entry {name}; found {[info.filename for info in infos]}")
    weights = contents.get(WEIGHTS)
    return KerasZip(
        path=path,
        entries=tuple(Entry(info.filename, info.file_size, info.compress_type == zipfile.ZIP_STORED) for info in infos),
        metadata=json_object(contents[METADATA], path, METADATA),
        config=json_object(contents[CONFIG], path, CONFIG),
        weights=None if weights is None else hdf5.read(f"{path}/{WEIGHTS}", io.BytesIO(weights)),
    )
