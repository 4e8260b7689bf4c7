"""Blocks of pixels: into channels and back, patches, and what looks at neighbouring channels."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _shape_of_first(tensor: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return tensor.shape


# -- space and depth ---------------------------------------------------------------------------------------------


def _channels_last(array: Array, data_format: str) -> Array:
    if data_format == "NCHW_VECT_C":
        raise ValueError("found images of the format NCHW_VECT_C, expected NHWC or NCHW")
    return np.moveaxis(array, 1, -1) if data_format == "NCHW" else array


def _as_it_was(array: Array, data_format: str) -> Array:
    return np.moveaxis(array, -1, 1) if data_format == "NCHW" else array


def _to_depth(input: Array, block_size: int, data_format: str = "NHWC") -> Array:
    x = _channels_last(input, data_format)
    n, h, w, c = x.shape
    if h % block_size or w % block_size:
        raise ValueError(f"images of {h} x {w} have no blocks of {block_size}")
    cut = x.reshape(n, h // block_size, block_size, w // block_size, block_size, c)
    return _as_it_was(cut.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // block_size, w // block_size, -1), data_format)


def _to_space(input: Array, block_size: int, data_format: str = "NHWC") -> Array:
    x = _channels_last(input, data_format)
    n, h, w, c = x.shape
    if c % block_size**2:
        raise ValueError(f"{c} channels make no blocks of {block_size}")
    cut = x.reshape(n, h, w, block_size, block_size, c // block_size**2)
    whole = cut.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * block_size, w * block_size, -1)
    return _as_it_was(whole, data_format)


def _scaled(shape: TensorShape, factor: int, data_format: str, up: bool) -> TensorShape:
    channel = 1 if data_format == "NCHW" else 3

    def size(axis: int, found: Dim) -> Dim:
        if found is None or axis == 0:
            return found
        by = factor**2 if axis == channel else factor
        return found * by if up != (axis == channel) else found // by

    return TensorShape(size(axis, found) for axis, found in enumerate(shape))


define(
    "SpaceToDepth",
    _to_depth,
    lambda input, block_size, data_format="NHWC": _scaled(input.shape, block_size, data_format, False),
    lambda dy, y, input, **attrs: (apply("DepthToSpace", dy, **attrs),),
)
define(
    "DepthToSpace",
    _to_space,
    lambda input, block_size, data_format="NHWC": _scaled(input.shape, block_size, data_format, True),
    lambda dy, y, input, **attrs: (apply("SpaceToDepth", dy, **attrs),),
)


# -- patches -----------------------------------------------------------------------------------------------------


def _window(size: int, kernel: int, stride: int, padding: str) -> tuple[int, int, int]:
    """How many windows there are, and the padding before and after."""
    if padding == "VALID":
        return max((size - kernel) // stride + 1, 0), 0, 0
    count = -(-size // stride)
    total = max((count - 1) * stride + kernel - size, 0)
    return count, total // 2, total - total // 2


def _windows(
    images: Array, ksizes: Sequence[int], strides: Sequence[int], rates: Sequence[int], padding: str, fill: Any = 0
) -> Array:
    """(batch, rows, columns, kernel height, kernel width, channels)."""
    parts = [_window(images.shape[i], (ksizes[i] - 1) * rates[i] + 1, strides[i], padding) for i in (1, 2)]
    around: Any = [(0, 0), parts[0][1:], parts[1][1:], (0, 0)]
    padded = np.pad(images, around, constant_values=fill)
    rows, columns = (np.arange(parts[i - 1][0])[:, None] * strides[i] + np.arange(ksizes[i]) * rates[i] for i in (1, 2))
    return padded[:, rows[:, None, :, None], columns[None, :, None, :]]


def _patches(images: Array, ksizes: Sequence[int], strides: Sequence[int], rates: Sequence[int], padding: str) -> Array:
    found = _windows(images, ksizes, strides, rates, padding)
    return found.reshape(*found.shape[:3], -1)


define(
    "ExtractImagePatches",
    _patches,
    lambda images, ksizes, strides, rates, padding: TensorShape(
        (images.shape[0], None, None, ksizes[1] * ksizes[2] * images.shape[3])
    ),
)


def _dilated(input: Array, filter: Array, strides: Sequence[int], rates: Sequence[int], padding: str) -> Array:
    """The largest sum of a pixel and the filter at its place in the window."""
    ksizes = [1, filter.shape[0], filter.shape[1], 1]
    lowest = np.finfo(input.dtype).min if input.dtype.kind == "f" else np.iinfo(input.dtype).min
    found = _windows(input, ksizes, strides, rates, padding, lowest)
    return (found + filter).max(axis=(3, 4)).astype(input.dtype)


define(
    "Dilation2D",
    _dilated,
    lambda input, filter, **_: TensorShape((input.shape[0], None, None, input.shape[3])),
)


def _max_and_place(
    input: Array,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    include_batch_in_index: bool = False,
    Targmax: str = "int64",  # noqa: N803 (TensorFlow's attribute)
) -> tuple[Array, Array]:
    """The largest of each window, and its place in the flattened image."""
    n, h, w, c = input.shape
    numbers = np.broadcast_to(np.arange(h * w * c).reshape(1, h, w, c), input.shape)
    values = _windows(input, ksize, strides, (1, 1, 1, 1), padding, -np.inf)
    places = _windows(numbers, ksize, strides, (1, 1, 1, 1), padding, 0)
    flat = (*values.shape[:3], -1, c)
    best = values.reshape(flat).argmax(axis=3)[:, :, :, None]
    chosen = np.take_along_axis(places.reshape(flat), best, axis=3)[:, :, :, 0]
    if include_batch_in_index:
        chosen = chosen + np.arange(n)[:, None, None, None] * (h * w * c)
    return np.take_along_axis(values.reshape(flat), best, axis=3)[:, :, :, 0], chosen.astype(Targmax)


def _max_shapes(input: Tensor, **_: Any) -> list[TensorShape]:
    return [TensorShape((input.shape[0], None, None, input.shape[3]))] * 2


def _max_gradient(dys: Sequence[Tensor | None], ys: Sequence[Tensor], input: Tensor, **attrs: Any) -> Any:
    if dys[0] is None:
        return ()
    batch, image = input.shape[0], input.shape.num_elements() or 0
    offsets = np.zeros((), np.int64)
    if not attrs.get("include_batch_in_index", False):
        offsets = (np.arange(batch) * (image // max(batch, 1))).reshape(-1, 1, 1, 1)
    places = convert((ys[1].value + offsets).reshape(-1))
    flat = apply("Reshape", dys[0], convert(np.array([-1], np.int32)))
    summed = apply("UnsortedSegmentSum", flat, places, convert(np.array(image, np.int32)))
    return (apply("Reshape", summed, convert(np.array(input.shape, np.int32))),)


define(
    "MaxPoolWithArgmax",
    _max_and_place,
    _max_shapes,
    _max_gradient,
    lambda input, Targmax="int64", **_: [input.dtype, as_dtype(Targmax)],  # noqa: N803
    several=True,
)


# -- neighbouring channels ---------------------------------------------------------------------------------------


def _around(x: Array, radius: int) -> Array:
    """For each channel the sum over those that are at most ``radius`` away."""
    around: Any = [(0, 0)] * (x.ndim - 1) + [(radius + 1, radius)]
    padded = np.pad(x, around)
    sums = np.cumsum(padded, axis=-1)
    return sums[..., 2 * radius + 1 :] - sums[..., : x.shape[-1]]


def _response(input: Array, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5) -> Array:
    sums = _around(np.square(input.astype(np.float64)), depth_radius)
    return (input / (bias + alpha * sums) ** beta).astype(input.dtype)


def _response_back(
    input_grads: Array,
    input_image: Array,
    output_image: Array,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
) -> Array:
    x, dy = input_image.astype(np.float64), input_grads.astype(np.float64)
    norm = bias + alpha * _around(np.square(x), depth_radius)
    shared = _around(dy * x * norm ** (-beta - 1), depth_radius)
    return (dy * norm**-beta - 2 * alpha * beta * x * shared).astype(input_image.dtype)


define(
    "LRN",
    _response,
    _shape_of_first,
    lambda dy, y, input, **attrs: (apply("LRNGrad", dy, input, y, **attrs),),
)
define("LRNGrad", _response_back, _shape_of_first)


# -- older forms -------------------------------------------------------------------------------------------------


def _block(block_size: int) -> Tensor:
    return convert(np.array([block_size, block_size], np.int32))


def _older(name: str) -> Any:
    def kernel(input: Array, amounts: Array, block_size: int) -> Array:
        return apply(name, convert(input), _block(block_size), convert(amounts)).value

    return kernel


for _old, _new in (("SpaceToBatch", "SpaceToBatchND"), ("BatchToSpace", "BatchToSpaceND")):
    define(
        _old,
        _older(_new),
        lambda input, amounts, block_size: TensorShape((None, None, None, input.shape[3])),
        lambda dy, y, input, amounts, block_size, back="BatchToSpace" if _old[0] == "S" else "SpaceToBatch": (
            apply(back, dy, amounts, block_size=block_size),
        ),
    )


def _bias_back(out_backprop: Array, data_format: str = "NHWC") -> Array:
    channel = 1 if data_format == "NCHW" else out_backprop.ndim - 1
    return out_backprop.sum(axis=tuple(axis for axis in range(out_backprop.ndim) if axis != channel))


define(
    "BiasAddGrad",
    _bias_back,
    lambda out_backprop, data_format="NHWC": TensorShape((out_backprop.shape[1 if data_format == "NCHW" else -1],)),
)


def _mirror_back(input: Array, paddings: Array, mode: str = "REFLECT") -> Array:
    """The gradients of what was mirrored, added to where it came from."""
    result = input
    offset = 1 if mode == "REFLECT" else 0
    for axis, (before, after) in enumerate(paddings.tolist()):
        size = result.shape[axis] - before - after
        moved = np.moveaxis(result, axis, 0)
        inner = moved[before : before + size].copy()
        for i in range(before):
            inner[before - 1 - i + offset] += moved[i]
        for i in range(after):
            inner[size - 1 - i - offset] += moved[before + size + i]
        result = np.moveaxis(inner, 0, axis)
    return result


def _mirror_back_shape(input: Tensor, paddings: Tensor, mode: str = "REFLECT") -> TensorShape:
    pairs = zip(input.shape, paddings.value.tolist(), strict=True)
    return TensorShape(None if size is None else size - sum(pair) for size, pair in pairs)


define("MirrorPadGrad", _mirror_back, _mirror_back_shape)


def _empty(shape: Array, dtype: str, init: bool = False) -> Array:
    return np.zeros(tuple(int(size) for size in shape), dtype)


define(
    "Empty",
    _empty,
    lambda shape, dtype, init=False: TensorShape(int(size) for size in shape.value),
    dtype=lambda shape, dtype, init=False: DType(dtype),
)
