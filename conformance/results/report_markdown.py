"""Results as Markdown: what a pull request or a CI step's summary shows.

GitHub's dialect. Whatever an implementation said stands in code, fenced by more backticks than it has itself, so that
it can neither look like a heading of ours nor become a link.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from conformance.results.findings import Finding, findings, requirement_of
from conformance.results.model import Run, TestRecord
from conformance.results.report_words import answer, gaps_of, problems_of, title, versions
from conformance.results.table import ALL, counts_by_chapter, cut
from conformance.results.verdict import Verdict, by_severity
from conformance.spec import Specification

# A step summary may have one megabyte; the results file has everything.
SHOWN_FINDINGS = 50
SHOWN_LENGTH = 2000


def markdown(runs: Sequence[Run], specification: Specification) -> str:
    """The report on ``runs``."""
    found = [finding for run in runs for finding in findings(run, specification)]
    parts = [
        ["# Keras conformance", answer(runs)],
        list(_gaps(runs)),
        ["\n".join(_table(runs, specification)), _legend(runs, specification)],
        list(_unexpected(runs, found)),
        list(_known(runs)),
        ["## Implementations", "\n".join(_implementations(runs))],
    ]
    return "\n\n".join(block for part in parts for block in part if block) + "\n"


def _gaps(runs: Sequence[Run]) -> Iterator[str]:
    gaps = gaps_of(runs)
    if gaps:
        yield "> **Not complete.** What is missing is not known to be right.\n>\n" + "\n".join(
            f"> * {_plain(gap)}" for gap in gaps
        )


def _table(runs: Sequence[Run], specification: Specification) -> Iterator[str]:
    columns = [counts_by_chapter(run, specification) for run in runs]
    yield _row(["chapter", *(f"{_plain(run.implementation)}<br>{_plain(run.dialect)}" for run in runs)])
    yield _row(["---"] * (len(runs) + 1))
    for chapter in (*specification.chapters, ALL):
        cells = [_counts(column[chapter]) for column in columns]
        if any(cells):
            bold = "**" if chapter == ALL else ""
            yield _row([f"{bold}{chapter}{bold}", *cells])


def _counts(counts: Counter[Verdict]) -> str:
    return " ".join(f"{counts[verdict]} {verdict.symbol}" for verdict in _in_order(counts) if counts[verdict])


def _in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Passes first, then the worst first."""
    return sorted(verdicts, key=lambda verdict: (verdict is not Verdict.PASS, by_severity(verdict)))


def _legend(runs: Sequence[Run], specification: Specification) -> str:
    seen = {verdict for run in runs for verdict in counts_by_chapter(run, specification)[ALL]}
    told = " · ".join(f"{verdict.symbol} {verdict.label}: {verdict.meaning}" for verdict in _in_order(seen))
    return f"Units (a requirement in one format) of each chapter by verdict. {told}" if seen else ""


def _unexpected(runs: Sequence[Run], found: Sequence[Finding]) -> Iterator[str]:
    problems = problems_of(runs)
    if not found and not problems:
        return
    yield "## Not expected"
    told: dict[tuple[str, str, str], str] = {}
    full = [finding for finding in found if finding.unit.verdict is not Verdict.BLOCKED]
    for finding in full[:SHOWN_FINDINGS]:
        yield from _finding(finding, told)
    if len(full) > SHOWN_FINDINGS:
        yield f"And {len(full) - SHOWN_FINDINGS} more; the results file has all."
    blocked = [finding for finding in found if finding.unit.verdict is Verdict.BLOCKED]
    if blocked:
        yield "### Follows from these\n\n" + "\n".join(
            f"* `{finding.unit.unit}` of {_plain(title(finding.run))}: blocked by "
            + ", ".join(f"`{name}`" for name in finding.unit.blocked_by)
            for finding in blocked
        )
    if problems:
        yield "### Entries of the expectations\n\n" + "\n".join(f"* {_code(problem)}" for problem in problems)


def _finding(finding: Finding, told: dict[tuple[str, str, str], str]) -> Iterator[str]:
    """One failure can concern several units: ``told`` remembers under which a test's has been shown already."""
    unit, requirement = finding.unit, finding.requirement
    yield f"### {unit.verdict.symbol} {unit.verdict.label}: `{unit.unit}`, {_plain(title(finding.run))}"
    yield f"> **{requirement.level}** {_plain(requirement.text)} ({_plain(requirement.source)})"
    if unit.message:
        yield _code(unit.message)
    for test in finding.tests:
        key = (finding.run.implementation, finding.run.dialect, test.id)
        kind = f" ({test.kind.value})" if test.kind else ""
        if key in told:
            yield f"{_code(test.id)}{kind}: the failure shown under `{told[key]}`"
            continue
        told[key] = unit.unit
        yield f"{_code(test.id)}{kind}"
        yield _fenced("\n".join(_lines(test)))
    yield _fenced(finding.again, "sh")


def _lines(test: TestRecord) -> Iterator[str]:
    message = (test.message or "").split("\n  expected: ")[0] if test.expected else test.message or ""
    yield cut(message) or "no message"
    for name, text in (("expected", test.expected), ("actual", test.actual)):
        if text:
            yield f"{name + ':':<10}{cut(text)}"
    yield from map(cut, test.notes)


def _known(runs: Sequence[Run]) -> Iterator[str]:
    known = [(run, [unit for unit in run.units if unit.verdict is Verdict.KNOWN_FAILURE]) for run in runs]
    if not any(units for _, units in known):
        return
    yield "## Known failures"
    for run, units in known:
        if units:
            lines = "\n".join(f"* `{unit.unit}`: {_code(unit.expectation or 'pinned')}" for unit in units)
            yield f"<details><summary>{_plain(title(run))}: {len(units)}</summary>\n\n{lines}\n\n</details>"


def _implementations(runs: Sequence[Run]) -> Iterator[str]:
    yield _row(["implementation", "dialect", "versions", "requirements that hold", "seconds"])
    yield _row(["---"] * 5)
    for run in runs:
        requirements: dict[str, set[Verdict]] = {}
        for unit in run.units:
            requirements.setdefault(requirement_of(unit.unit), set()).add(unit.verdict)
        hold = sum(Verdict.PASS in verdicts and verdicts <= _HOLDS for verdicts in requirements.values())
        judged = sum(bool(verdicts - {Verdict.NOT_APPLICABLE}) for verdicts in requirements.values())
        cells = [run.implementation, run.dialect, versions(run), f"{hold} of {judged}", f"{run.seconds:.0f}"]
        yield _row(map(_plain, cells))


_HOLDS = {Verdict.PASS, Verdict.NOT_APPLICABLE}


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """``text`` as text: nothing in it is markup, and it stays on its line."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """``text`` on one line, as code; in a table too."""
    text = " ".join(text.split())[:SHOWN_LENGTH]
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _fenced(text: str, language: str = "text") -> str:
    text = text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]} …"
    ticks = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"
