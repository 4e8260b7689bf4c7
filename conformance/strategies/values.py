"""Weights whose values a careless writer, reader or cast loses: NaN, infinities, negative zero, subnormals, extremes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.strategies.arrays import Array, distinct_weights


def hard_values(dtype: npt.DTypeLike) -> Array:
    """The values of ``dtype`` that are easily lost, all of different bits.

    For floats NaN of both signs, infinities, both zeros, subnormals, the largest, the smallest and the finest numbers;
    for integers the ends of the range and its middle; for bool both.
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    if kind.kind == "b":
        return np.array([True, False])
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return np.unique(np.array([limits.min, limits.max, limits.max - 1, limits.max // 2 + 1, 0, 1], kind))
    if kind.kind != "f":
        raise ValueError(f"hard_values: expected a dtype of floats, integers or bool, found {kind}")
    limits: Any = np.finfo(kind)
    finest = limits.eps + kind.type(1)
    positive = [np.inf, 0.0, limits.smallest_subnormal, limits.tiny, limits.max, finest, np.nan]
    with np.errstate(all="ignore"):
        values = np.array(positive, kind)
        return np.concatenate([np.negative(values), values])


def hard_weights(shapes_dtypes: Iterable[tuple[Sequence[int], npt.DTypeLike]], seed: int) -> list[Array]:
    """Like :func:`distinct_weights`, with :func:`hard_values` in some places of every array that has room for any.

    A dtype of NumPy extensions (bfloat16) keeps its distinct values. Such weights are for storing: what a model
    predicts with them is NaN.
    """
    rng = np.random.default_rng([seed, 4])
    result: list[Array] = []
    for array in distinct_weights(shapes_dtypes, seed):
        result.append(_with_hard_values(array, rng) if array.dtype.kind in "fiu" and array.size else array)
    return result


def _with_hard_values(array: Array, rng: np.random.Generator) -> Array:
    hard = hard_values(array.dtype)
    count = min(len(hard), math.ceil(array.size / 2))
    flat: npt.NDArray[Any] = array.reshape(-1).copy()
    flat[rng.permutation(array.size)[:count]] = hard[rng.permutation(len(hard))[:count]]
    return flat.reshape(array.shape)
