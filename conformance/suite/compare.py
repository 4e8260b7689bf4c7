"""Comparisons whose failure says what differs: names, counts, shapes, dtypes, then values with the size of the difference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SHOWN_DIFFERENCES = 3


@dataclass(frozen=True)
class Sides:
    """What was compared, as it is; ``tolerance`` is that of two arrays."""

    expected: Any
    actual: Any
    tolerance: float = 0.0


class Mismatch(AssertionError):
    """The implementation did something else than the specification says, without raising an error.

    ``expected`` and ``actual`` are short texts for the report; ``sides`` are the values, where the texts are not.
    """

    def __init__(self, what: str, expected: object, actual: object, sides: Sides | None = None) -> None:
        self.what = what
        self.sides = sides or Sides(expected, actual)
        self.expected = _short(expected)
        self.actual = _short(actual)
        super().__init__(f"{what}\n  expected: {self.expected}\n  actual:   {self.actual}")


def _short(value: object, limit: int = 600) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def assert_equal(expected: object, actual: object, what: str) -> None:
    """Plain equality of two values that are not arrays; raises :class:`Mismatch`."""
    if expected != actual:
        raise Mismatch(what, expected, actual)


def assert_true(condition: bool, what: str, *, expected: object, actual: object) -> None:
    """``condition`` holds; raises :class:`Mismatch` with the given texts."""
    if not condition:
        raise Mismatch(what, expected, actual)


def assert_same_array(expected: Array, actual: Array, what: str, tolerance: float = 0.0) -> None:
    """Equal shape, dtype and values.

    With ``tolerance`` 0 the comparison is bit for bit (NaN equals NaN, -0.0 differs from 0.0); otherwise it is
    ``|expected - actual| <= tolerance * max(1, max|expected|)``, the formula of ``tolerances.toml``.
    """
    if expected.shape != actual.shape:
        raise Mismatch(f"{what}: another shape", expected.shape, actual.shape, Sides(expected, actual))
    if expected.dtype != actual.dtype:
        raise Mismatch(f"{what}: another dtype", expected.dtype, actual.dtype, Sides(expected, actual))
    if tolerance == 0.0:
        if expected.dtype.hasobject or expected.dtype.kind in "US":
            wrong = np.asarray(expected != actual)
        else:
            wrong = _bits(expected) != _bits(actual)
    else:
        wide_expected, wide_actual = expected.astype(np.float64), actual.astype(np.float64)
        finite = wide_expected[np.isfinite(wide_expected)]
        allowed = tolerance * max(1.0, float(np.max(np.abs(finite), initial=0.0)))
        with np.errstate(invalid="ignore"):
            wrong = ~((wide_expected == wide_actual) | (np.abs(wide_expected - wide_actual) <= allowed))
        wrong &= ~(np.isnan(wide_expected) & np.isnan(wide_actual))
    if wrong.any():
        raise Mismatch(
            f"{what}: {_difference(expected, actual, wrong)}",
            _sample(expected, wrong),
            _sample(actual, wrong),
            Sides(expected, actual, tolerance),
        )


def _bits(array: Array) -> Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    return (
        flat.view(np.uint8).reshape(flat.size, flat.dtype.itemsize).view(f"V{flat.dtype.itemsize}").reshape(array.shape)
    )


def _difference(expected: Array, actual: Array, wrong: Array) -> str:
    share = f"{int(wrong.sum())} of {wrong.size} values differ"
    if expected.dtype.kind not in "fiu":
        return share
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(expected.astype(np.float64) - actual.astype(np.float64))[wrong]
    return f"{share}, by up to {np.nanmax(error, initial=0.0):.3g}"


def _sample(array: Array, wrong: Array) -> str:
    places = [tuple(int(i) for i in index) for index in np.argwhere(wrong)[:SHOWN_DIFFERENCES]]
    return ", ".join(f"{list(place)}: {array[place]!s}" for place in places)


def assert_same_arrays(
    expected: Sequence[Array],
    actual: Sequence[Array],
    what: str,
    tolerance: float = 0.0,
    names: Sequence[str] | None = None,
) -> None:
    """Equally many arrays, each the same in its place (see :func:`assert_same_array`)."""
    if len(expected) != len(actual):
        raise Mismatch(
            f"{what}: another number of arrays",
            [a.shape for a in expected],
            [a.shape for a in actual],
        )
    for index, (left, right) in enumerate(zip(expected, actual, strict=True)):
        label = f" ({names[index]})" if names else ""
        assert_same_array(left, right, f"{what}, array {index}{label}", tolerance)


def assert_same_numbers(
    expected: Mapping[str, float], actual: Mapping[str, float], what: str, tolerance: float = 0.0
) -> None:
    """Equal names in any order, and numbers equal within ``tolerance``."""
    assert_equal(sorted(expected), sorted(actual), f"{what}: other names")
    for name, number in expected.items():
        assert_same_array(
            np.array(number, np.float64), np.array(actual[name], np.float64), f"{what}: {name}", tolerance
        )


def assert_differs(left: Sequence[Array], right: Sequence[Array], what: str) -> None:
    """At least one array differs: guards against a test that compares a thing with itself."""
    if len(left) == len(right) and all(
        a.shape == b.shape and np.array_equal(a, b) for a, b in zip(left, right, strict=True)
    ):
        raise Mismatch(what, "other values", "the very same values")


def assert_warned(messages: Sequence[Any], pattern: str, what: str) -> None:
    """One of the messages that the implementation gave matches the regular expression ``pattern``."""
    import re

    texts = [message.text for message in messages]
    if not any(re.search(pattern, text) for text in texts):
        raise Mismatch(what, f"a message that matches /{pattern}/", texts or "no message at all")


def assert_silent(messages: Sequence[Any], pattern: str, what: str) -> None:
    """None of the messages matches ``pattern``."""
    import re

    found = [message.text for message in messages if re.search(pattern, message.text)]
    if found:
        raise Mismatch(what, f"no message that matches /{pattern}/", found)


def canonical(value: object) -> str:
    """JSON text with sorted keys: equal texts mean equal configs, tuples and lists told apart by their encoding."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
