"""Results as one HTML page: a matrix requirement × implementation, who reads whose files, and every failure.

The page holds all it needs and asks no network. Without JavaScript it is whole, only not filtered. What it shows is
put together here as plain values; how it looks is in templates/report.html, .css and .js.
"""

from __future__ import annotations

import difflib
import html as entities
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from conformance.results.findings import command_again, requirement_of
from conformance.results.model import Run, TestRecord, UnitVerdict
from conformance.results.report_words import answer, gaps_of, problems_of, title, versions
from conformance.results.verdict import Verdict, by_severity, worst
from conformance.spec import Requirement, Specification

if TYPE_CHECKING:
    from conformance.results.exchange import Exchange

# A page of 2 MB opens at once. Scripts are most of it: of those that do not fit, the results file has the text.
LARGEST = 1_950_000
LONGEST_SCRIPT = 12_000
SCRIPT_FRAME = 300  # the markup around one
SHOWN_LENGTH = 1_500
SHOWN_VARIANTS = 3
GIST = 140

_TOLD = {Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.NOT_CLAIMED}


@dataclass(frozen=True)
class Column:
    """One run: an implementation in a dialect."""

    key: str
    name: str
    dialect: str
    versions: str
    seconds: float
    counts: Sequence[tuple[Verdict, int]]
    note: str

    @property
    def total(self) -> int:
        """How many units were judged."""
        return sum(number for _, number in self.counts)


@dataclass(frozen=True)
class Cell:
    """A requirement in one run: the worst of its units, and the variants whose verdict is not that of a pass."""

    verdict: Verdict | None
    variants: Sequence[tuple[Verdict, str]] = ()
    more: int = 0
    target: str = ""

    @property
    def words(self) -> str:
        """The cell in words."""
        if self.verdict is None:
            return "no verdict"
        told = ", ".join(f"{variant} {verdict.label}" for verdict, variant in self.variants)
        return f"{self.verdict.label}{f': {told}' if told else ''}{f' and {self.more} more' if self.more else ''}"


@dataclass(frozen=True)
class Row:
    """A requirement, and its cell for each column."""

    requirement: Requirement
    cells: Sequence[Cell]

    @property
    def verdicts(self) -> str:
        """What the filter looks at: ``run-1:pass run-2:fail``."""
        return " ".join(f"{n}:{cell.verdict.value}" for n, cell in enumerate(self.cells) if cell.verdict)

    @property
    def text(self) -> str:
        """What the search looks at."""
        found = self.requirement
        return f"{found.id} {found.text} {found.source} {' '.join(found.formats)}".lower()


@dataclass(frozen=True)
class Failure:
    """One test that failed, and all it decides."""

    key: str
    column: Column
    verdict: Verdict
    test: TestRecord
    units: Sequence[UnitVerdict]
    requirements: Sequence[Requirement]
    message: str
    sides: tuple[Sequence[tuple[bool, str]], Sequence[tuple[bool, str]]] | None
    again: str
    script: str | None
    script_left_out: bool

    @property
    def gist(self) -> str:
        """The first line of the message, for the list."""
        return self.message.partition("\n")[0][:GIST]

    @property
    def reasons(self) -> list[str]:
        """What the expectations say of it, and what it follows from."""
        told = [unit.message for unit in self.units if unit.message]
        told += [f"follows from {', '.join(unit.blocked_by)}" for unit in self.units if unit.blocked_by]
        return list(
            dict.fromkeys([*told, *([f"expected by {self.test.expectation}"] if self.test.expectation else [])])
        )


def html(runs: Sequence[Run], specification: Specification, exchanges: Sequence[Exchange] = ()) -> str:
    """The page on ``runs``; ``exchanges`` are tables producer × consumer, one a format."""
    page = _html(runs, specification, exchanges, 0)
    room = LARGEST - len(page.encode())
    return (
        _html(runs, specification, exchanges, room) if any(test.script for run in runs for test in run.tests) else page
    )


def _html(runs: Sequence[Run], specification: Specification, exchanges: Sequence[Exchange], room: int) -> str:
    """The page with ``room`` bytes of scripts."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    columns = [_column(number, run) for number, run in enumerate(runs)]
    failures = _failures(runs, columns, specification, room)
    anchors: dict[tuple[str, str], str] = {}
    for failure in failures:
        for unit in failure.units:
            anchors.setdefault((failure.column.key, requirement_of(unit.unit)), failure.key)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    rows = [_row(requirement, runs, columns, anchors) for requirement in specification.requirements.values()]
    verdicts = sorted({cell.verdict for row in rows for cell in row.cells if cell.verdict}, key=by_severity)
    return environment.from_string(_file("report.html")).render(
        answer=answer(runs),
        gaps=gaps_of(runs),
        problems=problems_of(runs),
        columns=columns,
        chapters=list(_chapters(rows, specification)),
        verdicts=verdicts,
        formats=specification.formats,
        unexpected=[failure for failure in failures if not failure.verdict.is_expected],
        known=[(column, [one for one in failures if one.column is column and one.verdict.is_expected]) for column in columns],
        exchanges=exchanges,
        style=Markup(_file("report.css")),
        script=Markup(_file("report.js")),
    )  # fmt: skip


def _file(name: str) -> str:
    return files("conformance.results").joinpath("templates", name).read_text(encoding="utf-8")


def _chapters(rows: Sequence[Row], specification: Specification) -> Iterator[tuple[str, str, list[Row]]]:
    for chapter in specification.chapters.values():
        mine = [row for row in rows if row.requirement.chapter == chapter.id]
        if any(cell.verdict for row in mine for cell in row.cells):
            yield chapter.id, chapter.title, mine


def _column(number: int, run: Run) -> Column:
    counts = sorted(run.counts.items(), key=lambda item: (item[0] is not Verdict.PASS, by_severity(item[0])))
    note = ""
    if run.start_failure:
        note = f"could not be started: {run.start_failure.text}"
    elif run.interruption:
        note = f"stopped early: {run.interruption}"
    return Column(str(number), run.implementation, run.dialect, versions(run), run.seconds, counts, note)


def _row(
    requirement: Requirement,
    runs: Sequence[Run],
    columns: Sequence[Column],
    anchors: Mapping[tuple[str, str], str],
) -> Row:
    return Row(
        requirement,
        [
            _cell([unit for unit in run.units if requirement_of(unit.unit) == requirement.id],
                  anchors.get((column.key, requirement.id), ""))
            for run, column in zip(runs, columns, strict=True)
        ],
    )  # fmt: skip


def _cell(units: Sequence[UnitVerdict], target: str) -> Cell:
    if not units:
        return Cell(None)
    verdict = worst(unit.verdict for unit in units)
    told = [(unit.verdict, unit.unit.partition("[")[2].rstrip("]")) for unit in units if unit.verdict not in _TOLD]
    if len(told) == len(units) and len({one for one, _ in told}) == 1:
        told = []  # all the same: the verdict says it
    told = sorted((one for one in told if one[1]), key=lambda one: by_severity(one[0]))
    return Cell(verdict, told[:SHOWN_VARIANTS], max(0, len(told) - SHOWN_VARIANTS), target)


def _failures(runs: Sequence[Run], columns: Sequence[Column], specification: Specification, room: int) -> list[Failure]:
    """All tests that failed, the worst first, each once."""
    found = [
        (test, run, column)
        for run, column in zip(runs, columns, strict=True)
        for test in run.tests
        if test.verdict not in _TOLD and test.verdict is not Verdict.NOT_RUN
    ]
    found.sort(key=lambda item: by_severity(item[0].verdict))
    failures: list[Failure] = []
    for number, (test, run, column) in enumerate(found):
        size = len(entities.escape(test.script or "").encode()) + SCRIPT_FRAME
        script = test.script if test.script and len(test.script) <= LONGEST_SCRIPT and size <= room else None
        room -= size if script else 0
        failures.append(_failure(f"f{number}", test, run, column, specification, script))
    return failures


def _failure(
    key: str, test: TestRecord, run: Run, column: Column, specification: Specification, script: str | None
) -> Failure:
    units = [unit for unit in run.units if unit.unit in test.units]
    message = (test.message or "").split("\n  expected: ")[0] if test.expected else test.message or ""
    return Failure(
        key=key,
        column=column,
        verdict=test.verdict,
        test=test,
        units=units,
        requirements=[specification.requirements[name] for name in test.requirements],
        message=_cut(message),
        sides=_compared(_cut(test.expected), _cut(test.actual or "")) if test.expected else None,
        again=command_again(run, test.units[0], [test], specification) if test.units else "",
        script=script,
        script_left_out=bool(test.script) and script is None,
    )


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]} …"


def _compared(expected: str, actual: str) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """Both texts in pieces, each with whether it differs from the other text."""
    left, right = (re.findall(r"[\w.+-]+|\s+|.", text, re.DOTALL) for text in (expected, actual))
    pieces: tuple[list[tuple[bool, str]], list[tuple[bool, str]]] = ([], [])
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, text in zip(pieces, ("".join(left[a:b]), "".join(right[c:d])), strict=True):
            if text:
                side.append((kind != "equal", text))
    return pieces


__all__ = ["html", "title"]
