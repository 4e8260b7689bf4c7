"""Dialects: the generations of Keras this library can behave as."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

SUPPORTED = ("keras-2.4",)


@contextmanager
def dialect(name: str) -> Generator[str]:
    """``with dialect("keras-2.4"):`` writes files of that generation inside. ``ValueError`` for any other, so far."""
    if name not in SUPPORTED:
        raise ValueError(f"unknown dialect {name!r}; supported: {', '.join(SUPPORTED)}")
    yield name
