"""The whole judgement of one run: records in, verdicts out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from conformance.results.blocked import dependencies, mark_blocked
from conformance.results.expectations import UNLIKE, Expectation, Expectations
from conformance.results.findings import requirement_of
from conformance.results.model import TestRecord, UnitVerdict
from conformance.results.units import unit_verdicts
from conformance.results.verdict import FailureKind, Verdict, worst
from conformance.spec import Specification


@dataclass(frozen=True)
class Scope:
    """How much of the suite was run: the whole of it, or at least all tests of some ``requirements``.

    What was left out can neither confirm nor contradict an expectation.
    """

    whole: bool = True
    requirements: frozenset[str] = frozenset()

    def decides(self, entry: Expectation) -> bool:
        """Whether every test that the entry covers was run."""
        return self.whole or entry.test is not None or requirement_of(entry.unit or "") in self.requirements


WHOLE = Scope()
NO_FACTS: Mapping[str, Version] = {}


@dataclass(frozen=True)
class Judgement:
    """Tests and units with their final verdicts, and the entries of the expectations that turned out to be untrue.

    ``passing`` cover tests that all pass; ``unmatched`` cover none.
    """

    tests: tuple[TestRecord, ...]
    units: tuple[UnitVerdict, ...]
    passing: tuple[Expectation, ...] = ()
    unmatched: tuple[Expectation, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the expectations themselves, for people."""
        return tuple(
            f"{entry.where}: {entry.target} matches no test that was run; {entry.deletion}" for entry in self.unmatched
        )


def judge(
    records: Sequence[TestRecord],
    specification: Specification,
    dialect: str,
    capabilities: Collection[str] | None,
    expectations: Expectations,
    scope: Scope = WHOLE,
    facts: Mapping[str, Version] = NO_FACTS,
) -> Judgement:
    """Known failures are told from failures, units get the worst of their tests, what follows from a failure is marked.

    ``facts`` are what the conditions of expectations are about. The order of ``records`` plays no part in any verdict.
    """
    applied = expectations.given(facts).apply(records)
    passing = [entry for entry in applied.passing if scope.decides(entry)]
    unmatched = applied.unmatched if scope.whole else ()
    tests = tuple(_unexpected_pass(record, passing) for record in applied.records)
    units = unit_verdicts(tests, specification, dialect, capabilities)
    units = [_with_expectation(unit, tests, passing) for unit in units]
    return Judgement(
        tests,
        tuple(mark_blocked(units, dependencies(specification))),
        tuple(passing),
        unmatched,
    )


def unjudged(record: TestRecord) -> TestRecord:
    """The record as the suite wrote it, before any expectation was looked at."""
    notes = tuple(note for note in record.notes if not note.startswith(UNLIKE))
    plain = replace(record, notes=notes, expectation=None)
    if record.verdict is Verdict.UNEXPECTED_PASS:
        return replace(plain, verdict=Verdict.PASS, message=None)
    if record.verdict is Verdict.KNOWN_FAILURE:
        return replace(plain, verdict=_VERDICTS.get(record.kind, Verdict.FAIL))
    return plain


_VERDICTS: dict[FailureKind | None, Verdict] = {
    FailureKind.CRASH: Verdict.CRASH,
    FailureKind.TIMEOUT: Verdict.TIMEOUT,
}


def _unexpected_pass(record: TestRecord, passing: Sequence[Expectation]) -> TestRecord:
    """An entry that names a test is about that test; one that names a unit only is about the unit."""
    for entry in passing:
        if entry.test and record.verdict is Verdict.PASS and entry.covers(record.id, record.units):
            return replace(record, verdict=Verdict.UNEXPECTED_PASS, message=_stale(entry), expectation=entry.where)
    return record


def _with_expectation(unit: UnitVerdict, tests: Sequence[TestRecord], passing: Sequence[Expectation]) -> UnitVerdict:
    for entry in passing:
        if entry.unit == unit.unit and not entry.test:
            verdict = worst((unit.verdict, Verdict.UNEXPECTED_PASS))
            return replace(unit, verdict=verdict, expectation=entry.where, message=_stale(entry))
    told = {test.expectation for test in tests if unit.unit in test.units and test.verdict is unit.verdict}
    return replace(unit, expectation=min(filter(None, told), default=None))


def _stale(entry: Expectation) -> str:
    return f"passes, and was expected to fail ({entry.kind.value} /{entry.match}/): {entry.deletion}"
