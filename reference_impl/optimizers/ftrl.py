"""Ftrl."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.optimizers.base import Optimizer
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


class Ftrl(Optimizer):
    """Follow the regularized leader. With n the sum of g² (``accumulator``) before the step, n' after it::

        linear += g + 2 · l2_shrinkage · w - (n'^-power - n^-power) / rate · w
        w = (clip(linear, -l1, l1) - linear) / (n'^-power / rate + 2 · l2 + beta / rate)

    ``power`` is ``learning_rate_power``, at most 0.
    """

    untouched = "all stays"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        name: str = "Ftrl",
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        least = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "-learning_rate_power": -learning_rate_power,
        }
        for argument, value in least.items():
            if value < 0:
                raise ValueError(f"{argument} needs to be positive or zero; found {value}")
        self.set_hyper(
            learning_rate=learning_rate,
            learning_rate_power=learning_rate_power,
            l1_regularization_strength=l1_regularization_strength,
            l2_regularization_strength=l2_regularization_strength,
            beta=beta,
        )
        self.initial_accumulator_value = initial_accumulator_value
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength

    def slot_names(self) -> Sequence[str]:
        return ("accumulator", "linear")

    def slot_groups(self) -> Sequence[Sequence[str]]:
        return [["accumulator", "linear"]]

    def initial_slot(self, name: str) -> float:
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind = gradient.dtype.type
        rate = kind(self.rate())
        power, l1, l2, beta = (
            kind(self.hyper(name))
            for name in (
                "learning_rate_power", "l1_regularization_strength", "l2_regularization_strength", "beta",
            )
        )  # fmt: skip
        l2 = l2 + beta / (kind(2) * rate)
        accumulator, linear = self.get_slot(variable, "accumulator"), self.get_slot(variable, "linear")
        shrunk = gradient + kind(2 * self.l2_shrinkage_regularization_strength) * variable.array
        total = accumulator.array + np.square(gradient)
        before, after = (np.power(sums, -power) for sums in (accumulator.array, total))
        linear.assign(linear.array + (shrunk - (after - before) / rate * variable.array))
        accumulator.assign(total)
        return (np.clip(linear.array, -l1, l1) - linear.array) / (after / rate + kind(2) * l2)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "learning_rate_power": self.serialize_hyper("learning_rate_power"),
            "l1_regularization_strength": self.serialize_hyper("l1_regularization_strength"),
            "l2_regularization_strength": self.serialize_hyper("l2_regularization_strength"),
            "beta": self.serialize_hyper("beta"),
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
        }
