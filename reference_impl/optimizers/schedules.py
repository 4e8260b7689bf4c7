"""Learning rates that change with the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects


class LearningRateSchedule:
    """Called with the number of steps done it gives a learning rate, a float32."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError("Learning rate schedule must override __call__")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("Learning rate schedule must override get_config")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


class ExponentialDecay(LearningRateSchedule):
    """rate · decay_rate^(step / decay_steps); with ``staircase`` the exponent is a whole number."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        exponent = np.float32(step) / np.float32(self.decay_steps)
        exponent = np.floor(exponent) if self.staircase else exponent
        return np.float32(self.initial_learning_rate) * np.power(np.float32(self.decay_rate), exponent)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(ExponentialDecay):
    """rate / (1 + decay_rate · step / decay_steps)."""

    def __call__(self, step: Any) -> Any:
        share = np.float32(step) / np.float32(self.decay_steps)
        share = np.floor(share) if self.staircase else share
        return np.float32(self.initial_learning_rate) / (1 + np.float32(self.decay_rate) * share)


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to step ``boundaries[i]``, the last value after the last boundary."""

    def __init__(self, boundaries: Sequence[int], values: Sequence[float], name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError("The length of boundaries should be 1 less than the length of values")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> Any:
        return np.float32(self.values[int(np.searchsorted(self.boundaries, int(step), side="left"))])

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": list(self.boundaries), "values": list(self.values), "name": self.name}


BUILTIN: dict[str, Any] = {cls.__name__: cls for cls in (ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay)}
KIND = generic.Kind("decay", lambda: BUILTIN)


def serialize(schedule: Any) -> Any:
    return generic.serialize(schedule)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown decay: …") if it is known nowhere."""
    return generic.deserialize(KIND, config, custom_objects)
