"""``tf.train``: checkpoints of any objects."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # The file formats are imported when first used.
    if name in ("Checkpoint", "load_checkpoint"):
        from reference_impl import checkpoint_api

        return getattr(checkpoint_api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
