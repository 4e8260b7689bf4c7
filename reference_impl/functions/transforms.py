"""Images moved, turned and zoomed."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.arrays import shape
from reference_impl.tensors import Tensor, apply, convert


def transform(
    images: Any, transforms: Any, interpolation: str = "bilinear", fill_mode: str = "reflect", fill_value: float = 0.0
) -> Tensor:
    """``images`` (batch, height, width, channels) read where the projections (batch, 8) say; the same shape."""
    x = convert(images)
    return apply(
        "ImageProjectiveTransformV3",
        x,
        convert(transforms),
        shape(x)[1:3],
        convert(fill_value, "float32"),
        interpolation=interpolation.upper(),
        fill_mode=fill_mode.upper(),
    )
