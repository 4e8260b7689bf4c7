"""Dialects: the generations of Keras this library can behave as."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

VERSIONS = {"keras-2.4": "2.4.0", "keras-2.8": "2.8.0", "keras-2.15": "2.15.0", "keras-3": "3.15.1"}
"""What Keras calls itself in the files of each dialect."""
SUPPORTED = tuple(VERSIONS)

# The first version of Keras that is of the next dialect.
_ENDS = ((2, 5), (2, 12), (3, 0))

_current = ContextVar("dialect", default="keras-2.4")
_read: ContextVar[str | None] = ContextVar("read", default=None)


@contextmanager
def dialect(name: str) -> Generator[str]:
    """``with dialect("keras-2.15"):`` writes files of that generation inside. ``ValueError`` for an unknown one."""
    if name not in SUPPORTED:
        raise ValueError(f"unknown dialect {name!r}; supported: {', '.join(SUPPORTED)}")
    token = _current.set(name)
    try:
        yield name
    finally:
        _current.reset(token)


def current() -> str:
    """The dialect that files are written in now."""
    return _current.get()


def keras_version() -> str:
    """What Keras calls itself in the files that are written now."""
    return VERSIONS[current()]


@contextmanager
def reading(version: object) -> Generator[None]:
    """Inside, a file is read that says it is of this version of Keras: ``of_file`` knows its dialect."""
    found = re.match(r"(\d+)\.(\d+)", version) if isinstance(version, str) else None
    number = found and tuple(map(int, found.groups()))
    token = _read.set(SUPPORTED[sum(number >= end for end in _ENDS)] if number else None)
    try:
        yield
    finally:
        _read.reset(token)


def of_file() -> str:
    """The dialect of the file that is being read; the current one where none is, or it does not say."""
    return _read.get() or current()
