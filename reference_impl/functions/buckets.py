"""Bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_impl.functions.elementwise import negative
from reference_impl.tensors import Tensor, apply, convert


def bucketize(input: Any, boundaries: Sequence[float], below: bool = False) -> Tensor:
    """The number of the interval each float is in, int32; ``below``: one on a boundary is in the lower of two."""
    if below:
        # So many are below x as are not, of the negative ones, at or below -x. Later TensorFlows have no op for it.
        opposite = [-float(boundary) for boundary in reversed(boundaries)]
        return len(opposite) - apply("Bucketize", negative(convert(input)), boundaries=opposite)
    return apply("Bucketize", convert(input), boundaries=[float(x) for x in boundaries])
