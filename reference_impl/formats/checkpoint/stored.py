"""The object graph as a checkpoint stores it, parsed and checked; the values stay in the file until they are given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reference_impl.formats import messages
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.entry import fail
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY


@dataclass(frozen=True)
class StoredNode:
    """A node as stored: edges by name, keys of its values by attribute, slots as (variable, slot name, slot).

    ``optional`` are keys that need not be in the file. ``saver`` names the function of its own that a program
    registered to save the object with, if any: only that program can read what it wrote.
    """

    children: Mapping[str, int]
    keys: Mapping[str, str]
    slots: tuple[tuple[int, str, int], ...]
    optional: frozenset[str] = frozenset()
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
    nodes = tuple(_of_tensors(node, bundle) for node in parse_graph(bundle.tensor(GRAPH_KEY).item(), name))
    for node in nodes:
        for key in node.keys.values():
            if key in bundle.entries or key in node.optional:
                continue
            fail(name, f"no tensor under the key {key}", "one, for the object graph names it")
    return StoredGraph(os.fspath(name), nodes, bundle)


def _of_tensors(node: StoredNode, bundle: Bundle) -> StoredNode:
    """``node`` with the two tensors of a table, ``table-keys`` and ``table-values``, for its attribute ``table``."""
    keys: dict[str, str] = {}
    for attribute, key in node.keys.items():
        tables = key not in bundle.entries and f"{key}-keys" in bundle.entries
        keys |= {f"{attribute}{part}": f"{key}{part}" for part in (("-keys", "-values") if tables else ("",))}
    return replace(node, keys=keys)


def parse_graph(data: bytes, name: str) -> tuple[StoredNode, ...]:
    """The nodes in an ``ObjectGraph`` message; every node number in it is checked."""
    try:
        graph = messages.parse(messages.ObjectGraph, data)
    except ValueError as error:
        fail(f"{name}: {GRAPH_KEY}", str(error), "an object graph")
    nodes = tuple(
        StoredNode(
            {child.local_name: child.node_id for child in node.children},
            {attribute.name: attribute.checkpoint_key for attribute in node.attributes},
            tuple(
                (slot.original_variable_node_id, slot.slot_name, slot.slot_variable_node_id)
                for slot in node.slot_variables
            ),
            frozenset(attribute.checkpoint_key for attribute in node.attributes if attribute.optional_restore),
            f"{node.registered_saver.name} for {node.registered_saver.object_name}"
            if node.registered_saver.name
            else "",
        )
        for node in graph.nodes
    )
    if not nodes:
        fail(f"{name}: {GRAPH_KEY}", "no nodes", "at least the root")
    for number, node in enumerate(nodes):
        slot_ends = (end for original, _, slot in node.slots for end in (original, slot))
        for end in (*node.children.values(), *slot_ends):
            if not 0 <= end < len(nodes):
                fail(f"{name}: {GRAPH_KEY}: node {number}", f"an edge to node {end}", f"one of {len(nodes)} nodes")
    return nodes
