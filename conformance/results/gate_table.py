"""The gate's answer for a person: each problem with its requirement and what to do, the changes, the last word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.results.changes import Change, How, Of
from conformance.results.gate import Gate, Judged, Pinned, Problem, Reason
from conformance.results.table import counts_text, cut
from conformance.results.upkeep import Update

# More of one sort are counted; --json has them all.
SHOWN_CHANGES = 20

# What is wrong is the entry, and not the implementation.
UNTRUE = (Reason.UNEXPECTED_PASS, Reason.NO_MATCH)

_STYLES = {How.BROKEN: "bold red", How.GONE: "magenta", How.FIXED: "green", How.NEW: "blue"}


def report(answer: Gate) -> Group:
    """Everything there is to say, the answer itself last."""
    shown: set[str] = set()
    parts: list[RenderableType] = [_judged(judged) for judged in answer.judged]
    for reason, problems in groupby(answer.problems, key=lambda problem: problem.reason):
        for problem in problems:
            parts.append(_blocked(problem) if reason is Reason.BLOCKED else _problem(problem, shown))
    parts += [] if answer.changes is None else _changes(answer.changes)
    parts += [_update(update) for update in answer.updates]
    return Group(*parts, _answer(answer))


def _judged(judged: Judged) -> Text:
    entries = f"{judged.entries} expected failure{'s' * (judged.entries != 1)}"
    where = f" of {judged.expectations}" if judged.expectations and judged.entries else ""
    name = (f"{judged.implementation} ({judged.dialect})", "bold")
    return Text.assemble(name, "  ", counts_text(Counter(dict(judged.units))), f"  {entries}{where}", overflow="fold")


def _problem(problem: Problem, shown: set[str]) -> Group:
    symbol = problem.verdict.symbol if problem.verdict else "!"
    title = Text.assemble(
        "\n", (f"{symbol} {problem.reason.words}", "bold red"), "  ", (problem.name, "bold"),
        f"  {problem.implementation} ({problem.dialect})",
    )  # fmt: skip
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True, min_width=8)
    grid.add_column(overflow="fold")
    for name, text in _rows(problem):
        grid.add_row(name, Text(text))
    last: list[RenderableType] = [Padding(grid, (0, 0, 0, 2), expand=False)]
    last += [_whole("delete" if problem.reason in UNTRUE else "at", place(entry)) for entry in problem.entries]
    last += [_whole("again", problem.again)] if problem.again else []
    if problem.reason.value not in shown:
        shown.add(problem.reason.value)
        last.append(Padding(Text(f"→ {problem.advice}", "italic"), (0, 0, 0, 2)))
    return Group(title, *last)


def _rows(problem: Problem) -> Iterator[tuple[str, str]]:
    if problem.units and problem.units != (problem.name,):
        yield "units", ", ".join(problem.units)
    for name, text in (problem.requirements or {}).items():
        yield "requires", f"{name}: {text}"
    if problem.kind:
        yield "kind", problem.kind.value
    # A comparison's message ends with both sides, which have lines of their own here.
    message = (problem.message or "").split("\n  expected: ")[0] if problem.expected else problem.message
    told = {
        "message": None if problem.reason in UNTRUE else message,
        "expected": problem.expected,
        "actual": problem.actual,
    }
    yield from ((name, cut(text)) for name, text in told.items() if text)
    for entry in problem.entries:
        yield "pinned", f"{entry.kind.value} /{entry.match}/: {entry.reason}"
    if problem.since:
        yield "since", problem.since


def _whole(name: str, text: str) -> Text:
    """A row that stays on one line, however long, to be copied."""
    return Text.assemble((f"  {name:<8}  ", "dim"), text, no_wrap=True, overflow="ignore")


def place(entry: Pinned) -> str:
    """``FILE:3-8``."""
    return f"{entry.file}:{entry.first_line}-{entry.last_line}"


def _blocked(problem: Problem) -> Text:
    told = (f"▪ {problem.reason.words}", "magenta")
    where = f"  {problem.implementation} ({problem.dialect})"
    return Text.assemble(told, "  ", (problem.name, "bold"), where, f": {', '.join(problem.blocked_by)}")


def _changes(changes: Sequence[Change]) -> Iterator[RenderableType]:
    yield Text("\nsince the baseline", "bold")
    if not changes:
        yield Text("  nothing changed")
    for (name, dialect), of_run in groupby(changes, key=lambda change: (change.implementation, change.dialect)):
        yield Text(f"  {name} ({dialect})")
        for (how, of), some in groupby(of_run, key=lambda change: (change.how, change.of)):
            yield from _some(how, of, list(some))


def _some(how: How, of: Of, changes: Sequence[Change]) -> Iterator[Text]:
    yield Text.assemble("    ", (how.value, _STYLES[how]), f"  {_count(len(changes), of)}")
    for change in changes[:SHOWN_CHANGES]:
        verdicts = [verdict.label for verdict in (change.before, change.after) if verdict]
        yield Text(f"      {change.name}{'  ' * bool(verdicts)}{' → '.join(verdicts)}")
    if len(changes) > SHOWN_CHANGES:
        yield Text(f"      and {len(changes) - SHOWN_CHANGES} more (--json has all)")


def _count(number: int, of: Of) -> str:
    plural = "capabilities" if of is Of.CAPABILITY else f"{of.value}s"
    return f"{number} {of.value if number == 1 else plural}"


def _update(update: Update) -> Text:
    told = f"\n{update.file}: {update.removed} deleted, {len(update.added)} added"
    if update.added:
        told += f"; fill in reason and measured (or link) of line {', '.join(map(str, update.added))}, then try again"
    return Text(told, "bold yellow")


def _answer(answer: Gate) -> Text:
    counts = Counter(problem.reason for problem in answer.problems)
    told = ", ".join(f"{counts[reason]} × {reason.words}" for reason in Reason if counts[reason])
    moved = _moved(answer.changes or ())
    since = f"\nsince the baseline: {moved}" if moved else ""
    if answer.passed:
        return Text(f"{since}\ngate: passed; exit 0", "bold green")
    return Text(f"{since}\ngate: {told}; exit 1", "bold red")


def _moved(changes: Iterable[Change]) -> str:
    """``1 unit broken, 2 tests fixed``."""
    counts = Counter((change.how, change.of) for change in changes)
    return ", ".join(f"{_count(counts[key], key[1])} {key[0].value}" for key in _KEYS if counts[key])


_KEYS = [(how, of) for how in How for of in Of]
