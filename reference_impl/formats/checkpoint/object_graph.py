"""Objects and edges turned into keys, and written beside the tensors.

A value's key is the shortest way to it from the root: the edge names joined by ``/`` (in them ``.`` is
written ``..`` and ``/`` is written ``.S``), then ``/.ATTRIBUTES/`` and the attribute's name, which for a
variable is ``VARIABLE_VALUE``. A slot variable has no edge; its key is ::

    <path of the variable>/.OPTIMIZER_SLOT/<path of the optimizer>/<slot>/.ATTRIBUTES/VARIABLE_VALUE

The graph itself is a tensor too: under ``_CHECKPOINTABLE_OBJECT_GRAPH`` a string with an ``ObjectGraph``
message. Nodes are numbered, and values written, in breadth-first order from the root; slot variables
follow, by optimizer, then slot name, then variable. An object reached in two ways is one node.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference_impl.formats import messages
from reference_impl.tracking import Array, Trackable

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
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


def walk(root: Trackable) -> list[Node]:
    """All nodes below ``root`` in breadth-first order, then the slot variables."""
    nodes = [Node(root, "")]
    numbers = {root._identity(): 0}
    waiting = deque([0])
    while waiting:
        number = waiting.popleft()
        node = nodes[number]
        for name, child in node.trackable._checkpoint_children():
            identity = child._identity()
            if identity not in numbers:
                numbers[identity] = len(nodes)
                path = escape(name) if number == 0 else f"{node.path}/{escape(name)}"
                nodes.append(Node(child, path))
                waiting.append(numbers[identity])
            node.children.append((name, numbers[identity]))
    _add_slots(nodes)
    return nodes


def _add_slots(nodes: list[Node]) -> None:
    for optimizer in list(nodes):
        originals = [node for node in enumerate(nodes) if not _is_slot(node[1])]
        for slot_name in optimizer.trackable._slot_names():
            for number, original in originals:
                slot = optimizer.trackable._slot(original.trackable, slot_name)
                if slot is None:
                    continue
                optimizer.slots.append((number, slot_name, len(nodes)))
                nodes.append(Node(slot, f"{original.path}/{_SLOTS}/{optimizer.path}/{escape(slot_name)}"))


def _is_slot(node: Node) -> bool:
    return f"/{_SLOTS}/" in node.path


def encode(root: Trackable) -> list[tuple[str, Array]]:
    """All tensors of a checkpoint of ``root``, in the order they are written: values, then the graph."""
    tensors: list[tuple[str, Array]] = []
    graph = messages.ObjectGraph()
    for node in walk(root):
        message = graph.nodes.add()
        for name, number in node.children:
            message.children.add(node_id=number, local_name=name)
        for name, saved in node.trackable._checkpoint_values().items():
            key = f"{node.path}/{_ATTRIBUTES}/{escape(name)}"
            message.attributes.add(name=name, full_name=saved.full_name, checkpoint_key=key)
            tensors.append((key, saved.value))
        for original, slot_name, number in node.slots:
            message.slot_variables.add(
                original_variable_node_id=original, slot_name=slot_name, slot_variable_node_id=number
            )
    tensors.append((GRAPH_KEY, _string(messages.serialize(graph))))
    return tensors


def _string(value: Any) -> Array:
    array = np.empty((), object)
    array[()] = value
    return array
