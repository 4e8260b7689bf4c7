"""What several faults do to the things they get hold of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np


def exchanged(pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """``pairs`` of something and an array, the first two arrays of equal shape and dtype exchanged."""
    found = list(pairs)
    for i, (left, one) in enumerate(found):
        for j in range(i + 1, len(found)):
            right, other = found[j]
            if np.shape(one) == np.shape(other) and np.asarray(one).dtype == np.asarray(other).dtype:
                found[i], found[j] = (left, other), (right, one)
                return found
    return found


def coarse(value: Any) -> Any:
    """``value`` through float16, if it is an array of larger floats."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        return value
    with np.errstate(over="ignore"):
        return array.astype(np.float16).astype(array.dtype)


def every_layer(model: Any) -> list[Any]:
    """The model and all layers inside it."""
    return list(model._flatten_layers())


def changed(value: Any, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Any:
    """``value`` with ``change`` made to every dict in it, inner ones first."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return dict(change({key: changed(item, change) for key, item in mapping.items()}))
    if isinstance(value, list | tuple):
        items = [changed(item, change) for item in cast("Sequence[Any]", value)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def without(*keys: str) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """A change that takes away ``keys``."""
    return lambda found: {key: value for key, value in found.items() if key not in keys}
