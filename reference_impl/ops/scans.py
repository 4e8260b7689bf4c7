"""Running sums along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply

Array = npt.NDArray[Any]


def _cumsum(x: Array, axis: Array, exclusive: bool = False, reverse: bool = False) -> Array:
    place = int(axis)
    turned = np.flip(x, place) if reverse else x
    sums = np.cumsum(turned, axis=place, dtype=x.dtype)
    if exclusive:
        sums = sums - turned
    return np.flip(sums, place) if reverse else sums


def _shape(x: Tensor, axis: Tensor, **_: Any) -> TensorShape:
    return x.shape


def _gradient(
    dy: Tensor, y: Tensor, x: Tensor, axis: Tensor, exclusive: bool = False, reverse: bool = False
) -> tuple[Tensor]:
    return (apply("Cumsum", dy, axis, exclusive=exclusive, reverse=not reverse),)


define("Cumsum", _cumsum, _shape, _gradient)
