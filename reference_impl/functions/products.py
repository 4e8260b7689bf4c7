"""Matrix products."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api, pair
from reference_impl.tensors import Tensor, apply


@api("linalg.matmul")
def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: str | None = None) -> Tensor:
    """The product of two matrices, or of two broadcast stacks of matrices."""
    x, y = pair(a, b)
    if len(x.shape) == 2 and len(y.shape) == 2:
        return apply("MatMul", x, y, transpose_a=transpose_a, transpose_b=transpose_b)
    return apply("BatchMatMulV2", x, y, adj_x=transpose_a, adj_y=transpose_b)
