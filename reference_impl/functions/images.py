"""Padding, cropping and resizing."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.functions.api import api
from reference_impl.functions.arrays import concat, expand_dims, reshape, shape, tile
from reference_impl.functions.elementwise import cast_to
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
