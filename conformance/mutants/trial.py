"""A mutant against the suite, and what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import conformance
from conformance.implementations.registry import load_implementation
from conformance.mutants.adapter import broken_adapter
from conformance.mutants.mutant import Mutant, MutantError, declared_units
from conformance.mutants.patching import Calls
from conformance.mutants.selection import Test, selection_for
from conformance.protocol.session import Session
from conformance.protocol.transport import InProcessTransport, ProcessTransport, Transport
from conformance.results.expectations import read_expectations
from conformance.results.judge import judge
from conformance.results.model import TestRecord
from conformance.results.verdict import FailureKind, Verdict
from conformance.spec import Specification, load_specification
from conformance.suite import runner

_ROOT = Path(conformance.__file__).parents[1]

PROBE_EXAMPLES = 2

KILLED = "killed"
SURVIVED = "survived"
WRONG_REQUIREMENT = "wrong requirement"
CRASH_ONLY = "crash only"
ERROR = "error"

ADVICE: Mapping[str, str] = {
    SURVIVED: "nothing failed: strengthen the tests of what it declares, or drop the mutant if its fault is none",
    WRONG_REQUIREMENT: "something else failed: give the test the right requirement, or the mutant another declaration",
    CRASH_ONLY: "only a crash told of it: the tests of what it declares must see the fault itself",
    ERROR: "the mutant says nothing about the suite: repair it",
}


@dataclass(frozen=True)
class Trial:
    """What came of one mutant.

    ``outcome`` is one of those in this module. ``failed``, ``blocked`` and ``crashed`` are the units with these
    verdicts (a unit that hung counts as crashed), ``failing_tests`` those behind them, ``problem`` what is wrong with
    the mutant itself, or with a test that fell over it. ``tests`` counts what was run, ``seconds`` is the processor time that it took.
    """

    name: str
    summary: str
    dialect: str
    declares: tuple[str, ...]
    requirements: tuple[str, ...]
    outcome: str
    failed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    crashed: tuple[str, ...] = ()
    failing_tests: tuple[str, ...] = ()
    problem: str | None = None
    tests: int = 0
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether the suite caught it, and named the right requirement."""
        return self.outcome == KILLED


def attempt(mutant: Mutant, within: Iterable[Test] | None = None) -> Trial:
    """Try the mutant with the tests it needs, and with all those ``within`` which its fault can show.

    Its fault stays in this process.
    """
    specification = load_specification()
    started = time.process_time()
    try:
        declared = declared_units(mutant, specification)
        tests = selection_for(mutant, specification, within)
        records, capabilities, calls = run_tests(mutant, tests, specification)
        if not mutant.piped:  # its calls are counted where they are made
            calls.check()
    except MutantError as error:
        return failure(mutant, str(error))
    # What the reference is known to fail, it fails with any fault.
    expectations = read_expectations(load_implementation("reference").expectations, specification)
    units = judge(records, specification, mutant.dialect, capabilities, expectations).units
    found: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for unit in units:
        found[unit.verdict].append(unit.unit)
    crashed = [*found[Verdict.CRASH], *found[Verdict.TIMEOUT], *found[Verdict.UNSTABLE]]
    came = outcome(declared, found[Verdict.FAIL], found[Verdict.BLOCKED], crashed)
    broken_tests = [record for record in records if record.verdict is Verdict.NOT_RUN]
    return Trial(
        **_told(mutant),
        outcome=ERROR if broken_tests and came != KILLED else came,
        failed=tuple(found[Verdict.FAIL]),
        blocked=tuple(found[Verdict.BLOCKED]),
        crashed=tuple(crashed),
        failing_tests=tuple(sorted({record.id for record in records if record.verdict.is_failure})),
        problem=f"{broken_tests[0].id}: {broken_tests[0].message}" if broken_tests else None,
        tests=len({record.id for record in records}),
        seconds=round(time.process_time() - started, 3),
    )


def outcome(
    declared: Mapping[str, tuple[str, ...]], failed: Collection[str], blocked: Collection[str], crashed: Collection[str]
) -> str:
    """What became of a mutant whose declarations stand for the ``declared`` units: each must have one that failed."""
    if all(set(units).intersection(failed) for units in declared.values()):
        return KILLED
    if failed or blocked:
        return WRONG_REQUIREMENT
    return CRASH_ONLY if crashed else SURVIVED


def failure(mutant: Mutant, problem: str) -> Trial:
    """The trial of a mutant that could not be tried."""
    return Trial(**_told(mutant), outcome=ERROR, problem=problem)


def _told(mutant: Mutant) -> dict[str, Any]:
    return {name: getattr(mutant, name) for name in ("name", "summary", "dialect", "declares", "requirements")}


def nobody(test: str, calls: Calls) -> None:
    """Who does not ask how often targets were called."""


def run_tests(
    mutant: Mutant, tests: Iterable[Test], specification: Specification, seen: Callable[[str, Calls], None] = nobody
) -> tuple[list[TestRecord], tuple[str, ...], Calls]:
    """What the tests say of the mutant, what it claims, and how often its targets were called.

    ``seen`` is told the calls so far, once before the first test (``""``) and after each one by its id.
    """
    calls, transport = _transport(mutant)
    session = Session(mutant.name, transport).start()
    seen("", calls)
    try:
        capabilities = session.hello.capabilities
        active = {
            str(unit)
            for unit in specification.units
            if specification.applicable(unit, mutant.dialect) and set(unit.needs) <= set(capabilities)
        }
        chosen = [test for test in tests if active.intersection(test.units)]
        records: list[TestRecord] = []
        for test in chosen:
            records.append(_record(test, active, session, specification, mutant.dialect))
            seen(test.id, calls)
    finally:
        session.close()
    return records, tuple(capabilities), calls


def _transport(mutant: Mutant) -> tuple[Calls, Transport]:
    if mutant.piped:
        command = [sys.executable, "-m", "conformance.mutants.adapter", mutant.name]
        return Calls(), ProcessTransport(mutant.name, command, {"PYTHONPATH": str(_ROOT)})
    adapter, calls = broken_adapter(mutant)
    make: Callable[[], Any] = lambda: adapter  # noqa: E731
    return calls, InProcessTransport(make)


def _record(
    test: Test, active: Collection[str], session: Session, specification: Specification, dialect: str
) -> TestRecord:
    """One test as a run of the suite does it, but for shrinking: what fails need not be small here.

    What only probes draws few examples: it shows that a fault reaches far, and decides nothing.
    """
    arguments = {test.parameter: test.variant} if test.parameter else {}
    came = runner.run(
        test.case,
        test.function,
        test.id,
        test.variant,
        arguments,
        session,
        specification,
        dialect,
        runner.Drawing(PROBE_EXAMPLES if test.probes else None, shrink=False),
    )
    return TestRecord(
        id=test.id,
        requirements=test.case.requirements,
        units=tuple(unit for unit in test.units if unit in active),
        verdict=Verdict(came.verdict),
        kind=FailureKind(came.kind) if came.kind else None,
        message=came.message,
        exception=came.exception,
        examples=came.examples,
        seconds=came.seconds,
    )
