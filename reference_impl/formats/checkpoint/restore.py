"""The way back: the graph stored in a checkpoint laid over the graph of present objects.

Both graphs are walked from their roots at once, and an object meets a stored node when both were reached
over edges of the same name. Where they meet, the stored values are given to the object. Nothing else is
compared: neither classes nor the names of variables.

**Places are not names.** ``layer_with_weights-2`` says "the third layer that has weights". That means the
same in both graphs only if the layers before it agree. So these edges are followed in order, up to the
first pair that has nothing in common (a stored Dense where there is now a whole model); what lies behind is
not matched, though it might fit by luck. ``layer-2`` is followed where no ``layer_with_weights`` name is to
be had.

**All or nothing.** Every value is read, verified and compared with the shape it is for before the first is
given.

**Restore on create.** What an object has no edge for yet waits there, and is given when the edge appears.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY, walk
from reference_impl.tracking import VARIABLE_VALUE, Array, Trackable

_PLACE = re.compile(r"(layer|layer_with_weights)-(\d+)")
_LISTED = 10  # names in a message


@dataclass(frozen=True)
class StoredNode:
    """A node as stored: edges by name, keys of its values by attribute, slots as (variable, slot name, slot)."""

    children: Mapping[str, int]
    keys: Mapping[str, str]
    slots: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True)
class StoredGraph:
    """What a checkpoint holds. ``values`` are by key; ``name`` is the checkpoint's prefix, for messages."""

    name: str
    nodes: tuple[StoredNode, ...]
    values: Mapping[str, Array]


def read_graph(prefix: str | os.PathLike[str]) -> StoredGraph:
    """Graph and values of the checkpoint ``prefix``. Raises ``LoadError`` for anything damaged or missing."""
    name = os.fspath(prefix)
    with Bundle(prefix) as bundle:
        if GRAPH_KEY not in bundle.entries:
            _fail(name, f"no key {GRAPH_KEY}", "an object-based checkpoint (save_weights, Checkpoint.save)")
        graph = bundle.tensor(GRAPH_KEY)
        if graph.dtype != object or graph.shape != ():
            _fail(f"{name}: {GRAPH_KEY}", f"{graph.dtype}{list(graph.shape)}", "one string")
        nodes = parse_graph(graph.item(), name)
        values: dict[str, Array] = {}
        for key in (key for node in nodes for key in node.keys.values()):
            if key not in bundle.entries:
                _fail(name, f"no tensor under the key {key}", "one, for the object graph names it")
            values[key] = bundle.tensor(key)
    return StoredGraph(name, nodes, values)


def parse_graph(data: bytes, name: str) -> tuple[StoredNode, ...]:
    """The nodes in an ``ObjectGraph`` message; every node number in it is checked."""
    try:
        graph = messages.parse(messages.ObjectGraph, data)
    except ValueError as error:
        _fail(f"{name}: {GRAPH_KEY}", str(error), "an object graph")
    nodes = tuple(
        StoredNode(
            {child.local_name: child.node_id for child in node.children},
            {attribute.name: attribute.checkpoint_key for attribute in node.attributes},
            tuple(
                (slot.original_variable_node_id, slot.slot_name, slot.slot_variable_node_id)
                for slot in node.slot_variables
            ),
        )
        for node in graph.nodes
    )
    if not nodes:
        _fail(f"{name}: {GRAPH_KEY}", "no nodes", "at least the root")
    for number, node in enumerate(nodes):
        slot_ends = (end for original, _, slot in node.slots for end in (original, slot))
        for end in (*node.children.values(), *slot_ends):
            if not 0 <= end < len(nodes):
                _fail(
                    f"{name}: {GRAPH_KEY}: node {number}",
                    f"an edge to node {end}",
                    f"one of {len(nodes)} nodes",
                )
    return nodes


@dataclass(frozen=True)
class _Assignment:
    """A value on its way. A slot that does not exist yet has ``slot`` = (optimizer, variable, slot name)."""

    node: int
    attribute: str
    key: str
    target: Trackable | None
    slot: tuple[Trackable, Trackable, str] | None = None


class Restoration:
    """One checkpoint being restored into the objects below ``root``, now and as they are made."""

    def __init__(self, stored: StoredGraph, root: Trackable) -> None:
        self.root = root
        self.name = stored.name
        self._nodes = stored.nodes
        self._values = dict(stored.values)  # those not given yet
        self._objects: dict[int, Trackable] = {}  # by stored node
        self._numbers: dict[int, int] = {}  # stored node by object
        self._given: set[int] = set()  # objects that took a value
        self.misplaced: list[str] = []  # edges by place that were not followed

    def start(self) -> LoadStatus:
        """Restore what exists. Raises ``LoadError``, with nothing changed, if a value does not fit."""
        self._match([(self.root, 0)])
        return LoadStatus(self)

    def match(self, trackable: Trackable, node_id: int) -> bool:
        """Look at ``trackable`` again, which has new edges. True when nothing is left to give."""
        if self._objects.get(node_id) is trackable:
            self._match([(trackable, node_id)])
        return not self._values

    def _match(self, pairs: list[tuple[Trackable, int]]) -> None:
        met = self._meet(pairs)
        assignments = self._assignments(met) + self._slot_assignments()
        for assignment in assignments:
            self._check(assignment)
        for assignment in assignments:
            self._assign(assignment)
        for trackable, number in met:
            if self._values and self._nodes[number].children:
                trackable._await_restore(self, number)

    def _meet(self, pairs: list[tuple[Trackable, int]]) -> list[tuple[Trackable, int]]:
        """Walk both graphs from ``pairs`` on; all pairs that met, ``pairs`` included."""
        met: list[tuple[Trackable, int]] = []
        waiting = deque(pairs)
        seen: set[int] = set()
        while waiting:
            trackable, number = waiting.popleft()
            identity = trackable._identity()
            known = self._numbers.get(identity)
            other = self._objects.get(number)
            if identity in seen or known not in (None, number):
                continue
            if other is not None and other._identity() != identity:
                continue
            seen.add(identity)
            self._objects.setdefault(number, trackable)
            self._numbers[identity] = number
            met.append((trackable, number))
            waiting.extend(self._pair_edges(trackable, number))
        return met

    def _pair_edges(self, trackable: Trackable, number: int) -> list[tuple[Trackable, int]]:
        present = trackable._checkpoint_children()
        stored = self._nodes[number].children
        named = [(child, stored[name]) for name, child in present if name in stored and not _PLACE.fullmatch(name)]
        return self._pair_places(dict(present), stored) + named

    def _pair_places(self, present: Mapping[str, Trackable], stored: Mapping[str, int]) -> list[tuple[Trackable, int]]:
        pairs: list[tuple[Trackable, int]] = []
        weighted = [name for name in present if name.startswith("layer_with_weights-") and name in stored]
        for name in sorted(weighted, key=_place):
            if not self._alike(present[name], stored[name]):
                self.misplaced.append(name)
                break
            pairs.append((present[name], stored[name]))
        taken = {child._identity() for name, child in present.items() if name.startswith("layer_with_weights-")}
        weighted_nodes = {number for name, number in stored.items() if name.startswith("layer_with_weights-")}
        same_count = _count_layers(present) == _count_layers(stored)
        for name, child in present.items():
            if not (name.startswith("layer-") and _PLACE.fullmatch(name) and name in stored):
                continue
            unbuilt = not getattr(child, "built", True)  # may have weights later: then places must agree
            agrees = same_count if unbuilt else stored[name] not in weighted_nodes
            if child._identity() not in taken and agrees:
                pairs.append((child, stored[name]))
        return pairs

    def _alike(self, trackable: Trackable, number: int) -> bool:
        """Whether an object and a stored node have an edge name in common (or one of them has none yet)."""
        node = self._nodes[number]
        present = {name for name, _ in trackable._checkpoint_children()}
        if not present or not node.children:
            return bool(trackable._checkpoint_values()) == bool(node.keys) or not (present or node.keys)
        return not present.isdisjoint(node.children)

    def _assignments(self, met: list[tuple[Trackable, int]]) -> list[_Assignment]:
        return [
            _Assignment(number, attribute, key, trackable)
            for trackable, number in met
            for attribute, key in self._nodes[number].keys.items()
            if key in self._values and attribute in trackable._checkpoint_values()
        ]

    def _slot_assignments(self) -> list[_Assignment]:
        assignments: list[_Assignment] = []
        for optimizer_number, optimizer in list(self._objects.items()):
            for original, slot_name, number in self._nodes[optimizer_number].slots:
                key = self._nodes[number].keys.get(VARIABLE_VALUE)
                variable = self._objects.get(original)
                if key not in self._values or variable is None:
                    continue
                slot = optimizer._slot(variable, slot_name)
                wanted = None if slot is not None else (optimizer, variable, slot_name)
                assignments.append(_Assignment(number, VARIABLE_VALUE, key, slot, wanted))
        return assignments

    def _check(self, assignment: _Assignment) -> None:
        """A slot that is to be made has its variable's shape, so the variable answers for it."""
        target = assignment.slot[1] if assignment.slot else assignment.target
        assert target is not None
        reason = target._check_value(assignment.attribute, self._values[assignment.key])
        if reason is not None:
            raise LoadError(f"{self.name}: {assignment.key}: {reason}; nothing was restored")

    def _assign(self, assignment: _Assignment) -> None:
        target = assignment.target
        if assignment.slot is not None:
            optimizer, variable, slot_name = assignment.slot
            target = optimizer._create_slot(variable, slot_name)
        if target is None or assignment.key not in self._values:  # no such slot, or given meanwhile
            return
        value = self._values.pop(assignment.key)
        self._objects.setdefault(assignment.node, target)
        self._numbers[target._identity()] = assignment.node
        self._given.add(target._identity())
        target._restore_value(assignment.attribute, value)

    # -- what the status asks ------------------------------------------------------------------------------

    def unused_keys(self) -> list[str]:
        """Keys of stored values that no object took, as they stand in the file."""
        return [key for node in self._nodes for key in node.keys.values() if key in self._values]

    def unmatched_objects(self) -> list[str]:
        """Paths of present variables that got no value."""
        return [
            node.path or "(root)"
            for node in walk(self.root)
            if node.trackable._checkpoint_values() and node.trackable._identity() not in self._given
        ]

    def gave_anything(self) -> bool:
        """Whether any object took a value."""
        return bool(self._given)

    def matched_anything(self) -> bool:
        """Whether any object but the root met a stored node."""
        return len(self._objects) > 1


class LoadStatus:
    """What became of a restore; asked for when the objects that were to be made are made.

    Each method returns the status, so that ``model.load_weights(path).assert_consumed()`` can be kept.
    """

    def __init__(self, restoration: Restoration) -> None:
        self._restoration = restoration

    def assert_consumed(self) -> LoadStatus:
        """``AssertionError`` unless every stored value found its object and every variable its value."""
        self._assert_none("stored values that no object took", self._restoration.unused_keys())
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> LoadStatus:
        """``AssertionError`` unless every variable there is now got its value; unused values are no matter."""
        self._assert_none("objects that got no value", self._restoration.unmatched_objects())
        return self

    def assert_nontrivial_match(self) -> LoadStatus:
        """``AssertionError`` if nothing but the root object matched."""
        if not self._restoration.matched_anything():
            stored = ", ".join(self._restoration.unused_keys()[:_LISTED]) or "no values"
            raise AssertionError(
                f"{self._restoration.name}: nothing except the root object matched; the checkpoint holds {stored}; "
                "load it into the object it was saved from"
            )
        return self

    def expect_partial(self) -> LoadStatus:
        """Say that unused values are meant to be unused. Nothing here complains about them unasked."""
        return self

    def initialize_or_restore(self, session: Any = None) -> LoadStatus:
        """Nothing to do: values are restored at once, and variables initialized when they are made."""
        return self

    @property
    def misplaced(self) -> bool:
        """Whether layers by place did not correspond, and nothing at all was restored."""
        return bool(self._restoration.misplaced) and not self._restoration.gave_anything()

    def _assert_none(self, what: str, names: list[str]) -> None:
        if names:
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            raise AssertionError(f"{self._restoration.name}: {len(names)} {what}: {', '.join(names[:_LISTED])}{more}")


def restore(prefix: str | os.PathLike[str], root: Trackable) -> LoadStatus:
    """Restore the checkpoint ``prefix`` into the objects below ``root``, now and as they are made."""
    return Restoration(read_graph(prefix), root).start()


def _place(name: str) -> int:
    return int(name.rpartition("-")[2])


def _count_layers(names: Mapping[str, Any]) -> int:
    return sum(1 for name in names if re.fullmatch(r"layer-\d+", name))


def _fail(place: str, found: str, expected: str) -> NoReturn:
    raise LoadError(f"{place}: found {found}, expected {expected}")
