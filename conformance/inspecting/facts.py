"""What the readers of all formats need: versions to generations, optimizers, counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, cast

from conformance.inspecting.configs import Config
from conformance.inspecting.model import OptimizerFact, WeightFact

# Up to which Keras (or TensorFlow) version a generation goes, exclusive.
_GENERATIONS = (((2, 0), "keras-1"), ((2, 5), "keras-2.4"), ((2, 12), "keras-2.8"), ((3, 0), "keras-2.15"))

_SETTINGS = 12

_ROLES = ("weight", "optimizer", "metric")
_OPTIMIZER = re.compile(r"(^|/)(\.OPTIMIZER_SLOT|_?optimizer|optimizer_weights)(/|$)|^save_counter")
_METRIC = re.compile(r"^metrics/|(^|/)keras_api/metrics/")


def generation(version: str | None) -> str | None:
    """The generation that wrote files as this version of Keras, or of TensorFlow 2 in the same numbers."""
    match = re.match(r"(\d+)\.(\d+)", version or "")
    if not match:
        return None
    number = (int(match[1]), int(match[2]))
    return next((name for end, name in _GENERATIONS if number < end), "keras-3")


def arrays(places: Iterable[tuple[str, tuple[int, ...], str]]) -> tuple[WeightFact, ...]:
    """Arrays given by place, shape and dtype: the model's own first, numbers in names in their order."""
    found = [WeightFact(place, shape, dtype, _role(place)) for place, shape, dtype in places]
    return tuple(sorted(found, key=lambda weight: _ROLES.index(weight.role)))


def natural(place: str) -> list[tuple[int, str]]:
    """A key that sorts ``vars/2`` before ``vars/10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", place)]


def optimizer_arrays(weights: Iterable[WeightFact]) -> int:
    """How many of them are the optimizer's."""
    return sum(weight.role == "optimizer" for weight in weights)


def _role(place: str) -> Literal["weight", "optimizer", "metric"]:
    if _OPTIMIZER.search(place):
        return "optimizer"
    return "metric" if _METRIC.search(place) else "weight"


def optimizer(config: Any, arrays: int) -> OptimizerFact | None:
    """The optimizer that a training or compile config names; None where there is neither it nor its state."""
    found = cast("Config", config).get("optimizer_config", cast("Config", config).get("optimizer")) if config else None
    if isinstance(found, str):
        return OptimizerFact(found, {}, arrays)
    if not isinstance(found, dict):
        return OptimizerFact(None, {}, arrays) if arrays else None
    said = cast("Config", found)
    inner = said.get("config")
    settings = cast("Config", inner) if isinstance(inner, dict) else dict[str, Any]()
    name = said.get("class_name")
    plain = {key: value for key, value in settings.items() if isinstance(value, str | int | float | bool)}
    return OptimizerFact(
        str(name).removeprefix("Custom>") if name else None, dict(list(plain.items())[:_SETTINGS]), arrays
    )


def training(config: Any) -> dict[str, Any]:
    """What a training or compile config says beside the optimizer."""
    if not isinstance(config, dict):
        return {}
    said = cast("Config", config)
    kept = ("loss", "metrics", "weighted_metrics", "loss_weights")
    return {key: said[key] for key in kept if said.get(key) not in (None, [], {})}
