"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.optimizers.base import Optimizer
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


class RMSprop(Optimizer):
    """rms is a running mean of g²; w -= rate · g / √rms.

    ``centered`` subtracts the square of a running mean of g (``mg``) from rms. ``epsilon`` is under the root with
    momentum and beside it without, as in TensorFlow's two ways of computing it; since Keras 2.11 it is always under it.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: Any = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        name: str = "RMSprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be between [0, 1], found {momentum}")
        self.set_hyper(learning_rate=learning_rate, rho=rho, momentum=momentum)
        self.epsilon = epsilon or 1e-7
        self.centered = centered
        self.has_momentum = callable(momentum) or momentum > 0

    @property
    def untouched(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Without momentum a gradient of zero changes no row anyway."""
        return "all stays" if self.has_momentum else "as others"

    def slot_names(self) -> Sequence[str]:
        return ("rms", *(("momentum",) if self.has_momentum else ()), *(("mg",) if self.centered else ()))

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind = gradient.dtype.type
        rate, rho, epsilon = kind(self.rate()), kind(self.hyper("rho")), kind(self.epsilon)
        rms = self.get_slot(variable, "rms")
        rest = kind(self.complement("rho"))
        rms.assign(rho * rms.array + rest * np.square(gradient))
        denominator = rms.array
        if self.centered:
            mean = self.get_slot(variable, "mg")
            mean.assign(rho * mean.array + rest * gradient)
            denominator = denominator - np.square(mean.array)
        if not self.has_momentum and self.generation == "keras-2.4":
            return variable.array - rate * gradient / (np.sqrt(denominator) + epsilon)
        change = rate * gradient / np.sqrt(denominator + epsilon)
        if not self.has_momentum:
            return variable.array - change
        slot = self.get_slot(variable, "momentum")
        slot.assign(slot.array * kind(self.hyper("momentum")) + change)
        return variable.array - slot.array

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "rho": self.serialize_hyper("rho"),
            "momentum": self.serialize_hyper("momentum"),
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
