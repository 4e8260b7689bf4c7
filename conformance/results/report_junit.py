"""Results as JUnit XML, for whatever shows test results: a suite an implementation and dialect, a case a test.

An expected failure and what is not claimed are skipped, with the reason; a crash or a timeout is an error; an
unexpected pass is a failure. What is missing is an error of its own, so that no incomplete run looks like a whole one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from conformance.results.model import Run, TestRecord
from conformance.results.report_words import title, versions
from conformance.results.verdict import Verdict

_OUTCOMES = {
    Verdict.PASS: None,
    Verdict.CRASH: "error",
    Verdict.TIMEOUT: "error",
    Verdict.NOT_RUN: "error",
    Verdict.FAIL: "failure",
    Verdict.UNSTABLE: "failure",
    Verdict.UNEXPECTED_PASS: "failure",
    Verdict.BLOCKED: "failure",
    Verdict.KNOWN_FAILURE: "skipped",
    Verdict.NOT_CLAIMED: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
}

# What XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Case:
    """One ``testcase``. ``outcome`` is the element in it, None for a pass."""

    group: str
    name: str
    outcome: str | None
    message: str = ""
    kind: str = ""
    text: str = ""
    seconds: float = 0.0
    requirements: Sequence[str] = ()


def junit(runs: Sequence[Run]) -> str:
    """The report on ``runs``."""
    suites = [_suite(run) for run in runs]
    root = ElementTree.Element("testsuites", {"name": "keras-conformance", **_summed(suites)})
    root.extend(suites)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _summed(suites: Sequence[ElementTree.Element]) -> dict[str, str]:
    names = ("tests", "failures", "errors", "skipped")
    whole = {name: str(sum(int(suite.get(name, 0)) for suite in suites)) for name in names}
    return {**whole, "time": f"{sum(float(suite.get('time', 0)) for suite in suites):.3f}"}


def _suite(run: Run) -> ElementTree.Element:
    cases = [*_faults(run), *map(_case, run.tests)]
    counts = Counter(case.outcome for case in cases)
    facts = {
        "tests": len(cases),
        "failures": counts["failure"],
        "errors": counts["error"],
        "skipped": counts["skipped"],
    }
    element = ElementTree.Element(
        "testsuite",
        {"name": _text(title(run)), **{name: str(n) for name, n in facts.items()}, "time": f"{run.seconds:.3f}"},
    )
    _properties(
        element, [("implementation", run.implementation), ("dialect", run.dialect), ("versions", versions(run))]
    )
    for case in cases:
        element.append(_element(case))
    return element


def _faults(run: Run) -> Iterator[_Case]:
    """What is wrong with the run as a whole."""
    if run.start_failure:
        stderr = f"\n{run.start_failure.stderr}" if run.start_failure.stderr else ""
        yield _Case("run", "starts", "error", "could not be started", "start", run.start_failure.text + stderr)
    for gap in run.gaps if not run.start_failure else ():
        outcome = "error" if run.exit_code > 1 else "skipped"  # a selection was asked for
        yield _Case("run", "is complete", outcome, gap.splitlines()[0], "incomplete", gap)
    for problem in run.problems:
        yield _Case("expectations", problem.split(" matches")[0], "failure", problem, "no-match", problem)


def _case(test: TestRecord) -> _Case:
    file, _, name = test.id.partition("::")
    message = (test.message or "").strip() or test.verdict.meaning
    if test.verdict is Verdict.KNOWN_FAILURE:
        message = f"known failure ({test.expectation}): {message}"
    sides = ((name, text) for name, text in (("expected", test.expected), ("actual", test.actual)) if text)
    lines = [message, *(f"{name}: {text}" for name, text in sides), *test.notes]
    return _Case(
        group=file.removesuffix(".py"),
        name=name or test.id,
        outcome=_OUTCOMES[test.verdict],
        message=message.splitlines()[0],
        kind=test.kind.value if test.kind else test.verdict.value,
        text="\n".join(lines),
        seconds=test.seconds,
        requirements=test.requirements,
    )


def _element(case: _Case) -> ElementTree.Element:
    facts = {"classname": _text(case.group), "name": _text(case.name), "time": f"{case.seconds:.3f}"}
    element = ElementTree.Element("testcase", facts)
    _properties(element, [("requirement", name) for name in case.requirements])
    if case.outcome == "skipped":
        ElementTree.SubElement(element, "skipped", {"message": _text(case.message)})
    elif case.outcome:
        inner = ElementTree.SubElement(
            element, case.outcome, {"message": _text(case.message), "type": _text(case.kind)}
        )
        inner.text = _text(case.text)
    return element


def _properties(element: ElementTree.Element, facts: Sequence[tuple[str, str]]) -> None:
    facts = [(name, value) for name, value in facts if value]
    if facts:
        inner = ElementTree.SubElement(element, "properties")
        for name, value in facts:
            ElementTree.SubElement(inner, "property", {"name": name, "value": _text(value)})


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
