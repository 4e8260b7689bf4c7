"""Which tests go through which functions: a fault in a function can show in no other test.

The suite is run on the unbroken reference with every target counted. What is drawn follows from the test alone, so a test
that does not call a target there does not call it in the mutant either, and has the same verdict.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.mutants.mutant import Mutant
from conformance.mutants.patching import Calls
from conformance.mutants.selection import Test, suite_tests
from conformance.mutants.trial import run_tests
from conformance.spec import load_specification


@dataclass(frozen=True)
class Reach:
    """The ids of the tests that call a target, by dialect and target; None for one that is called before any test."""

    tests: Mapping[tuple[str, str], frozenset[str] | None]

    def of(self, mutant: Mutant) -> tuple[Test, ...]:
        """The tests in which the mutant's fault can show. Of one in a process of its own nothing is known: all."""
        found = [self.tests.get((mutant.dialect, target)) for target in mutant.targets]
        if mutant.piped or None in found:
            return suite_tests()
        ids = {test for each in found for test in each or ()}
        return tuple(test for test in suite_tests() if test.id in ids)


def reach(mutants: Sequence[Mutant], jobs: int, begin: Callable[[], None]) -> Reach:
    """The reach of all targets of ``mutants``; ``begin`` is called first in each of the ``jobs`` processes."""
    targets: dict[str, set[str]] = {}
    for mutant in mutants:
        if not mutant.piped:
            targets.setdefault(mutant.dialect, set()).update(mutant.targets)
    with multiprocessing.get_context("fork").Pool(jobs, initializer=begin) as pool:
        found = pool.starmap(reach_in, [(dialect, sorted(each)) for dialect, each in targets.items()], chunksize=1)
    return Reach({key: tests for each in found for key, tests in each.items()})


def reach_in(dialect: str, targets: Collection[str]) -> dict[tuple[str, str], frozenset[str] | None]:
    """By dialect and target the ids of the tests that call it."""
    found: dict[str, set[str]] = {target: set() for target in targets}
    before = dict.fromkeys(targets, 0)

    def seen(test: str, calls: Calls) -> None:
        for target, count in calls.counts.items():
            if count > before[target]:
                found[target].add(test)
                before[target] = count

    counted = Mutant("counted", "no fault at all", (), tuple(targets), _as_it_is, dialect)
    run_tests(counted, [replace(test, probes=True) for test in suite_tests()], load_specification(), seen)
    return {(dialect, target): None if "" in tests else frozenset(tests) for target, tests in found.items()}


def _as_it_is(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return original(*args, **kwargs)
