"""Which cases stand for all, where every case would take too long for each change: one at least for each layer.

``pytest tests/interop --deep`` (``tox -m deep``) takes all.
"""

from __future__ import annotations

from functools import cache
from unittest.mock import MagicMock

import pytest

from tests.interop.cases import all_cases

SAMPLED = frozenset({"test_savedmodel_reading.py", "test_savedmodel_writing.py", "test_tracing.py"})
"""The tests that write, or load, a SavedModel (or a graph) for each case."""


def layers_of(make: object) -> set[str]:
    """The names that ``make`` calls in the namespace it is given."""
    namespace = MagicMock()
    make(namespace)  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
    return {call[0] for call in namespace.mock_calls}


@cache
def sample() -> frozenset[str]:
    """The names of the cases that each have a layer which no case before them has."""
    seen: set[str] = set()
    chosen: list[str] = []
    for name, case in all_cases().items():
        layers = layers_of(case["layer"])
        if layers - seen:
            seen |= layers
            chosen.append(name)
    return frozenset(chosen)


def left_out(item: pytest.Item) -> bool:
    """Whether ``item`` is about a case that another stands for; what a family has once is never left out."""
    if item.path.name not in SAMPLED:
        return False
    name = getattr(getattr(item, "callspec", None), "params", {}).get("name")
    return name in all_cases() and name not in sample()
