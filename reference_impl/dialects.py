"""Dialects: the generations of Keras this library can behave as."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

SUPPORTED = ("keras-2.4", "keras-2.8", "keras-2.15", "keras-3")

_current = ContextVar("dialect", default="keras-2.4")


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
