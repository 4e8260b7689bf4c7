"""Configurations as Keras 2.5 and later write them, told in the terms of 2.4.

* An ``InputLayer`` has a key ``optional`` (tf_keras 2.19 and later). False is what 2.4 always means.
* The optimizers rewritten in 2.11 are registered as ``Custom>Adam``. They have the hyper-parameters of the
old ones
  but ``decay``, and switches that are off unless somebody turned them on.

What is turned on and has no meaning in 2.4 is left, so that the class that does not know it refuses it by
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_OFF: dict[str, tuple[Any, ...]] = {
    "weight_decay": (None, 0, False),
    "clipnorm": (None,),
    "global_clipnorm": (None,),
    "clipvalue": (None,),
    "use_ema": (False,),
    "ema_overwrite_frequency": (None, 100),
    "is_legacy_optimizer": (False, True),
    "jit_compile": (False, True),
}
"""Switches of the new optimizers, and the values that change nothing."""

_PREFIX = "Custom>"


def model_config(config: Any) -> Any:
    """A model's or layer's configuration, nested ones too, without what only says what 2.4 does anyway."""
    if isinstance(config, list):
        return [model_config(item) for item in cast("list[Any]", config)]
    if not isinstance(config, dict):
        return config
    known = {key: model_config(value) for key, value in cast("dict[str, Any]", config).items()}
    inner = known.get("config")
    if known.get("class_name") == "InputLayer" and isinstance(inner, dict):
        entries = cast("dict[str, Any]", inner).items()
        known["config"] = {key: value for key, value in entries if (key, value) != ("optional", False)}
    return known


def training_config(config: Mapping[str, Any], is_custom: bool) -> dict[str, Any]:
    """Compile information; ``is_custom``: the user has an optimizer of that name, which is then left alone."""
    known = dict(config)
    optimizer = known.get("optimizer_config")
    if is_custom or not isinstance(optimizer, dict):
        return known
    form = cast("dict[str, Any]", optimizer)
    name, inner = form.get("class_name"), form.get("config")
    if isinstance(name, str) and name.startswith(_PREFIX) and isinstance(inner, dict):
        kept = {key: value for key, value in cast("dict[str, Any]", inner).items() if not _is_off(key, value, inner)}
        known["optimizer_config"] = {"class_name": name.removeprefix(_PREFIX), "config": kept}
    return known


def optimizer_name(config: Mapping[str, Any]) -> str:
    """The class name in the compile information; empty if there is none."""
    optimizer = config.get("optimizer_config")
    name: Any = cast("dict[str, Any]", optimizer).get("class_name") if isinstance(optimizer, dict) else None
    return name if isinstance(name, str) else ""


def _is_off(key: str, value: Any, config: Any) -> bool:
    if key == "ema_momentum":
        return not config.get("use_ema")
    return key in _OFF and value in _OFF[key]
