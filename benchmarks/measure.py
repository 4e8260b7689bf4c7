"""Pairs of measurements, and what is made of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Timer = Callable[[], float]
"""Does something once and says how long it took, in seconds."""


@dataclass(frozen=True)
class Result:
    """One benchmark. ``value`` is the median over ``pairs`` of the ratio or difference that ``what`` names.

    ``limit`` is the most it may be, or with ``sense`` "at least" the least; None is for comparison only.
    """

    name: str
    what: str
    unit: Literal["×", "s", "MiB"]
    pairs: tuple[tuple[float, float], ...]
    value: float
    limit: float | None
    sense: Literal["at most", "at least"] = "at most"

    @property
    def reached(self) -> bool:
        """Whether the value is within the limit."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.sense == "at most" else self.value >= self.limit

    def as_json(self) -> dict[str, Any]:
        """The result as it stands in the results document."""
        return {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "value": self.value,
            "sense": self.sense,
            "limit": self.limit,
            "reached": self.reached,
            "pairs": [list(pair) for pair in self.pairs],
        }


def pairs(first: Timer, second: Timer, count: int) -> Iterator[tuple[float, float]]:
    """``count`` pairs of times after one that is thrown away; who goes first changes from pair to pair."""
    for index in range(-1, count):
        if index % 2:
            later = second()
            pair = (first(), later)
        else:
            pair = (first(), second())
        if index >= 0:
            yield pair


def median_ratio(measured: tuple[tuple[float, float], ...]) -> float:
    """The median of second / first."""
    return statistics.median(second / first for first, second in measured)


def median_difference(measured: tuple[tuple[float, float], ...]) -> float:
    """The median of second − first."""
    return statistics.median(second - first for first, second in measured)


def timed(action: Callable[[], object]) -> Timer:
    """A timer of ``action``; what it returns is freed after the clock has stopped."""

    def timer() -> float:
        start = time.perf_counter()
        result = action()
        taken = time.perf_counter() - start
        del result
        return taken

    return timer
