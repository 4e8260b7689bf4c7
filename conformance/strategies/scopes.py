"""What is done with a registry: scopes that are entered, nested, left, left by an error; names set for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hypothesis import strategies as st

Step: TypeAlias = "dict[str, str] | str"

LEAVE, LEAVE_BY_ERROR = "leave", "leave by error"

SAME_NAMED: Mapping[str, Sequence[str]] = {"Foo": ("A", "B", "C"), "MarkedCall": ("1", "2")}
"""Classes of the named set that share a name: the name → what is after the colon in their ids."""


def scope_steps(
    names: Mapping[str, Sequence[str]] = SAME_NAMED, max_size: int = 6
) -> st.SearchStrategy[list[dict[str, str] | str]]:
    """What happens to the scopes, step by step: a dict (name → mark) is entered, a text leaves the innermost one.

    A step that leaves where no scope is open means nothing.
    """
    scope = st.fixed_dictionaries({}, optional={name: st.sampled_from(marks) for name, marks in names.items()})
    steps: list[st.SearchStrategy[dict[str, str] | str]] = [scope, st.sampled_from([LEAVE, LEAVE_BY_ERROR])]
    return st.lists(st.one_of(steps), min_size=1, max_size=max_size)


def registrations() -> st.SearchStrategy[tuple[str | None, str | None]]:
    """What the decorator is given: package and name, None where it is left out."""
    return st.tuples(st.sampled_from([None, "pkg", "my.package", "A1"]), st.sampled_from([None, "Foo", "Another"]))
