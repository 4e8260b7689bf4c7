"""Padding, cropping, resizing and turning; changing brightness and contrast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference_impl.functions.api import api
from reference_impl.functions.arrays import concat, expand_dims, reshape, shape, tile, transpose
from reference_impl.functions.elementwise import cast_to, maximum, rsqrt, sqrt, square
from reference_impl.functions.reductions import reduce_mean, reduce_prod
from reference_impl.tensors import Tensor, apply, convert


@api("pad")
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> Tensor:
    """``paddings``: two numbers for each axis. ``mode``: CONSTANT, REFLECT or SYMMETRIC."""
    x, pairs = convert(tensor), convert(np.array(paddings, np.int32))
    if mode.upper() != "CONSTANT":
        return apply("MirrorPad", x, pairs, mode=mode.upper())
    if not constant_values:
        return apply("Pad", x, pairs)
    return apply("PadV2", x, pairs, convert(constant_values, hint=x.dtype))


@api("slice")
def slice_of(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """``size`` elements from ``begin`` on each axis; -1 is the rest."""
    return apply("Slice", convert(input_), convert(begin, hint="int32"), convert(size, hint="int32"))


def repeat_elements(x: Tensor, count: int, axis: int) -> Tensor:
    """Each element along ``axis`` ``count`` times."""
    if count == 1:
        return x
    rank = len(x.shape)
    multiples = [1] * (rank + 1)
    multiples[axis + 1] = count
    repeated = tile(expand_dims(x, axis + 1), multiples)
    sizes = shape(x)
    whole = [sizes[i : i + 1] if i != axis else sizes[i : i + 1] * count for i in range(rank)]
    return reshape(repeated, concat(whole, 0))


def resize(images: Any, size: Any, method: str) -> Tensor:
    """Images (batch, height, width, channels) in another size, pixels' centres corresponding; float32 if bilinear."""
    x, wanted = convert(images), convert(size, hint="int32")
    if method == "nearest":
        return apply("ResizeNearestNeighbor", x, wanted, align_corners=False, half_pixel_centers=True)
    if method != "bilinear":
        raise ValueError(f"resizing by {method!r} is not supported; expected nearest or bilinear")
    resized = apply("ResizeBilinear", x, wanted, align_corners=False, half_pixel_centers=True)
    return resized if x.dtype.is_integer else cast_to(resized, x.dtype)


@api("image.resize")
def _image_resize(
    images: Any,
    size: Any,
    method: str = "bilinear",
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    if preserve_aspect_ratio or antialias:
        raise ValueError("image.resize: preserve_aspect_ratio and antialias are not supported")
    return resize(images, size, method)


# -- images (height, width, channels), or batches of them ------------------------------------------------------------


def _reversed(images: Any, axis: int) -> Tensor:
    x = convert(images)
    return apply("ReverseV2", x, convert(np.array([len(x.shape) - 3 + axis], np.int32)))


@api("image.flip_left_right")
def flip_left_right(image: Any) -> Tensor:
    return _reversed(image, 1)


@api("image.flip_up_down")
def flip_up_down(image: Any) -> Tensor:
    return _reversed(image, 0)


@api("image.rot90")
def rot90(image: Any, k: int = 1, name: str | None = None) -> Tensor:
    """Turned by ``k`` · 90 degrees against the clock."""
    x = convert(image)
    outer = list(range(len(x.shape) - 3))
    swap = [*outer, len(outer) + 1, len(outer), len(outer) + 2]
    for _ in range(int(k) % 4):
        x = _reversed(transpose(x, swap), 0)
    return x


def _height_width(x: Tensor, function: str) -> tuple[int, int]:
    height, width = x.shape[-3], x.shape[-2]
    if height is None or width is None:
        raise ValueError(f"image.{function}: height and width must be defined, found {tuple(x.shape)}")
    return height, width


@api("image.crop_to_bounding_box")
def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    x = convert(image)
    outer = len(x.shape) - 3
    begin = [*[0] * outer, offset_height, offset_width, 0]
    return slice_of(x, begin, [*[-1] * outer, target_height, target_width, -1])


@api("image.pad_to_bounding_box")
def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    x = convert(image)
    height, width = _height_width(x, "pad_to_bounding_box")
    around = [
        [offset_height, target_height - offset_height - height],
        [offset_width, target_width - offset_width - width],
    ]
    if min(min(part) for part in around) < 0:
        raise ValueError(f"image.pad_to_bounding_box: an image of {height} x {width} does not fit into the box")
    return pad(x, [*[[0, 0]] * (len(x.shape) - 3), *around, [0, 0]])


@api("image.resize_with_crop_or_pad")
def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Tensor:
    """The middle of the image, or the image in the middle of zeros."""
    x = convert(image)
    height, width = _height_width(x, "resize_with_crop_or_pad")
    kept = [min(height, target_height), min(width, target_width)]
    cut = crop_to_bounding_box(x, (height - kept[0]) // 2, (width - kept[1]) // 2, *kept)
    return pad_to_bounding_box(
        cut, (target_height - kept[0]) // 2, (target_width - kept[1]) // 2, target_height, target_width
    )


@api("image.central_crop")
def central_crop(image: Any, central_fraction: float) -> Tensor:
    x = convert(image)
    height, width = _height_width(x, "central_crop")
    top, left = (int((size - size * central_fraction) / 2) for size in (height, width))
    return crop_to_bounding_box(x, top, left, height - 2 * top, width - 2 * left)


def _in_float(change: Callable[[Tensor], Tensor], images: Any) -> Tensor:
    x = convert(images)
    if not x.dtype.is_floating:
        raise ValueError(f"images of dtype {x.dtype.name} are not supported; expected floating point")
    return change(x)


@api("image.adjust_brightness")
def adjust_brightness(image: Any, delta: float) -> Tensor:
    return _in_float(lambda x: x + delta, image)


@api("image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: float) -> Tensor:
    """Each channel's distance from its mean times ``contrast_factor``."""

    def changed(x: Tensor) -> Tensor:
        mean = reduce_mean(x, axis=[-3, -2], keepdims=True)
        return (x - mean) * contrast_factor + mean

    return _in_float(changed, images)


@api("image.per_image_standardization")
def per_image_standardization(image: Any) -> Tensor:
    """Mean 0 and variance 1 in each image; the deviation is at least 1 / √(elements)."""
    x = cast_to(image, "float32") if not convert(image).dtype.is_floating else convert(image)
    mean = reduce_mean(x, axis=[-3, -2, -1], keepdims=True)
    deviation = sqrt(reduce_mean(square(x - mean), axis=[-3, -2, -1], keepdims=True))
    count = cast_to(reduce_prod(shape(x)[-3:]), x.dtype)
    return (x - mean) / maximum(deviation, rsqrt(count))
