"""Functions of matrices' diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.functions.api import api, ints
from reference_impl.functions.reductions import reduce_sum
from reference_impl.tensors import Tensor, apply, convert


def _padding(x: Tensor, value: Any) -> Tensor:
    return convert(value or 0, x.dtype)


@api("linalg.diag")
def diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: int = -1,
    num_cols: int = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Matrices with ``diagonal`` on the ``k``-th diagonal, ``padding_value`` elsewhere."""
    x = convert(diagonal)
    return apply("MatrixDiagV3", x, ints(k), ints(num_rows), ints(num_cols), _padding(x, padding_value), align=align)


@api("linalg.diag_part")
def diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """The ``k``-th diagonal of each matrix."""
    x = convert(input)
    return apply("MatrixDiagPartV3", x, ints(k), _padding(x, padding_value), align=align)


@api("linalg.set_diag")
def set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    x = convert(input)
    return apply("MatrixSetDiagV3", x, convert(diagonal, hint=x.dtype), ints(k), align=align)


@api("linalg.band_part")
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Each matrix with zeros outside of so many diagonals below and above the main one; -1 is all."""
    return apply("MatrixBandPart", convert(input), *(convert(np.int64(each)) for each in (num_lower, num_upper)))


@api("linalg.trace")
def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of each matrix's main diagonal."""
    return reduce_sum(diag_part(x), axis=-1)
