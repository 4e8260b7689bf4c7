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


class PolynomialDecay(LearningRateSchedule):
    """From ``initial_learning_rate`` to ``end_learning_rate`` over ``decay_steps``, as (1 - step / decay_steps)^power.

    With ``cycle`` it goes on: decay_steps is multiplied so that it is never passed.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.end_learning_rate = (
            initial_learning_rate, decay_steps, end_learning_rate,
        )  # fmt: skip
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step: Any) -> Any:
        now, steps = np.float32(step), np.float32(self.decay_steps)
        if self.cycle:
            steps = steps * (np.float32(1) if now == 0 else np.ceil(now / steps))
        else:
            now = np.minimum(now, steps)
        end = np.float32(self.end_learning_rate)
        share = np.power(np.float32(1) - now / steps, np.float32(self.power))
        return (np.float32(self.initial_learning_rate) - end) * share + end

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


def _cosine(share: Any) -> Any:
    return np.float32(0.5) * (np.float32(1) + np.cos(np.float32(np.pi) * share))


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave over ``decay_steps`` from the initial rate to ``alpha`` times that.

    With ``warmup_target`` (Keras 2.13 and later) the rate first rises to it, in a line over ``warmup_steps``, and the
    wave starts from there.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = None,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.name, self.warmup_target, self.warmup_steps = name, warmup_target, warmup_steps

    def __call__(self, step: Any) -> Any:
        now, start, one = np.float32(step), np.float32(self.initial_learning_rate), np.float32(1)
        top = start
        if self.warmup_target is not None:
            top, rise = np.float32(self.warmup_target), np.float32(self.warmup_steps)
            if now < rise:
                return (top - start) * (now / rise) + start
            now = now - rise
        share = np.minimum(now, np.float32(self.decay_steps)) / np.float32(self.decay_steps)
        alpha = np.float32(self.alpha)
        return top * ((one - alpha) * _cosine(share) + alpha)

    def get_config(self) -> dict[str, Any]:
        config = {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
        }
        warming = {"warmup_target": self.warmup_target, "warmup_steps": self.warmup_steps}
        return config if self.warmup_target is None else config | warming


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine waves one after the other: each ``t_mul`` times as long and ``m_mul`` times as high as the one before."""

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> Any:
        one, times, share = np.float32(1), np.float32(self.t_mul), np.float32(step) / np.float32(self.first_decay_steps)
        if times == 1:
            wave = np.floor(share)
            share = share - wave
        else:
            wave = np.floor(np.log(one - share * (one - times)) / np.log(times))
            share = (share - (one - times**wave) / (one - times)) / times**wave
        height, alpha = np.float32(self.m_mul) ** wave, np.float32(self.alpha)
        return np.float32(self.initial_learning_rate) * ((one - alpha) * (height * _cosine(share)) + alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


class LinearCosineDecay(LearningRateSchedule):
    """A line down to zero times cosine waves: ((alpha + line) · wave + beta) times the initial rate."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        num_periods: float = 0.5,
        alpha: float = 0.0,
        beta: float = 0.001,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.num_periods = initial_learning_rate, decay_steps, num_periods
        self.alpha, self.beta, self.name = alpha, beta, name

    def __call__(self, step: Any) -> Any:
        steps = np.float32(self.decay_steps)
        share = np.minimum(np.float32(step), steps) / steps
        wave = _cosine(np.float32(2 * self.num_periods) * share)
        return np.float32(self.initial_learning_rate) * (
            (np.float32(self.alpha) + np.float32(1) - share) * wave + np.float32(self.beta)
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "num_periods": self.num_periods,
            "alpha": self.alpha,
            "beta": self.beta,
            "name": self.name,
        }


_CLASSES: tuple[type[LearningRateSchedule], ...] = (
    ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay, CosineDecayRestarts,
    LinearCosineDecay,
)  # fmt: skip
BUILTIN: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}
KIND = generic.Kind("decay", lambda: BUILTIN)


def serialize(schedule: Any) -> Any:
    return generic.serialize(schedule)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown decay: …") if it is known nowhere."""
    return generic.deserialize(KIND, config, custom_objects)
