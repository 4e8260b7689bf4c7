"""What the optimizers of Keras 2.11 and later can do besides: weight decay, and averages of the weights.

Their configs have keys that those of 2.4 do not have, and by these a config tells its generation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from reference_impl import dialects
from reference_impl.errors import LoadError
from reference_impl.variables import Variable

if TYPE_CHECKING:
    from reference_impl.optimizers.base import Optimizer

Generation = Literal["keras-2.4", "keras-2.11", "keras-3"]
"""Who computes: Keras up to 2.10 (and ``optimizers.legacy``), Keras 2.11 to 2.15 and tf_keras, Keras 3."""

_OF_DIALECTS: Mapping[str, Generation] = {"keras-2.15": "keras-2.11", "keras-3": "keras-3"}

AVERAGE = "average"


@dataclass(frozen=True)
class Later:
    """The switches, under the names configs have them.

    ``weight_decay``: before its update a weight loses this share of itself, times the learning rate. ``use_ema``: a
    slot ``average`` follows each weight, ``average = ema_momentum · average + (1 - ema_momentum) · weight``; every
    ``ema_overwrite_frequency`` steps, and at the end of ``fit``, the weights become their averages.
    """

    weight_decay: float | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99
    ema_overwrite_frequency: int | None = None

    def get_config(self) -> dict[str, Any]:
        """The switches that are on: 2.4 knows none of them."""
        averaging = _EMA if self.use_ema else ()
        return {key: getattr(self, key) for key in (*(("weight_decay",) if self.weight_decay else ()), *averaging)}


_EMA = ("use_ema", "ema_momentum", "ema_overwrite_frequency")
_SWITCHES = tuple(Later.__dataclass_fields__)
# Whether computed by XLA changes nothing here; nor does a fixed factor that losses are scaled by.
_KERAS_2 = ("jit_compile", "is_legacy_optimizer")
_KERAS_3 = ("loss_scale_factor", "gradient_accumulation_steps")
# What every config of an optimizer of before 2.11 has, and none of later ones; a user's own form may have neither.
_OLD = ("decay", "lr")


def present_generation() -> Generation:
    """The generation of an optimizer that is made now: that of the present dialect."""
    return _OF_DIALECTS.get(dialects.current(), "keras-2.4")


def told(switches: Later) -> dict[str, Any]:
    """What a config of the present dialect says of an optimizer that computes as one since 2.11.

    By these keys :func:`split` knows it again. Files of before 2.11 have no words for it: they tell what is switched on.
    """
    generation = present_generation()
    if generation == "keras-2.4":
        return switches.get_config()
    keys, value = (_KERAS_2, False) if generation == "keras-2.11" else (_KERAS_3, None)
    return {**asdict(switches), **dict.fromkeys(keys, value)}


def split(kind: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], Generation, Later]:
    """A config in terms of 2.4, the generation it is of, and what that one has switched on.

    ``LoadError`` if gradients are accumulated over several steps. ``kind`` is the optimizer's class, for messages.
    """
    if config.get("gradient_accumulation_steps"):
        raise LoadError(
            f"{kind}: its config has gradient_accumulation_steps={config['gradient_accumulation_steps']}, expected "
            "None: gradients are not gathered over steps here; load with compile=False and compile it anew"
        )
    speaks = any(key in config for key in (*_SWITCHES, *_KERAS_2, *_KERAS_3))
    generation = present_generation()
    if config.get("is_legacy_optimizer") or (not speaks and any(key in config for key in _OLD)):
        generation = "keras-2.4"
    elif speaks:
        generation = "keras-3" if any(key in config for key in _KERAS_3) else "keras-2.11"
    switches: dict[str, Any] = {key: config[key] for key in _SWITCHES if key in config}
    own = {key: value for key, value in config.items() if key not in (*_SWITCHES, *_KERAS_2, *_KERAS_3)}
    # False is how AdamW of some versions writes that nothing decays.
    switches["weight_decay"] = switches.get("weight_decay") or None
    return own, generation, Later(**switches)


def begin(optimizer: Optimizer, variables: Sequence[Variable]) -> None:
    """Before a step: averages start from the weights."""
    if optimizer.later.use_ema:
        for variable in variables:
            make_average(optimizer, variable)


def make_average(optimizer: Optimizer, variable: Variable) -> Variable:
    """The slot ``average`` of ``variable``; a new one has its value."""
    present = optimizer._slot(variable, AVERAGE)  # pyright: ignore[reportPrivateUsage]
    made = optimizer._add_slot(variable, AVERAGE)  # pyright: ignore[reportPrivateUsage]
    if present is None:
        made.assign(variable.array)
    return made


def decay_weight(optimizer: Optimizer, variable: Variable) -> None:
    """Before its update: the variable decays."""
    names = getattr(optimizer, "undecayed", ())
    if optimizer.later.weight_decay is not None and not any(name in variable.name for name in names):
        kind = variable.array.dtype.type
        share = variable.array * kind(optimizer.later.weight_decay) * kind(optimizer.rate())
        variable.assign(variable.array - share)


def average(optimizer: Optimizer, variables: Sequence[Variable]) -> None:
    """After a step, before it is counted: averages follow, and at times replace, the weights."""
    if not optimizer.later.use_ema:
        return
    step = int(optimizer.iterations.array)
    # In Keras 3 the average of the first step is the weight after it.
    first = optimizer.generation == "keras-3" and step == 0
    momentum = 0.0 if first else optimizer.later.ema_momentum
    for variable in variables:
        slot, kind = optimizer.get_slot(variable, AVERAGE), variable.array.dtype.type
        slot.assign(kind(momentum) * slot.array + kind(1 - momentum) * variable.array)
    frequency = optimizer.later.ema_overwrite_frequency
    if frequency and (step + 1) % frequency == 0:
        finish(optimizer, variables)


def finish(optimizer: Optimizer, variables: Sequence[Variable]) -> None:
    """At the end of training: the weights become their averages, if there are any."""
    if optimizer.later.use_ema:
        for variable in variables:
            if optimizer._slot(variable, AVERAGE) is not None:  # pyright: ignore[reportPrivateUsage]
                variable.assign(optimizer.get_slot(variable, AVERAGE).array)
