"""Objects and edges turned into keys, and written beside the tensors.

A value's key is the shortest way to it from the root: the edge names joined by ``/`` (in them ``.`` is
written ``..`` and ``/`` is written ``.S``), then ``/.ATTRIBUTES/`` and the attribute's name, which for a
variable is ``VARIABLE_VALUE``. A slot variable has no edge; its key is ::

    <path of the variable>/.OPTIMIZER_SLOT/<path of the optimizer>/<slot>/.ATTRIBUTES/VARIABLE_VALUE

The graph itself is a tensor too: under ``_CHECKPOINTABLE_OBJECT_GRAPH`` a string with an ``ObjectGraph``
message. Nodes are numbered, and values written, in breadth-first order from the root; slot variables
follow, by optimizer, then slot name, then variable. An object reached in two ways is one node.

Later generations (TensorFlow 2.9 and later with Keras 2.11 and later) write the same with three differences:
optimizers have edges and no slots (see ``optimizers``); every node says whether it or one below it holds a value; and
the root of saved weights has an edge ``root`` to itself.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference_impl import dialects
from reference_impl.formats import messages
from reference_impl.tracking import VARIABLE_VALUE, Array, Trackable

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE_SUFFIX = f"/.ATTRIBUTES/{VARIABLE_VALUE}"
"""What a variable's key ends with."""

LATER = ("keras-2.15",)
"""Dialects that write the later graph. Keras 3 models have no edges of their own in it."""

_ATTRIBUTES = ".ATTRIBUTES"
_SLOTS = ".OPTIMIZER_SLOT"


def escape(name: str) -> str:
    """An edge name as it stands in a key."""
    return name.replace(".", "..").replace("/", ".S")


@dataclass
class Node:
    """An object of the graph: its path (escaped), its edges as (name, node number), its slots if an optimizer."""

    trackable: Trackable
    path: str
    children: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    slots: list[tuple[int, str, int]] = field(default_factory=list[tuple[int, str, int]])


def walk(root: Trackable, later: bool = False) -> list[Node]:
    """All nodes below ``root`` in breadth-first order, then the slot variables.

    ``later``: as Keras 2.11 and later see them.
    """
    nodes = [Node(root, "")]
    numbers = {root._identity(): 0}
    waiting = deque([0])
    while waiting:
        number = waiting.popleft()
        node = nodes[number]
        children = node.trackable._later_children() if later else node.trackable._checkpoint_children()
        for name, child in children:
            identity = child._identity()
            if identity not in numbers:
                numbers[identity] = len(nodes)
                path = escape(name) if number == 0 else f"{node.path}/{escape(name)}"
                nodes.append(Node(child, path))
                waiting.append(numbers[identity])
            node.children.append((name, numbers[identity]))
    if not later:
        _add_slots(nodes)
    return nodes


def _add_slots(nodes: list[Node]) -> None:
    originals = list(enumerate(nodes))
    for _, optimizer in originals:
        for slot_name in optimizer.trackable._slot_names():
            for number, original in originals:
                slot = optimizer.trackable._slot(original.trackable, slot_name)
                if slot is None:
                    continue
                optimizer.slots.append((number, slot_name, len(nodes)))
                nodes.append(Node(slot, f"{original.path}/{_SLOTS}/{optimizer.path}/{escape(slot_name)}"))


def encode(root: Trackable, *, weights_only: bool = True) -> list[tuple[str, Array]]:
    """All tensors of a checkpoint of ``root``, in the order they are written: values, then the graph.

    The values are the objects' own arrays, not copies. The graph is that of the present dialect's generation;
    ``weights_only`` is for it: whether ``root`` is a model whose weights are saved, and not a ``Checkpoint``.
    """
    later = dialects.current() in LATER
    nodes = walk(root, later)
    if later and weights_only and all(name != "root" for name, _ in nodes[0].children):
        nodes[0].children.append(("root", 0))
    tensors: list[tuple[str, Array]] = []
    graph = messages.ObjectGraph()
    for node in nodes:
        message = graph.nodes.add()
        for name, number in node.children:
            message.children.add(node_id=number, local_name=name)
        for name, saved in node.trackable._checkpoint_values().items():
            key = f"{node.path}/{_ATTRIBUTES}/{escape(name)}"
            # The tensors of a table are one attribute, whose key is theirs without "-keys" and "-values".
            attribute = name.partition("-")[0]
            if all(other.name != attribute for other in message.attributes):
                whole = key.removesuffix(name) + attribute
                message.attributes.add(name=attribute, full_name=saved.full_name, checkpoint_key=whole)
            tensors.append((key, saved.value))
        for original, slot_name, number in node.slots:
            message.slot_variables.add(
                original_variable_node_id=original, slot_name=slot_name, slot_variable_node_id=number
            )
    if later:
        _mark_values(graph)
    tensors.append((GRAPH_KEY, _string(messages.serialize(graph))))
    return tensors


def _mark_values(graph: Any) -> None:
    """Set ``has_checkpoint_values`` of every node."""
    parents: dict[int, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        for child in node.children:
            parents.setdefault(child.node_id, []).append(number)
    waiting = [number for number, node in enumerate(graph.nodes) if node.attributes or node.slot_variables]
    marked = set(waiting)
    while waiting:
        above = set(parents.get(waiting.pop(), ())) - marked
        marked |= above
        waiting += above
    for number, node in enumerate(graph.nodes):
        node.has_checkpoint_values.value = number in marked


def _string(value: Any) -> Array:
    array = np.empty((), object)
    array[()] = value
    return array
