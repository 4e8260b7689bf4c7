"""The table of operations; importing this package fills it."""

from reference_impl.ops import arrays, elementwise, matrix, randomness, reductions
from reference_impl.ops.table import OPS, Op

__all__ = ["OPS", "Op", "arrays", "elementwise", "matrix", "randomness", "reductions"]
