"""Which of the two ways of Keras an optimizer is stored in.

Since 2.11 Keras has other optimizers, registered as ``Custom>Adam`` and kept in a checkpoint as lists of variables (see
:mod:`reference_impl.formats.checkpoint.optimizers`). What they cannot be, an optimizer with a decay, Nadam of 2.4, a scaled loss, is
stored as before: later generations load it as one of ``optimizers.legacy``. Configuration and checkpoint go together.
"""

from __future__ import annotations

from typing import Any

from reference_impl import dialects
from reference_impl.formats.checkpoint.optimizers import LISTS
from reference_impl.serialization.registry import get_registered_name

_PREFIX = "Custom>"


def is_later(optimizer: Any) -> bool:
    """Whether ``optimizer`` (None: none at all) is stored as those since 2.11."""
    if dialects.current() != "keras-2.15":
        return False
    if optimizer is None:
        return True
    name = get_registered_name(type(optimizer))
    other = name == "Nadam" and optimizer.generation == "keras-2.4"
    return name in LISTS and not other and not optimizer.get_config().get("decay")


def told(form: dict[str, Any], optimizer: Any) -> dict[str, Any]:
    """The config form of ``optimizer`` as the present dialect tells it."""
    if not is_later(optimizer):
        return form
    config = {key: value for key, value in form["config"].items() if key != "decay"}
    # By these keys it is known that it also computes as those do.
    mark = {} if optimizer.generation == "keras-2.4" else {"jit_compile": False, "is_legacy_optimizer": False}
    return {**form, "class_name": f"{_PREFIX}{form['class_name']}", "config": {**config, **mark}}
