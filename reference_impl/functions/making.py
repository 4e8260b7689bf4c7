"""Functions that make tensors: constants and random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.functions.api import api, ints, is_tensor
from reference_impl.ops.randomness import set_seed as set_seed
from reference_impl.tensors import Tensor, apply, convert


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """``value`` as a tensor, repeated to ``shape`` when one is given."""
    wanted = None if dtype is None else as_dtype(dtype)
    tensor = convert(value if wanted is None or not is_tensor(value) else np.asarray(value), wanted)
    return tensor if shape is None else Tensor(np.broadcast_to(tensor.value, tuple(shape)).copy())


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    return convert(value, None if dtype is None else as_dtype(dtype), dtype_hint)


@api("fill")
def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    return apply("Fill", _sizes(dims), convert(value))


def _sizes(shape: Any) -> Tensor:
    """A shape as a tensor: a tensor, or a list of numbers and of tensors."""
    if not isinstance(shape, list | tuple):
        return convert(shape, hint="int32")
    parts = cast("Sequence[Any]", shape)
    if any(is_tensor(part) for part in parts):
        return apply("Pack", *[convert(part, hint="int32") for part in parts], axis=0)
    return ints(parts)


@api("zeros")
def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return fill(shape, np.zeros((), numpy_dtype(as_dtype(dtype))))


@api("ones")
def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return fill(shape, np.ones((), numpy_dtype(as_dtype(dtype))))


@api("range")
def range_of(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """Numbers from ``start`` to before ``limit``, ``delta`` apart; of one argument from 0 to before it."""
    given: list[Any] = [0, start, delta] if limit is None else [start, limit, delta]
    known = next((part.dtype for part in given if is_tensor(part)), None)
    guess = "float32" if any(isinstance(part, float) for part in given) else "int32"
    wanted = as_dtype(dtype or known or guess)
    return apply("Range", *[convert(part, hint=wanted) for part in given])


@api("linspace")
def linspace(start: Any, stop: Any, num: int, name: str | None = None, axis: int = 0) -> Tensor:
    """``num`` numbers from ``start`` to ``stop``, both scalars."""
    first = convert(start)
    if len(first.shape):
        raise ValueError(f"linspace: start and stop must be scalars, found shape {tuple(first.shape)}")
    return apply("LinSpace", first, convert(stop, hint=first.dtype), ints(num))


@api("eye")
def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: str | None = None
) -> Tensor:
    """Ones on the main diagonal, zeros elsewhere: (rows, columns), or a stack of them."""
    outer = [] if batch_shape is None else list(batch_shape)
    whole = zeros([*outer, num_rows, num_rows if num_columns is None else num_columns], dtype)
    smaller = (
        num_rows
        if num_columns is None
        else apply("Minimum", convert(num_rows, hint="int32"), convert(num_columns, hint="int32"))
    )
    return apply("MatrixSetDiagV3", whole, ones([*outer, smaller], dtype), ints(0))


@api("random.uniform")
def random_uniform(
    shape: Any,
    minval: float = 0,
    maxval: float | None = None,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Uniform in [minval, maxval); ``maxval`` None is 1. ``seed`` selects a stream of its own."""
    drawn = apply("RandomUniform", _sizes(shape), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * ((1 if maxval is None else maxval) - minval) + minval


@api("random.normal")
def random_normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    drawn = apply("RandomStandardNormal", _sizes(shape), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * stddev + mean


@api("random.truncated_normal")
def truncated_normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal, drawn again while more than two standard deviations from the mean."""
    drawn = apply("TruncatedNormal", _sizes(shape), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * stddev + mean
