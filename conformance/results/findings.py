"""What a run found that was not expected, put together for a person.

The requirement, the failure, and the command to see it again.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.results.model import Run, TestRecord, UnitVerdict
from conformance.results.verdict import Verdict, by_severity
from conformance.spec import Requirement, Specification


@dataclass(frozen=True)
class Finding:
    """One unit whose verdict was not expected, its requirement, and those of its tests that made the verdict."""

    run: Run
    unit: UnitVerdict
    requirement: Requirement
    tests: tuple[TestRecord, ...]
    again: str


def findings(run: Run, specification: Specification) -> list[Finding]:
    """The units of ``run`` that were tested with another result than expected, or none at all, the worst first."""
    broken = {unit for test in run.broken_tests for unit in test.units}
    found = [
        _finding(run, unit, specification)
        for unit in run.units
        if not unit.verdict.is_expected and (unit.verdict is not Verdict.NOT_RUN or unit.unit in broken)
    ]
    return sorted(found, key=lambda finding: by_severity(finding.unit.verdict))


def _finding(run: Run, unit: UnitVerdict, specification: Specification) -> Finding:
    tests = tuple(_guilty(run, unit))
    requirement = specification.requirements[requirement_of(unit.unit)]
    return Finding(run, unit, requirement, tests, command_again(run, unit.unit, tests, specification))


def _guilty(run: Run, unit: UnitVerdict) -> Iterator[TestRecord]:
    wanted = Verdict.FAIL if unit.verdict is Verdict.BLOCKED else unit.verdict
    return (test for test in run.tests if unit.unit in test.units and test.verdict is wanted)


def requirement_of(unit: str) -> str:
    """The requirement's id in a unit's: ``model.weights[hdf5]`` → ``model.weights``."""
    return unit.partition("[")[0]


def command_again(run: Run, unit: str, tests: Sequence[TestRecord], specification: Specification) -> str:
    """The command line that runs ``tests`` of one unit once more, and as little else as it can."""
    requirement, _, variant = unit.rstrip("]").partition("[")
    options = ["--requirement", requirement]
    if variant in specification.formats and tests and all(variant in test.id.partition("[")[2] for test in tests):
        options += ["--format", variant]
    command = run.options.get("command", f"keras-conformance run {run.implementation}")
    return f"{command} {shlex.join(options)}"
