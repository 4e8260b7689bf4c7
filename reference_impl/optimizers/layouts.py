"""How the generations of Keras store the state of an optimizer.

====================  =====================================================================================
keras-2.4             ``Adam/iter:0``, then all slots of one name before the next: ``Adam/dense/kernel/m:0``;
                      Ftrl's two slots stand together, variable by variable; Nadam's
                      ``Nadam/momentum_cache:0`` follows the step count
keras-2.11            ``iteration:0``, then slots in groups, variable by variable within each:
                      ``Adam/m/dense/kernel:0``, ``Adam/v/dense/kernel:0``, …. SGD has its slot always, also
                      without momentum. In checkpoints ``_variables/K`` is the K-th of the list; the step count
                      and what is no part of it (learning rate, Nadam's product) are attributes: see
                      :func:`attributes`
keras-3               ``adam/iteration``, ``adam/learning_rate`` (unless it is a schedule), then slots in the same
                      groups as 2.11: ``adam/sequential_dense_kernel_momentum``; Nadam's product is the last. SGD
                      without momentum has none. ``optimizer/vars/K`` is the K-th of the list
====================  =====================================================================================

An optimizer here keeps one state whatever file it came from, that of 2.4. A :func:`layout` shows it as another
generation would list it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from reference_impl import naming
from reference_impl.optimizers.base import Optimizer
from reference_impl.optimizers.later import AVERAGE, Generation, make_average
from reference_impl.optimizers.loss_scale import LossScaleOptimizer
from reference_impl.optimizers.nadam import Nadam
from reference_impl.optimizers.sgd import SGD
from reference_impl.variables import Variable

Array = npt.NDArray[Any]

_GROUPS: dict[str, tuple[tuple[tuple[str, str, str], ...], ...]] = {
    "SGD": ((("momentum", "m", "momentum"),),),
    "RMSprop": (
        (("rms", "velocity", "velocity"),),
        (("momentum", "momentum", "momentum"),),
        (("mg", "average_gradient", "average_gradient"),),
    ),
    "Adam": ((("m", "m", "momentum"), ("v", "v", "velocity")), (("vhat", "vhat", "velocity_hat"),)),
    "Adamax": ((("m", "m", "momentum"), ("v", "u", "norm")),),
    "Adadelta": (
        (
            ("accum_grad", "accumulated_grad", "accumulated_grad"),
            ("accum_var", "accumulated_delta_var", "accumulated_delta_var"),
        ),
    ),
    "Adagrad": ((("accumulator", "accumulator", "accumulator"),),),
    "Nadam": ((("m", "m", "momentum"), ("v", "v", "velocity")),),
    "Ftrl": ((("accumulator", "accumulator", "accumulator"), ("linear", "linear", "linear")),),
}
"""Per optimizer the groups of slots since 2.11; of each slot its name here, in 2.11, and in Keras 3."""


Names = Mapping[int, str]


@dataclass(frozen=True)
class Entry:
    """One stored variable: its ``name`` in that generation, its shape, and how to get and set the value.

    ``read`` gives an array not to be written into. ``write`` takes an array of that shape, and casts it.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[], Array]
    write: Callable[[Array], None]


def layout(
    optimizer: Any, variables: Sequence[Variable], generation: Generation, names: Names = MappingProxyType({})
) -> list[Entry]:
    """The state of ``optimizer`` for ``variables`` (the model's trainable ones, in order) as ``generation`` lists it.

    ``names``: of variables, by ``id``, whose own will not do in the names of their slots (since 2.11).

    Slots that do not exist are made. An optimizer that never trained is stored without any of this: before writing, ask
    whether ``optimizer.weights`` is empty.
    """
    listed = list(variables)
    if isinstance(optimizer, LossScaleOptimizer):
        return _scaled(optimizer, listed, generation, names)
    optimizer.create_slots(listed)
    if optimizer.later.use_ema:
        for variable in listed:
            make_average(optimizer, variable)
    if generation == "keras-2.4":
        return [_plain(variable.name, variable) for variable in optimizer.weights]
    return list(_LATER[generation](optimizer, listed, names))


def attributes(optimizer: Any, generation: Generation = "keras-2.11") -> list[Entry]:
    """What a checkpoint of 2.11 and later keeps as attributes of the optimizer, under their names there.

    Write these after the :func:`layout`.
    """
    if isinstance(optimizer, LossScaleOptimizer):
        scale = [_plain(f"loss_scale/{name}", v) for name, v in optimizer.scale_variables()]
        return [*attributes(optimizer.inner_optimizer, generation), *scale]
    scheduled = not isinstance(optimizer.__dict__["_hyper"]["learning_rate"], Variable | float)
    found = [
        Entry("_iterations", (), *_steps(optimizer)),
        Entry("_current_learning_rate" if scheduled else "_learning_rate", (), *_rate(optimizer)),
    ]
    if isinstance(optimizer, Nadam):
        found.append(_plain("_u_product", optimizer.scalars()[0]))
    return found


# -- the generations ---------------------------------------------------------------------------------------------


def _keras_2_11(
    optimizer: Optimizer, variables: Sequence[Variable], names: Names, prefix: str | None = None
) -> Iterator[Entry]:
    prefix = f"{optimizer._name}/" if prefix is None else prefix
    yield Entry("iteration:0", (), *_steps(optimizer))
    if optimizer.later.use_ema:
        for variable in variables:
            yield _slot(optimizer, variable, AVERAGE, f"{prefix}{AVERAGE}/{_name(variable, names)}")
    for group in _groups(optimizer):
        for variable in variables:
            for own, name, _ in group:
                yield _slot(optimizer, variable, own, f"{prefix}{name}/{_name(variable, names)}")


def _keras_3(optimizer: Optimizer, variables: Sequence[Variable], names: Names) -> Iterator[Entry]:
    prefix = naming.snake_case(optimizer._name)
    yield Entry(f"{prefix}/iteration", (), *_steps(optimizer))
    if isinstance(optimizer.__dict__["_hyper"]["learning_rate"], Variable | float):
        yield Entry(f"{prefix}/learning_rate", (), *_rate(optimizer))
    stems = [_name(variable, names).removesuffix(":0").replace("/", "_") for variable in variables]
    if optimizer.later.use_ema:
        for variable, stem in zip(variables, stems, strict=True):
            yield _slot(optimizer, variable, AVERAGE, f"{prefix}/{stem}_{AVERAGE}")
    for group in _groups(optimizer):
        if isinstance(optimizer, SGD) and not optimizer.has_momentum:
            continue
        for variable, stem in zip(variables, stems, strict=True):
            for own, _, name in group:
                yield _slot(optimizer, variable, own, f"{prefix}/{stem}_{name}")
    if isinstance(optimizer, Nadam):
        yield _plain(f"{prefix}/variable", optimizer.scalars()[0])


_LATER: dict[str, Callable[[Optimizer, Sequence[Variable], Names], Iterator[Entry]]] = {
    "keras-2.11": _keras_2_11,
    "keras-3": _keras_3,
}


def _name(variable: Variable, names: Names) -> str:
    return names.get(id(variable), variable.name)


def _scaled(
    optimizer: LossScaleOptimizer, variables: Sequence[Variable], generation: Generation, names: Names
) -> list[Entry]:
    """A loss scale stands only in Keras 3's list, whose wrapper has a step count and a rate of its own, unused."""
    inner = optimizer.inner_optimizer
    if generation == "keras-2.11":
        return list(_keras_2_11(_made(inner, variables), variables, names, prefix=""))
    if generation == "keras-2.4":
        return layout(inner, variables, generation)
    name = "loss_scale_optimizer"
    steps, scale = optimizer.good_steps, optimizer.current_scale
    return [
        Entry(f"{name}/iteration", (), lambda: np.array(0, np.int64), lambda _: None),
        Entry(f"{name}/learning_rate", (), lambda: np.array(0, np.float32), lambda _: None),
        _plain(f"{name}/step_counter", steps),
        _plain(f"{name}/dynamic_scale", scale),
        *layout(inner, variables, generation, names),
    ]


def _made(optimizer: Optimizer, variables: Sequence[Variable]) -> Optimizer:
    optimizer.create_slots(variables)
    return optimizer


def _groups(optimizer: Optimizer) -> list[tuple[tuple[str, str, str], ...]]:
    """The groups of the nearest built-in class, without slots that are switched off. A class with none: as in 2.4."""
    own = set(optimizer.slot_names())
    for kind in type(optimizer).__mro__:
        if kind.__name__ in _GROUPS and kind.__module__.startswith(__package__ or ""):
            always = isinstance(optimizer, SGD)
            return [group for group in _GROUPS[kind.__name__] if always or group[0][0] in own]
    return [tuple((name, name, name) for name in group) for group in optimizer.slot_groups()]


# -- entries -----------------------------------------------------------------------------------------------------


def _plain(name: str, variable: Variable) -> Entry:
    def write(value: Array) -> None:
        variable.assign(value)

    return Entry(name, tuple(cast("tuple[int, ...]", variable.shape)), lambda: variable.array, write)


def _slot(optimizer: Optimizer, variable: Variable, own: str, name: str) -> Entry:
    slot: Any = optimizer._slot(variable, own)
    if slot is None:
        # SGD without momentum: what 2.11 keeps there is never looked at.
        zeros = np.zeros_like(variable.array)
        return Entry(name, tuple(zeros.shape), lambda: zeros, lambda _: None)
    return _plain(name, slot)


def _steps(optimizer: Optimizer) -> tuple[Callable[[], Array], Callable[[Array], None]]:
    def write(value: Array) -> None:
        optimizer.iterations.assign(np.int64(value))
        if isinstance(optimizer, Nadam):
            # Most files do not hold the product; where one does, it comes after this.
            optimizer.scalars()[0].assign(optimizer.product(int(value)))

    return (lambda: optimizer.iterations.array), write


def _rate(optimizer: Optimizer) -> tuple[Callable[[], Array], Callable[[Array], None]]:
    def write(value: Array) -> None:
        if isinstance(optimizer.__dict__["_hyper"]["learning_rate"], Variable | float):
            optimizer.learning_rate = float(value)

    return (lambda: np.asarray(optimizer.hyper("learning_rate"))), write
