"""The edges optimizers have had since Keras 2.11, where they keep all their variables in one list.

::

    _variables        a list: 0 the step count, then the state in the order it was made
    _iterations       the step count again
    _learning_rate    _current_learning_rate with a schedule
    loss_scale        of a LossScaleOptimizer: current_loss_scale, good_steps
    _index_dict       a dict without edges; this and what follows once there is state
    _momentums …      the state again, a list a kind (see ``LISTS``)
    _u_product        of Nadam

The other hyper-parameters are not stored. Before, every one of them was an edge, and the state was in slots (see
``object_graph``). In memory there is one state; ``reference_impl.optimizers.layouts`` tells it either way, and the
nodes made here read and write it.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_impl.dtypes import as_dtype
from reference_impl.optimizers import layouts
from reference_impl.optimizers.later import AVERAGE
from reference_impl.tracking import VARIABLE_VALUE, Array, SavedValue, Trackable

GENERATION = "keras-2.11"
VARIABLES = "_variables"

LISTS: Mapping[str, Mapping[str, str]] = {
    "Adadelta": {"_accumulated_grads": "accumulated_grad", "_accumulated_delta_vars": "accumulated_delta_var"},
    "Adagrad": {"_accumulators": "accumulator"},
    "Adam": {"_momentums": "m", "_velocities": "v", "_velocity_hats": "vhat"},
    "Adamax": {"_m": "m", "_u": "u"},
    "Ftrl": {"_accumulators": "accumulator", "_linears": "linear"},
    "Nadam": {"_momentums": "m", "_velocities": "v"},
    "RMSprop": {"_velocities": "velocity", "_momentums": "momentum", "_average_gradients": "average_gradient"},
    "SGD": {"momentums": "m"},
}
"""By class: the edges to lists of one kind of state, and the kind's part in a variable's name (``Adam/m/…``)."""

_MAYBE_EMPTY = {"RMSprop": ("_momentums", "_average_gradients")}
_FULL_NAMES = {"_iterations": "iteration", "_u_product": "Nadam/Variable"}


class StateNode(Trackable):
    """A variable of the later layout: it keeps nothing, it reads and writes a part of the optimizer's state."""

    def __init__(self, entry: layouts.Entry, full_name: str) -> None:
        self.__dict__.update(entry=entry, full_name=full_name)

    entry: layouts.Entry
    full_name: str

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        return {VARIABLE_VALUE: SavedValue(np.asarray(self.entry.read()), self.full_name)}

    def _check_value(self, name: str, value: Array) -> str | None:
        present = np.asarray(self.entry.read())
        if (present.shape, as_dtype(present.dtype)) == (value.shape, as_dtype(value.dtype)):
            return None
        return (
            f"{self.full_name} is {present.dtype} of shape {present.shape}, the stored value {value.dtype} of shape "
            f"{value.shape}"
        )

    def _restore_value(self, name: str, value: Array) -> None:
        self.entry.write(value)


class Group(Trackable):
    """Nodes under names; the same object whenever the edges are asked for."""

    def __init__(self) -> None:
        self.__dict__["nodes"] = {}

    def _checkpoint_children(self) -> list[tuple[str, Trackable]]:
        return list(self.__dict__["nodes"].items())


class _Nodes:
    """The nodes made for one optimizer so far, by path; kept with it, for a node is known by its identity."""

    def __init__(self, optimizer: Trackable) -> None:
        self._known: dict[str, Any] = optimizer.__dict__.setdefault("_later_nodes", {})

    def state(self, path: str, entry: layouts.Entry, full_name: str) -> StateNode:
        """The node for ``entry``, which may be made anew each time."""
        node = self._known.setdefault(path, StateNode(entry, full_name))
        node.__dict__["entry"] = entry
        return node

    def group(self, path: str, nodes: Mapping[str, Trackable] | Sequence[Trackable]) -> Group:
        """The node above ``nodes``, which are named or, in a sequence, numbered."""
        node = self._known.setdefault(path, Group())
        named = nodes if isinstance(nodes, Mapping) else {str(index): child for index, child in enumerate(nodes)}
        node.__dict__["nodes"] = dict(named)
        return node


def children(optimizer: Any) -> list[tuple[str, Trackable]]:
    """The edges of ``optimizer``, in order. State it has not made yet is not among them."""
    nodes = _Nodes(optimizer)
    built_for = optimizer.built_for
    entries = layouts.layout(optimizer, built_for, GENERATION) if built_for else []
    state = [
        nodes.state(f"{VARIABLES}/{index}", entry, entry.name.removesuffix(":0"))
        for index, entry in enumerate(entries[1:], 1)
    ]
    attributes = {entry.name: entry for entry in layouts.attributes(optimizer, GENERATION)}
    own = {
        name: nodes.state(name, entry, _FULL_NAMES.get(name, name.rpartition("/")[2].removeprefix("_")))
        for name, entry in attributes.items()
    }
    product = own.pop("_u_product", None)
    edges: dict[str, Trackable] = {VARIABLES: nodes.group(VARIABLES, [own["_iterations"], *state])}
    edges.update((name, node) for name, node in own.items() if "/" not in name)
    scale = {name.partition("/")[2]: node for name, node in own.items() if "/" in name}
    if scale:
        edges["loss_scale"] = nodes.group("loss_scale", scale)
    if state:
        edges["_index_dict"] = nodes.group("_index_dict", ())
        edges.update(_lists(nodes, optimizer, state))
        if product is not None:
            edges["_u_product"] = product
    return list(edges.items())


def _lists(nodes: _Nodes, optimizer: Any, state: Sequence[StateNode]) -> dict[str, Group]:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    kind = next((cls.__name__ for cls in type(inner).__mro__ if cls.__name__ in LISTS), "")
    prefix = "" if inner is not optimizer else f"{inner._name}/"
    named = {"_model_variables_moving_average": AVERAGE, **LISTS.get(kind, {})}
    found: dict[str, Group] = {}
    for edge, part in named.items():
        members = [node for node in state if node.full_name.removeprefix(prefix).startswith(f"{part}/")]
        if members or edge in _MAYBE_EMPTY.get(kind, ()):
            found[edge] = nodes.group(edge, members)
    return found
