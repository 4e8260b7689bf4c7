"""What a person sees at the end of a run: chapters × implementations, a legend, and what was not expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.results.findings import Finding, findings, requirement_of
from conformance.results.model import Results, Run
from conformance.results.verdict import Verdict, by_severity
from conformance.spec import Specification

WIDTH = 100
ALL = "all"
EXIT_MEANING = {
    0: "everything was as expected",
    1: "a verdict was not expected",
    2: "the run is not complete",
    3: "an implementation could not be started",
}

# A value of a weight can be very long; the results file has all of it.
SHOWN_LINES = 12


def counts_by_chapter(run: Run, specification: Specification) -> dict[str, Counter[Verdict]]:
    """Chapter → how many of its units have each verdict, in the order of the specification, then "all" of them.

    Where a selection left tests out, only units are counted of which a test tells.
    """
    told = {unit for test in run.tests for unit in test.units}
    counts: dict[str, Counter[Verdict]] = {chapter: Counter() for chapter in (*specification.chapters, ALL)}
    for unit in run.units:
        if unit.unit in told or not run.selection:
            chapter = specification.requirements[requirement_of(unit.unit)].chapter
            counts[chapter][unit.verdict] += 1
            counts[ALL][unit.verdict] += 1
    return counts


def summary(results: Results, specification: Specification, width: int = WIDTH) -> Group:
    """The table (or several, if the implementations do not fit beside each other) and its legend."""
    runs = [run for run in results.runs if run.units]
    parts: list[RenderableType] = [*_tables(runs, specification, width)]
    if runs:
        parts.append(_legend(runs, specification))
    return Group(*parts)


def _tables(runs: Sequence[Run], specification: Specification, width: int) -> Iterator[RenderableType]:
    columns = [_column(run, specification) for run in runs]
    chapters = [*specification.chapters, ALL]
    first = max(map(len, chapters), default=0) + 2
    while columns:
        fitting, used = 0, first
        for column in columns:
            used += max(cell.cell_len for cell in column) + 3
            if fitting and used > width:
                break
            fitting += 1
        shown, columns = columns[:fitting], columns[fitting:]
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
        table.add_column("chapter", no_wrap=True)
        for name, *_cells in shown:
            table.add_column(name, no_wrap=True)
        for row, chapter in enumerate(chapters, start=1):
            cells = [column[row] for column in shown]
            if any(cells):
                table.add_row(Text(chapter, "bold" if chapter == ALL else ""), *cells)
        yield table
        if columns:
            yield Text()


def _column(run: Run, specification: Specification) -> list[Text]:
    """Header and cells of a run's column."""
    return [
        Text(f"{run.implementation}\n{run.dialect}"),
        *(counts_text(counts) for counts in counts_by_chapter(run, specification).values()),
    ]


def counts_text(counts: Counter[Verdict]) -> Text:
    """``41✓ 2✗ 3-``: passes first, then the worst first."""
    order = sorted(counts, key=lambda verdict: (verdict is not Verdict.PASS, by_severity(verdict)))
    return Text(" ").join(
        Text(f"{counts[verdict]}{verdict.symbol}", verdict.style) for verdict in order if counts[verdict]
    )


def _legend(runs: Sequence[Run], specification: Specification) -> Text:
    seen = {verdict for run in runs for verdict in counts_by_chapter(run, specification)[ALL]}
    lines = [
        Text.assemble((verdict.symbol, verdict.style), f" {verdict.label}: {verdict.meaning}")
        for verdict in sorted(seen, key=lambda verdict: (verdict is not Verdict.PASS, by_severity(verdict)))
    ]
    return Text("\n").join([Text("\nunits of each chapter by verdict", "bold"), *lines])


def unexpected(results: Results, specification: Specification) -> Group:
    """Every verdict that was not expected, an implementation's together; mere consequences come last, in short."""
    parts: list[RenderableType] = []
    for run in results.runs:
        parts += _start_failure(run)
        found = findings(run, specification)
        shown: dict[str, str] = {}
        for finding in found:
            if finding.unit.verdict is not Verdict.BLOCKED:
                parts.append(_finding(finding, shown))
        parts += [_blocked(finding) for finding in found if finding.unit.verdict is Verdict.BLOCKED]
        parts += [Text.assemble(("expectation  ", "bold red"), problem) for problem in run.problems]
    return Group(*parts)


def _start_failure(run: Run) -> Iterator[RenderableType]:
    if run.start_failure:
        yield Text.assemble("\n", (f"{run.implementation}: could not be started", "bold red"))
        yield Padding(Text(run.start_failure.text), (0, 0, 0, 2))
        if run.start_failure.stderr:
            yield Padding(Text(run.start_failure.stderr.rstrip(), "dim"), (0, 0, 0, 4))


def _blocked(finding: Finding) -> Text:
    verdict = finding.unit.verdict
    told = (f"{verdict.symbol} {verdict.label}  ", verdict.style)
    return Text.assemble(told, (finding.unit.unit, "bold"), f" by {', '.join(finding.unit.blocked_by)}")


def _finding(finding: Finding, shown: dict[str, str]) -> Group:
    """One failure can concern several units: ``shown`` remembers under which a test's has been printed already."""
    verdict = finding.unit.verdict
    requirement = finding.requirement
    told = (f"{verdict.symbol} {verdict.label}", verdict.style)
    title = Text.assemble("\n", told, "  ", (finding.unit.unit, "bold"), f"  {finding.run.implementation}")
    rows: list[tuple[str, str]] = [(requirement.level, f"{requirement.text} [{requirement.source}]")]
    if finding.unit.message:
        rows.append(("expected", finding.unit.message))
    for test in finding.tests:
        rows.append(("test", test.id if not test.kind else f"{test.id} ({test.kind.value})"))
        if test.id in shown:
            rows.append(("", f"the failure shown under {shown[test.id]}"))
            continue
        shown[test.id] = finding.unit.unit
        # A comparison's message ends with both sides, which have lines of their own here.
        message = (test.message or "").split("\n  expected: ")[0] if test.expected else test.message
        parts = {"message": message, "expected": test.expected, "actual": test.actual}
        rows += [(name, cut(text)) for name, text in parts.items() if text]
        rows += [("note", cut(note)) for note in test.notes]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True, min_width=8)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, Text(text))
    # The command stays on one line, however long, to be copied.
    again = Text.assemble(("  again     ", "dim"), finding.again, no_wrap=True, overflow="ignore")
    return Group(title, Padding(grid, (0, 0, 0, 2), expand=False), again)


def cut(text: str) -> str:
    """``text``, or as many of its first lines as are shown, and how many more there are."""
    lines = text.strip("\n").splitlines()
    if len(lines) > SHOWN_LINES:
        lines[SHOWN_LINES:] = [f"… {len(lines) - SHOWN_LINES} more lines"]
    return "\n".join(lines)


def closing_line(results: Results, exit_code: int | None = None) -> Text:
    """The last words: what is missing, the counts of what was not expected, the exit code and its meaning."""
    code = results.exit_code if exit_code is None else exit_code
    bad = sum(count for run in results.runs for verdict, count in run.counts.items() if verdict.exit_code == 1)
    gaps = results.footer.gaps if results.footer else ("the document has no footer",)
    lines = [Text(f"not complete: {gap}", "yellow") for gap in gaps]
    verdicts = f"{bad} unexpected verdict{'s' * (bad != 1)}"
    style = "bold green" if code == 0 else "bold red"
    lines.append(Text(f"{verdicts}; exit {code}: {EXIT_MEANING.get(code, 'interrupted')}", style))
    return Text("\n").join([Text(), *lines])
