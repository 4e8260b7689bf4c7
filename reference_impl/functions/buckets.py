"""Bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl.tensors import Tensor, apply, convert


def bucketize(input: Any, boundaries: Sequence[float], below: bool = False) -> Tensor:
    """The number of the interval each float is in, int32; ``below``: one on a boundary is in the lower of two."""
    if below:
        return apply("BoostedTreesBucketize", convert(input), convert(np.asarray(boundaries, np.float32)))
    return apply("Bucketize", convert(input), boundaries=[float(x) for x in boundaries])
