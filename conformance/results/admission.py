"""Which results files may be judged once more: whole ones, of this suite, and if there are two, of one and the same.

Everything else is refused with the reason and what to do; an answer that was cut off is no answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

import conformance
from conformance.results.conditions import facts_of
from conformance.results.expectations import Expectations
from conformance.results.findings import requirement_of
from conformance.results.judge import Judgement, judge, unjudged
from conformance.results.model import Results, ResultsError, Run, footer_of
from conformance.results.verdict import FAILURES, Verdict
from conformance.spec import Specification

AGAIN = "make it again with keras-conformance run … --output"
SHOWN_GAPS = 6


@dataclass(frozen=True)
class _Hello:
    """What is looked at in an implementation's answer to ``hello``."""

    name: str | None = None
    version: str | None = None
    python: str | None = None
    capabilities: list[str] | None = None
    libraries: dict[str, str] | None = None


_HELLO = TypeAdapter(_Hello)


def read_ended(path: Path, specification: Specification, *, like: Results | None = None) -> Results:
    """The results document ``path``, which came to its end; what it says may be incomplete, and it says so.

    ``like`` is another document, of whose suite it must be. Raises :class:`ResultsError`.
    """
    results = _read(path, specification, like)
    _footer_agrees(path, results)
    return results


def read_whole(path: Path, specification: Specification, *, like: Results | None = None) -> Results:
    """As :func:`read_ended`, and raises :class:`ResultsError` for one that does not say everything there is to say."""
    results = _read(path, specification, like)
    gaps = footer_of(results.runs).gaps or _units_without_tests(results, specification)
    if gaps:
        told = [*gaps[:SHOWN_GAPS], *([f"and {len(gaps) - SHOWN_GAPS} more"] if len(gaps) > SHOWN_GAPS else [])]
        raise ResultsError(f"{path}: not complete: {'; '.join(told)}; {AGAIN}, without a selection")
    _footer_agrees(path, results)
    return results


def judged_again(run: Run, specification: Specification, expectations: Expectations) -> tuple[Run, Judgement]:
    """``run`` as if it had been judged with ``expectations`` (none: as it is), and the judgement itself."""
    judgement = judge(
        [unjudged(test) for test in run.tests],
        specification,
        run.dialect,
        run.hello.get("capabilities"),
        expectations,
        facts=facts_of(run.hello, run.dialect),
    )
    return replace(run, tests=judgement.tests, units=judgement.units, problems=judgement.problems), judgement


def contradictions(run: Run, specification: Specification) -> dict[str, tuple[Verdict, Verdict]]:
    """Units of which ``run`` says something that its tests do not, whatever was expected: what it says, what they say."""
    again, _ = judged_again(run, specification, Expectations())
    found = {unit.unit: unit.verdict for unit in again.units}
    said = {unit.unit: unit.verdict for unit in run.units}
    return {
        name: (said[name], verdict)
        for name, verdict in found.items()
        if name in said and said[name] not in _FOLLOWING.get(verdict, (verdict,))
    }


# What expectations, and what is blocked by what, can make of a verdict.
_FAILED = (*FAILURES, Verdict.BLOCKED)
_FOLLOWING = {
    Verdict.PASS: (Verdict.PASS, Verdict.UNEXPECTED_PASS),
    **dict.fromkeys(_FAILED, (*_FAILED, Verdict.KNOWN_FAILURE, Verdict.UNEXPECTED_PASS, Verdict.UNSTABLE)),
}


def title(run: Run) -> str:
    """The run's name among others: ``reference (keras-2.4)``."""
    return f"{run.implementation} ({run.dialect})"


def _read(path: Path, specification: Specification, like: Results | None) -> Results:
    try:
        results = Results.read(path)
    except ResultsError as error:
        raise ResultsError(f"{error}; {AGAIN}") from error
    except (ValueError, RecursionError) as error:  # numbers of too many digits, brackets without end
        raise ResultsError(f"{path}: cannot be read as JSON: {error}") from error
    _same_suite(path, results, like)
    _known_runs(path, results, specification)
    if results.footer is None:
        raise ResultsError(f"{path}: there is no footer, so the file was cut off; {AGAIN}")
    return results


def _footer_agrees(path: Path, results: Results) -> None:
    if results.footer != footer_of(results.runs):
        raise ResultsError(f"{path}: the footer does not agree with what is above it; {AGAIN}")


def _same_suite(path: Path, results: Results, like: Results | None) -> None:
    version = results.suite.version
    if like and version != like.suite.version:
        raise ResultsError(
            f"{path}: of suite {version}, to be compared with results of suite {like.suite.version}: "
            "tests may have changed in between; make both with the same version"
        )
    if version != conformance.__version__:
        raise ResultsError(
            f"{path}: of suite {version}, and this is {conformance.__version__}: {AGAIN}, or install that version"
        )


def _known_runs(path: Path, results: Results, specification: Specification) -> None:
    for name, times in Counter(map(title, results.runs)).items():
        if times > 1:
            raise ResultsError(f"{path}: has {times} runs of {name}, expected one of each")
    for run in results.runs:
        if run.dialect not in specification.dialects:
            known = ", ".join(specification.dialects)
            raise ResultsError(f"{path}: {run.implementation} is judged in {run.dialect!r}, expected one of {known}")
        foreign = [unit.unit for unit in run.units if requirement_of(unit.unit) not in specification.requirements]
        if foreign:
            raise ResultsError(
                f"{path}: {title(run)} tells of {foreign[0]}, of which this specification says nothing: "
                f"it is of another suite; {AGAIN}"
            )
        try:
            _HELLO.validate_python(dict(run.hello))
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, ("hello", *fault["loc"])))
            raise ResultsError(f"{path}: {title(run)}: {place}: {fault['msg']}") from error


def _units_without_tests(results: Results, specification: Specification) -> tuple[str, ...]:
    """Units of which the document has a verdict, and no test that it could come from."""
    gaps: list[str] = []
    for run in results.runs:
        again, _ = judged_again(run, specification, Expectations())
        missing = [unit.unit for unit in again.units if unit.verdict is Verdict.NOT_RUN]
        if missing:
            gaps.append(f"{title(run)}: no test tells of {', '.join(missing[:3])}{' …' * (len(missing) > 3)}")
    return tuple(gaps)
