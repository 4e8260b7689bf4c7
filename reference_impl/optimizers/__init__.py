"""Optimizers."""

from __future__ import annotations

from typing import Any

from reference_impl.optimizers import schedules
from reference_impl.optimizers.adam import Adam
from reference_impl.optimizers.base import Optimizer
from reference_impl.optimizers.rmsprop import RMSprop
from reference_impl.optimizers.sgd import SGD
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize"]

BUILTIN: dict[str, Any] = {
    "Adam": Adam, "adam": Adam, "SGD": SGD, "sgd": SGD, "RMSprop": RMSprop, "rmsprop": RMSprop,
}  # fmt: skip
KIND = generic.Kind("optimizer", lambda: BUILTIN)


def serialize(optimizer: Optimizer) -> Any:
    """``{"class_name", "config"}``."""
    return generic.serialize(optimizer)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown optimizer: …") if it is known nowhere."""
    if isinstance(config, dict):
        # TensorFlow looks built-in optimizers up in lower case.
        form: dict[str, Any] = dict(config)  # pyright: ignore[reportUnknownArgumentType]
        name = form.get("class_name")
        if isinstance(name, str) and name.lower() in BUILTIN and not _is_custom(name, custom_objects):
            form["class_name"] = name.lower()
        return generic.deserialize(KIND, form, custom_objects)
    return generic.deserialize(KIND, config, custom_objects)


def _is_custom(name: str, custom_objects: Objects | None) -> bool:
    from reference_impl.serialization.registry import get_registered_object

    return get_registered_object(name, custom_objects) is not None


def get(identifier: Any) -> Optimizer:
    """The optimizer for a name, a config form, a class or an optimizer (itself)."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, str) and identifier.lower() in BUILTIN and not _is_custom(identifier, None):
        return BUILTIN[identifier.lower()]()
    return deserialize(identifier)
