"""What all optimizers have in common: hyper-parameters, the step count, slots.

Hyper-parameters are Python numbers until the first step and float32 variables from then on; a config holds the
present values. ``iterations`` (int64, named ``Adam/iter:0``) counts steps. A *slot* is a variable beside a weight,
of its shape, named ``Adam/dense/kernel/m:0``; ``weights`` is the step count and the slots, all of one slot before the
next.

The arithmetic is float32, in the order of operations of TensorFlow's kernels.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from reference_impl import naming
from reference_impl.gradients import gradients
from reference_impl.layers.weights import set_values
from reference_impl.optimizers import schedules
from reference_impl.optimizers.schedules import LearningRateSchedule
from reference_impl.tensors import Tensor, convert, recording
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

Array = npt.NDArray[Any]
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


class Optimizer(Trackable):
    """Base of the optimizers.

    Subclasses set hyper-parameters in ``__init__``, say which slots they keep (``slot_names``), and write
    ``update(variable, gradient)``, which gives the variable's new value.
    """

    _untracked = frozenset({"_hyper", "_slots", "_iterations", "_name"})
    hyper_names: ClassVar[tuple[str, ...]] = ("learning_rate", "decay")

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        self.__dict__["_hyper"] = {}
        # Per slot name, per variable.
        self.__dict__["_slots"] = {}
        self.__dict__["_iterations"] = None
        self._name: str = type(self).__name__ if name is None else name
        self.clips: tuple[tuple[str, float], ...] = tuple(
            (key, kwargs.pop(key)) for key in _CLIPS if kwargs.get(key) is not None
        )
        if "lr" in kwargs:
            self._hyper["learning_rate"] = kwargs.pop("lr")
        self._hyper["decay"] = float(kwargs.pop("decay", 0.0))
        kwargs = {key: value for key, value in kwargs.items() if key not in _CLIPS}
        if kwargs:
            raise TypeError(f"Unexpected keyword argument passed to optimizer: {next(iter(kwargs))}")

    _hyper: dict[str, Any]
    _slots: dict[str, dict[int, Variable]]
    _iterations: Variable | None

    # -- hyper-parameters ----------------------------------------------------------------------------------

    def set_hyper(self, **values: Any) -> None:
        """Give hyper-parameters; one given as ``lr`` before keeps its value."""
        for key, value in values.items():
            if key == "learning_rate" and key in self._hyper:
                continue
            self._hyper[key] = value if callable(value) else float(value)

    def hyper(self, name: str) -> np.float32:
        """The present value, float32; a schedule's at the present step."""
        value: Any = self._hyper[name]
        if isinstance(value, LearningRateSchedule):
            return np.float32(value(self.iterations.array))
        if isinstance(value, Variable):
            return np.float32(value.array)
        number: Any = value() if callable(value) else value
        return np.float32(number)

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

    # -- state ---------------------------------------------------------------------------------------------

    @property
    def iterations(self) -> Variable:
        """The number of steps done, int64."""
        if self._iterations is None:
            with naming.name_scope(self._name, absolute=True):
                variable = Variable(np.int64(0), trainable=False, name="iter")
            self.__dict__["_iterations"] = variable
            self._track("iter", variable)
        assert self._iterations is not None
        return self._iterations

    def slot_names(self) -> Sequence[str]:
        """The slots this optimizer keeps for each variable, in order."""
        return ()

    def create_slots(self, variables: Iterable[Variable]) -> None:
        """Make step count, hyper-parameter variables and all slots of ``variables`` that do not exist."""
        listed = list(variables)
        _ = self.iterations
        self._make_hyper()
        for name in self.slot_names():
            for variable in listed:
                self._add_slot(variable, name)

    def _add_slot(self, variable: Variable, name: str) -> Variable:
        slots = self._slots.setdefault(name, {})
        if id(variable) not in slots:
            stem = variable.name.removesuffix(":0")
            with naming.name_scope(self._name, absolute=True):
                slots[id(variable)] = Variable(np.zeros_like(variable.array), trainable=False, name=f"{stem}/{name}")
        return slots[id(variable)]

    def get_slot(self, variable: Variable, name: str) -> Variable:
        """The slot ``name`` of ``variable``; ``KeyError`` while there is none."""
        return self._slots[name][id(variable)]

    def get_slot_names(self) -> list[str]:
        return list(self._slots)

    @property
    def weights(self) -> list[Variable]:
        """The step count, then the slots."""
        if self._iterations is None:
            return []
        return [self._iterations, *(slot for slots in self._slots.values() for slot in slots.values())]

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    def get_weights(self) -> list[Array]:
        """The values in the order of ``weights``, as copies."""
        return [np.array(variable.array) for variable in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Copy values into step count and slots; a wrong count or shape is a ``ValueError`` that changes nothing."""
        set_values(f"optimizer {self._name}", self.weights, list(weights))

    # -- in checkpoints ------------------------------------------------------------------------------------

    def _slot_names(self) -> list[str]:
        return self.get_slot_names()

    def _slot(self, variable: Trackable, name: str) -> Trackable | None:
        return self._slots.get(name, {}).get(id(variable))

    def _create_slot(self, variable: Trackable, name: str) -> Trackable | None:
        if not isinstance(variable, Variable) or name not in self.slot_names():
            return None
        return self._add_slot(variable, name)

    # -- steps ---------------------------------------------------------------------------------------------

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        """One step down ``loss`` (a function of no arguments) for the variables."""
        with recording():
            value = loss()
        self.apply_gradients(zip(gradients(value, list(var_list)), var_list, strict=True))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]], name: str | None = None) -> None:
        """One step. Variables without a gradient stay; ``ValueError`` if none has one."""
        pairs = [(convert(gradient), variable) for gradient, variable in grads_and_vars if gradient is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable; the loss depends on none of them")
        self.create_slots([variable for _, variable in pairs])
        self.begin_step()
        for (_, variable), clipped in zip(pairs, self._clipped([g for g, _ in pairs]), strict=True):
            value = self.update(variable, clipped.astype(variable.array.dtype))
            variable.assign(np.asarray(value, variable.array.dtype))
            if variable.constraint is not None:
                variable.assign(convert(variable.constraint(variable)))
        self.iterations.assign(np.int64(self.iterations.array + 1))

    def _clipped(self, gradients: list[Tensor]) -> list[Array]:
        values = [gradient.value for gradient in gradients]
        for key, limit in self.clips:
            if key == "clipvalue":
                values = [np.clip(value, -limit, limit) for value in values]
            elif key == "clipnorm":
                values = [_within(value, np.sqrt(np.sum(np.square(value))), limit) for value in values]
            else:
                norm = np.sqrt(sum(np.sum(np.square(value)) for value in values))
                values = [_within(value, norm, limit) for value in values]
        return values

    def begin_step(self) -> None:
        """Compute what is the same for all variables of a step."""

    def update(self, variable: Variable, gradient: Array) -> Array:
        """The variable's value after the step; slots are assigned on the way."""
        raise NotImplementedError(f"{type(self).__name__} must implement update()")

    # -- config --------------------------------------------------------------------------------------------

    def serialize_hyper(self, name: str) -> Any:
        """The value as a config has it."""
        value: Any = self._hyper[name]
        if isinstance(value, LearningRateSchedule):
            return schedules.serialize(value)
        if isinstance(value, Variable):
            return value.array.item()
        return value() if callable(value) else value

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name, **dict(self.clips)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """A new optimizer without state; ``lr`` means ``learning_rate``, a dict of it a schedule."""
        own = dict(config)
        if "lr" in own:
            own["learning_rate"] = own.pop("lr")
        if isinstance(own.get("learning_rate"), dict):
            own["learning_rate"] = schedules.deserialize(own["learning_rate"], custom_objects)
        return cls(**own)


def _within(value: Array, norm: Any, limit: float) -> Array:
    return value * (limit / max(norm, limit)) if norm > limit else value
