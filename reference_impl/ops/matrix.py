"""Matrix products and the addition of a bias."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.elementwise import sum_to
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape, broadcast
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _swap(array: Array, swapped: bool) -> Array:
    return np.swapaxes(array, -1, -2) if swapped else array


def _product(a: Array, b: Array) -> Array:
    """What NumPy multiplies as float32 for want of a bfloat16 product is rounded once, as in TensorFlow."""
    return np.matmul(a, b).astype(a.dtype, copy=False)


def _matrix_shape(tensor: Tensor, swapped: bool) -> tuple[Dim, Dim]:
    if len(tensor.shape) < 2:
        raise ValueError(f"a matrix was expected, found shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape[-2:]
    return (columns, rows) if swapped else (rows, columns)


def _product_shape(x: Tensor, y: Tensor, swap_x: bool, swap_y: bool) -> TensorShape:
    rows, inner_x = _matrix_shape(x, swap_x)
    inner_y, columns = _matrix_shape(y, swap_y)
    if inner_x is not None and inner_y is not None and inner_x != inner_y:
        raise ValueError(f"matrices of {inner_x} columns and {inner_y} rows cannot be multiplied")
    return TensorShape((*broadcast(x.shape[:-2], y.shape[:-2]), rows, columns))


def _matmul_gradient(
    dy: Tensor, y: Tensor, a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False
) -> tuple[Tensor, Tensor]:
    def product(p: Tensor, q: Tensor, swap_p: bool, swap_q: bool) -> Tensor:
        return apply("MatMul", p, q, transpose_a=swap_p, transpose_b=swap_q)

    of_a = product(b, dy, transpose_b, True) if transpose_a else product(dy, b, False, not transpose_b)
    of_b = product(dy, a, True, transpose_a) if transpose_b else product(a, dy, not transpose_a, False)
    return of_a, of_b


def _batch_matmul_gradient(
    dy: Tensor, y: Tensor, a: Tensor, b: Tensor, adj_x: bool = False, adj_y: bool = False
) -> tuple[Tensor, Tensor]:
    def product(p: Tensor, q: Tensor, swap_p: bool, swap_q: bool) -> Tensor:
        return apply("BatchMatMulV2", p, q, adj_x=swap_p, adj_y=swap_q)

    of_a = product(b, dy, adj_y, True) if adj_x else product(dy, b, False, not adj_y)
    of_b = product(dy, a, True, adj_x) if adj_y else product(a, dy, not adj_x, False)
    return sum_to(of_a, a), sum_to(of_b, b)


define(
    "MatMul",
    kernel=lambda a, b, transpose_a=False, transpose_b=False: _product(_swap(a, transpose_a), _swap(b, transpose_b)),
    shape=lambda a, b, transpose_a=False, transpose_b=False: _product_shape(a, b, transpose_a, transpose_b),
    gradient=_matmul_gradient,
)
define(
    "BatchMatMulV2",
    kernel=lambda x, y, adj_x=False, adj_y=False: _product(_swap(x, adj_x), _swap(y, adj_y)),
    shape=lambda x, y, adj_x=False, adj_y=False: _product_shape(x, y, adj_x, adj_y),
    gradient=_batch_matmul_gradient,
)


def _bias_shape(value: Tensor, bias: Tensor, data_format: str = "NHWC") -> TensorShape:
    return value.shape if data_format == "NCHW" else broadcast(value.shape, bias.shape)


def _bias_gradient(
    dy: Tensor, y: Tensor, value: Tensor, bias: Tensor, data_format: str = "NHWC"
) -> tuple[Tensor, Tensor]:
    rank = len(value.shape)
    channels = 1 if data_format == "NCHW" else rank - 1
    axes = np.array([axis for axis in range(rank) if axis != channels], dtype=np.int32)
    return dy, apply("Sum", dy, convert(axes), keep_dims=False)


def _bias_add(value: Array, bias: Array, data_format: str = "NHWC") -> Array:
    return value + (bias.reshape(-1, *[1] * (value.ndim - 2)) if data_format == "NCHW" else bias)


define("BiasAdd", kernel=_bias_add, shape=_bias_shape, gradient=_bias_gradient)
