"""Adam, AdamW and Adamax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.optimizers.base import Optimizer
from reference_impl.optimizers.later import Later
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


class Adam(Optimizer):
    """m and v are running means of g and g²; w -= rate · √(1 - beta_2ᵗ) / (1 - beta_1ᵗ) · m / (√v + epsilon).

    With ``amsgrad`` the greatest v so far (``vhat``) is used.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        name: str = "Adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.set_hyper(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2)
        self.epsilon = epsilon or 1e-7
        self.amsgrad = amsgrad
        self.__dict__["step_size"] = np.float32(0)

    step_size: Any

    def slot_names(self) -> Sequence[str]:
        return ("m", "v", "vhat") if self.amsgrad else ("m", "v")

    def begin_step(self) -> None:
        one, step = np.float32(1), np.float32(self.iterations.array + 1)
        powers = [np.power(self.hyper(name), step) for name in ("beta_1", "beta_2")]
        self.__dict__["step_size"] = self.rate() * np.sqrt(one - powers[1]) / (one - powers[0])

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind = gradient.dtype.type
        m, v = self.get_slot(variable, "m"), self.get_slot(variable, "v")
        m.assign(m.array + (gradient - m.array) * kind(self.complement("beta_1")))
        v.assign(v.array + (np.square(gradient) - v.array) * kind(self.complement("beta_2")))
        second = v.array
        if self.amsgrad:
            vhat = self.get_slot(variable, "vhat")
            vhat.assign(np.maximum(vhat.array, v.array))
            second = vhat.array
        return variable.array - m.array * kind(self.step_size) / (np.sqrt(second) + kind(self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "beta_1": self.serialize_hyper("beta_1"),
            "beta_2": self.serialize_hyper("beta_2"),
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with weight decay, of Keras 2.11 and later (2.4 has none)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        name: str = "AdamW",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, name, **kwargs)
        self.generation = "keras-2.11" if self.generation == "keras-2.4" else self.generation
        self.later = Later(weight_decay=weight_decay or None)
        self.__dict__["undecayed"] = ()

    undecayed: tuple[str, ...]
    """Parts of names: weights that have one of them in theirs do not decay."""

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Sequence[str] | None = None) -> None:
        """Weights that do not decay: those given, and those whose names have one of ``var_names`` in them."""
        given = [variable.name for variable in var_list or ()]
        self.__dict__["undecayed"] = (*given, *(var_names or ()))


class Adamax(Optimizer):
    """m is a running mean of g, v the greatest |g|, forgotten at beta_2; w -= rate / (1 - beta_1ᵗ) · m / (v + epsilon)."""

    untouched = "all stays"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        name: str = "Adamax",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.set_hyper(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2)
        self.epsilon = epsilon or 1e-7
        self.__dict__["step_size"] = np.float32(0)

    step_size: Any

    def slot_names(self) -> Sequence[str]:
        return ("m", "v")

    def begin_step(self) -> None:
        power = np.power(self.hyper("beta_1"), np.float32(self.iterations.array + 1))
        self.__dict__["step_size"] = self.rate() / (np.float32(1) - power)

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind = gradient.dtype.type
        m, v = self.get_slot(variable, "m"), self.get_slot(variable, "v")
        m.assign(m.array + (gradient - m.array) * kind(self.complement("beta_1")))
        v.assign(np.maximum(kind(self.hyper("beta_2")) * v.array, np.abs(gradient)))
        return variable.array - kind(self.step_size) * (m.array / (v.array + kind(self.epsilon)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "beta_1": self.serialize_hyper("beta_1"),
            "beta_2": self.serialize_hyper("beta_2"),
            "epsilon": self.epsilon,
        }
