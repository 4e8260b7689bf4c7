"""Random numbers: the process's generator and the ops that draw from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]

_generators: dict[int | None, np.random.Generator] = {}


def generator(seed: int | None = None) -> np.random.Generator:
    """The process's generator, or the stream that belongs to ``seed``."""
    if seed not in _generators:
        _generators[seed] = np.random.default_rng(seed)
    return _generators[seed]


def set_seed(seed: int | None) -> None:
    """Start all streams anew, the process's from ``seed``."""
    _generators.clear()
    _generators[None] = np.random.default_rng(seed)


def _random_shape(shape: Tensor, **_: Any) -> TensorShape:
    return known_sizes(shape)


def _random_dtype(shape: Tensor, dtype: str = "float32", **_: Any) -> DType:
    return as_dtype(dtype)


def _uniform(shape: Array, dtype: str = "float32", seed: int | None = None) -> Array:
    return generator(seed).random(tuple(shape), dtype=np.float64).astype(numpy_dtype(dtype))


def _normal(shape: Array, dtype: str = "float32", seed: int | None = None) -> Array:
    return generator(seed).standard_normal(tuple(shape)).astype(numpy_dtype(dtype))


def _truncated(shape: Array, dtype: str = "float32", seed: int | None = None) -> Array:
    """Normal numbers drawn again while they are more than two standard deviations from the mean."""
    source = generator(seed)
    drawn = source.standard_normal(tuple(shape))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = source.standard_normal(int(outside.sum()))
    return drawn.astype(numpy_dtype(dtype))


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


define("RandomUniform", _uniform, _random_shape, _no_gradient, _random_dtype, stateful=True)
define("RandomStandardNormal", _normal, _random_shape, _no_gradient, _random_dtype, stateful=True)
define("TruncatedNormal", _truncated, _random_shape, _no_gradient, _random_dtype, stateful=True)
