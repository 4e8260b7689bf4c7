"""Matrices made of diagonals and diagonals of matrices, and solving."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _shape_of_first(tensor: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return tensor.shape


def _bounds(k: Array) -> tuple[int, int]:
    """The lowest and the highest diagonal; 0 is the main one, those above are positive."""
    numbers = np.ravel(k)
    return int(numbers[0]), int(numbers[-1])


def _places(rows: int, columns: int, k: Array, align: str) -> tuple[Array, Array, Array, Array]:
    """Rows and columns of all elements of the diagonals, and where they are in the packed form."""
    low, high = _bounds(k)
    width = min(rows + min(high, 0), columns - max(low, 0))
    where: list[tuple[int, int, int, int]] = []
    for diagonal in range(low, high + 1):
        row, column = max(-diagonal, 0), max(diagonal, 0)
        length = min(rows - row, columns - column)
        side = align.split("_")[0 if diagonal >= 0 else 1]
        offset = width - length if side == "RIGHT" and low != high else 0
        where.extend((row + i, column + i, high - diagonal, offset + i) for i in range(length))
    table = np.array(where, np.int64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _packed_size(rows: int, columns: int, k: Array) -> tuple[int, int]:
    low, high = _bounds(k)
    return high - low + 1, min(rows + min(high, 0), columns - max(low, 0))


def _taken(input: Array, k: Array, padding_value: Array, align: str = "RIGHT_LEFT") -> Array:
    rows, columns = input.shape[-2:]
    number, width = _packed_size(rows, columns, k)
    packed = np.full((*input.shape[:-2], number, width), padding_value, input.dtype)
    row, column, diagonal, place = _places(rows, columns, k, align)
    packed[..., diagonal, place] = input[..., row, column]
    return packed if number > 1 else packed[..., 0, :]


def _placed(result: Array, diagonal: Array, k: Array, align: str) -> Array:
    low, high = _bounds(k)
    packed = diagonal if low != high else diagonal[..., None, :]
    row, column, number, place = _places(result.shape[-2], result.shape[-1], k, align)
    result[..., row, column] = packed[..., number, place]
    return result


def _made(
    diagonal: Array, k: Array, num_rows: Array, num_cols: Array, padding_value: Array, align: str = "RIGHT_LEFT"
) -> Array:
    low, high = _bounds(k)
    length = diagonal.shape[-1]
    least = length + max(-high, 0), length + max(low, 0)
    rows, columns = int(num_rows), int(num_cols)
    if rows < 0 and columns < 0:
        rows = columns = max(least)
    rows, columns = least[0] if rows < 0 else rows, least[1] if columns < 0 else columns
    outer = diagonal.shape[:-1] if low == high else diagonal.shape[:-2]
    return _placed(np.full((*outer, rows, columns), padding_value, diagonal.dtype), diagonal, k, align)


def _set(input: Array, diagonal: Array, k: Array, align: str = "RIGHT_LEFT") -> Array:
    return _placed(input.copy(), diagonal, k, align)


def _made_shape(diagonal: Tensor, k: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    outer = diagonal.shape[:-1] if np.ravel(k.value)[0] == np.ravel(k.value)[-1] else diagonal.shape[:-2]
    return TensorShape((*outer, None, None))


def _taken_shape(input: Tensor, k: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    single = np.ravel(k.value)[0] == np.ravel(k.value)[-1]
    return TensorShape((*input.shape[:-2], *([None] if single else [None, None])))


def _made_gradient(dy: Tensor, y: Tensor, diagonal: Tensor, k: Tensor, *_: Tensor, **attrs: Any) -> tuple[Tensor]:
    return (apply("MatrixDiagPartV3", dy, k, convert(np.zeros((), dy.value.dtype)), **attrs),)


def _taken_gradient(dy: Tensor, y: Tensor, input: Tensor, k: Tensor, *_: Tensor, **attrs: Any) -> tuple[Tensor]:
    return (apply("MatrixSetDiagV3", apply("ZerosLike", input), dy, k, **attrs),)


def _set_gradient(dy: Tensor, y: Tensor, input: Tensor, diagonal: Tensor, k: Tensor, **attrs: Any) -> Any:
    nothing = convert(np.zeros((), dy.value.dtype))
    return (
        apply("MatrixSetDiagV3", dy, apply("ZerosLike", diagonal), k, **attrs),
        apply("MatrixDiagPartV3", dy, k, nothing, **attrs),
    )


define("MatrixDiagV3", _made, _made_shape, _made_gradient)
define("MatrixDiagPartV3", _taken, _taken_shape, _taken_gradient)
define("MatrixSetDiagV3", _set, _shape_of_first, _set_gradient)

_MAIN = np.array(0, np.int32)
_ANY = np.array(-1, np.int32)


def _zero(like: Array) -> Array:
    return np.zeros((), like.dtype)


define(
    "MatrixDiag",
    lambda diagonal: _made(diagonal, _MAIN, _ANY, _ANY, _zero(diagonal)),
    lambda diagonal: TensorShape((*diagonal.shape, diagonal.shape[-1])),
    lambda dy, y, diagonal: (apply("MatrixDiagPart", dy),),
)
define(
    "MatrixDiagPart",
    lambda input: _taken(input, _MAIN, _zero(input)),
    lambda input: TensorShape((*input.shape[:-2], min(input.shape[-2:]))),
    lambda dy, y, input: (apply("MatrixSetDiag", apply("ZerosLike", input), dy),),
)
define(
    "MatrixSetDiag",
    lambda input, diagonal: _set(input, diagonal, _MAIN),
    _shape_of_first,
)
define(
    "Diag",
    lambda diagonal: np.diag(diagonal.ravel()).reshape(diagonal.shape * 2),
    lambda diagonal: TensorShape((*diagonal.shape, *diagonal.shape)),
    lambda dy, y, diagonal: (apply("DiagPart", dy),),
)
define(
    "DiagPart",
    lambda input: np.diag(input.reshape(2 * (int(np.prod(input.shape[: input.ndim // 2])),))).reshape(
        input.shape[: input.ndim // 2]
    ),
    lambda input: TensorShape(input.shape[: len(input.shape) // 2]),
    lambda dy, y, input: (apply("Diag", dy),),
)


def _band(input: Array, num_lower: Array, num_upper: Array) -> Array:
    """What is at most so many diagonals below and above the main one; all of them where the number is negative."""
    rows, columns = (np.arange(size) for size in input.shape[-2:])
    distance = rows[:, None] - columns
    lower, upper = int(num_lower), int(num_upper)
    inside = ((lower < 0) | (distance <= lower)) & ((upper < 0) | (-distance <= upper))
    return np.where(inside, input, input.dtype.type(0))


define(
    "MatrixBandPart",
    _band,
    _shape_of_first,
    lambda dy, y, input, num_lower, num_upper: (apply("MatrixBandPart", dy, num_lower, num_upper),),
)


# -- solving -----------------------------------------------------------------------------------------------------


def _turned(array: Array) -> Array:
    return np.conj(np.swapaxes(array, -1, -2))


def _inverse_gradient(dy: Tensor, y: Tensor, input: Tensor, adjoint: bool = False) -> tuple[Tensor]:
    left = apply("BatchMatMulV2", y, dy, adj_x=True, adj_y=False)
    product = -apply("BatchMatMulV2", left, y, adj_x=False, adj_y=True)
    if not adjoint:
        return (product,)
    rank = len(input.shape)
    perm = np.array([*range(rank - 2), rank - 1, rank - 2], np.int32)
    return (apply("Transpose", product, convert(perm)),)


define(
    "MatrixInverse",
    lambda input, adjoint=False: np.linalg.inv(_turned(input) if adjoint else input),
    _shape_of_first,
    _inverse_gradient,
)
define("Cholesky", lambda input: np.linalg.cholesky(input), _shape_of_first)
define(
    "MatrixSolve",
    lambda matrix, rhs, adjoint=False: np.linalg.solve(_turned(matrix) if adjoint else matrix, rhs),
    lambda matrix, rhs, adjoint=False: rhs.shape,
)


# -- older and newer names of products ---------------------------------------------------------------------------


def _product(x: Array, y: Array, adj_x: bool = False, adj_y: bool = False) -> Array:
    return np.matmul(_turned(x) if adj_x else x, _turned(y) if adj_y else y)


def _product_shape(x: Tensor, y: Tensor, adj_x: bool = False, adj_y: bool = False) -> TensorShape:
    return TensorShape((*x.shape[:-2], x.shape[-1 if adj_x else -2], y.shape[-2 if adj_y else -1]))


def _product_gradient(dy: Tensor, z: Tensor, x: Tensor, y: Tensor, adj_x: bool = False, adj_y: bool = False) -> Any:
    def product(p: Tensor, q: Tensor, turn_p: bool, turn_q: bool) -> Tensor:
        return apply("BatchMatMulV2", p, q, adj_x=turn_p, adj_y=turn_q)

    of_x = product(y, dy, adj_y, True) if adj_x else product(dy, y, False, not adj_y)
    of_y = product(dy, x, True, adj_x) if adj_y else product(x, dy, not adj_x, False)
    return of_x, of_y


for _name in ("BatchMatMul", "BatchMatMulV3"):
    define(_name, _product, _product_shape, _product_gradient)
define(
    "ConjugateTranspose",
    lambda x, perm: np.conj(np.transpose(x, perm)),
    lambda x, perm: TensorShape(x.shape[int(axis)] for axis in perm.value),
)
