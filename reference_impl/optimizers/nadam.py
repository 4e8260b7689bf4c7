"""Nadam."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl import naming
from reference_impl.optimizers.base import Optimizer
from reference_impl.optimizers.schedules import LearningRateSchedule
from reference_impl.variables import Variable

Array = npt.NDArray[Any]
_ONE = np.float32(1)


class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose momentum uₜ = beta_1 · (1 - 0.96^(decay·t) / 2) grows with the steps.

    ``momentum_cache`` (a scalar of the state) is the product p of all u so far; with m and v as in Adam::

        w -= rate · ((1 - uₜ) · g / (1 - pₜ) + uₜ₊₁ · m / (1 - pₜ·uₜ₊₁)) / (√(v / (1 - beta_2ᵗ)) + epsilon)

    ``decay`` is 0.004, or the argument ``schedule_decay``; an argument ``decay`` counts for nothing, as in TensorFlow.
    Since Keras 2.11 it is 1 and no argument. Keras 2.11 to 2.15 and tf_keras multiply p once for each variable, but for one of them in
    each of the steps from the n-th to the (2n-1)-th, n the number of variables. That is a slip of theirs, and the same
    here for the sake of equal numbers.
    """

    untouched = "variable stays"
    later_decays = False

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        name: str = "Nadam",
        **kwargs: Any,
    ) -> None:
        of_old = "schedule_decay" in kwargs
        kwargs["decay"] = kwargs.pop("schedule_decay", 0.004)
        rate = kwargs.get("lr", learning_rate)
        if isinstance(rate, LearningRateSchedule):
            raise ValueError(
                "The Nadam optimizer does not support tf.keras.optimizers.LearningRateSchedules as the learning rate."
            )
        super().__init__(name, **kwargs)
        if of_old:
            self.generation = "keras-2.4"
        self.set_hyper(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2)
        self.epsilon = epsilon or 1e-7
        self.__dict__["cache"] = None
        self.__dict__["order"] = {}

    cache: Variable | None
    # Variables by id: their place.
    order: dict[int, int]
    _untracked = frozenset({"cache", "order"})

    def slot_names(self) -> Sequence[str]:
        return ("m", "v")

    def scalars(self) -> list[Variable]:
        if self.cache is None:
            with naming.name_scope(self._name, absolute=True):
                self.__dict__["cache"] = Variable(np.float32(1), trainable=False, name="momentum_cache")
            self._track("momentum_cache", self.cache)
        assert self.cache is not None
        return [self.cache]

    def create_slots(self, variables: Iterable[Variable]) -> None:
        listed = list(variables)
        for variable in listed:
            self.order.setdefault(id(variable), len(self.order))
        super().create_slots(listed)

    def momentum(self, step: int) -> np.float32:
        """uₜ of the step, counted from 1."""
        decay = np.float32(self.hyper("decay") if self.generation == "keras-2.4" else 1)
        return self.hyper("beta_1") * (_ONE - np.float32(0.5) * np.power(np.float32(0.96), decay * np.float32(step)))

    def product(self, steps: int) -> np.float32:
        """The product of all u after so many steps, for files that do not hold it. 0 when float32 has no smaller."""
        p = _ONE
        for step in range(1, steps + 1):
            p = p * self.momentum(step) ** np.float32(sum(self._multiplies(step, k) for k in range(len(self.order))))
            if p == 0:
                break
        return np.float32(p)

    def _multiplies(self, step: int, place: int) -> bool:
        """Whether p is multiplied when the variable at ``place`` is updated."""
        return step != len(self.order) + place if self.generation == "keras-2.11" else place == 0

    def begin_step(self) -> None:
        self.__dict__["updated"] = 0

    updated: int

    def update(self, variable: Variable, gradient: Array) -> Array:
        kind, step = gradient.dtype.type, int(self.iterations.array) + 1
        cache = self.scalars()[0]
        # Places count variables that have gradients.
        place, self.__dict__["updated"] = self.updated, self.updated + 1
        now, then = self.momentum(step), self.momentum(step + 1)
        if self._multiplies(step, place):
            cache.assign(cache.array * now)
        product = np.float32(cache.array)
        beta_1, beta_2 = kind(self.hyper("beta_1")), kind(self.hyper("beta_2"))
        m, v = self.get_slot(variable, "m"), self.get_slot(variable, "v")
        m.assign(beta_1 * m.array + (kind(1) - beta_1) * gradient)
        v.assign(beta_2 * v.array + (kind(1) - beta_2) * np.square(gradient))
        mean = kind(_ONE - now) * (gradient / kind(_ONE - product)) + kind(then) * (
            m.array / kind(_ONE - product * then)
        )
        second = v.array / kind(_ONE - np.power(self.hyper("beta_2"), np.float32(step)))
        return variable.array - kind(self.hyper("learning_rate")) * mean / (np.sqrt(second) + kind(self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.rate_config(),
            "beta_1": self.serialize_hyper("beta_1"),
            "beta_2": self.serialize_hyper("beta_2"),
            "epsilon": self.epsilon,
        }
