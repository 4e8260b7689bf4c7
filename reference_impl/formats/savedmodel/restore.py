"""Values into the variables of a revived model: its weights, and the state of its optimizer.

The model's objects and those of the checkpoint are walked in parallel, see ``formats.checkpoint.restore``. What is
peculiar here: the optimizer is new, so that the variables that its state is stored in are yet to be made.

=====================  ====================================================================================
before Keras 2.11      object ``optimizer``: step count and hyper-parameters are edges (``iter``, ``beta_1`` …), the
                       state of each weight is a slot variable
since                  object ``experimentalOptimizer``: ``_variables`` is a list, 0 the step count, then the state in
                       the order that it was made in; its variables' names end with the names of the weights
=====================  ====================================================================================

TensorFlow itself restores none of this from a SavedModel, although it is all there.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from reference_impl.errors import LoadError
from reference_impl.formats.checkpoint.matching import Pair
from reference_impl.formats.checkpoint.restore import Restoration
from reference_impl.formats.checkpoint.stored import StoredGraph, StoredNode
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.optimizers.layouts import layout
from reference_impl.variables import Variable

_GENERATION = "keras-2.11"
_PLACE = re.compile(r"layer-\d+")


def restore(stored: Stored, model: Any, given: Collection[int] = ()) -> None:
    """Give every variable below ``model`` its value; ``given``: those, by ``id``, that have it already.

    ``LoadError`` if a weight has none.
    """
    nodes = stored.checkpoint_nodes
    if not nodes:
        if model.weights:
            stored.fail("variables/", "no checkpoint of objects", f"values of {len(model.weights)} weights")
        return
    optimizer = stored.children(0).get("optimizer")
    if optimizer is not None and getattr(model, "optimizer", None) is not None:
        _make_state(stored, optimizer, model)
    restoration = Restoration(StoredGraph(stored.prefix, nodes, stored.bundle), model)
    # The model is new: should a value be damaged, nobody has it. So each is verified as it is given, and read once.
    restoration._match([*_by_place(nodes, model, 0), (model, 0)])
    lacking = (weight for weight in model.weights if id(weight) not in given)
    missing = [weight.name for weight in lacking if restoration._is_missing(weight)]
    if missing:
        raise LoadError(
            f"{stored.path}: variables/: found no value for {len(missing)} weights: {', '.join(missing[:5])}; expected one "
            "for each; the folder is incomplete, or its classes now name their weights otherwise"
        )


def _by_place(nodes: Sequence[StoredNode], model: Any, number: int) -> Iterator[Pair]:
    """The layers by their places: the model was made from this very file, so that these agree.

    Which layers count as having weights is a matter of the version: 2.4 counts the table of a given vocabulary.
    """
    edges = nodes[number].children
    for name, child in model._checkpoint_children():
        if _PLACE.fullmatch(name) and name in edges:
            yield child, edges[name]
            yield from _by_place(nodes, child, edges[name])


def _make_state(stored: Stored, number: int, model: Any) -> None:
    """Make the variables that the optimizer's state is restored into, for those weights that it was stored for."""
    edges = stored.children(number)
    if "_variables" in edges:
        _make_list(stored, edges["_variables"], model)
        return
    slots = stored.slots(number)
    if "iter" not in edges and not slots:
        return
    named = _saved_names(stored, model)
    slotted = {stored.node(slot.original).variable.name for slot in slots}
    listed = [v for v in model.weights if named[id(v)] in slotted]
    known = {named[id(v)] for v in listed}
    model.optimizer.create_slots(listed if known == slotted else model.trainable_weights if slots else [])


def _make_list(stored: Stored, number: int, model: Any) -> None:
    names = [stored.node(child).variable.name for name, child in stored.children(number).items() if name != "0"]
    if not names:
        return
    built_for = _in_order(names, _saved_names(stored, model), model)
    model.optimizer.create_slots(built_for)
    expected = layout(model.optimizer, built_for, _GENERATION)
    if len(expected) != len(names) + 1:
        stored.fail(
            f"{stored.place(number)}: the state of the optimizer",
            f"{len(names) + 1} variables",
            f"{len(expected)} for {len(built_for)} trained weights; load with compile=False and compile it anew",
        )


def _in_order(names: list[str], saved: dict[int, str], model: Any) -> list[Variable]:
    """The weights in the order that the state was made in; as they are trained if the names do not tell."""
    by_name = {saved[id(weight)]: weight for weight in model.weights}
    order: dict[int, Variable] = {}
    for name in names:
        parts = name.split("/")
        tails = ("/".join(parts[start:]) for start in range(len(parts)))
        weight = next((by_name[tail] for tail in tails if tail in by_name), None)
        if weight is None:
            return list(model.trainable_weights)
        order[id(weight)] = weight
    return list(order.values()) if len(by_name) == len(model.weights) else list(model.trainable_weights)


def _saved_names(stored: Stored, model: Any) -> dict[int, str]:
    """The name that each weight was saved with, by ``id``: those of the stored list, where it is as long as the model's."""
    weights: list[Variable] = model.weights
    number = stored.children(0).get("variables")
    ends = list(stored.children(number).values()) if number is not None else []
    if len(ends) == len(weights) and all(stored.kind(end) == "variable" for end in ends):
        return {id(weight): stored.node(end).variable.name for weight, end in zip(weights, ends, strict=True)}
    return {id(weight): weight.name.removesuffix(":0") for weight in weights}
