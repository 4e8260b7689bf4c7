"""Layers that an implementation does not have and does not claim: an example that needs one is put aside.

``hello.layers`` lists the classes of each family. Models are drawn from all of them, so that every implementation is
tried with the same ones; where the adapter answers that it cannot build one, and a class in it is not on its list, the
example says nothing about the implementation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from conformance.protocol.session import Session
from conformance.strategies.layers import CATALOGUE

BUILDING = ("build", "build_layer", "sequential_of")


def unclaimed_layers(session: Session) -> tuple[str, ...]:
    """The built-in layers in what was to be built last that the implementation does not list, in order of their names."""
    if not session.trace or session.trace[-1][0] not in BUILDING:
        return ()
    return tuple(sorted((_catalogued() - _claimed(session)).intersection(_classes(session.trace[-1][1]))))


def claims_all_layers(session: Session) -> bool:
    """Whether no drawn model can have a layer that the implementation does not list."""
    return _catalogued() <= _claimed(session)


def _claimed(session: Session) -> set[str]:
    return {name for classes in session.hello.layers.values() for name in classes}


@cache
def _catalogued() -> frozenset[str]:
    return frozenset(entry.cls for entry in CATALOGUE)


def _classes(value: object) -> Iterator[str]:
    """The names under every ``class`` in JSON values."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if isinstance(members.get("class"), str):
            yield members["class"]
        value = list(members.values())
    if isinstance(value, list):
        for member in cast("list[object]", value):
            yield from _classes(member)
