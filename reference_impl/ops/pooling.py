"""Pooling in two and three dimensions, and its gradients: a walk over windows as in ``convolution``.

The gradient of a maximum goes to the first element of the window that has it. An average is over the elements of the
window that are not padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.convolution import (
    Walk,
    explicit_paddings,
    from_last,
    is_first,
    output_size,
    spatial,
    to_last,
    walk,
)
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply

Array = npt.NDArray[Any]


def _format(attrs: dict[str, Any], rank: int) -> str:
    return attrs.get("data_format", "NHWC" if rank == 4 else "NDHWC")


def _walk(shape: Sequence[int], attrs: dict[str, Any]) -> Walk:
    rank = len(shape) - 2
    data_format = _format(attrs, len(shape))
    return walk(
        shape[1:-1],
        spatial(attrs["ksize"], data_format, rank),
        spatial(attrs["strides"], data_format, rank),
        [1] * rank,
        attrs["padding"],
        explicit_paddings(attrs, data_format),
    )


def _max(input: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, input.ndim)
    x = to_last(input, data_format)
    return from_last(_largest(x, _walk(x.shape, attrs)), data_format)


def _lowest(dtype: np.dtype[Any]) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _largest(x: Array, plan: Walk) -> Array:
    padded = plan.padded(x, _lowest(x.dtype))
    out: Array | None = None
    for _, where in plan.positions():
        out = padded[where].copy() if out is None else np.maximum(out, padded[where], out=out)
    assert out is not None
    return out


def _max_gradient(orig_input: Array, orig_output: Array, grad: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, orig_input.ndim)
    x, y, dy = (to_last(array, data_format) for array in (orig_input, orig_output, grad))
    plan = _walk(x.shape, attrs)
    padded = plan.padded(x, _lowest(x.dtype))
    dx = plan.empty(x.shape[0], x.shape[-1], dy.dtype)
    waiting = np.ones(y.shape, bool)
    for _, where in plan.positions():
        here = waiting & (padded[where] == y)
        dx[where] += np.where(here, dy, 0)
        waiting &= ~here
    return from_last(plan.unpadded(dx), data_format)


def _counts(plan: Walk, dtype: Any) -> Array:
    """How many elements each window has: (1, \\*outputs, 1)."""
    inside = plan.padded(np.ones((1, *plan.sizes, 1), dtype))
    return np.sum([inside[where] for _, where in plan.positions()], axis=0, dtype=dtype)


def _average(value: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, value.ndim)
    x = to_last(value, data_format)
    plan = _walk(x.shape, attrs)
    padded = plan.padded(x)
    out = np.zeros((x.shape[0], *plan.outputs, x.shape[-1]), x.dtype)
    for _, where in plan.positions():
        out += padded[where]
    return from_last(out / _counts(plan, x.dtype), data_format)


def _average_gradient(orig_input_shape: Array, grad: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, grad.ndim)
    dy = to_last(grad, data_format)
    sizes = [int(n) for n in orig_input_shape]
    shape = [sizes[0], *sizes[2:], sizes[1]] if is_first(data_format) else sizes
    plan = _walk(shape, attrs)
    dx = plan.empty(shape[0], shape[-1], dy.dtype)
    share = dy / _counts(plan, dy.dtype)
    for _, where in plan.positions():
        dx[where] += share
    return from_last(plan.unpadded(dx), data_format)


def _pooled_shape(x: Tensor, **attrs: Any) -> TensorShape:
    rank = len(x.shape)
    data_format = _format(attrs, rank)
    shape = list(x.shape)
    space = shape[2:] if is_first(data_format) else shape[1:-1]
    window = spatial(attrs["ksize"], data_format, rank - 2)
    strides = spatial(attrs["strides"], data_format, rank - 2)
    pairs = explicit_paddings(attrs, data_format) or [(0, 0)] * len(space)
    sizes = [
        output_size(n, k, s, attrs["padding"], pair)
        for n, k, s, pair in zip(space, window, strides, pairs, strict=True)
    ]
    return TensorShape((*shape[:2], *sizes) if is_first(data_format) else (shape[0], *sizes, shape[-1]))


def _gradients(maximum: str, average: str) -> tuple[Any, Any]:
    def of_max(dy: Tensor, y: Tensor, x: Tensor, **attrs: Any) -> Any:
        return (apply(maximum, x, y, dy, **attrs),)

    def of_average(dy: Tensor, y: Tensor, x: Tensor, **attrs: Any) -> Any:
        return (apply(average, apply("Shape", x, out_type="int32"), dy, **attrs),)

    return of_max, of_average


def _like_first(first: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return first.shape


def _given(sizes: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return known_sizes(sizes)


def _of_second(_: Tensor, second: Tensor, **__: Any) -> Any:
    return second.dtype


for _dimensions in ("", "3D"):
    _of_max, _of_average = _gradients(f"MaxPool{_dimensions}Grad", f"AvgPool{_dimensions}Grad")
    define(f"MaxPool{_dimensions}", _max, _pooled_shape, _of_max)
    define(f"AvgPool{_dimensions}", _average, _pooled_shape, _of_average)
    define(f"MaxPool{_dimensions}Grad", _max_gradient, _like_first)
    define(f"AvgPool{_dimensions}Grad", _average_gradient, _given, dtype=_of_second)
