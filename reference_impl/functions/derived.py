"""Functions that are made of others: configs of Functional models name them."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from reference_impl.functions.api import api
from reference_impl.functions.arrays import gather, getitem, squeeze
from reference_impl.functions.einsum import einsum
from reference_impl.functions.elementwise import (
    abs,
    add,
    cast_to,
    divide,
    equal,
    erf,
    exp,
    log,
    maximum,
    multiply,
    negative,
    not_equal,
    ones_like,
    pow,
    sigmoid,
    softplus,
    sqrt,
    square,
    squared_difference,
    stop_gradient,
    tanh,
    where,
    zeros_like,
)
from reference_impl.functions.reductions import reduce_max, reduce_mean, reduce_sum
from reference_impl.tensors import Tensor, convert


@api("nn.silu", "nn.swish")
def silu(features: Any, name: str | None = None) -> Tensor:
    return multiply(features, sigmoid(features))


@api("math.reciprocal")
def reciprocal(x: Any, name: str | None = None) -> Tensor:
    return divide(1.0, x)


@api("math.add_n")
def add_n(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    first, *others = inputs
    total = convert(first)
    for other in others:
        total = add(total, other)
    return total


@api("math.accumulate_n")
def accumulate_n(inputs: Sequence[Any], shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    return add_n(inputs)


@api("math.log_sigmoid")
def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    return negative(softplus(negative(x)))


@api("nn.gelu")
def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """x · Φ(x), Φ the normal distribution; ``approximate``: by tanh."""
    x = convert(features)
    if approximate:
        return 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * pow(x, 3.0))))
    return 0.5 * x * (1.0 + erf(x / 1.4142135623730951))


@api("clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """``t``, made as long as ``clip_norm`` where it is longer along ``axes``."""
    x = convert(t)
    length = reduce_sum(square(x), axes, keepdims=True)
    long = length > 0.0
    root = where(long, sqrt(where(long, length, ones_like(length))), length)
    return divide(x * clip_norm, maximum(root, clip_norm))


@api("rank")
def rank(input: Any, name: str | None = None) -> Tensor:
    return convert(np.array(len(convert(input).shape), np.int32))


# -- reductions ------------------------------------------------------------------------------------------------------


@api("math.reduce_variance")
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    mean = reduce_mean(input_tensor, axis, keepdims=True)
    return reduce_mean(square(convert(input_tensor) - mean), axis, keepdims=keepdims)


@api("math.reduce_std")
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    return sqrt(reduce_variance(input_tensor, axis, keepdims))


@api("math.count_nonzero")
def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool | None = None, dtype: Any = "int64", name: str | None = None
) -> Tensor:
    x = convert(input)
    return cast_to(reduce_sum(cast_to(not_equal(x, zeros_like(x)), "int64"), axis, keepdims=bool(keepdims)), dtype)


@api("math.zero_fraction", "nn.zero_fraction")
def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of elements that are zero: float32."""
    x = convert(value)
    return reduce_mean(cast_to(equal(x, zeros_like(x)), "float32"))


@api("math.reduce_logsumexp")
def reduce_logsumexp(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """log Σ exp(x), without overflow."""
    x = convert(input_tensor)
    highest = stop_gradient(reduce_max(x, axis, keepdims=True))
    total = log(reduce_sum(exp(x - highest), axis, keepdims=True)) + highest
    if keepdims:
        return total
    axes = range(len(x.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
    return squeeze(total, [place % len(x.shape) for place in axes])


@api("nn.moments", "compat.v1.nn.moments")
def moments_of(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> list[Tensor]:
    """Mean and variance along ``axes``."""
    mean = reduce_mean(x, axes, keepdims=True)
    variance = reduce_mean(squared_difference(x, stop_gradient(mean)), axes, keepdims=keepdims)
    return [mean if keepdims else squeeze(mean, list(axes)), variance]


@api("norm", "compat.v1.norm", "linalg.norm")
def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None, name: str | None = None
) -> Tensor:
    """The euclidean, 1- or maximum norm along ``axis``."""
    kept = bool(keepdims)
    if ord in ("euclidean", 2):
        return sqrt(reduce_sum(square(tensor), axis, keepdims=kept))
    if ord == 1:
        return reduce_sum(abs(tensor), axis, keepdims=kept)
    if ord == np.inf:
        return reduce_max(abs(tensor), axis, keepdims=kept)
    raise ValueError(f"norm: found ord={ord!r}, expected 'euclidean', 1, 2 or infinity")


# -- parts -----------------------------------------------------------------------------------------------------------


def _along(x: Tensor, axis: int, part: Any) -> Tensor:
    return getitem(x, [slice(None)] * (axis % len(x.shape)) + [part])


@api("split", "compat.v1.split")
def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str | None = None) -> list[Tensor]:
    """Equal parts, so many; or parts of the sizes given, of which one may be -1."""
    x = convert(value)
    size = x.shape[axis]
    if size is None:
        raise ValueError(f"split: the size of axis {axis} must be defined, found {tuple(x.shape)}")
    if isinstance(num_or_size_splits, int):
        if size % num_or_size_splits:
            raise ValueError(f"split: an axis of size {size} has no {num_or_size_splits} equal parts")
        sizes = [size // num_or_size_splits] * num_or_size_splits
    else:
        given = [int(part) for part in num_or_size_splits]
        sizes = [size - sum(part for part in given if part != -1) if part == -1 else part for part in given]
    ends = np.cumsum(sizes).tolist()
    return [_along(x, axis, slice(end - part, end)) for part, end in zip(sizes, ends, strict=True)]


@api("unstack")
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = None) -> list[Tensor]:
    x = convert(value)
    count = x.shape[axis] if num is None else num
    if count is None:
        raise ValueError(f"unstack: the size of axis {axis} must be defined, found {tuple(x.shape)}")
    return [_along(x, axis, place) for place in range(count)]


@api("reverse")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    x = convert(tensor)
    axes = [place % len(x.shape) for place in axis]
    return getitem(x, [slice(None, None, -1 if place in axes else 1) for place in range(len(x.shape))])


@api("repeat")
def repeat(input: Any, repeats: int, axis: int | None = None, name: str | None = None) -> Tensor:
    x = convert(input)
    size = x.shape[0 if axis is None else axis]
    if axis is None or size is None:
        raise ValueError(f"repeat: axis and its size must be given, found {axis} of {tuple(x.shape)}")
    places: list[int] = [place for place in range(size) for _ in range(repeats)]
    return gather(x, np.array(places, np.int32), axis=axis)


@api("tensordot")
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Σ over the last ``axes`` axes of ``a`` and the first of ``b``, or over the listed axes of each."""
    x = convert(a)
    y = convert(b, hint=x.dtype)
    if isinstance(axes, int):
        first = list(range(len(x.shape) - axes, len(x.shape)))
        second = list(range(axes))
    else:
        first, second = ([part] if isinstance(part, int) else list(part) for part in cast("Sequence[Any]", axes))
    letters = string.ascii_letters
    of_x = list(letters[: len(x.shape)])
    of_y = list(letters[len(of_x) : len(of_x) + len(y.shape)])
    for i, j in zip(first, second, strict=True):
        of_y[j] = of_x[i]
    summed = {of_x[i] for i in first}
    result = "".join(letter for letter in of_x + of_y if letter not in summed)
    return einsum(f"{''.join(of_x)},{''.join(of_y)}->{result}", x, y)
