"""Which of the ways of Keras an optimizer is stored in: configuration and state go together.

In 2.11 Keras got other optimizers. In Keras 2's files they are registered as ``Custom>Adam``, and in a checkpoint kept as
lists of variables (see :mod:`reference_impl.formats.checkpoint.optimizers`). What they cannot be, an optimizer with a
decay, Nadam of 2.4, a scaled loss, is stored as before: later generations load it as one of ``optimizers.legacy``.
"""

from __future__ import annotations

from typing import Any

from reference_impl import dialects
from reference_impl.formats.checkpoint.optimizers import LISTS
from reference_impl.optimizers.later import Generation, present_generation
from reference_impl.serialization.registry import get_registered_name

_PREFIX = "Custom>"


def stored_generation(optimizer: Any) -> Generation:
    """The generation in whose way ``optimizer`` (None: none at all) is stored in the present dialect."""
    present = present_generation()
    if present == "keras-2.4" or optimizer is None:
        return present
    name = get_registered_name(type(optimizer))
    other = name == "Nadam" and optimizer.generation == "keras-2.4"
    can_be = name in LISTS and not other and not optimizer.get_config().get("decay")
    return present if can_be else "keras-2.4"


def told(form: dict[str, Any], optimizer: Any) -> dict[str, Any]:
    """The config form of ``optimizer`` as Keras 2's files of the present dialect tell it."""
    if dialects.current() != "keras-2.15" or stored_generation(optimizer) == "keras-2.4":
        return form
    config = {key: value for key, value in form["config"].items() if key != "decay"}
    return {**form, "class_name": f"{_PREFIX}{form['class_name']}", "config": config}
