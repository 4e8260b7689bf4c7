"""Where in a SavedModel something is wrong."""

from __future__ import annotations

from typing import Any

from reference_impl.errors import LoadError
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.serialization.generic import REFUSALS


class Naming:
    """``with Naming(stored, place or object):`` errors of configs inside become ``LoadError`` and say the innermost place."""

    def __init__(self, stored: Stored, place: str | int, found: str = "a config that its classes refuse") -> None:
        self._stored = stored
        self._place = place
        self._found = found

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, REFUSALS):
            return
        if str(error).startswith(self._stored.path):
            if isinstance(error, LoadError):
                return
            raise LoadError(str(error)) from error
        place = self._stored.place(self._place) if isinstance(self._place, int) else self._place
        if isinstance(error, LoadError):
            raise type(error)(f"{self._stored.path}: {place}: {error}") from error
        raise LoadError(
            f"{self._stored.path}: {place}: found {self._found}: {type(error).__name__}: {error}"
        ) from error
