"""Padding, and the resizing of images.

``ResizeBilinear`` and ``ResizeNearestNeighbor`` take (batch, height, width, channels) and a size (height, width). Where an
output pixel lies in the input is decided by ``half_pixel_centers`` (centres of pixels correspond) or ``align_corners``
(the corner pixels correspond); by default their upper left corners do.
"""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


# -- padding -----------------------------------------------------------------------------------------------------


def _pad(input: Array, paddings: Array, constant_values: Any = 0) -> Array:
    around: Any = [(int(b), int(a)) for b, a in paddings]
    return np.pad(input, around, constant_values=np.asarray(constant_values).item())


def _padded_shape(input: Tensor, paddings: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return TensorShape(
        None if size is None else size + int(pair.sum()) for size, pair in zip(input.shape, paddings.value, strict=True)
    )


def _pad_gradient(dy: Tensor, y: Tensor, input: Tensor, paddings: Tensor, *_: Tensor) -> tuple[Tensor]:
    begin = convert(np.ascontiguousarray(paddings.value[:, 0]).astype(np.int32))
    return (apply("Slice", dy, begin, apply("Shape", input, out_type="int32")),)


def _slice(input: Array, begin: Array, size: Array) -> Array:
    return input[tuple(slice(int(b), None if s < 0 else int(b) + int(s)) for b, s in zip(begin, size, strict=True))]


def _slice_shape(input: Tensor, begin: Tensor, size: Tensor) -> TensorShape:
    known = known_sizes(size)
    if size.array is None or begin.array is None:
        return known
    pairs = zip(known, input.shape, begin.value, strict=True)
    return TensorShape(n if n is not None else None if whole is None else whole - int(b) for n, whole, b in pairs)


def _slice_gradient(dy: Tensor, y: Tensor, input: Tensor, begin: Tensor, size: Tensor) -> tuple[Tensor]:
    after = np.array(input.value.shape) - begin.value - y.value.shape
    return (apply("Pad", dy, convert(np.stack([begin.value, after], axis=1).astype(np.int32))),)


def _mirror(input: Array, paddings: Array, mode: str = "REFLECT") -> Array:
    around: Any = [(int(b), int(a)) for b, a in paddings]
    return np.pad(input, around, "reflect" if mode == "REFLECT" else "symmetric")


define("Pad", _pad, _padded_shape, _pad_gradient)
define("PadV2", _pad, _padded_shape, _pad_gradient)
define("MirrorPad", _mirror, _padded_shape)
define("Slice", _slice, _slice_shape, _slice_gradient)


# -- batches of blocks -------------------------------------------------------------------------------------------


def _space_to_batch(input: Array, block_shape: Array, paddings: Array) -> Array:
    """Pixels at distance ``block_shape`` together: the blocks' offsets go into the batch."""
    block = [int(b) for b in block_shape]
    m = len(block)
    rest = [(0, 0)] * (input.ndim - 1 - m)
    around: Any = [(0, 0), *((int(b), int(a)) for b, a in paddings), *rest]
    padded = np.pad(input, around)
    batch, space, others = padded.shape[0], padded.shape[1 : 1 + m], padded.shape[1 + m :]
    cut = padded.reshape(batch, *(n for s, b in zip(space, block, strict=True) for n in (s // b, b)), *others)
    offsets = [2 + 2 * i for i in range(m)]
    places = [1 + 2 * i for i in range(m)]
    moved = cut.transpose(*offsets, 0, *places, *range(1 + 2 * m, cut.ndim))
    return moved.reshape(-1, *(s // b for s, b in zip(space, block, strict=True)), *others)


def _batch_to_space(input: Array, block_shape: Array, crops: Array) -> Array:
    block = [int(b) for b in block_shape]
    m = len(block)
    batch = input.shape[0] // int(np.prod(block))
    space, others = input.shape[1 : 1 + m], input.shape[1 + m :]
    cut = input.reshape(*block, batch, *space, *others)
    order = [m, *(axis for i in range(m) for axis in (m + 1 + i, i)), *range(2 * m + 1, cut.ndim)]
    whole = cut.transpose(order).reshape(batch, *(s * b for s, b in zip(space, block, strict=True)), *others)
    ends = (slice(int(b), n - int(a)) for (b, a), n in zip(crops, whole.shape[1 : 1 + m], strict=True))
    return whole[(slice(None), *ends)]


def _sums(pairs: Tensor) -> list[int | None]:
    """The sum of each of ``pairs`` (m, 2), None where they have no values."""
    return [None] * (pairs.shape[0] or 0) if pairs.array is None else pairs.array.sum(axis=1).tolist()


def _space_to_batch_shape(input: Tensor, block_shape: Tensor, paddings: Tensor) -> TensorShape:
    block = [int(b) for b in block_shape.value]
    batch = None if input.shape[0] is None else input.shape[0] * int(np.prod(block))
    space = [
        None if n is None or pair is None else (n + pair) // b
        for n, pair, b in zip(input.shape[1:], _sums(paddings), block, strict=False)
    ]
    return TensorShape((batch, *space, *input.shape[1 + len(block) :]))


def _batch_to_space_shape(input: Tensor, block_shape: Tensor, crops: Tensor) -> TensorShape:
    block = [int(b) for b in block_shape.value]
    batch = None if input.shape[0] is None else input.shape[0] // int(np.prod(block))
    space = [
        None if n is None or pair is None else n * b - pair
        for n, pair, b in zip(input.shape[1:], _sums(crops), block, strict=False)
    ]
    return TensorShape((batch, *space, *input.shape[1 + len(block) :]))


define(
    "SpaceToBatchND",
    _space_to_batch,
    _space_to_batch_shape,
    lambda dy, y, input, block_shape, paddings: (apply("BatchToSpaceND", dy, block_shape, paddings),),
)
define(
    "BatchToSpaceND",
    _batch_to_space,
    _batch_to_space_shape,
    lambda dy, y, input, block_shape, crops: (apply("SpaceToBatchND", dy, block_shape, crops),),
)


# -- resizing ----------------------------------------------------------------------------------------------------


def _places(count: int, size: int, align_corners: bool, half_pixel_centers: bool) -> tuple[Array, np.float32]:
    """For each of ``count`` outputs its place among ``size`` inputs, and the step, in float32."""
    if align_corners and count > 1:
        scale = np.float32(size - 1) / np.float32(count - 1)
    else:
        scale = np.float32(size) / np.float32(count)
    numbers = np.arange(count, dtype=np.float32)
    if half_pixel_centers:
        return (numbers + np.float32(0.5)) * scale, scale
    return numbers * scale, scale


def _nearest(count: int, size: int, align_corners: bool, half_pixel_centers: bool) -> Array:
    places, _ = _places(count, size, align_corners, half_pixel_centers)
    chosen = np.floor(places + np.float32(0.5)) if align_corners else np.floor(places)
    return np.clip(chosen.astype(np.int64), 0, size - 1)


def _resize_nearest(images: Array, size: Array, align_corners: bool = False, half_pixel_centers: bool = False) -> Array:
    rows = _nearest(int(size[0]), images.shape[1], align_corners, half_pixel_centers)
    columns = _nearest(int(size[1]), images.shape[2], align_corners, half_pixel_centers)
    return images[:, rows][:, :, columns]


def _add_at(images: Array, rows: Array, columns: Array, values: Array) -> None:
    """Add to rows and columns, which may come more than once."""
    where: Any = (slice(None), rows[:, None], columns[None, :])
    np.add.at(images, where, values)


def _resize_nearest_gradient(
    grads: Array, size: Array, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    rows = _nearest(grads.shape[1], int(size[0]), align_corners, half_pixel_centers)
    columns = _nearest(grads.shape[2], int(size[1]), align_corners, half_pixel_centers)
    dx = np.zeros((grads.shape[0], int(size[0]), int(size[1]), grads.shape[3]), grads.dtype)
    _add_at(dx, rows, columns, grads)
    return dx


def _weights(count: int, size: int, align_corners: bool, half_pixel_centers: bool) -> tuple[Array, Array, Array]:
    """Lower and upper neighbour of each output, and how near it is to the upper, in float32."""
    places, _ = _places(count, size, align_corners, half_pixel_centers)
    if half_pixel_centers:
        places = places - np.float32(0.5)
    below = np.floor(places)
    lower = np.clip(below, 0, size - 1).astype(np.int64)
    upper = np.clip(below + 1, 0, size - 1).astype(np.int64)
    return lower, upper, (places - below).astype(np.float32)


def _resize_bilinear(
    images: Array, size: Array, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    x = images.astype(np.float32)
    top, bottom, down = _weights(int(size[0]), x.shape[1], align_corners, half_pixel_centers)
    left, right, across = _weights(int(size[1]), x.shape[2], align_corners, half_pixel_centers)
    across, down = across[:, None], down[:, None, None]
    upper, lower = x[:, top], x[:, bottom]
    above = upper[:, :, left] + (upper[:, :, right] - upper[:, :, left]) * across
    under = lower[:, :, left] + (lower[:, :, right] - lower[:, :, left]) * across
    return above + (under - above) * down


def _resize_bilinear_gradient(
    grads: Array, original_image: Array, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    dx: Array = np.zeros(original_image.shape, np.float32)
    top, bottom, down = _weights(grads.shape[1], dx.shape[1], align_corners, half_pixel_centers)
    left, right, across = _weights(grads.shape[2], dx.shape[2], align_corners, half_pixel_centers)
    across, down = across[:, None], down[:, None, None]
    for rows, vertical in ((top, 1 - down), (bottom, down)):
        for columns, horizontal in ((left, 1 - across), (right, across)):
            _add_at(dx, rows, columns, grads * vertical * horizontal)
    return dx.astype(original_image.dtype)


def _resized(images: Tensor, size: Tensor, **_: Any) -> TensorShape:
    return TensorShape((images.shape[0], *known_sizes(size), images.shape[3]))


def _float32(*_: Any, **__: Any) -> Any:
    from reference_impl.dtypes import as_dtype

    return as_dtype("float32")


def _nearest_gradient(dy: Tensor, y: Tensor, images: Tensor, size: Tensor, **attrs: Any) -> tuple[Tensor]:
    space = apply("Slice", apply("Shape", images, out_type="int32"), convert(np.array([1], np.int32)), convert(np.array([2], np.int32)))  # fmt: skip
    return (apply("ResizeNearestNeighborGrad", dy, space, **attrs),)


define("ResizeNearestNeighbor", _resize_nearest, _resized, _nearest_gradient)
define("ResizeNearestNeighborGrad", _resize_nearest_gradient, _resized)
define(
    "ResizeBilinear",
    _resize_bilinear,
    _resized,
    lambda dy, y, images, size, **attrs: (apply("ResizeBilinearGrad", dy, images, **attrs),),
    _float32,
)
define(
    "ResizeBilinearGrad",
    _resize_bilinear_gradient,
    lambda grads, original_image, **_: original_image.shape,
    dtype=lambda grads, original_image, **_: original_image.dtype,
)
