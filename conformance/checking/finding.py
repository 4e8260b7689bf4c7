"""From what a user names to models: files, folders that are models, folders and patterns that hold some.

What a file is, is decided by its content; its name only says whether a file met on a walk is looked at. A file that
is named and is no model is a `Problem`, and so is one met on a walk whose name says that it should be one.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".h5", ".hdf5", ".keras")
HDF5_MAGIC, ZIP_MAGIC = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
# The signature of an HDF5 file stands at its start, or after a user's block of 512 bytes, or twice, four times … that.
HDF5_OFFSETS = (0, *(512 << n for n in range(8)))
SAVED_MODEL, INDEX, CHECKPOINT = "saved_model.pb", ".index", "checkpoint"


@dataclass(frozen=True)
class Found:
    """A model: a file of that container (hdf5, zip), a SavedModel's folder, or a checkpoint's prefix."""

    path: str
    container: str

    @property
    def place(self) -> str:
        """The path for an adapter, which works in a folder of its own."""
        return os.path.abspath(self.path)

    @property
    def main_file(self) -> Path:
        """The file whose bytes stand for the model."""
        if self.container == "savedmodel":
            return Path(self.path, SAVED_MODEL)
        return Path(self.path + INDEX) if self.container == "checkpoint" else Path(self.path)


@dataclass(frozen=True)
class Problem:
    """A path that should be a model and is none, and why."""

    path: str
    problem: str


def find(given: Iterable[str]) -> Iterator[Found | Problem]:
    """The models that the arguments name, each once, in order; folders and patterns in the order of their names."""
    seen: set[str] = set()
    for argument in given:
        for found in _named(argument):
            key = os.path.realpath(found.path)
            if key not in seen:
                seen.add(key)
                yield found


def _named(argument: str) -> Iterator[Found | Problem]:
    if not os.path.lexists(argument) and not os.path.lexists(argument + INDEX):
        if not glob.has_magic(argument):
            yield Problem(argument, "there is no such file or folder")
            return
        matches = sorted(glob.glob(argument, recursive=True))
        if not matches:
            yield Problem(argument, "the pattern matches nothing")
        for match in matches:
            yield from _path(match, walking=True)
        return
    yield from _path(argument, walking=False)


def _path(path: str, *, walking: bool) -> Iterator[Found | Problem]:
    """What is at one path; on a walk, what does not look like a model is passed over without a word."""
    try:
        kind = os.stat(path).st_mode
    except OSError as error:
        if not walking or path.endswith(SUFFIXES):
            yield _checkpoint(path) if os.path.lexists(path + INDEX) else Problem(path, _why(path, error))
        return
    if stat.S_ISDIR(kind):
        found = list(_folder(path, set()))
        if not found and not walking:
            yield Problem(path, "no model in this folder: neither *.h5, *.hdf5, *.keras, a SavedModel nor a checkpoint")
        yield from found
    elif path.endswith(INDEX):
        yield from () if walking and not _is_checkpoint(path) else [_checkpoint(path.removesuffix(INDEX))]
    elif not walking or path.endswith(SUFFIXES):
        yield _file(path, kind)


def _folder(path: str, above: set[tuple[int, int]]) -> Iterator[Found | Problem]:
    """A SavedModel, or whatever is in the folder; ``above`` are the folders it lies in, for links that go round."""
    try:
        status = os.stat(path)
        names = sorted(os.listdir(path))
    except OSError as error:
        yield Problem(path, _why(path, error))
        return
    if SAVED_MODEL in names:
        yield Found(path, "savedmodel")
        return
    if (status.st_dev, status.st_ino) in above:
        return
    for name in names:
        inner = os.path.join(path, name)
        if os.path.isdir(inner):
            yield from _folder(inner, above | {(status.st_dev, status.st_ino)})
        else:
            yield from _path(inner, walking=True)


def _file(path: str, kind: int) -> Found | Problem:
    if not stat.S_ISREG(kind):
        return Problem(path, "is no regular file")
    try:
        with open(path, "rb") as file:
            head = file.read(8)
            if not head:
                return Problem(path, "is empty (0 bytes)")
            if head[:4] == ZIP_MAGIC:
                return Found(path, "zip")
            for offset in HDF5_OFFSETS:
                file.seek(offset)
                if file.read(8) == HDF5_MAGIC:
                    return Found(path, "hdf5")
    except OSError as error:
        return Problem(path, _why(path, error))
    return Problem(path, f"is no model: begins with {head!r}, expected an HDF5 file or a zip archive (.keras)")


def _is_checkpoint(index: str) -> bool:
    """Whether data files lie beside the index; other programs have files of that name, too."""
    return bool(glob.glob(glob.escape(index.removesuffix(INDEX)) + ".data-*-of-*"))


def _checkpoint(prefix: str) -> Found | Problem:
    if not _is_checkpoint(prefix + INDEX):
        return Problem(prefix, f"no checkpoint: there is no {os.path.basename(prefix)}.data-?????-of-????? beside it")
    try:
        with open(prefix + INDEX, "rb") as file:
            if not file.read(1):
                return Problem(prefix, "the checkpoint's index is empty (0 bytes)")
    except OSError as error:
        return Problem(prefix, _why(prefix + INDEX, error))
    return Found(prefix, "checkpoint")


def _why(path: str, error: OSError) -> str:
    if os.path.islink(path) and not os.path.exists(path):
        return f"is a dangling link to {os.readlink(path)}"
    return f"cannot be read: {error.strerror or error}"


def architecture_beside(path: str) -> Path | None:
    """The JSON file with the architecture of weights at ``path``: STEM.json, STEM_config.json, or model.json."""
    here = Path(path)
    stem = here.name.removesuffix(here.suffix if here.suffix in SUFFIXES else "").removesuffix(".weights")
    names: Sequence[str] = (f"{stem}.json", f"{stem}_config.json", "model.json", "architecture.json", "config.json")
    return next((here.with_name(name) for name in names if here.with_name(name).is_file()), None)
