"""Adagrad and Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reference_impl.optimizers.base import Optimizer
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


class Adagrad(Optimizer):
    """accumulator is the sum of g²; w -= rate · g / (√accumulator + epsilon).

    Since Keras 2.11 ``epsilon`` is under the root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        name: str = "Adagrad",
        **kwargs: Any,
    ) -> None:
        if initial_accumulator_value < 0.0:
            raise ValueError(f"initial_accumulator_value must be non-negative: {initial_accumulator_value}")
        super().__init__(name, **kwargs)
        self.set_hyper(learning_rate=learning_rate)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon or 1e-7

    def slot_names(self) -> Sequence[str]:
        return ("accumulator",)

    def initial_slot(self, name: str) -> float:
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind = gradient.dtype.type
        accumulator, epsilon = self.get_slot(variable, "accumulator"), kind(self.epsilon)
        accumulator.assign(accumulator.array + np.square(gradient))
        under, beside = (kind(0), epsilon) if self.generation == "keras-2.4" else (epsilon, kind(0))
        return variable.array - gradient * kind(self.rate()) / (np.sqrt(accumulator.array + under) + beside)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        # Keras before 2.3 wrote no initial value, and began with zero; TensorFlow gives such a config the default.
        return super().from_config({"initial_accumulator_value": 0.1, **config}, custom_objects)


class Adadelta(Optimizer):
    """Running means of g² (``accum_grad``) and of the squared changes d² (``accum_var``) give the size of a change:
    d = √(accum_var + epsilon) / √(accum_grad + epsilon) · g and w -= rate · d.
    """

    untouched = "all stays"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float | None = 1e-7,
        name: str = "Adadelta",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.set_hyper(learning_rate=learning_rate, rho=rho)
        self.epsilon = epsilon or 1e-7

    def slot_names(self) -> Sequence[str]:
        return ("accum_grad", "accum_var")

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind = gradient.dtype.type
        rho, rest, epsilon = kind(self.hyper("rho")), kind(self.complement("rho")), kind(self.epsilon)
        grads, changes = self.get_slot(variable, "accum_grad"), self.get_slot(variable, "accum_var")
        grads.assign(grads.array * rho + np.square(gradient) * rest)
        change = np.sqrt(changes.array + epsilon) * (kind(1) / np.sqrt(grads.array + epsilon)) * gradient
        changes.assign(changes.array * rho + np.square(change) * rest)
        return variable.array - change * kind(self.rate())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "rho": self.serialize_hyper("rho"),
            "epsilon": self.epsilon,
        }
