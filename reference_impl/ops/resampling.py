"""Resizing of images by weights: cubic, by area, and with a filter of any width.

Each takes (batch, height, width, channels) and a size (height, width), and gives float32. Rows and columns are resized
alike, so that each is a matrix of weights: (size, size before).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _applied(images: Array, rows: Array, columns: Array) -> Array:
    down = np.einsum("yh,bhwc->bywc", rows, images.astype(np.float64))
    return np.einsum("xw,bywc->byxc", columns, down).astype(np.float32)


def _scale(count: int, size: int, align_corners: bool) -> np.float32:
    if align_corners and count > 1:
        return np.float32(size - 1) / np.float32(count - 1)
    return np.float32(size) / np.float32(count)


# -- cubic -------------------------------------------------------------------------------------------------------

_STEPS = 1024
"""TensorFlow reads the weights from a table of so many steps between two pixels."""


def _keys(distance: Array, a: float) -> Array:
    """Keys' kernel: of the two pixels that are near, and of the two beyond them."""
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


def _cubic(count: int, size: int, align_corners: bool, half_pixel_centers: bool) -> Array:
    scale, numbers = _scale(count, size, align_corners), np.arange(count, dtype=np.float32)
    places = (numbers + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel_centers else numbers * scale
    first = np.floor(places)
    delta = np.rint((places - first) * _STEPS) / _STEPS
    weights = np.zeros((count, size))
    for offset in (-1, 0, 1, 2):
        pixel = first.astype(np.int64) + offset
        kernel = _keys(np.abs(offset - delta), -0.5 if half_pixel_centers else -0.75)
        inside = (pixel >= 0) & (pixel < size)
        # Pixels beyond the edge are the edge's own; with centres of pixels they count for nothing.
        kernel = np.where(inside, kernel, 0) if half_pixel_centers else kernel
        np.add.at(weights, (np.arange(count), np.clip(pixel, 0, size - 1)), kernel)
    return weights / weights.sum(axis=1, keepdims=True) if half_pixel_centers else weights


def _resize_cubic(images: Array, size: Array, align_corners: bool = False, half_pixel_centers: bool = False) -> Array:
    sides = [
        _cubic(int(n), of, align_corners, half_pixel_centers) for n, of in zip(size, images.shape[1:3], strict=True)
    ]
    return _applied(images, *sides)


# -- by area -----------------------------------------------------------------------------------------------------


def _areas(count: int, size: int, align_corners: bool) -> Array:
    """How much of each pixel lies between the edges of an output."""
    scale = float(_scale(count, size, align_corners))
    edges = np.arange(count + 1)[:, None] * scale
    pixels = np.arange(max(size, math.ceil(count * scale)))
    shared = np.clip(np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels), 0, None) / scale
    weights = shared[:, :size]
    weights[:, -1] += shared[:, size:].sum(axis=1)
    return weights


def _resize_area(images: Array, size: Array, align_corners: bool = False) -> Array:
    return _applied(images, *(_areas(int(n), of, align_corners) for n, of in zip(size, images.shape[1:3], strict=True)))


# -- with a filter -----------------------------------------------------------------------------------------------

Filter = tuple[float, Callable[[Array], Array]]
"""How far it reaches, and its weight at a distance."""


def _lanczos(radius: float) -> Filter:
    return radius, lambda x: np.sinc(x) * np.sinc(x / radius)


def _mitchell(x: Array) -> Array:
    near = (7 / 6 * x - 2) * x * x + 8 / 9
    return np.where(x < 1, near, ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9)


_FILTERS: dict[str, Filter] = {
    "lanczos1": _lanczos(1),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": (1.5, lambda x: np.exp(-x * x / (2 * 0.5**2))),
    "box": (0.5, lambda x: np.where(x == 0.5, 0.5, 1.0)),
    "triangle": (1, lambda x: 1 - x),
    "keyscubic": (2, lambda x: _keys(x, -0.5)),
    "mitchellcubic": (2, _mitchell),
}


def _filtered(count: int, size: int, scale: float, shift: float, kernel: Filter, antialias: bool) -> Array:
    """An output whose centre is outside the image gets nothing."""
    radius, weight = kernel
    width = max(1 / scale, 1) if antialias else 1.0
    # In float32, as TensorFlow has it: at the edge of a filter the last digit decides.
    inverse = np.float32(1) / np.float32(scale)
    centres = (np.arange(count, dtype=np.float32) + np.float32(0.5)) * inverse - inverse * np.float32(shift)
    distance = np.abs(np.arange(size, dtype=np.float32) + np.float32(0.5) - centres[:, None]) / np.float32(width)
    reached = distance <= radius if radius == 0.5 else distance < radius
    weights = np.where(reached, weight(distance), 0)
    total = weights.sum(axis=1, keepdims=True)
    inside = (centres >= 0) & (centres <= size)
    return np.where(inside[:, None], weights / np.where(total == 0, 1, total), 0)


def _scale_and_translate(
    images: Array, size: Array, scale: Array, translation: Array, kernel_type: str = "lanczos3", antialias: bool = True
) -> Array:
    if kernel_type not in _FILTERS:
        raise ValueError(f"found the filter {kernel_type!r}, expected one of {list(_FILTERS)}")
    if (scale <= 0).any():
        raise ValueError(f"found the scales {scale.tolist()}, expected positive ones")
    sides = zip(size.tolist(), images.shape[1:3], scale.tolist(), translation.tolist(), strict=True)
    return _applied(images, *(_filtered(*side, _FILTERS[kernel_type], antialias) for side in sides))


def _resized(images: Tensor, size: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return TensorShape((images.shape[0], *known_sizes(size), images.shape[3]))


def _float32(*_: Any, **__: Any) -> DType:
    return DType("float32")


define("ResizeBicubic", _resize_cubic, _resized, dtype=_float32)
define("ResizeArea", _resize_area, _resized, dtype=_float32)
define("ScaleAndTranslate", _scale_and_translate, _resized, dtype=_float32)
