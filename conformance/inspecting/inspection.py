"""From a path to what is there: the format by its content, then its reader, then who should load it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from conformance.inspecting import archives, folders, hdf5_files, json_files
from conformance.inspecting.loading import Found, expectations
from conformance.inspecting.model import Inspection
from conformance.witness import WitnessError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"

# First bytes of files that are taken for models and are not: what they are.
_OTHERS = (
    (b"\x80\x02", "a pickle, which runs code when it is loaded; it was not read"),
    (b"\x80\x03", "a pickle, which runs code when it is loaded; it was not read"),
    (b"\x80\x04", "a pickle, which runs code when it is loaded; it was not read"),
    (b"\x80\x05", "a pickle, which runs code when it is loaded; it was not read"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer; the model itself is not here (`git lfs pull` fetches it)"),
    (b"\x1f\x8b", "gzip; unpack it first"),
)


def inspect(path: Path) -> Inspection:
    """What is in the model file or folder at ``path``.

    A checkpoint is named by its prefix, by one of its files or by its folder. Raises WitnessError, naming the file and
    the place in it, for what is not there, cannot be read, or is no model.
    """
    found = _reader(path)(path)
    weights = ("HDF5 weights", "Keras v3 weights", "TensorFlow checkpoint")
    inspection = found.inspection
    holds = "weights only" if inspection.format in weights else inspection.holds
    size = _size(path)
    inspection = replace(inspection, bytes=size, holds=holds)
    return replace(inspection, expectations=expectations(replace(found, inspection=inspection)))


def _reader(path: Path) -> Callable[[Path], Found]:
    try:
        if path.is_dir():
            return folders.saved_model if (path / "saved_model.pb").is_file() else folders.checkpoint_folder
        if not path.exists():
            if path.is_symlink():
                raise WitnessError(path, "file", f"a link to {path.readlink()}, which is not there")
            if path.with_name(path.name + ".index").is_file():
                return folders.read_checkpoint
            raise WitnessError(path, "file", "is not there")
        if not path.is_file():
            raise WitnessError(path, "file", "is no regular file")
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise WitnessError(path, "file", f"cannot be read: {error.strerror or error}") from None
    return _by_content(path, head)


def _by_content(path: Path, head: bytes) -> Callable[[Path], Found]:
    if not head:
        raise WitnessError(path, "file", "is empty (0 bytes)")
    if head.startswith(_HDF5):
        return hdf5_files.read
    if head.startswith(_ZIP):
        names = _names(path)
        if "config.json" in names or "metadata.json" in names:
            return archives.read
        kind = "a NumPy archive" if all(name.endswith(".npy") for name in names) else "a zip without config.json"
        raise WitnessError(path, "file", f"{kind}, no Keras model")
    if path.suffix == ".index" or ".data-" in path.name:
        return folders.checkpoint_file
    if path.name == "saved_model.pb":
        return lambda file: folders.saved_model(file.parent)
    if head.lstrip()[:1] == b"{":
        return json_files.read
    for start, what in _OTHERS:
        if head.startswith(start):
            raise WitnessError(path, "file", f"no Keras model but {what}")
    raise WitnessError(path, "file", "is no model: neither HDF5, a .keras zip, a SavedModel, a checkpoint nor JSON")


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise WitnessError(path, "zip", str(error)) from None


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}.*"))
