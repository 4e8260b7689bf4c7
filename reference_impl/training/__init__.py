"""Compiling, training, evaluating, predicting."""

from __future__ import annotations

from reference_impl.training import callbacks

__all__ = ["callbacks"]
