"""Telling a failure from what follows from it.

A unit is *blocked* when it fails and a unit that it depends on, directly or through others, failed too. This is derived
from the dependency graph once all verdicts are there, so it is the same for any order of the tests. Only fails are
re-labelled (a crash is always worth seeing), and never because of a known failure: that one was expected, and says
nothing about this run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from conformance.results.model import UnitVerdict
from conformance.results.verdict import Verdict
from conformance.spec import Specification


def dependencies(specification: Specification) -> dict[str, tuple[str, ...]]:
    """Unit → the units that it depends on directly, as text."""
    return {str(unit): tuple(map(str, specification.dependencies(unit))) for unit in specification.units}


def mark_blocked(units: Sequence[UnitVerdict], depends_on: Mapping[str, Iterable[str]]) -> list[UnitVerdict]:
    """``units`` with each fail that has a failed unit among its (transitive) dependencies re-labelled, and those named.

    ``blocked_by`` holds the failed dependencies that nothing blocks in turn: the places to begin.
    """
    failed = {unit.unit for unit in units if unit.verdict.is_failure}
    may_be_blocked = {unit.unit for unit in units if unit.verdict is Verdict.FAIL}
    causes = {unit: _reachable(unit, depends_on) & failed - {unit} for unit in failed}
    blocked = {unit for unit in may_be_blocked if causes[unit]}

    def marked(unit: UnitVerdict) -> UnitVerdict:
        if unit.unit not in blocked:
            return unit
        first = causes[unit.unit] - blocked or causes[unit.unit]
        return replace(unit, verdict=Verdict.BLOCKED, blocked_by=tuple(sorted(first)))

    return [marked(unit) for unit in units]


def _reachable(unit: str, depends_on: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [unit]
    while waiting:
        for other in depends_on.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen
