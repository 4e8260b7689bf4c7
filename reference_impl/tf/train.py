"""``tf.train``: checkpoints of any objects."""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {
    "Checkpoint": "reference_impl.checkpoint_api",
    "CheckpointManager": "reference_impl.checkpoint_manager",
    "latest_checkpoint": "reference_impl.checkpoint_api",
    "list_variables": "reference_impl.checkpoint_api",
    "load_checkpoint": "reference_impl.checkpoint_api",
    "load_variable": "reference_impl.checkpoint_api",
}


def __getattr__(name: str) -> Any:
    # The file formats are imported when first used.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
