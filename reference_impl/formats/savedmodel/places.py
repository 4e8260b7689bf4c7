"""Where in a SavedModel something is wrong."""

from __future__ import annotations

from typing import Any

from reference_impl.errors import LoadError
from reference_impl.formats.savedmodel.stored import Stored

REFUSALS = (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError, MemoryError)
"""What classes raise that a config does not fit, layers that inputs do not."""


class Naming:
    """``with Naming(stored, place or object):`` errors of configs inside become ``LoadError`` and say the innermost place."""

    def __init__(self, stored: Stored, place: str | int) -> None:
        self._stored = stored
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, REFUSALS) or str(error).startswith(self._stored.path):
            return
        place = self._stored.place(self._place) if isinstance(self._place, int) else self._place
        if isinstance(error, LoadError):
            raise type(error)(f"{self._stored.path}: {place}: {error}") from error
        raise LoadError(
            f"{self._stored.path}: {place}: found a config that its classes refuse: {type(error).__name__}: {error}"
        ) from error
