"""Convolutions in two and three dimensions, and their gradients.

A convolution is a sum over the positions of its kernel. At each position one strided slice of the padded input is
multiplied with one matrix (inputs, outputs) of the filter; the gradients are the same walk with the roles changed. So
nothing larger than the padded input is ever made, and all arithmetic is matrix products.

Inputs are (batch, \\*space, channels) inside; ``data_format`` ``NCHW`` and ``NCDHW`` are brought there and back. A filter is
(\\*window, inputs / groups, outputs). A position whose window lies in the padding reads zeros. ``SAME`` puts the odd
padding at the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape
from reference_impl.tensors import Tensor, apply

Array = npt.NDArray[Any]


def is_first(data_format: str) -> bool:
    """Whether the channels come before the space."""
    return data_format.startswith("NC")


def to_last(array: Array, data_format: str) -> Array:
    """``array`` with its channels last."""
    return np.moveaxis(array, 1, -1) if is_first(data_format) else array


def from_last(array: Array, data_format: str) -> Array:
    """``array`` with its channels where ``data_format`` has them."""
    return np.moveaxis(array, -1, 1) if is_first(data_format) else array


def spatial(values: Sequence[int] | None, data_format: str, rank: int) -> list[int]:
    """Of numbers for all axes, those of the space; ones when there are none."""
    if not values:
        return [1] * rank
    return list(values[2:] if is_first(data_format) else values[1:-1])


def explicit_paddings(attrs: dict[str, Any], data_format: str) -> list[tuple[int, int]]:
    """Zeros before and after each axis of the space, of ``attrs`` which have them for all axes; none where they do not."""
    values = [int(value) for value in attrs.get("explicit_paddings", ())]
    pairs = list(zip(values[::2], values[1::2], strict=True))
    return pairs[2:] if is_first(data_format) else pairs[1:-1]


def paddings(
    padding: str,
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    explicit: Sequence[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    """Zeros before and after each axis of the space; ``window`` is what the dilated kernel covers."""
    if padding == "VALID":
        return [(0, 0)] * len(sizes)
    if padding == "EXPLICIT":
        return list(explicit)
    totals = [max((-(-n // s) - 1) * s + w - n, 0) for n, w, s in zip(sizes, window, strides, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


def output_size(size: Dim, window: int, stride: int, padding: str, explicit: tuple[int, int] = (0, 0)) -> Dim:
    """How often a window fits into an axis."""
    if size is None:
        return None
    if padding == "SAME":
        return -(-size // stride)
    whole = size + sum(explicit) if padding == "EXPLICIT" else size
    if whole < window:
        raise ValueError(f"a window of {window} does not fit into {whole} with padding {padding}")
    return (whole - window) // stride + 1


@dataclass(frozen=True)
class Walk:
    """How a kernel walks over the space: sizes of the padded input and of the output, and the steps."""

    sizes: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    outputs: tuple[int, ...]

    def positions(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Each position of the kernel, and where in the padded input the outputs read through it."""
        for place in itertools.product(*map(range, self.window)):
            yield (
                place,
                (
                    slice(None),
                    *(
                        slice(k * d, k * d + (n - 1) * s + 1, s)
                        for k, d, s, n in zip(place, self.dilations, self.strides, self.outputs, strict=True)
                    ),
                ),
            )

    def padded(self, array: Array, fill: Any = 0) -> Array:
        """``array`` (channels last) with its padding."""
        if not any(before or after for before, after in self.pads):
            return array
        around: Any = [(0, 0), *self.pads, (0, 0)]
        return np.pad(array, around, constant_values=fill)

    def unpadded(self, array: Array) -> Array:
        """``array`` without its padding."""
        inner = (slice(b, b + n) for (b, _), n in zip(self.pads, self.sizes, strict=True))
        return array[(slice(None), *inner)]

    def empty(self, batch: int, channels: int, dtype: Any) -> Array:
        """Zeros in the shape of the padded input."""
        whole = (b + n + a for (b, a), n in zip(self.pads, self.sizes, strict=True))
        return np.zeros((batch, *whole, channels), dtype)


def walk(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: str,
    explicit: Sequence[tuple[int, int]] = (),
) -> Walk:
    """The walk of a kernel of ``window`` over ``sizes``."""
    covered = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    pads = paddings(padding, sizes, covered, strides, explicit)
    outputs = tuple(
        int(output_size(n + b + a, w, s, "VALID") or 0)
        for n, (b, a), w, s in zip(sizes, pads, covered, strides, strict=True)
    )
    return Walk(tuple(sizes), tuple(window), tuple(strides), tuple(dilations), tuple(pads), outputs)


def _walk(shape: Sequence[int], filter_shape: Sequence[int], attrs: dict[str, Any]) -> Walk:
    """``shape`` has its channels last."""
    data_format = _format(attrs, len(shape))
    rank = len(shape) - 2
    return walk(
        shape[1:-1],
        filter_shape[:-2],
        spatial(attrs["strides"], data_format, rank),
        spatial(attrs.get("dilations"), data_format, rank),
        attrs["padding"],
        explicit_paddings(attrs, data_format),
    )


def _format(attrs: dict[str, Any], rank: int) -> str:
    return attrs.get("data_format", "NHWC" if rank == 4 else "NDHWC")


def _matrix(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])


# -- dense -------------------------------------------------------------------------------------------------------


def _forward(x: Array, weights: Array, plan: Walk) -> Array:
    # Rounding grows with the number of terms, and a kernel of thousands of positions is not unheard of.
    wide = x.dtype == np.float32 and int(np.prod(plan.window)) > _MANY
    shape = (x.shape[0] * int(np.prod(plan.outputs)), weights.shape[-1])
    out = np.zeros(shape, np.float64 if wide else x.dtype)
    padded = plan.padded(x)
    for place, where in plan.positions():
        out += _matrix(padded[where]) @ weights[place]
    return out.astype(x.dtype, copy=False).reshape(x.shape[0], *plan.outputs, -1)


_MANY = 128
"""Positions of a kernel from which on their products are added up in float64."""


def _to_input(weights: Array, dy: Array, plan: Walk) -> Array:
    dx = plan.empty(dy.shape[0], weights.shape[-2], dy.dtype)
    flat = _matrix(dy)
    for place, where in plan.positions():
        dx[where] += (flat @ weights[place].T).reshape(*dy.shape[:-1], -1)
    return plan.unpadded(dx)


def _to_filter(x: Array, dy: Array, plan: Walk, filter_shape: Sequence[int]) -> Array:
    dw = np.zeros(filter_shape, dy.dtype)
    padded = plan.padded(x)
    flat = _matrix(dy)
    for place, where in plan.positions():
        dw[place] = _matrix(padded[where]).T @ flat
    return dw


def _grouped(x: Array, channels: int) -> int:
    if x.shape[-1] % channels:
        raise ValueError(f"{x.shape[-1]} channels cannot be split into groups of {channels}, as the filter has")
    return x.shape[-1] // channels


def _conv(input: Array, filter: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, input.ndim)
    x = to_last(input, data_format)
    plan = _walk(x.shape, filter.shape, attrs)
    groups = _grouped(x, filter.shape[-2])
    if groups == 1:
        return from_last(_forward(x, filter, plan), data_format)
    pairs = zip(np.split(x, groups, axis=-1), np.split(filter, groups, axis=-1), strict=True)
    return from_last(np.concatenate([_forward(a, b, plan) for a, b in pairs], axis=-1), data_format)


def _conv_to_input(input_sizes: Array, filter: Array, out_backprop: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, out_backprop.ndim)
    dy = to_last(out_backprop, data_format)
    sizes = [int(n) for n in input_sizes]
    shape = [sizes[0], *sizes[2:], sizes[1]] if is_first(data_format) else sizes
    plan = _walk(shape, filter.shape, attrs)
    if plan.outputs != dy.shape[1:-1]:
        raise ValueError(f"an input of {shape} gives outputs of {plan.outputs}; the gradient has {dy.shape[1:-1]}")
    groups = shape[-1] // filter.shape[-2]
    pairs = zip(np.split(filter, groups, axis=-1), np.split(dy, groups, axis=-1), strict=True)
    return from_last(np.concatenate([_to_input(w, d, plan) for w, d in pairs], axis=-1), data_format)


def _conv_to_filter(input: Array, filter_sizes: Array, out_backprop: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, input.ndim)
    x, dy = to_last(input, data_format), to_last(out_backprop, data_format)
    shape = [int(n) for n in filter_sizes]
    plan = _walk(x.shape, shape, attrs)
    groups = x.shape[-1] // shape[-2]
    part = [*shape[:-1], shape[-1] // groups]
    pairs = zip(np.split(x, groups, axis=-1), np.split(dy, groups, axis=-1), strict=True)
    return np.concatenate([_to_filter(a, d, plan, part) for a, d in pairs], axis=-1)


# -- depthwise ---------------------------------------------------------------------------------------------------


def _depthwise(input: Array, filter: Array, **attrs: Any) -> Array:
    """filter: (height, width, channels, multiplier); output channel c · multiplier + m."""
    data_format = _format(attrs, 4)
    x = to_last(input, data_format)
    plan = _walk(x.shape, filter.shape, attrs)
    out = np.zeros((x.shape[0], *plan.outputs, *filter.shape[2:]), x.dtype)
    padded = plan.padded(x)
    for place, where in plan.positions():
        out += padded[where][..., None] * filter[place]
    return from_last(out.reshape(*out.shape[:-2], -1), data_format)


def _by_channel(dy: Array, filter_shape: Sequence[int]) -> Array:
    return dy.reshape(*dy.shape[:-1], *filter_shape[2:])


def _depthwise_to_input(input_sizes: Array, filter: Array, out_backprop: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, 4)
    dy = to_last(out_backprop, data_format)
    sizes = [int(n) for n in input_sizes]
    shape = [sizes[0], *sizes[2:], sizes[1]] if is_first(data_format) else sizes
    plan = _walk(shape, filter.shape, attrs)
    dx = plan.empty(shape[0], shape[-1], dy.dtype)
    split = _by_channel(dy, filter.shape)
    for place, where in plan.positions():
        dx[where] += np.sum(split * filter[place], axis=-1)
    return from_last(plan.unpadded(dx), data_format)


def _depthwise_to_filter(input: Array, filter_sizes: Array, out_backprop: Array, **attrs: Any) -> Array:
    data_format = _format(attrs, 4)
    x, dy = to_last(input, data_format), to_last(out_backprop, data_format)
    shape = [int(n) for n in filter_sizes]
    plan = _walk(x.shape, shape, attrs)
    dw = np.zeros(shape, dy.dtype)
    padded, split = plan.padded(x), _by_channel(dy, shape)
    for place, where in plan.positions():
        dw[place] = np.einsum("nhwc,nhwcm->cm", padded[where], split, optimize=True)
    return dw


# -- shapes and gradients ----------------------------------------------------------------------------------------


def _output_shape(x: Tensor, filter: Tensor, channels: Dim, attrs: dict[str, Any]) -> TensorShape:
    rank = len(x.shape)
    data_format = _format(attrs, rank)
    shape = list(x.shape)
    space = shape[2:] if is_first(data_format) else shape[1:-1]
    inner = shape[1] if is_first(data_format) else shape[-1]
    per_group = filter.shape[-2]
    if inner is not None and per_group is not None and inner % per_group:
        raise ValueError(f"{inner} channels cannot be read by a filter of {per_group}")
    strides = spatial(attrs["strides"], data_format, rank - 2)
    dilations = spatial(attrs.get("dilations"), data_format, rank - 2)
    pairs = explicit_paddings(attrs, data_format)
    sizes = [
        output_size(n, ((k or 1) - 1) * d + 1, s, attrs["padding"], pairs[i] if pairs else (0, 0))
        for i, (n, k, s, d) in enumerate(zip(space, filter.shape[:-2], strides, dilations, strict=True))
    ]
    return TensorShape((shape[0], channels, *sizes) if is_first(data_format) else (shape[0], *sizes, channels))


def _conv_shape(input: Tensor, filter: Tensor, **attrs: Any) -> TensorShape:
    return _output_shape(input, filter, filter.shape[-1], attrs)


def _depthwise_shape(input: Tensor, filter: Tensor, **attrs: Any) -> TensorShape:
    channels, multiplier = filter.shape[-2:]
    whole = None if channels is None or multiplier is None else channels * multiplier
    return _output_shape(
        input, Tensor(None, TensorShape((*filter.shape[:-2], channels, 1)), filter.dtype), whole, attrs
    )


def _sizes_given(first: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return known_sizes(first)


def _filter_given(input: Tensor, filter_sizes: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return known_sizes(filter_sizes)


def _of_second(_: Tensor, second: Tensor, *__: Tensor, **___: Any) -> Any:
    return second.dtype


def _family(name: str, to_input: str, to_filter: str, kernels: Any, shape: Any) -> None:
    """The three ops that are each other's gradients."""
    forward, back_to_input, back_to_filter = kernels

    def shape_of(tensor: Tensor) -> Tensor:
        return apply("Shape", tensor, out_type="int32")

    def gradient(dy: Tensor, y: Tensor, x: Tensor, w: Tensor, **attrs: Any) -> Any:
        return apply(to_input, shape_of(x), w, dy, **attrs), apply(to_filter, x, shape_of(w), dy, **attrs)

    def gradient_of_input(d: Tensor, y: Tensor, sizes: Tensor, w: Tensor, dy: Tensor, **attrs: Any) -> Any:
        return None, apply(to_filter, d, shape_of(w), dy, **attrs), apply(name, d, w, **attrs)

    def gradient_of_filter(d: Tensor, y: Tensor, x: Tensor, sizes: Tensor, dy: Tensor, **attrs: Any) -> Any:
        return apply(to_input, shape_of(x), d, dy, **attrs), None, apply(name, x, d, **attrs)

    define(name, forward, shape, gradient)
    define(to_input, back_to_input, _sizes_given, gradient_of_input, _of_second)
    define(to_filter, back_to_filter, _filter_given, gradient_of_filter)


_DENSE = (_conv, _conv_to_input, _conv_to_filter)
_family("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter", _DENSE, _conv_shape)
_family("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2", _DENSE, _conv_shape)
_family(
    "DepthwiseConv2dNative",
    "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter",
    (_depthwise, _depthwise_to_input, _depthwise_to_filter),
    _depthwise_shape,
)
