"""Running sums and products."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api, ints
from reference_impl.tensors import Tensor, apply, convert


@api("math.cumsum")
def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Sums along ``axis`` so far; ``exclusive``: without the element itself; ``reverse``: from the end."""
    return apply("Cumsum", convert(x), ints(axis), exclusive=exclusive, reverse=reverse)


@api("math.cumprod")
def cumprod(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Products along ``axis`` so far; arguments as of :func:`cumsum`."""
    return apply("Cumprod", convert(x), ints(axis), exclusive=exclusive, reverse=reverse)
