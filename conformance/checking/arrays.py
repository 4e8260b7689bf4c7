"""Arrays: their digests, and how far two of them are from each other."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.checking.record import Difference, Sample, Summary

Array = NDArray[Any]

FIRST = 3
SAMPLED = 64


def digest(array: Array) -> str:
    """A digest of dtype, shape and every bit of an array."""
    hashed = hashlib.sha256(f"{array.dtype.name} {array.shape} ".encode())
    if array.dtype.hasobject:
        for item in array.ravel().tolist():
            data = item if isinstance(item, bytes) else str(item).encode()
            hashed.update(f"{len(data)} ".encode() + data)
    else:
        hashed.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return hashed.hexdigest()[:32]


def summary(arrays: Sequence[Array], digests: Sequence[str] | None = None) -> Summary:
    """Arrays in short."""
    parts = " ".join(digests if digests is not None else map(digest, arrays))
    return Summary(len(arrays), sum(array.size for array in arrays), hashlib.sha256(parts.encode()).hexdigest()[:32])


def sample(array: Array) -> Sample:
    """An output in short."""
    scale: float | None = None
    flat = array.reshape(-1)
    places = np.unique(np.linspace(0, max(0, flat.size - 1), min(SAMPLED, flat.size)).astype(np.int64))
    values: list[float | str | None] = []
    if array.dtype.hasobject or array.dtype.kind in "SU":
        values = [_text(item) for item in flat[places].tolist()]
    else:
        wide = np.abs(flat) if array.dtype.kind == "c" else flat.astype(np.float64)
        finite = wide[np.isfinite(wide)]
        scale = float(np.max(np.abs(finite), initial=0.0))
        values = [finite_or_none(item) for item in wide[places].tolist()]
    return Sample(array.shape, array.dtype.name, digest(array), scale, tuple(values))


def finite_or_none(number: float) -> float | None:
    """What strict JSON can hold."""
    return float(number) if math.isfinite(number) else None


def compare(part: str, name: str, expected: Array, actual: Array, tolerance: float) -> tuple[Difference | None, float]:
    """What is not the same in two arrays, None if nothing, and how far they are apart in units of a tolerance.

    The rule is |expected - actual| <= tolerance * max(1, max|expected|); with ``tolerance`` 0 every bit counts.
    """
    if expected.shape != actual.shape:
        return Difference(part, name, f"shape {_shape(expected)} against {_shape(actual)}"), math.inf
    if expected.dtype != actual.dtype:
        return Difference(part, name, f"dtype {expected.dtype.name} against {actual.dtype.name}"), math.inf
    if expected.dtype.kind not in "fiubc" and expected.dtype.name != "bfloat16":
        wrong = np.asarray(expected != actual)
        return _difference(part, name, expected, actual, wrong, None), 0.0
    kind = np.complex128 if expected.dtype.kind == "c" else np.float64
    left, right = expected.astype(kind), actual.astype(kind)
    with np.errstate(invalid="ignore", over="ignore"):
        alike = (left == right) | (np.isnan(left) & np.isnan(right))
        distance = np.where(alike, 0.0, np.abs(left - right))
        largest = float(np.max(distance, initial=0.0))
        scale = max(1.0, float(np.max(np.abs(left[np.isfinite(left)]), initial=0.0)))
        wrong = ~(distance <= tolerance * scale) if tolerance else _bits(expected) != _bits(actual)
    return _difference(part, name, expected, actual, wrong, largest), largest / scale


def _difference(
    part: str, name: str, expected: Array, actual: Array, wrong: Array, largest: float | None
) -> Difference | None:
    count = int(np.count_nonzero(wrong))
    if not count:
        return None
    by = "" if largest is None else f", by up to {largest:.3g}"
    places = [tuple(int(i) for i in place) for place in np.argwhere(wrong)[:FIRST]]
    first = tuple(
        f"{list(place)}: {_shown(expected.item(place))} against {_shown(actual.item(place))}" for place in places
    )
    error = None if largest is None else finite_or_none(largest)
    return Difference(part, name, f"{count} of {wrong.size} values differ{by}", count, wrong.size, error, first)


def _bits(array: Array) -> Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    width = flat.dtype.itemsize
    return flat.view(np.uint8).reshape(flat.size, width).view(f"V{width}").reshape(array.shape)


def _shape(array: Array) -> str:
    return f"({', '.join(map(str, array.shape))})"


def _shown(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else _text(value)


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
