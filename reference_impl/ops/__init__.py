"""The table of operations; :mod:`reference_impl.functions` fills it by importing every module here."""

from reference_impl.ops.table import OPS, Op

__all__ = ["OPS", "Op"]
