"""How a conformance test is written down: the requirements it decides and the examples it draws.

``@requirement`` and ``@examples`` only attach data to the test function. The plugin reads that data, makes one test a
unit (requirement × format or layer family), and :mod:`conformance.suite.runner` runs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis.strategies import SearchStrategy

F = TypeVar("F", bound=Callable[..., Any])

ATTRIBUTE = "__conformance_case__"

# What the runner supplies by name; everything else a test asks for is drawn or is a pytest fixture.
SUPPLIED = ("impl", "scratch", "tolerance", "spec", "dialect")
VARIANTS = ("format", "family")

# Examples drawn for one unit. Saving a SavedModel costs a real TensorFlow about half a second, building a layer from
# its config about a millisecond: time goes where it finds something.
COSTS: Mapping[str, int] = {"cheap": 20, "config": 8, "save": 4, "train": 2, "once": 1}

# A SavedModel traces every function of a model, which costs ten times what any other format does.
DEAR_FORMATS: Mapping[str, int] = {"savedmodel": 2}


# What is drawn may depend on the format: not every format can hold every model.
Strategy = SearchStrategy[Any] | Callable[[str], SearchStrategy[Any]]


@dataclass(frozen=True)
class Case:
    """What a test declares: ``requirements`` (ids), an optional narrowing to ``variants``, and how its examples are drawn."""

    requirements: tuple[str, ...] = ()
    variants: tuple[str, ...] | None = None
    strategies: Mapping[str, Strategy] | None = None
    explicit: tuple[Mapping[str, Any], ...] = ()
    cost: str = "cheap"

    def drawn(self, variant: str | None) -> dict[str, SearchStrategy[Any]]:
        """The strategies for one variant."""
        return {
            name: strategy if isinstance(strategy, SearchStrategy) else strategy(variant or "")
            for name, strategy in (self.strategies or {}).items()
        }

    def example_count(self, variant: str | None) -> int:
        """The number of examples drawn by default for one unit."""
        count = COSTS[self.cost]
        return min(count, DEAR_FORMATS.get(variant or "", count))


def case_of(function: Callable[..., Any]) -> Case | None:
    """The case attached to ``function``, or None for a function that is not a conformance test."""
    return getattr(function, ATTRIBUTE, None)


def _attach(function: F, **changes: Any) -> F:
    case = replace(case_of(function) or Case(), **changes)
    setattr(function, ATTRIBUTE, case)
    signature = inspect.signature(function)
    supplied = {*SUPPLIED, *(case.strategies or ())}
    kept = [parameter for name, parameter in signature.parameters.items() if name not in supplied]
    # pytest resolves what is left of the signature as fixtures.
    function.__signature__ = signature.replace(parameters=kept)  # pyright: ignore[reportFunctionMemberAccess]
    return function


def requirement(
    *ids: str, formats: tuple[str, ...] | None = None, families: tuple[str, ...] | None = None
) -> Callable[[F], F]:
    """Name the requirements that a test decides.

    A test that takes ``format`` (or ``family``) runs once for each format of its requirements; ``formats`` or
    ``families`` narrows that to some of them.
    """
    if not ids:
        raise TypeError("@requirement needs at least one requirement id")
    return lambda function: _attach(function, requirements=ids, variants=formats or families)


def examples(cost: str = "cheap", **strategies: Strategy) -> Callable[[F], F]:
    """Draw the named arguments with Hypothesis; ``cost`` (a key of :data:`COSTS`) decides how many examples are drawn.

    A strategy may be a function of the format (or layer family) that returns one.
    """
    if cost not in COSTS:
        raise ValueError(f"unknown cost {cost!r}; choose one of {', '.join(COSTS)}")
    return lambda function: _attach(function, strategies=strategies, cost=cost)


def example(**arguments: Any) -> Callable[[F], F]:
    """Run the test on these arguments always, before anything is drawn."""

    def attach(function: F) -> F:
        case = case_of(function) or Case()
        return _attach(function, explicit=(arguments, *case.explicit))

    return attach
