"""What all optimizers have in common: hyper-parameters, the step count, slots.

Hyper-parameters are Python numbers until the first step and float32 variables from then on; a config holds the
present values. ``iterations`` (int64, named ``Adam/iter:0``) counts steps. A *slot* is a variable beside a weight,
of its shape, named ``Adam/dense/kernel/m:0``; ``weights`` is the step count and the slots, all of one slot before the
next.

The arithmetic is float32, in the order of operations of TensorFlow's kernels. Keras rewrote its optimizers in 2.11 and
again in 3; where a later one computes something else, ``generation`` says which one is meant. It is that of the config
an optimizer was made from, else that of the dialect it was made in. How each generation stores the state: :mod:`reference_impl.optimizers.layouts`.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt

from reference_impl import naming
from reference_impl.dtypes import numpy_dtype
from reference_impl.gradients import gradients
from reference_impl.layers.weights import set_values
from reference_impl.optimizers import later, schedules
from reference_impl.optimizers.clipping import CLIPS, clipped
from reference_impl.optimizers.hyper import Hyper
from reference_impl.optimizers.later import Later
from reference_impl.tensors import convert, recording
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


class Optimizer(Hyper):
    """Base of the optimizers.

    Subclasses set hyper-parameters in ``__init__``, say which slots they keep (``slot_names``), and write
    ``update(variable, gradient)``, which gives the variable's new value.
    """

    _untracked = frozenset({"_slots", "_iterations", "_name", "generation", "later"})
    hyper_names: ClassVar[tuple[str, ...]] = ("learning_rate", "decay")
    later_decays: ClassVar[bool] = True
    """Whether its ``decay`` means anything to what computes since 2.11."""
    untouched: ClassVar[Literal["as others", "variable stays", "all stays"]] = "as others"
    """What Keras 2.4 does to rows of an embedding that a batch did not look up: updated with a gradient of zero, or
    the variable's rows, or the slots' rows too, stay what they are."""

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__()
        given: Any = name  # from a file it may be anything
        if not isinstance(given, str | None):
            raise TypeError(f"the name of an optimizer must be a text, found {name!r}")
        # Per slot name, per variable.
        self.__dict__["_slots"] = {}
        self.__dict__["_iterations"] = None
        self.__dict__["built_for"] = []
        self._name = type(self).__name__ if name is None else name
        self.generation = later.present_generation()
        self.later = Later()
        self.clips: tuple[tuple[str, float], ...] = tuple(
            (key, kwargs.pop(key)) for key in CLIPS if kwargs.get(key) is not None
        )
        if "lr" in kwargs:
            self._hyper["learning_rate"] = kwargs.pop("lr")
        self._hyper["decay"] = float(kwargs.pop("decay", 0.0) or 0.0)
        kwargs = {key: value for key, value in kwargs.items() if key not in CLIPS}
        if kwargs:
            raise TypeError(f"Unexpected keyword argument passed to optimizer: {next(iter(kwargs))}")

    _slots: dict[str, dict[int, Variable]]
    _iterations: Variable | None
    built_for: list[Variable]
    """The variables that slots were made for, in the order they were."""

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

    def slot_groups(self) -> Sequence[Sequence[str]]:
        """The same as ``weights`` has them: slots of one group stand together, variable by variable."""
        return [[name] for name in self.slot_names()]

    def initial_slot(self, name: str) -> float:
        """What the elements of a new slot are."""
        return 0.0

    def scalars(self) -> list[Variable]:
        """State that belongs to no variable; in ``weights`` it stands after the step count."""
        return []

    def create_slots(self, variables: Iterable[Variable]) -> None:
        """Make step count, hyper-parameter variables and all slots of ``variables`` that do not exist."""
        listed = list(variables)
        _ = self.iterations
        self._make_hyper()
        self.scalars()
        for group in self.slot_groups():
            for variable in listed:
                for name in group:
                    self._add_slot(variable, name)
        known = {id(variable) for variable in self.built_for}
        added = [variable for variable in listed if id(variable) not in known]
        if added:
            self.built_for.extend(added)
            self._settle()

    def _add_slot(self, variable: Variable, name: str) -> Variable:
        slots = self._slots.setdefault(name, {})
        if id(variable) not in slots:
            stem = variable.name.removesuffix(":0")
            sizes = cast("tuple[int, ...]", tuple(variable.shape))
            value = partial(np.full, sizes, self.initial_slot(name), numpy_dtype(variable.dtype))
            with naming.name_scope(self._name, absolute=True):
                slots[id(variable)] = Variable(value, False, f"{stem}/{name}", variable.dtype, gives=variable.shape)
        return slots[id(variable)]

    def get_slot(self, variable: Variable, name: str) -> Variable:
        """The slot ``name`` of ``variable``; ``KeyError`` while there is none."""
        return self._slots[name][id(variable)]

    def get_slot_names(self) -> list[str]:
        return list(self._slots)

    @property
    def weights(self) -> list[Variable]:
        """The step count, state that belongs to no variable, then the slots."""
        if self._iterations is None:
            return []
        slots: list[Variable] = []
        for group in self.slot_groups():
            columns = [self._slots.get(name, {}) for name in group]
            slots += [column[key] for key in columns[0] for column in columns if key in column]
        return [self._iterations, *(self.scalars() if slots else ()), *slots]

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

    def _restore_children(self, stored: Container[str]) -> list[tuple[str, Trackable]]:
        return self._later_children() if "_variables" in stored else super()._restore_children(stored)

    def _later_children(self) -> list[tuple[str, Trackable]]:
        from reference_impl.formats.checkpoint import optimizers

        return optimizers.children(self)

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

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Any, Variable]],
        name: str | None = None,
        rows: Mapping[int, Array] | None = None,
    ) -> None:
        """One step. Variables without a gradient stay; ``ValueError`` if none has one.

        ``rows``: for variables, by ``id``, of which only some rows were looked up, the numbers of these rows.
        """
        pairs = [(convert(gradient), variable) for gradient, variable in grads_and_vars if gradient is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable; the loss depends on none of them")
        variables = [variable for _, variable in pairs]
        self.create_slots(variables)
        later.begin(self, variables)
        self.begin_step()
        for variable, gradient in zip(variables, clipped([g.value for g, _ in pairs], self.clips), strict=True):
            later.decay_weight(self, variable)
            self._step(variable, gradient.astype(variable.array.dtype), (rows or {}).get(id(variable)))
        later.average(self, variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(convert(variable.constraint(variable)))
        self.iterations.assign(np.int64(self.iterations.array + 1))

    def _step(self, variable: Variable, gradient: Array, rows: Array | None) -> None:
        staying = rows is not None and self.wants_rows
        slots = [self.get_slot(variable, name) for name in self.slot_names()] if self.untouched == "all stays" else []
        before = [(kept, kept.array) for kept in (variable, *slots)]
        variable.assign(np.asarray(self.update(variable, gradient), variable.array.dtype))
        if staying:
            for kept, old in before:
                value = old.copy()
                value[rows] = kept.array[rows]
                kept.assign(value)

    @property
    def wants_rows(self) -> bool:
        """Whether it matters to :meth:`apply_gradients` which rows were looked up."""
        return self.generation == "keras-2.4" and self.untouched != "as others"

    def begin_step(self) -> None:
        """Compute what is the same for all variables of a step."""

    def update(self, variable: Variable, gradient: Array) -> Array:
        """The variable's value after the step; slots are assigned on the way."""
        raise NotImplementedError(f"{type(self).__name__} must implement update()")

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The config as the present dialect writes it; of one that computes as 2.4 does, always as 2.4 does."""
        switches = self.later.get_config() if self.generation == "keras-2.4" else later.told(self.later)
        return {"name": self._name, **dict(self.clips), **switches}

    def rate_config(self) -> dict[str, Any]:
        """The part of a config about the learning rate. Since 2.11 there is no decay but where somebody gave one."""
        rate, decay = ({key: self.serialize_hyper(key)} for key in ("learning_rate", "decay"))
        spoken_of = (
            later.present_generation() == "keras-2.4"
            or self.generation == "keras-2.4"
            or (self.later_decays and decay["decay"])
        )
        return {**rate, **decay} if spoken_of else rate

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """A new optimizer without state; ``lr`` means ``learning_rate``, a dict of it a schedule.

        A config of Keras 2.11 or later gives an optimizer of that ``generation``.
        """
        own, generation, switches = later.split(cls.__name__, config)
        if "lr" in own:
            own["learning_rate"] = own.pop("lr")
        if isinstance(own.get("learning_rate"), dict):
            own["learning_rate"] = schedules.deserialize(own["learning_rate"], custom_objects)
        made = cls(**own)
        made.generation, made.later = generation, switches
        return made
