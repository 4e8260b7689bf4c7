"""Fourier transforms along the last axes."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _shape_of_first(input: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return input.shape


def _real(input: Array, fft_length: Array, Tcomplex: str = "complex64") -> Array:  # noqa: N803 (TensorFlow's attribute)
    sizes = [int(size) for size in fft_length]
    return np.fft.rfftn(input, sizes, tuple(range(-len(sizes), 0))).astype(Tcomplex)


def _back_to_real(input: Array, fft_length: Array, Treal: str = "float32") -> Array:  # noqa: N803
    sizes = [int(size) for size in fft_length]
    return np.fft.irfftn(input, sizes, tuple(range(-len(sizes), 0))).astype(Treal)


def _half(input: Tensor, fft_length: Tensor, **_: Any) -> TensorShape:
    sizes = [int(size) for size in fft_length.value]
    return TensorShape((*input.shape[: -len(sizes)], *sizes[:-1], sizes[-1] // 2 + 1))


def _whole(input: Tensor, fft_length: Tensor, **_: Any) -> TensorShape:
    sizes = [int(size) for size in fft_length.value]
    return TensorShape((*input.shape[: -len(sizes)], *sizes))


for _name, _axes in (("FFT", (-1,)), ("FFT2D", (-2, -1)), ("FFT3D", (-3, -2, -1))):
    define(_name, lambda input, axes=_axes: np.fft.fftn(input, axes=axes).astype(input.dtype), _shape_of_first)
    define("I" + _name, lambda input, axes=_axes: np.fft.ifftn(input, axes=axes).astype(input.dtype), _shape_of_first)
    define("R" + _name, _real, _half, dtype=lambda *_, Tcomplex="complex64": DType(Tcomplex))  # noqa: N803
    define("IR" + _name, _back_to_real, _whole, dtype=lambda *_, Treal="float32": DType(Treal))  # noqa: N803
