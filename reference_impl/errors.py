"""The errors this library refuses with.

Whatever cannot be loaded is refused with :class:`LoadError`, a ``ValueError``. Where the file system is at fault the
error is an ``OSError`` too, so that ``except FileNotFoundError`` works as everywhere in Python.
"""

from __future__ import annotations

import errno
import os


class LoadError(ValueError):
    """A file, a config or an object that cannot be loaded.

    The text names the place, what was found, what was expected and what to do.
    """


class UnknownObjectError(LoadError):
    """A config names a class or function that is known nowhere, or holds its code, which is never run."""


class LoadOSError(LoadError, OSError):
    """A load refused because of the file system (unreadable, a folder where a file was expected, …)."""

    def __str__(self) -> str:
        return str(self.args[0]) if len(self.args) == 1 else OSError.__str__(self)


class LoadFileNotFoundError(LoadOSError, FileNotFoundError):
    """A path that does not exist. ``filename`` is the path, ``errno`` is ``ENOENT``."""


def missing_path(path: str | os.PathLike[str], expected: str) -> LoadFileNotFoundError:
    """The error for a path that is not there; ``expected`` says what was looked for (``"a model file or folder"``)."""
    text = f"{os.fspath(path)}: no such file or directory; expected {expected}; check the path"
    error = LoadFileNotFoundError(text)
    error.errno = errno.ENOENT
    error.filename = os.fspath(path)
    return error
