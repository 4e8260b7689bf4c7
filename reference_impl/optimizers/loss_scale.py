"""Loss scaling: training with 16-bit numbers without gradients so small that they become zero.

The loss is multiplied by a scale before gradients are computed, the gradients are divided by it. A *dynamic* scale
doubles after so many steps in a row with finite gradients, and halves (to no less than 1) after a step without, which
then changes no weight.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt

from reference_impl import functions, naming
from reference_impl.errors import LoadError
from reference_impl.optimizers.base import Optimizer
from reference_impl.optimizers.later import Generation
from reference_impl.tensors import convert
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

Array = npt.NDArray[Any]
_INITIAL, _GROWTH_STEPS = 2.0**15, 2000


class _Scale(Trackable):
    """The state of a dynamic scale: ``current_loss_scale`` (float32) and ``good_steps`` (int64)."""

    def __init__(self, initial: float) -> None:
        with naming.name_scope("", absolute=True):
            self.current_loss_scale = Variable(np.float32(initial), trainable=False, name="current_loss_scale")
            self.good_steps = Variable(np.int64(0), trainable=False, name="good_steps")


class _Base(Trackable):
    """What stands in checkpoints under ``base_optimizer``: since TensorFlow 2.3 nothing, before it the inner optimizer."""

    def __init__(self, inner: Optimizer) -> None:
        self.__dict__["inner"] = inner

    inner: Optimizer

    def _restore_children(self, stored: Container[str]) -> list[tuple[str, Trackable]]:
        return self.inner._checkpoint_children()

    def _slot(self, variable: Trackable, name: str) -> Trackable | None:
        return self.inner._slot(variable, name)

    def _create_slot(self, variable: Trackable, name: str) -> Trackable | None:
        return self.inner._create_slot(variable, name)


class LossScaleOptimizer(Optimizer):
    """``inner_optimizer`` with loss scaling; but for that it is the inner one: its state, rate, slots and edges.

    ``initial_scale``: the scale to begin with, 2¹⁵ unless given; the scale always when not ``dynamic``.
    ``dynamic_growth_steps``: finite steps before it doubles, 2000 unless given.
    """

    _untracked = frozenset({"inner_optimizer", "state"})

    def __init__(
        self,
        inner_optimizer: Optimizer,
        dynamic: bool = True,
        initial_scale: float | None = None,
        dynamic_growth_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer._name)
        if isinstance(inner_optimizer, LossScaleOptimizer):
            raise TypeError("LossScaleOptimizer cannot wrap another LossScaleOptimizer")
        if not dynamic and initial_scale is None:
            raise ValueError('"initial_scale" must be specified if "dynamic" is False')
        if not dynamic and dynamic_growth_steps is not None:
            raise ValueError(f'"dynamic_growth_steps" must be None if "dynamic" is False, found {dynamic_growth_steps}')
        self.dynamic = dynamic
        self.initial_scale = float(_INITIAL if initial_scale is None else initial_scale)
        self.dynamic_growth_steps = (dynamic_growth_steps or _GROWTH_STEPS) if dynamic else None
        self.__dict__["inner_optimizer"] = inner_optimizer
        self.__dict__["state"] = _Scale(self.initial_scale)
        self.later = inner_optimizer.later
        self.__dict__["_hyper"], self.__dict__["_slots"] = inner_optimizer._hyper, inner_optimizer._slots
        self.__dict__["built_for"] = inner_optimizer.built_for
        self.__dict__["base"] = _Base(inner_optimizer)
        if dynamic:
            inner_optimizer._track("loss_scale", self.state)

    inner_optimizer: Optimizer
    state: _Scale
    base: _Base

    # -- the scale -----------------------------------------------------------------------------------------

    @property
    def current_scale(self) -> Variable:
        return self.state.current_loss_scale

    @property
    def good_steps(self) -> Variable:
        """Steps with finite gradients since the scale changed last."""
        return self.state.good_steps

    @property
    def loss_scale(self) -> np.float32:
        return np.float32(self.current_scale.array)

    def scale_variables(self) -> list[tuple[str, Variable]]:
        """The state of a dynamic scale, by the names of its edges."""
        return [("current_loss_scale", self.current_scale), ("good_steps", self.good_steps)] if self.dynamic else []

    def get_scaled_loss(self, loss: Any) -> Any:
        """``loss`` multiplied by the scale."""
        loss = convert(loss)
        return loss * functions.cast_to(convert(self.loss_scale), loss.dtype)

    def get_unscaled_gradients(self, grads: Sequence[Any]) -> list[Any]:
        """The gradients divided by the scale; None stays None."""
        inverse = np.float32(1) / self.loss_scale
        values = [None if g is None else convert(g).value for g in grads]
        return [None if v is None else convert(v * v.dtype.type(inverse)) for v in values]

    def _adjust(self, finite: bool) -> None:
        if finite and int(self.good_steps.array) + 1 < (self.dynamic_growth_steps or 0):
            self.good_steps.assign(np.int64(self.good_steps.array + 1))
            return
        scale = self.loss_scale * np.float32(2) if finite else max(self.loss_scale / np.float32(2), np.float32(1))
        if np.isfinite(scale):
            self.current_scale.assign(np.float32(scale))
        self.good_steps.assign(np.int64(0))

    # -- steps ---------------------------------------------------------------------------------------------

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Any, Variable]],
        name: str | None = None,
        rows: Mapping[int, Array] | None = None,
    ) -> None:
        """One step with unscaled gradients; if one of them is not finite and the scale dynamic, it is only counted."""
        pairs = list(grads_and_vars)
        if not self.dynamic:
            self.inner_optimizer.apply_gradients(pairs, name, rows)
            return
        present = [(convert(gradient), variable) for gradient, variable in pairs if gradient is not None]
        finite = all(bool(np.isfinite(gradient.value.astype(np.float32)).all()) for gradient, _ in present)
        # The state is made by the first step in any case.
        self.inner_optimizer.create_slots([variable for _, variable in present])
        self._adjust(finite)
        if finite:
            self.inner_optimizer.apply_gradients(pairs, name, rows)
        else:
            # Keras 3 counts only steps that were applied.
            self.iterations.assign(np.int64(self.iterations.array + (self.generation != "keras-3")))

    # -- what is the inner optimizer's ---------------------------------------------------------------------

    @property
    def generation(self) -> Generation:  # pyright: ignore[reportIncompatibleVariableOverride]
        inner: Optimizer | None = self.__dict__.get("inner_optimizer")
        return "keras-2.4" if inner is None else inner.generation

    @generation.setter
    def generation(self, value: Generation) -> None:
        inner: Optimizer | None = self.__dict__.get("inner_optimizer")
        if inner is not None:
            inner.generation = value

    @property
    def iterations(self) -> Variable:
        return self.inner_optimizer.iterations

    @property
    def wants_rows(self) -> bool:
        return self.inner_optimizer.wants_rows

    @property
    def weights(self) -> list[Variable]:
        return self.inner_optimizer.weights

    def slot_names(self) -> Sequence[str]:
        return self.inner_optimizer.slot_names()

    def create_slots(self, variables: Iterable[Variable]) -> None:
        self.inner_optimizer.create_slots(variables)

    def _add_slot(self, variable: Variable, name: str) -> Variable:
        return self.inner_optimizer._add_slot(variable, name)

    def _checkpoint_dependencies(self) -> dict[str, Any]:
        edges = self.inner_optimizer._checkpoint_dependencies()
        scale = {"loss_scale": edges.pop("loss_scale")} if "loss_scale" in edges else {}
        return {**scale, "base_optimizer": self.base, **edges}

    def _identity(self) -> int:
        return self.inner_optimizer._identity()

    def _await_restore(self, restorer: Any, node_id: int) -> None:
        self.inner_optimizer._await_restore(restorer, node_id)

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        from reference_impl.optimizers import serialize

        return {
            "inner_optimizer": serialize(self.inner_optimizer),
            "dynamic": self.dynamic,
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """From the config of any generation: ``loss_scale`` of TensorFlow 2.3 and before, none of ``dynamic`` in Keras 3."""
        from reference_impl.optimizers import deserialize

        own = dict(config)
        inner = own.pop("optimizer", None) if "optimizer" in own else own.pop("inner_optimizer", None)
        if "loss_scale" in own:
            own |= _scale_of(own.pop("loss_scale"))
        known = ("dynamic", "initial_scale", "dynamic_growth_steps", "name")
        return cls(deserialize(inner, custom_objects), **{key: own[key] for key in known if key in own})


def _scale_of(form: Any) -> dict[str, Any]:
    """What a ``loss_scale`` says: "dynamic", a number, or the config form of an object."""
    if form == "dynamic":
        return {"dynamic": True}
    if isinstance(form, int | float):
        return {"dynamic": False, "initial_scale": form}
    if isinstance(form, Mapping):
        name, own = _named(cast("Mapping[str, Any]", form))
        if name == "FixedLossScale":
            return {"dynamic": False, "initial_scale": own["loss_scale_value"]}
        if name == "DynamicLossScale" and own.get("multiplier", 2) == 2:
            return {"initial_scale": own.get("initial_loss_scale"), "dynamic_growth_steps": own.get("increment_period")}
    raise LoadError(
        f"LossScaleOptimizer: found the loss scale {form!r}, expected 'dynamic', a number, or the config of a "
        "FixedLossScale or of a DynamicLossScale with multiplier 2; load with compile=False and compile it anew"
    )


def _named(form: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    return form.get("class_name"), form.get("config") or {}
