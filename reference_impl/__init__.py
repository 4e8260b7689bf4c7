"""Keras without TensorFlow: NumPy arithmetic, and every file format read and written from its description.

The face is Keras's own::

    import reference_impl as keras
    from reference_impl import tf

Whatever cannot be loaded is refused with :class:`LoadError`. Code from a file is never run.
"""

from __future__ import annotations

from reference_impl import (
    activations,
    backend,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    optimizers,
    regularizers,
    tf,
    utils,
)
from reference_impl.dialects import dialect
from reference_impl.errors import LoadError
from reference_impl.layers import Input
from reference_impl.models import Model, Sequential

__version__ = "2026.11.0"

__all__ = [
    "Input", "LoadError", "Model", "Sequential", "activations", "backend", "constraints", "dialect", "initializers",
    "layers", "losses", "metrics", "mixed_precision", "models", "optimizers", "regularizers", "tf", "utils",
]  # fmt: skip
