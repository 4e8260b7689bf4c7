"""``tf.saved_model``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any


def load(export_dir: str | os.PathLike[str], tags: str | Iterable[str] | None = None, options: Any = None) -> Any:
    """The functions, signatures and variables of a SavedModel, without Keras: asks for no custom objects.

    ``tags``: of the MetaGraph, if there are several. ``options`` means nothing here. Raises ``LoadError``. See
    :mod:`reference_impl.formats.savedmodel.graph_only`.
    """
    from reference_impl.formats.savedmodel import graph_only

    return graph_only.load(export_dir, tags)
