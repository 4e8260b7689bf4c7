"""The one error of a blueprint that is not well formed, and how it learns where it happened."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


class BlueprintError(ValueError):
    """A blueprint is not well formed; ``place`` says where (``layers[2].args``), ``problem`` what."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"blueprint: {place}: {problem}" if place else f"blueprint: {problem}")
        self.place = place
        self.problem = problem


@contextmanager
def at(place: str) -> Generator[None]:
    """Put ``place`` before the place of any BlueprintError raised inside."""
    try:
        yield
    except BlueprintError as error:
        inner = f".{error.place}" if error.place and not error.place.startswith("[") else error.place
        raise BlueprintError(place + inner, error.problem) from None
