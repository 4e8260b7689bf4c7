"""The way back: the graph stored in a checkpoint laid over the graph of present objects.

Both graphs are walked from their roots at once, and an object meets a stored node when both were reached
over corresponding edges (see ``matching``). Where they meet, the stored values are given to the object.

**All or nothing.** Every value is verified and compared with the shape it is for before the first is given.

**Restore on create.** What an object has no edge for yet waits there, and is given when the edge appears. Until then
the checkpoint's files stay mapped, even if they are deleted.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from reference_impl import dialects
from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.matching import Pair, match_edges
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY, LATER, walk
from reference_impl.formats.checkpoint.optimizers import GENERATION, VARIABLES
from reference_impl.formats.checkpoint.status import LoadStatus
from reference_impl.formats.checkpoint.stored import StoredGraph, read_graph
from reference_impl.tracking import VARIABLE_VALUE, Array, Trackable


class _Assignment(NamedTuple):
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
        self._bundle = stored.bundle
        # Keys of the values not given yet, in the order of the file.
        keys = (key for node in stored.nodes for key in node.keys.values())
        self._waiting = dict.fromkeys(key for key in keys if key in stored.bundle.entries)
        self._slotted = [number for number, node in enumerate(stored.nodes) if node.slots]
        self._objects: dict[int, Trackable] = {}  # by stored node
        self._numbers: dict[int, int] = {}  # stored node by object
        self._given: set[int] = set()  # objects that took a value
        self._walking = False
        self.misplaced: list[str] = []  # edges by place that were not followed

    def __deepcopy__(self, memo: object) -> Self:
        return self  # what waits is for the objects it was started with, not for copies of them

    def start(self) -> LoadStatus:
        """Restore what exists. Raises ``LoadError``, with nothing changed, if a value is damaged or does not fit."""
        self._bundle.verify(self._waiting)
        self._match([(self.root, 0)])
        return LoadStatus(self)

    def match(self, trackable: Trackable, node_id: int) -> bool:
        """Look at ``trackable`` again, which has new edges. True when nothing is left to give."""
        known = self._objects.get(node_id)
        # Looked at, an object may make what it lacks: a new edge, which the walk that looks is about to follow.
        if known is not None and known._identity() == trackable._identity() and not self._walking:
            # The file may have been overwritten in place meanwhile.
            self._match([(known, node_id)], verify=True)
        return not self._waiting

    def _match(self, pairs: list[Pair], verify: bool = False) -> None:
        self._walking = True
        try:
            met = self._meet(pairs)
        finally:
            self._walking = False
        assignments = self._assignments(met) + self._slot_assignments()
        for assignment in assignments:
            self._check(assignment)
        if verify:
            self._bundle.verify(assignment.key for assignment in assignments)
        for assignment in assignments:
            self._assign(assignment)
        self._go_on_as_stored(met)
        if not self._waiting:
            self._bundle.close()
            return
        for trackable, number in met:
            if self._nodes[number].children:
                trackable._await_restore(self, number)

    def _go_on_as_stored(self, met: list[Pair]) -> None:
        """An optimizer of 2.4 goes on as the generation whose state it took, which may compute another step.

        In the dialects that write that state it is one of ours, and goes on as it was.
        """
        if dialects.current() in LATER:
            return
        for trackable, number in met:
            if VARIABLES in self._nodes[number].children and getattr(trackable, "generation", "") == "keras-2.4":
                trackable.__setattr__("generation", GENERATION)

    def _meet(self, pairs: list[Pair]) -> list[Pair]:
        """Walk both graphs from ``pairs`` on; all pairs that met, ``pairs`` included."""
        met: list[Pair] = []
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
            edges = match_edges(trackable, self._nodes[number].children, self._nodes)
            self.misplaced += edges.misplaced
            waiting.extend(edges.pairs)
        return met

    def _assignments(self, met: list[Pair]) -> list[_Assignment]:
        return [
            _Assignment(number, attribute, key, trackable)
            for trackable, number in met
            for attribute, key in self._nodes[number].keys.items()
            if key in self._waiting and attribute in trackable._value_names()
        ]

    def _slot_assignments(self) -> list[_Assignment]:
        assignments: list[_Assignment] = []
        for optimizer_number in self._slotted:
            optimizer = self._objects.get(optimizer_number)
            if optimizer is None:
                continue
            for original, slot_name, number in self._nodes[optimizer_number].slots:
                key = self._nodes[number].keys.get(VARIABLE_VALUE)
                variable = self._objects.get(original)
                if key not in self._waiting or variable is None:
                    continue
                slot = optimizer._slot(variable, slot_name)
                wanted = None if slot is not None else (optimizer, variable, slot_name)
                assignments.append(_Assignment(number, VARIABLE_VALUE, key, slot, wanted))
        return assignments

    def _check(self, assignment: _Assignment) -> None:
        """A slot that is to be made has its variable's shape, so the variable answers for it."""
        target = assignment.slot[1] if assignment.slot else assignment.target
        assert target is not None
        entry = self._bundle.entries[assignment.key]
        reason = target._check_value(assignment.attribute, likeness(entry.dtype, entry.shape))
        if reason is not None:
            raise LoadError(f"{self.name}: {assignment.key}: {reason}; nothing was restored")

    def _assign(self, assignment: _Assignment) -> None:
        target = assignment.target
        if assignment.slot is not None:
            optimizer, variable, slot_name = assignment.slot
            target = optimizer._create_slot(variable, slot_name)
        if target is None or assignment.key not in self._waiting:  # no such slot, or given meanwhile
            return
        del self._waiting[assignment.key]
        self._objects.setdefault(assignment.node, target)
        self._numbers[target._identity()] = assignment.node
        self._given.add(target._identity())
        target._restore_value(assignment.attribute, self._bundle.tensor(assignment.key, copy=False))

    # -- what the status asks ------------------------------------------------------------------------------

    def unused_keys(self) -> Sequence[str]:
        """Keys of stored values that no object took, as they stand in the file."""
        foreign = [f"(values written by {node.saver})" for node in self._nodes if node.saver]
        return [*self._waiting, *foreign]

    def unmatched_objects(self) -> Sequence[str]:
        """Paths of present variables that got no value."""
        nodes = walk(self.root)
        paths: list[str] = []
        excused: set[int] = set()
        for node in nodes:
            if self._met_later(node.trackable):  # what it keeps in memory is stored in other pieces
                excused |= {part.trackable._identity() for part in walk(node.trackable)}
                excused |= {nodes[number].trackable._identity() for *_, number in node.slots}
                later = walk(node.trackable, later=True)
                paths += [f"{node.path}/{part.path}" for part in later if self._is_missing(part.trackable)]
        named = [
            node.path or "(root)"
            for node in nodes
            if self._is_missing(node.trackable) and node.trackable._identity() not in excused
        ]
        return [*named, *paths]

    def _met_later(self, trackable: Trackable) -> bool:
        """Whether an object met a node with edges of a later version than its own."""
        number = self._numbers.get(trackable._identity())
        if number is None:
            return False
        followed = trackable._restore_children(self._nodes[number].children)
        return [name for name, _ in followed] != [name for name, _ in trackable._checkpoint_children()]

    def _is_missing(self, trackable: Trackable) -> bool:
        return bool(trackable._value_names()) and trackable._identity() not in self._given

    def gave_anything(self) -> bool:
        """Whether any object took a value."""
        return bool(self._given)

    def matched_anything(self) -> bool:
        """Whether any object but the root met a stored node."""
        return len(self._objects) > 1


@lru_cache(maxsize=256)
def likeness(dtype: str, shape: tuple[int, ...]) -> Array:
    """An array of such a dtype and shape, no more than one element of which is in memory."""
    return np.broadcast_to(np.zeros((), numpy_dtype(dtype)), shape)


def restore(prefix: str | os.PathLike[str], root: Trackable) -> LoadStatus:
    """Restore the checkpoint ``prefix`` into the objects below ``root``, now and as they are made.

    A checkpoint without an object graph (TensorFlow 1) goes by the names of variables. Raises ``LoadError``
    (``FileNotFoundError`` for one that is not there), and then nothing has changed.
    """
    name = os.fspath(prefix)
    bundle = Bundle(prefix, verify=False)  # each value is verified before the first is given
    return start(bundle, name, root)


def start(bundle: Bundle, name: str, root: Trackable) -> LoadStatus:
    """Restore an open ``bundle``; ``name`` is for messages."""
    if GRAPH_KEY in bundle.entries:
        bundle.verify([GRAPH_KEY])
        return Restoration(read_graph(bundle, name), root).start()
    from reference_impl.formats.checkpoint.by_name import NameRestoration

    return NameRestoration(bundle, name, root).start()
