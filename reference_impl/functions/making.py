"""Functions that make tensors: constants and random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.functions.api import is_tensor
from reference_impl.ops.randomness import set_seed as set_seed
from reference_impl.tensors import Tensor, apply, convert


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """``value`` as a tensor, repeated to ``shape`` when one is given."""
    wanted = None if dtype is None else as_dtype(dtype)
    tensor = convert(value if wanted is None or not is_tensor(value) else np.asarray(value), wanted)
    return tensor if shape is None else Tensor(np.broadcast_to(tensor.value, tuple(shape)).copy())


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    return convert(value, None if dtype is None else as_dtype(dtype), dtype_hint)


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    return apply("Fill", convert(dims, hint="int32"), convert(value))


def _sizes(shape: Any) -> Tensor:
    return convert(np.zeros(0, np.int32) if isinstance(shape, list | tuple) and not shape else shape, hint="int32")


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return fill(shape, np.zeros((), numpy_dtype(as_dtype(dtype))))


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return fill(shape, np.ones((), numpy_dtype(as_dtype(dtype))))


def random_uniform(
    shape: Any, minval: float = 0, maxval: float | None = None, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Uniform in [minval, maxval); ``maxval`` None is 1. ``seed`` selects a stream of its own."""
    drawn = apply("RandomUniform", _sizes(shape), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * ((1 if maxval is None else maxval) - minval) + minval


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    drawn = apply("RandomStandardNormal", _sizes(shape), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * stddev + mean


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Normal, drawn again while more than two standard deviations from the mean."""
    drawn = apply("TruncatedNormal", _sizes(shape), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * stddev + mean
