"""Gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from reference_impl.optimizers.base import Optimizer
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


class SGD(Optimizer):
    """w -= rate · g. With ``momentum``: v = momentum · v - rate · g and w += v.

    With ``nesterov`` too: w += momentum · v - rate · g.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: Any = 0.0,
        nesterov: bool = False,
        name: str = "SGD",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be between [0, 1], found {momentum}")
        self.set_hyper(learning_rate=learning_rate, momentum=momentum)
        self.nesterov = nesterov
        # Decided once: a momentum of 0 keeps no slots, also when it is changed later.
        self.has_momentum = callable(momentum) or momentum > 0

    @property
    def untouched(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "all stays" if self.has_momentum else "as others"

    def slot_names(self) -> Sequence[str]:
        return ("momentum",) if self.has_momentum else ()

    def update(self, variable: Variable, gradient: Array) -> Array:
        rate = self.rate().astype(gradient.dtype)
        if not self.has_momentum:
            return variable.array - rate * gradient
        momentum = self.hyper("momentum").astype(gradient.dtype)
        slot = self.get_slot(variable, "momentum")
        velocity = slot.array * momentum - rate * gradient
        slot.assign(velocity)
        return variable.array + (velocity * momentum - rate * gradient if self.nesterov else velocity)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "momentum": self.serialize_hyper("momentum"),
            "nesterov": self.nesterov,
        }
