"""Which present edge corresponds to which stored edge of a node.

Edges correspond by name, and nothing else is compared: neither classes nor the names of variables.

**Places are not names.** ``layer_with_weights-2`` says "the third layer that has weights". That means the
same in both graphs only if the layers before it agree. So these edges are followed in order, up to the
first pair that has nothing in common (a stored Dense where there is now a whole model); what lies behind is
not matched, though it might fit by luck. ``layer-2`` is followed where no ``layer_with_weights`` name is to
be had.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference_impl.formats.checkpoint.stored import StoredNode
from reference_impl.tracking import Trackable

_PLACE = re.compile(r"(layer|layer_with_weights)-\d+")
_WEIGHTED = "layer_with_weights-"

Pair = tuple[Trackable, int]


@dataclass(frozen=True)
class Edges:
    """The corresponding ends of a node's edges, and the edges by place that were not followed."""

    pairs: list[Pair] = field(default_factory=list[Pair])
    misplaced: list[str] = field(default_factory=list[str])


def match_edges(trackable: Trackable, stored: Mapping[str, int], nodes: Sequence[StoredNode]) -> Edges:
    """Pair the edges of ``trackable`` with ``stored`` ones (name -> number of a node in ``nodes``)."""
    edges = Edges()
    present = dict(trackable._restore_children(stored))
    if not present or not stored:
        return edges
    if any(name.startswith("layer") for name in present):
        _match_weighted(edges, present, stored, nodes)
        _match_places(edges, present, stored)
    edges.pairs.extend(
        (child, stored[name]) for name, child in present.items() if name in stored and not _PLACE.fullmatch(name)
    )
    return edges


def _match_weighted(
    edges: Edges, present: Mapping[str, Trackable], stored: Mapping[str, int], nodes: Sequence[StoredNode]
) -> None:
    names = (name for name in present if name.startswith(_WEIGHTED) and _PLACE.fullmatch(name) and name in stored)
    for name in sorted(names, key=lambda name: int(name.removeprefix(_WEIGHTED))):
        if not _alike(present[name], nodes[stored[name]]):
            edges.misplaced.append(name)
            return
        edges.pairs.append((present[name], stored[name]))


def _match_places(edges: Edges, present: Mapping[str, Trackable], stored: Mapping[str, int]) -> None:
    taken = {child._identity() for name, child in present.items() if name.startswith(_WEIGHTED)}
    weighted_nodes = {number for name, number in stored.items() if name.startswith(_WEIGHTED)}
    same_count = _count_layers(present) == _count_layers(stored)
    for name, child in present.items():
        if not (name.startswith("layer-") and _PLACE.fullmatch(name) and name in stored):
            continue
        unbuilt = not getattr(child, "built", True)  # may have weights later: then places must agree
        agrees = same_count if unbuilt else stored[name] not in weighted_nodes
        if child._identity() not in taken and agrees:
            edges.pairs.append((child, stored[name]))


def _alike(trackable: Trackable, node: StoredNode) -> bool:
    """Whether an object and a stored node have an edge name in common (or one of them has none yet)."""
    present = {name for name, _ in trackable._checkpoint_children()}
    if not present or not node.children:
        return bool(trackable._value_names()) == bool(node.keys) or not (present or node.keys)
    return not present.isdisjoint(node.children)


def _count_layers(names: Mapping[str, Any]) -> int:
    return sum(1 for name in names if re.fullmatch(r"layer-\d+", name))
