"""Keras v3 archives: a zip with ``metadata.json``, ``config.json`` and ``model.weights.h5``."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from conformance.inspecting import dangers
from conformance.inspecting.configs import custom_objects, tree
from conformance.inspecting.facts import generation, optimizer, optimizer_arrays, training
from conformance.inspecting.hdf5_files import weights_of
from conformance.inspecting.loading import Found
from conformance.inspecting.model import Check, Danger, Inspection, WeightFact, Writer
from conformance.witness import WitnessError, hdf5
from conformance.witness.error import json_object

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
# An entry that grows more than this is not unpacked.
_RATIO, _LARGE = 200, 1 << 22
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")


def read(path: Path) -> Found:
    """What is in the archive at ``path``. Raises WitnessError."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            texts = {name: _unpacked(archive, name, path) for name in (_METADATA, _CONFIG)}
            bad, weights, found = _weights(archive, path)
            # Reading an entry to its end verifies its checksum; the weights have been.
            damaged = [entry.filename for entry in entries if entry.filename != _WEIGHTS and not _whole(archive, entry)]
    except OSError as error:
        raise WitnessError(path, "file", f"cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise WitnessError(path, "zip", str(error)) from None
    damaged += [_WEIGHTS] if bad else []
    metadata, config = json_object(texts[_METADATA], path, _METADATA), json_object(texts[_CONFIG], path, _CONFIG)
    version = _text(metadata.get("keras_version"))
    compiled: Any = config.get("compile_config") or {}
    top = tree(config, {})
    detail = ", ".join(damaged) or f"of {len(entries)} entries"
    return Found(
        Inspection(
            path=str(path),
            format="Keras v3 archive",
            holds="a whole model" if weights else "an architecture without weights",
            bytes=0,
            writer=Writer(generation(version), version, date=_text(metadata.get("date_saved"))),
            name=top.name,
            layers=top.layers,
            weights=weights,
            optimizer=optimizer(compiled, optimizer_arrays(weights)),
            training=training(compiled),
            custom=custom_objects(config),
            checks=(Check("checksums", not damaged, f"CRC-32 {'wrong: ' if damaged else 'right '}{detail}"),),
            dangers=(*dangers.in_config(config), *_entries(entries), *found),
        ),
        config,
        compiled,
    )


def _weights(archive: zipfile.ZipFile, path: Path) -> tuple[str | None, tuple[WeightFact, ...], tuple[Danger, ...]]:
    """What is wrong with the weights' checksum, the weights, and what is dangerous in them."""
    if _WEIGHTS not in archive.namelist():
        return None, (), ()
    try:
        data = _unpacked(archive, _WEIGHTS, path)
    except zipfile.BadZipFile as error:
        return str(error), (), ()
    outline = hdf5.outline(f"{path}/{_WEIGHTS}", io.BytesIO(data))
    return None, weights_of(outline), tuple(dangers.in_hdf5(outline))


def _unpacked(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    if name not in archive.namelist():
        raise WitnessError(path, "zip", f"no entry {name}; found {', '.join(archive.namelist()[:8])}")
    entry = archive.getinfo(name)
    if _is_bomb(entry):
        raise WitnessError(
            path, f"zip entry {name}", f"grows from {entry.compress_size:,} to {entry.file_size:,} bytes"
        )
    return archive.read(name)


def _whole(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if _is_bomb(entry):
        return True  # not looked at: it is told as a danger
    try:
        with archive.open(entry) as stream:
            while stream.read(1 << 20):
                pass
    except zipfile.BadZipFile:
        return False
    return True


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > _LARGE and entry.file_size > _RATIO * max(entry.compress_size, 1)


def _entries(entries: list[zipfile.ZipInfo]) -> list[Danger]:
    found: list[Danger] = []
    for entry in entries:
        name = entry.filename
        if name.startswith(("/", "\\")) or ".." in Path(name).parts or ":" in name:
            found.append(Danger("path", name, "an entry that unpacks outside its folder"))
        if entry.external_attr >> 28 == 0xA:
            found.append(Danger("link", name, "an entry that is a symbolic link"))
        if _is_bomb(entry):
            found.append(Danger("size", name, f"grows from {entry.compress_size:,} to {entry.file_size:,} bytes"))
        if name.lower().endswith(_PICKLES):
            found.append(Danger("pickle", name, "a pickle, which runs code when it is loaded"))
    return found


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value)
