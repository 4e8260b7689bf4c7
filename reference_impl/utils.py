"""``keras.utils``: the registry, and data in batches by number."""

from __future__ import annotations

from reference_impl.serialization.generic import serialize as serialize_keras_object
from reference_impl.serialization.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from reference_impl.training.data import Sequence

__all__ = [
    "CustomObjectScope", "Sequence", "custom_object_scope", "get_custom_objects", "get_registered_name", "get_registered_object",
    "register_keras_serializable", "serialize_keras_object",
]  # fmt: skip
