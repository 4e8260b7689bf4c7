"""Contrast, brightness and colours of images: (…, height, width, channels), red, green and blue from 0 to 1."""

# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _shape_of_first(images: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return images.shape


def _contrast(images: Array, contrast_factor: Array) -> Array:
    """Each channel's distance from its mean over the image, times the factor."""
    mean = images.mean(axis=(-3, -2), keepdims=True, dtype=np.float32)
    return ((images - mean) * contrast_factor + mean).astype(images.dtype)


def _contrast_gradient(dy: Tensor, y: Tensor, images: Tensor, factor: Tensor) -> tuple[Tensor]:
    axes = convert(np.array([-3, -2], np.int32))
    mean = apply("Mean", dy, axes, keep_dims=True)
    return ((dy - mean) * factor + mean,)


define("AdjustContrastv2", _contrast, _shape_of_first, _contrast_gradient)


def _to_hsv(images: Array) -> Array:
    red, green, blue = (images[..., i] for i in range(3))
    value = images.max(axis=-1)
    extent = value - images.min(axis=-1)
    with np.errstate(all="ignore"):
        saturation = np.where(value > 0, extent / value, 0)
        sector = np.where(value == green, 2 + (blue - red) / extent, 4 + (red - green) / extent)
        turn = np.where(value == red, (green - blue) / extent, sector)
    hue = np.where(extent > 0, turn / 6 % 1, 0)
    return np.stack([hue, saturation, value], axis=-1).astype(images.dtype)


def _to_rgb(images: Array) -> Array:
    hue, saturation, value = (images[..., i] for i in range(3))
    turn = hue * 6
    pure = np.stack([np.abs(turn - 3) - 1, 2 - np.abs(turn - 2), 2 - np.abs(turn - 4)], axis=-1)
    mixed = (1 - saturation[..., None]) + saturation[..., None] * np.clip(pure, 0, 1)
    return (mixed * value[..., None]).astype(images.dtype)


def _hue(images: Array, delta: Array) -> Array:
    changed = _to_hsv(images)
    changed[..., 0] = (changed[..., 0] + delta) % 1
    return _to_rgb(changed)


def _saturation(images: Array, scale: Array) -> Array:
    changed = _to_hsv(images)
    changed[..., 1] = np.clip(changed[..., 1] * scale, 0, 1)
    return _to_rgb(changed)


define("RGBToHSV", _to_hsv, _shape_of_first)
define("HSVToRGB", _to_rgb, _shape_of_first)
define("AdjustHue", _hue, _shape_of_first)
define("AdjustSaturation", _saturation, _shape_of_first)
