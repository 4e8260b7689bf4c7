"""Convolutions. Strides and dilations are given for the space alone; ``data_format`` begins with ``NC`` or ends in ``C``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from reference_impl.functions.api import api, pair
from reference_impl.functions.arrays import concat, expand_dims, squeeze, stack
from reference_impl.functions.dilation import convolved, parts_pixels, transposed
from reference_impl.tensors import Tensor, apply, convert, present_trace

_LAST = {3: "NWC", 4: "NHWC", 5: "NDHWC"}


def whole(values: Any, rank: int, first: bool) -> list[int]:
    """``values`` for the ``rank`` axes of the space as numbers for all axes."""
    listed = [int(values)] * rank if isinstance(values, int) else [int(value) for value in values]
    listed = listed * rank if len(listed) == 1 else listed
    return [1, 1, *listed] if first else [1, *listed, 1]


def one_for_space(values: Any, rank: int, first: bool) -> Any:
    """Numbers for all axes as those of the ``rank`` axes of the space; others as they are."""
    if values is None or isinstance(values, int):
        return values
    listed: list[Any] = list(values)
    if len(listed) != rank + 2:
        return listed
    return listed[2:] if first else listed[1:-1]


def _is_first(data_format: str | None) -> bool:
    return data_format is not None and data_format.startswith("NC")


def _format(rank: int, first: bool) -> str:
    return ("NCHW" if rank == 2 else "NCDHW") if first else ("NHWC" if rank == 2 else "NDHWC")


def _attrs(rank: int, first: bool, strides: Any, padding: str, dilations: Any) -> dict[str, Any]:
    return {
        "strides": whole(strides or 1, rank, first),
        "padding": padding.upper(),
        "data_format": _format(rank, first),
        "dilations": whole(dilations or 1, rank, first),
    }


def _apart(rank: int, first: bool, strides: Any, dilations: Any) -> list[int] | None:
    """The dilation of each axis of the space if the pixels are to be brought together."""
    found = whole(dilations or 1, rank, False)[1:-1]
    return found if parts_pixels(found, whole(strides or 1, rank, False)[1:-1], first) else None


def _window(filters: Tensor) -> list[int]:
    return [int(size or 0) for size in filters.shape[:-2]]


def _widened(values: Any) -> Any:
    """Of one axis: for two, the first of which has size 1."""
    return values if values is None else [1, int(values if isinstance(values, int) else values[0])]


@api("nn.convolution", "nn.conv1d", "nn.conv2d", "nn.conv3d")
def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: str = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The convolution with a filter (\\*window, inputs / groups, outputs) in one, two or three dimensions."""
    x, w = pair(input, filters)
    rank, first = len(w.shape) - 2, _is_first(data_format)
    strides, dilations = (one_for_space(values, rank, first) for values in (strides, dilations))
    if rank == 1:
        axis = 2 if first else 1
        wide = convolution(
            expand_dims(x, axis), expand_dims(w, 0), _widened(strides), padding, "NCHW" if first else "NHWC",
            _widened(dilations),
        )  # fmt: skip
        return squeeze(wide, axis)
    name = "Conv2D" if rank == 2 else "Conv3D"
    if present_trace() is not None and x.shape[1 if first else -1] != w.shape[-2]:
        return _by_groups(x, w, strides, padding, data_format, dilations)
    apart = _apart(rank, first, strides, dilations)
    if apart is not None:
        return convolved(
            x, _window(w), apart, padding, lambda y: apply(name, y, w, **_attrs(rank, False, 1, "VALID", 1))
        )
    return apply(name, x, w, **_attrs(rank, first, strides, padding, dilations))


def _by_groups(x: Tensor, w: Tensor, strides: Any, padding: str, data_format: str | None, dilations: Any) -> Tensor:
    """A convolution in groups as one for each: TensorFlow on a CPU runs no other graph of it with a bias."""
    axis = 1 if _is_first(data_format) else len(x.shape) - 1
    size = int(cast("int", w.shape[-2]))
    count = int(cast("int", x.shape[axis])) // size
    outputs = int(cast("int", w.shape[-1])) // count
    # A function that has this one's helpers imports this module.
    from reference_impl.functions.recurrent import cut

    parts = [
        convolution(
            cut(x, axis, size * i, size * (i + 1)), cut(w, len(w.shape) - 1, outputs * i, outputs * (i + 1)), strides,
            padding, data_format, dilations,
        )
        for i in range(count)
    ]  # fmt: skip
    return concat(parts, axis=axis)


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Sequence[Any],
    strides: Any,
    padding: str = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """The gradient of a convolution with respect to its input; a filter is (\\*window, outputs, inputs).

    ``output_shape``: all sizes of the result, numbers or tensors.
    """
    x, w = pair(input, filters)
    rank, first = len(w.shape) - 2, _is_first(data_format)
    if rank == 1:
        axis = 2 if first else 1
        sizes = list(output_shape)
        sizes.insert(axis, 1)
        wide = conv_transpose(
            expand_dims(x, axis), expand_dims(w, 0), sizes, _widened(strides), padding, "NCHW" if first else "NHWC",
            _widened(dilations),
        )  # fmt: skip
        return squeeze(wide, axis)
    name = "Conv2DBackpropInput" if rank == 2 else "Conv3DBackpropInputV2"
    apart = _apart(rank, first, strides, dilations)
    if apart is not None:
        return transposed(
            x, output_shape, _window(w), apart, padding,
            lambda y, inner: apply(name, _sizes(inner), w, y, **_attrs(rank, False, 1, "VALID", 1)),
        )  # fmt: skip
    return apply(name, _sizes(output_shape), w, x, **_attrs(rank, first, strides, padding, dilations))


def _sizes(values: Sequence[Any]) -> Tensor:
    return stack([convert(size, hint="int32") for size in values])


@api("nn.depthwise_conv2d")
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Each channel with filters of its own: (height, width, channels, multiplier)."""
    x, w = pair(input, filter)
    first = _is_first(data_format)
    inner = one_for_space(strides, 2, first)
    apart = _apart(2, first, inner, dilations)
    if apart is not None:
        plain = _attrs(2, False, 1, "VALID", 1)
        return convolved(x, _window(w), apart, padding, lambda y: apply("DepthwiseConv2dNative", y, w, **plain))
    return apply("DepthwiseConv2dNative", x, w, **_attrs(2, first, inner, padding, dilations))
