"""Optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reference_impl.errors import LoadError
from reference_impl.optimizers import schedules
from reference_impl.optimizers.adagrad import Adadelta, Adagrad
from reference_impl.optimizers.adam import Adam, Adamax, AdamW
from reference_impl.optimizers.base import Optimizer
from reference_impl.optimizers.ftrl import Ftrl
from reference_impl.optimizers.loss_scale import LossScaleOptimizer
from reference_impl.optimizers.nadam import Nadam
from reference_impl.optimizers.rmsprop import RMSprop
from reference_impl.optimizers.sgd import SGD
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects, get_registered_object

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "LossScaleOptimizer",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]  # fmt: skip

_CLASSES: tuple[type[Optimizer], ...] = (Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Nadam, RMSprop, SGD)
BUILTIN: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    # TensorFlow looks built-in optimizers up in lower case.
    **{cls.__name__.lower(): cls for cls in _CLASSES},
    # The names of TensorFlow 2.4, 2.4's older form, and Keras 2.11.
    **dict.fromkeys(("LossScaleOptimizer", "LossScaleOptimizerV1", "LossScaleOptimizerV3"), LossScaleOptimizer),
    "lossscaleoptimizer": LossScaleOptimizer,
}
_ABSENT = ("Adafactor", "Lion", "Lamb", "Muon", "ScheduleFreeAdamW", "MultiOptimizer")
KIND = generic.Kind("optimizer", lambda: BUILTIN)
_PREFIX = "Custom>"


def serialize(optimizer: Optimizer) -> Any:
    """``{"class_name", "config"}``."""
    return generic.serialize(optimizer)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """The optimizer of a config form or name, of any generation. ``LoadError`` if it is known nowhere."""
    if isinstance(config, Mapping):
        form = dict(cast("Mapping[str, Any]", config))
        name = form.get("class_name")
        if isinstance(name, str) and get_registered_object(name, custom_objects) is None:
            # Keras 2.11 to 2.15 register their own as custom objects.
            form["class_name"] = _known(name.removeprefix(_PREFIX))
        return generic.deserialize(KIND, form, custom_objects)
    return generic.deserialize(KIND, config, custom_objects)


def _known(name: str) -> str:
    if name in _ABSENT:
        raise LoadError(
            f"Unknown optimizer: {name}, which TensorFlow 2.4 does not have either; load with compile=False, or give a "
            "class of this name in custom_objects"
        )
    return name.lower() if name.lower() in BUILTIN else name


def get(identifier: Any) -> Optimizer:
    """The optimizer for a name, a config form, a class or an optimizer (itself)."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, str) and get_registered_object(identifier, None) is None:
        return deserialize(_known(identifier))
    return deserialize(identifier)
