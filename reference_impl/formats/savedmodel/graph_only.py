"""A SavedModel without Keras: what ``tf.saved_model.load`` gives.

Every folder can be loaded this way, also when the classes of its model are gone. See ``objects`` for what it gives. A folder of TensorFlow 1 has no objects: see ``main_graph``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from reference_impl.errors import LoadError
from reference_impl.formats.savedmodel.objects import GraphObject, SavedObjects
from reference_impl.formats.savedmodel.stored import Stored


def load(path: str | os.PathLike[str], tags: str | Iterable[str] | None = None) -> Any:
    """The root object of the SavedModel at ``path``.

    ``tags``: which MetaGraph, if there are several. Raises ``LoadError``. What it gives can be called, if the root that
    was saved could be; ``signatures`` has the signatures by name, ``variables`` and ``trainable_variables`` the
    variables.
    """
    stored = Stored(path, tags)
    if not stored.nodes:
        from reference_impl.formats.savedmodel import main_graph

        return main_graph.load(stored)
    try:
        root = SavedObjects(stored).get(0)
    except RecursionError as error:
        raise LoadError(f"{stored.path}: found objects inside objects, too deep to be followed") from error
    if not isinstance(root, GraphObject):
        stored.fail("object 0 (root)", f"a {type(root).__name__}", "an object with attributes")
    return root
