"""Keras without TensorFlow: NumPy arithmetic, and every file format read and written from its description.

The face is Keras's own::

    import reference_impl as keras
    from reference_impl import tf

Its parts are imported when they are first used. Whatever cannot be loaded is refused with :class:`LoadError`. Code from a file is never run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reference_impl.dialects import dialect
from reference_impl.errors import LoadError

if TYPE_CHECKING:
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
    from reference_impl.layers import Input
    from reference_impl.models import Model, Sequential
    from reference_impl.training import callbacks

__version__ = "2026.11.0"

__all__ = [
    "Input", "LoadError", "Model", "Sequential", "activations", "backend", "callbacks", "constraints", "dialect",
    "initializers", "layers", "losses", "metrics", "mixed_precision", "models", "optimizers", "regularizers", "tf",
    "utils",
]  # fmt: skip

_FROM = {"Input": "layers", "callbacks": "training", "Model": "models", "Sequential": "models"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_FROM.get(name, name)}")
    found = getattr(module, name) if name in _FROM else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
