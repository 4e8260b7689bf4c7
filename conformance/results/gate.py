"""The gate: whether a results document may pass, and if not, each reason with what to do about it.

Every run is judged once more with the expectations as they are now, so that an entry added or deleted since counts. A
document passes when every verdict is an expected one; a baseline adds what may not get lost since: an implementation,
a claim. A failure that the baseline has too is still a failure: it passes once it is pinned, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from conformance.results.admission import contradictions, judged_again
from conformance.results.changes import Change, How, Of, changes
from conformance.results.conditions import facts_of
from conformance.results.expectations import Expectation, Expectations
from conformance.results.findings import command_again, requirement_of
from conformance.results.judge import Judgement, unjudged
from conformance.results.model import Results, Run, TestRecord, UnitVerdict
from conformance.results.upkeep import NOTHING, Source, Update
from conformance.results.verdict import FailureKind, Verdict
from conformance.spec import Specification

OLD = "fails in the baseline too"


class Reason(Enum):
    """Why a document does not pass, in the order in which they are told."""

    NEW_FAILURE = "new-failure"
    OTHER_FAILURE = "other-failure"
    UNSTABLE = "unstable"
    LOST = "lost"
    UNEXPLAINED = "unexplained"
    UNEXPECTED_PASS = "unexpected-pass"
    NO_MATCH = "no-match"
    BLOCKED = "blocked"

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self][0]

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _WORDS[self][1]


_WORDS = {
    Reason.NEW_FAILURE: (
        "new failure",
        "repair it; or, once it is understood, pin it with its reason (--update-expectations writes the entry)",
    ),
    Reason.OTHER_FAILURE: (
        "failure for another reason than the pinned one",
        "find out what changed; then repair it, or correct the entry: its kind, its pattern and its reason",
    ),
    Reason.UNSTABLE: ("unstable", "the same example passes and fails: find what it depends on; it cannot be pinned"),
    Reason.UNEXPLAINED: (
        "verdict that no test explains",
        "the file was changed since it was written: make it again with keras-conformance run … --output",
    ),
    Reason.LOST: ("lost since the baseline", "bring it back; or, if it was given up on purpose, make a new baseline"),
    Reason.UNEXPECTED_PASS: ("unexpected pass", "it is repaired: delete the entry (--update-expectations does)"),
    Reason.NO_MATCH: (
        "entry that matches nothing",
        "no test that was run is meant by it: delete it (--update-expectations does), or correct what it is about; "
        "one that is about some versions or one dialect alone says so in its condition",
    ),
    Reason.BLOCKED: ("follows from another failure", "look again when the units it depends on are repaired"),
}


@dataclass(frozen=True)
class Pinned:
    """An entry of an expectations file, and where it is: its first and last line, counted from 1."""

    file: Path
    first_line: int
    last_line: int
    kind: FailureKind
    match: str
    reason: str


@dataclass(frozen=True)
class Problem:
    """One reason why the document does not pass.

    ``name`` is the test, the unit, the claim or the implementation that it is about; ``requirements`` maps the id of
    each requirement concerned to its text; ``entries`` are what the expectations say about it; ``since`` says whether
    the baseline has it too (None without one).
    """

    reason: Reason
    implementation: str
    dialect: str
    name: str
    advice: str
    units: tuple[str, ...] = ()
    requirements: Mapping[str, str] | None = None
    verdict: Verdict | None = None
    kind: FailureKind | None = None
    message: str | None = None
    expected: str | None = None
    actual: str | None = None
    entries: tuple[Pinned, ...] = ()
    blocked_by: tuple[str, ...] = ()
    again: str | None = None
    since: str | None = None


@dataclass(frozen=True)
class Judged:
    """What was judged: an implementation in one dialect, with which expectations, and its units by verdict."""

    implementation: str
    dialect: str
    expectations: Path | None
    entries: int
    units: Mapping[Verdict, int]


@dataclass(frozen=True)
class Gate:
    """The answer. ``updates`` are the files that ``--update-expectations`` changed."""

    passed: bool
    judged: tuple[Judged, ...]
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...] | None = None
    updates: tuple[Update, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON values, as ``gate.schema.json`` beside this file describes them."""
        return TypeAdapter(Gate).dump_python(self, mode="json", exclude_none=True)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the answer; ``gate.schema.json`` is this, written down."""
    schema = TypeAdapter(Gate).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "keras-conformance gate"}


def gate(
    results: Results, sources: Mapping[str, Source], specification: Specification, baseline: Results | None = None
) -> Gate:
    """Judge ``results`` with the expectations in ``sources``, by implementation, and compare it with ``baseline``."""
    changed = None if baseline is None else changes(baseline, results, specification)
    problems: list[Problem] = []
    judged: list[Judged] = []
    for run in results.runs:
        source = sources.get(run.implementation, NOTHING)
        again, judgement = judged_again(run, specification, source.expectations)
        was = None if baseline is None else _run_like(run, baseline)
        examination = _Examination(again, judgement, source.expectations, specification, was)
        problems += examination.problems()
        problems += examination.unexplained(contradictions(run, specification))
        judged.append(
            Judged(run.implementation, run.dialect, source.file, len(source.expectations.entries), again.counts)
        )
    problems += _lost(changed or ())
    order = list(Reason)
    problems.sort(key=lambda one: (one.implementation, one.dialect, order.index(one.reason), one.since == OLD))
    return Gate(not problems, tuple(judged), tuple(problems), changed)


def _run_like(run: Run, others: Results) -> Run | None:
    key = (run.implementation, run.dialect)
    return next((other for other in others.runs if (other.implementation, other.dialect) == key), None)


@dataclass(frozen=True)
class _Examination:
    """One run, judged once more, and everything that tells why a verdict in it was not expected."""

    run: Run
    judgement: Judgement
    expectations: Expectations
    specification: Specification
    baseline: Run | None

    def problems(self) -> Iterator[Problem]:
        """Failures and instability a test, untrue entries one by one, mere consequences a unit."""
        units = {unit.unit: unit for unit in self.run.units}
        for test in self.run.tests:
            guilty = [units[name] for name in test.units if name in units and not units[name].verdict.is_expected]
            if guilty and all(unit.verdict is Verdict.BLOCKED for unit in guilty):
                continue
            if guilty and (test.verdict.is_failure or test.verdict is Verdict.UNSTABLE):
                yield self._failure(test, guilty)
        for entry in self.judgement.passing:
            yield self._untrue(Reason.UNEXPECTED_PASS, entry)
        for entry in self.judgement.unmatched:
            yield self._untrue(Reason.NO_MATCH, entry)
        for unit in units.values():
            if unit.verdict is Verdict.BLOCKED:
                yield self._problem(
                    Reason.BLOCKED, unit.unit, units=(unit.unit,), verdict=unit.verdict, blocked_by=unit.blocked_by
                )

    def unexplained(self, contradictions: Mapping[str, tuple[Verdict, Verdict]]) -> Iterator[Problem]:
        """What the document says of a unit and its tests do not."""
        for unit, (said, found) in contradictions.items():
            told = f"the unit's verdict is {said.label!r}; by its tests it is {found.label!r}"
            yield self._problem(Reason.UNEXPLAINED, unit, units=(unit,), verdict=said, message=told)

    def _failure(self, test: TestRecord, units: Sequence[UnitVerdict]) -> Problem:
        about = self.expectations.given(facts_of(self.run.hello, self.run.dialect)).concerning(test.id, test.units)
        names = tuple(unit.unit for unit in units)
        reason = Reason.OTHER_FAILURE if about else Reason.NEW_FAILURE
        return self._problem(
            Reason.UNSTABLE if test.verdict is Verdict.UNSTABLE else reason,
            test.id,
            units=names,
            verdict=test.verdict,
            kind=test.kind,
            message=test.message,
            expected=test.expected,
            actual=test.actual,
            entries=tuple(map(pinned, about)),
            again=command_again(self.run, names[0], [test], self.specification),
            since=self._since(test),
        )

    def _untrue(self, reason: Reason, entry: Expectation) -> Problem:
        units = (entry.unit,) if entry.unit else tuple(self._units_of(entry.test))
        return self._problem(
            reason, entry.test or entry.unit or "", units=units, message=entry.deletion, entries=(pinned(entry),)
        )

    def _units_of(self, test: str | None) -> Iterable[str]:
        return dict.fromkeys(unit for record in self.run.tests if record.id == test for unit in record.units)

    def _problem(self, reason: Reason, name: str, *, units: tuple[str, ...], **facts: Any) -> Problem:
        known = self.specification.requirements
        concerned = (requirement_of(unit) for unit in units)
        texts = {name: f"{known[name].level}: {known[name].text}" for name in concerned if name in known}
        return Problem(
            reason,
            self.run.implementation,
            self.run.dialect,
            name,
            reason.advice,
            units=units,
            requirements=texts or None,
            **facts,
        )

    def _since(self, test: TestRecord) -> str | None:
        if self.baseline is None:
            return None
        before = [unjudged(record) for record in self.baseline.tests if record.id == test.id]
        failures = [record for record in before if record.verdict.is_failure]
        if any(record.kind is test.kind for record in failures):
            return OLD
        if failures:
            return f"failed otherwise in the baseline ({', '.join(record.verdict.label for record in failures)})"
        return "does not fail in the baseline"


def pinned(entry: Expectation) -> Pinned:
    """The entry as it is shown."""
    return Pinned(entry.path, *entry.lines, entry.kind, entry.match, entry.reason)


def _lost(changed: Iterable[Change]) -> Iterator[Problem]:
    """An implementation that is not there any more, and a claim that was given up with the units that needed it."""
    changed = tuple(changed)
    for change in changed:
        if change.how is not How.GONE or change.of not in (Of.IMPLEMENTATION, Of.CAPABILITY):
            continue
        what = "the implementation" if change.of is Of.IMPLEMENTATION else "the claim"
        yield Problem(
            Reason.LOST,
            change.implementation,
            change.dialect,
            f"{what} {change.name}",
            Reason.LOST.advice,
        )
