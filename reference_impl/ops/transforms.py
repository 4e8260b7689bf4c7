"""Images moved, turned and zoomed: each pixel of the result is read where a projection says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _reflect(place: Array, size: int) -> Array:
    """… 2 1 0 | 0 1 2 … with period 2 · size, as TensorFlow rounds it."""
    if size <= 1:
        return np.zeros_like(place)
    period = 2 * size
    low = np.where(place < period, period * np.trunc(-place / period) + place, place)
    low = np.where(low < -size, low + period, -low - 1)
    high = place - period * np.trunc(place / period)
    high = np.where(high >= size, period - high - 1, high)
    return np.clip(np.where(place < 0, low, np.where(place > size - 1, high, place)), 0, size - 1)


def _wrap(place: Array, size: int) -> Array:
    if size <= 1:
        return np.zeros_like(place)
    low = place + size * (np.trunc(-place / (size - 1)) + 1)
    high = place - size * np.trunc(place / (size - 1))
    return np.clip(np.where(place < 0, low, np.where(place > size - 1, high, place)), 0, size - 1)


def _as_it_is(place: Array, size: int) -> Array:
    return place


def _clamp(place: Array, size: int) -> Array:
    return np.clip(place, 0, size - 1)


_FILL: dict[str, Callable[[Array, int], Array]] = {
    "REFLECT": _reflect, "WRAP": _wrap, "CONSTANT": _as_it_is, "NEAREST": _clamp,
}  # fmt: skip
"""What is read outside of the image, by fill mode: another place in it, or the fill value."""


def _project(
    images: Array,
    transforms: Array,
    output_shape: Array,
    fill_value: Array,
    interpolation: str,
    fill_mode: str = "CONSTANT",
) -> Array:
    """``transforms`` (batch or 1, 8): a0 a1 a2 b0 b1 b2 c0 c1 of x' = (a0 x + a1 y + a2) / (c0 x + c1 y + 1), …"""
    height, width = images.shape[1:3]
    y, x = np.meshgrid(*(np.arange(int(size), dtype=np.float32) for size in output_shape), indexing="ij")
    a0, a1, a2, b0, b1, b2, c0, c1 = transforms.astype(np.float32).T[:, :, None, None]
    divisor = c0 * x + c1 * y + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        column = _FILL[fill_mode]((a0 * x + a1 * y + a2) / divisor, width)
        row = _FILL[fill_mode]((b0 * x + b1 * y + b2) / divisor, height)
    batch = np.arange(len(images))[:, None, None]

    def read(rows: Array, columns: Array) -> Array:
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        pixels = images[
            batch, np.where(inside, rows, 0).astype(np.int64), np.where(inside, columns, 0).astype(np.int64)
        ]
        return np.where(inside[..., None], pixels, fill_value)

    if interpolation == "NEAREST":
        # Halves are rounded away from zero.
        result = read(*(np.copysign(np.floor(np.abs(place) + 0.5), place) for place in (row, column)))
    else:
        top, left = np.floor(row), np.floor(column)
        down, right = (row - top)[..., None], (column - left)[..., None]
        upper = (1 - right) * read(top, left) + right * read(top, left + 1)
        lower = (1 - right) * read(top + 1, left) + right * read(top + 1, left + 1)
        result = (1 - down) * upper + down * lower
    return np.where(np.broadcast_to(divisor, row.shape)[..., None] == 0, fill_value, result).astype(images.dtype)


def _shape(images: Tensor, transforms: Tensor, output_shape: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return TensorShape((images.shape[0], *known_sizes(output_shape), images.shape[3]))


define("ImageProjectiveTransformV3", _project, _shape)
