"""The table of operations; importing this package fills it."""

from reference_impl.ops import (
    arrays,
    buckets,
    convolution,
    einsum,
    elementwise,
    fingerprints,
    images,
    lookup,
    matrix,
    pooling,
    randomness,
    reductions,
    scans,
    strings,
    transforms,
)
from reference_impl.ops.table import OPS, Op

__all__ = [
    "OPS",
    "Op",
    "arrays",
    "buckets",
    "convolution",
    "einsum",
    "elementwise",
    "fingerprints",
    "images",
    "lookup",
    "matrix",
    "pooling",
    "randomness",
    "reductions",
    "scans",
    "strings",
    "transforms",
]
