"""Files and folders at the edge: replaced whole or not at all."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a path beside ``path`` to write to; it takes the place of ``path`` if the block ends well.

    Readers see the old file or the new one, and who has the old one mapped keeps it. If the block raises,
    the old file is as it was and the new one is removed. Missing parent folders are made.
    """
    path = Path(os.path.realpath(path))  # of a link the target is replaced
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Generator[Path]:
    """Give a new folder beside ``path`` to write to; it takes the place of ``path`` if the block ends well.

    If the block raises, what was there is as it was and the new folder is removed. Missing parent folders are made. Where the
    system can exchange two folders (Linux), there is at every moment one at ``path``, even if the process is killed.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = os.urandom(6).hex()
    temporary, old = (path.with_name(f".{path.name}.{mark}.{word}") for word in ("tmp", "old"))
    temporary.mkdir()
    try:
        yield temporary
        if path.is_dir() and exchange(temporary, path):
            return
        if path.exists():
            os.rename(path, old)
        try:
            os.rename(temporary, path)
        except BaseException:
            if old.exists():
                os.rename(old, path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def exchange(first: Path, second: Path) -> bool:
    """Let two paths change places in one step; False, and nothing done, where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    return rename is not None and rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0
