"""Matrices taken apart: determinants, eigenvalues, QR, singular values, triangular systems. All take batches of matrices.

Factors are unique up to signs (or phases) only: these are LAPACK's as NumPy gives them.
"""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _batch(tensor: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return TensorShape(tensor.shape[:-2])


def _least(input: Tensor) -> Dim:
    rows, columns = input.shape[-2:]
    return None if rows is None or columns is None else min(rows, columns)


def _same_dtypes(count: int) -> Any:
    return lambda input, *_, **__: [input.dtype] * count


def _log_determinant(input: Array) -> Sequence[Array]:
    return [np.asarray(part, input.dtype) for part in np.linalg.slogdet(input)]


def _eigen(input: Array, compute_v: bool = True) -> Sequence[Array]:
    """Of symmetric matrices: the values in ascending order, and the vectors as columns."""
    if not compute_v:
        return np.linalg.eigvalsh(input), np.zeros((0,), input.dtype)
    return tuple(np.linalg.eigh(input))


def _eigen_shapes(input: Tensor, compute_v: bool = True) -> list[TensorShape]:
    return [TensorShape(input.shape[:-1]), input.shape if compute_v else TensorShape((0,))]


def _qr(input: Array, full_matrices: bool = False) -> Sequence[Array]:
    return tuple(np.linalg.qr(input, mode="complete" if full_matrices else "reduced"))


def _qr_shapes(input: Tensor, full_matrices: bool = False) -> list[TensorShape]:
    *batch, rows, columns = input.shape
    middle = rows if full_matrices else _least(input)
    return [TensorShape((*batch, rows, middle)), TensorShape((*batch, middle, columns))]


def _singular(input: Array, compute_uv: bool = True, full_matrices: bool = False) -> Sequence[Array]:
    """The values in descending order, and the vectors as columns of two matrices."""
    if not compute_uv:
        nothing = np.zeros((0,), input.dtype)
        return np.linalg.svd(input, compute_uv=False), nothing, nothing
    u, s, adjoint = np.linalg.svd(input, full_matrices=full_matrices)
    return s, u, np.conj(np.swapaxes(adjoint, -1, -2))


def _singular_shapes(input: Tensor, compute_uv: bool = True, full_matrices: bool = False) -> list[TensorShape]:
    *batch, rows, columns = input.shape
    least = _least(input)
    values = TensorShape((*batch, least))
    if not compute_uv:
        return [values, TensorShape((0,)), TensorShape((0,))]
    return [
        values,
        TensorShape((*batch, rows, rows if full_matrices else least)),
        TensorShape((*batch, columns, columns if full_matrices else least)),
    ]


def _triangular(matrix: Array, rhs: Array, lower: bool = True, adjoint: bool = False) -> Array:
    """The solution of ``matrix @ x = rhs``, of which only the triangle counts."""
    part = np.tril(matrix) if lower else np.triu(matrix)
    return np.linalg.solve(np.conj(np.swapaxes(part, -1, -2)) if adjoint else part, rhs)


define("MatrixDeterminant", lambda input: np.linalg.det(input), _batch)
define(
    "LogMatrixDeterminant",
    _log_determinant,
    lambda input: [_batch(input)] * 2,
    dtype=_same_dtypes(2),
    several=True,
)
define("SelfAdjointEigV2", _eigen, _eigen_shapes, dtype=_same_dtypes(2), several=True)
define("Qr", _qr, _qr_shapes, dtype=_same_dtypes(2), several=True)
define("Svd", _singular, _singular_shapes, dtype=_same_dtypes(3), several=True)
define("MatrixTriangularSolve", _triangular, lambda matrix, rhs, **_: rhs.shape)
define("Cross", lambda a, b: np.cross(a, b), lambda a, b: a.shape)
