"""Hyper-parameters of optimizers: Python numbers until the first step, float32 variables from then on."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl import naming
from reference_impl.optimizers import schedules
from reference_impl.optimizers.later import Generation
from reference_impl.optimizers.schedules import LearningRateSchedule
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable


class Hyper(Trackable):
    """Holds hyper-parameters by name, and gives them as attributes; ``lr`` means ``learning_rate``."""

    _untracked = frozenset({"_hyper", "_exact", "_name", "generation"})
    _name: str
    generation: Generation

    def __init__(self) -> None:
        self.__dict__["_hyper"] = {}
        # As they were given, before they become float32.
        self.__dict__["_exact"] = {}

    _hyper: dict[str, Any]
    _exact: dict[str, float]

    @property
    def iterations(self) -> Variable:
        """The number of steps done."""
        raise NotImplementedError

    def set_hyper(self, **values: Any) -> None:
        """Give hyper-parameters; one given as ``lr`` before keeps its value."""
        for key, value in values.items():
            if key == "learning_rate" and key in self._hyper:
                continue
            self._hyper[key] = value if callable(value) else float(value)
            if isinstance(self._hyper[key], float):
                self._exact[key] = self._hyper[key]

    def hyper(self, name: str) -> np.float32:
        """The present value, float32; a schedule's at the present step."""
        value: Any = self._hyper[name]
        if isinstance(value, LearningRateSchedule):
            return np.float32(value(self.iterations.array))
        if isinstance(value, Variable):
            return np.float32(value.array)
        number: Any = value() if callable(value) else value
        return np.float32(number)

    def complement(self, name: str) -> np.float32:
        """1 - the value: of the float32 in Keras 2.4, of the Python number since."""
        value, exact = self.hyper(name), self._exact.get(name)
        if self.generation == "keras-2.4" or exact is None or np.float32(exact) != value:
            return np.float32(1) - value
        return np.float32(1 - exact)

    def rate(self) -> np.float32:
        """The learning rate of this step, decayed."""
        rate = self.hyper("learning_rate")
        decay = self.hyper("decay")
        return rate if not decay else np.float32(rate / (np.float32(1) + decay * np.float32(self.iterations.array)))

    def __getattr__(self, name: str) -> Any:
        hyper = self.__dict__.get("_hyper", {})
        key = "learning_rate" if name == "lr" else name
        if key in hyper:
            return hyper[key]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        key = "learning_rate" if name == "lr" else name
        present = self.__dict__.get("_hyper", {}).get(key)
        if present is None:
            super().__setattr__(name, value)
        elif isinstance(present, Variable) and not callable(value):
            present.assign(value)
        else:
            self._hyper[key] = value

    def _make_hyper(self) -> None:
        """From the first step on hyper-parameters are variables: edges of the checkpoint."""
        for key in sorted(self._hyper):
            value = self._hyper[key]
            if not isinstance(value, Variable | LearningRateSchedule) and not callable(value):
                with naming.name_scope(self._name, absolute=True):
                    self._hyper[key] = Variable(np.float32(value), trainable=False, name=key)
            if isinstance(self._hyper[key], Variable):
                self._track(key, self._hyper[key])

    def serialize_hyper(self, name: str) -> Any:
        """The value as a config has it."""
        value: Any = self._hyper[name]
        if isinstance(value, LearningRateSchedule):
            return schedules.serialize(value)
        if isinstance(value, Variable):
            exact = None if self.generation == "keras-2.4" or name == "learning_rate" else self._exact.get(name)
            return exact if exact is not None and np.float32(exact) == value.array else value.array.item()
        return value() if callable(value) else value
