"""The object graph as a checkpoint stores it, parsed and checked; the values stay in the file until they are given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from reference_impl.formats import messages
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.entry import fail
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY

_NO_KEYS: frozenset[str] = frozenset()


class StoredNode(NamedTuple):
    """A node as stored: edges by name, keys of its values by attribute, slots as (variable, slot name, slot).

    ``optional`` are keys that need not be in the file. ``saver`` names the function of its own that a program
    registered to save the object with, if any: only that program can read what it wrote.
    """

    children: Mapping[str, int]
    keys: Mapping[str, str]
    slots: tuple[tuple[int, str, int], ...]
    optional: frozenset[str] = _NO_KEYS
    saver: str = ""


@dataclass(frozen=True)
class StoredGraph:
    """What a checkpoint holds. ``name`` is its prefix, for messages; ``bundle`` has the values."""

    name: str
    nodes: tuple[StoredNode, ...]
    bundle: Bundle


def read_graph(bundle: Bundle, name: str) -> StoredGraph:
    """The graph in ``bundle``. Raises ``LoadError`` if there is none, and for anything damaged or missing in it."""
    if GRAPH_KEY not in bundle.entries:
        fail(name, f"no key {GRAPH_KEY}", "an object-based checkpoint (save_weights, Checkpoint.save)")
    entry = bundle.entries[GRAPH_KEY]
    if entry.dtype != "string" or entry.shape != ():
        fail(f"{name}: {GRAPH_KEY}", f"{entry.dtype}{list(entry.shape)}", "one string")
    nodes = parse_graph(bundle.tensor(GRAPH_KEY).item(), name)
    if any(key not in bundle.entries for node in nodes for key in node.keys.values()):
        nodes = tuple(_of_tensors(node, bundle) for node in nodes)
        for node in nodes:
            for key in node.keys.values():
                if key not in bundle.entries and key not in node.optional:
                    fail(name, f"no tensor under the key {key}", "one, for the object graph names it")
    return StoredGraph(os.fspath(name), nodes, bundle)


def _of_tensors(node: StoredNode, bundle: Bundle) -> StoredNode:
    """``node`` with the two tensors of a table, ``table-keys`` and ``table-values``, for its attribute ``table``."""
    keys: dict[str, str] = {}
    for attribute, key in node.keys.items():
        tables = key not in bundle.entries and f"{key}-keys" in bundle.entries
        keys |= {f"{attribute}{part}": f"{key}{part}" for part in (("-keys", "-values") if tables else ("",))}
    return node._replace(keys=keys)


def parse_graph(data: bytes, name: str) -> tuple[StoredNode, ...]:
    """The nodes in an ``ObjectGraph`` message; every node number in it is checked."""
    try:
        graph = messages.parse(messages.ObjectGraph, data)
    except ValueError as error:
        fail(f"{name}: {GRAPH_KEY}", str(error), "an object graph")
    nodes = tuple(_parse_node(node) for node in graph.nodes)
    if not nodes:
        fail(f"{name}: {GRAPH_KEY}", "no nodes", "at least the root")
    for number, node in enumerate(nodes):
        ends = [*node.children.values()]
        for original, _, slot in node.slots:
            ends += original, slot
        if ends and not (min(ends) >= 0 and max(ends) < len(nodes)):
            end = next(end for end in ends if not 0 <= end < len(nodes))
            fail(f"{name}: {GRAPH_KEY}: node {number}", f"an edge to node {end}", f"one of {len(nodes)} nodes")
    return nodes


def _parse_node(message: Any) -> StoredNode:
    keys: dict[str, str] = {}
    optional: list[str] = []
    for attribute in message.attributes:
        key = keys[attribute.name] = attribute.checkpoint_key
        if attribute.optional_restore:
            optional.append(key)
    slots = message.slot_variables
    saver = message.registered_saver if message.HasField("registered_saver") else None
    return StoredNode(
        {child.local_name: child.node_id for child in message.children},
        keys,
        tuple([(s.original_variable_node_id, s.slot_name, s.slot_variable_node_id) for s in slots]) if slots else (),
        frozenset(optional) if optional else _NO_KEYS,
        f"{saver.name} for {saver.object_name}" if saver is not None and saver.name else "",
    )
