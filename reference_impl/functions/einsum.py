"""Einstein's summation."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api
from reference_impl.tensors import Tensor, apply, convert


@api("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """``einsum("abc,cd->abd", x, y)``; ``...`` stands for any axes. The result must be written out."""
    return apply("Einsum", *[convert(x) for x in inputs], equation=equation)
