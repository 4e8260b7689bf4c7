"""``keras-conformance self-test``: the suite against implementations that are broken on purpose.

``--json`` prints the document that ``self-test.schema.json`` beside this file describes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from conformance.mutants.mutant import Mutant
    from conformance.mutants.trial import Trial

SECONDS_BETWEEN_LINES = 10.0
_SLICE = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True)
class TriedMutant:
    """One mutant and what came of it; ``problem`` is what is wrong with the mutant itself."""

    name: str
    summary: str
    dialect: str
    requirements: tuple[str, ...]
    declares: tuple[str, ...]
    killed: bool
    outcome: str
    failed: tuple[str, ...]
    blocked: tuple[str, ...]
    crashed: tuple[str, ...]
    failing_tests: tuple[str, ...]
    problem: str | None
    tests: int
    seconds: float


@dataclass(frozen=True)
class SelfTest:
    """What ``self-test --json`` prints.

    ``touched_by`` is given with ``full``: each requirement with the mutants that make it fail, or block it.
    """

    suite: str
    full: bool
    slice: str | None
    killed: int
    total: int
    seconds: float
    mutants: tuple[TriedMutant, ...]
    touched_by: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


@click.command("self-test")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--full",
    is_flag=True,
    help="Each mutant with every test of the suite that goes through what it breaks, and which requirements it touches.",
)
@click.option("--slice", "slice_", metavar="K/N", help="The K-th of N parts, each with mutants of every chapter.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=2, show_default=True, metavar="N", help="Mutants at a time."
)
@click.option("--list", "only_list", is_flag=True, help="List the mutants and what each imitates, and try none.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the document to a file."
)
@click.option("--json", "as_json", is_flag=True, help="Print a document; everything else goes to stderr.")
@click.pass_context
def self_test(
    ctx: click.Context,
    names: tuple[str, ...],
    full: bool,
    slice_: str | None,
    jobs: int,
    only_list: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Try the suite on mutants: implementations of the reference with one fault each.

    A mutant is killed when each requirement that it declares fails, and nothing that this depends on does. Without a
    NAME all are tried, each with the tests of what it declares, of what that depends on, and a probe of every chapter.

    Exit codes: 0 all were killed, 1 some were not, 2 a mutant says nothing about the suite: its fault is in nobody's way
    any more, or it declares what does not exist.
    """
    from rich.console import Console

    from conformance import __version__
    from conformance.cli.names import check_names
    from conformance.mutants.faults import load_mutants
    from conformance.mutants.selection import slice_of
    from conformance.spec import load_specification

    known = load_mutants()
    check_names("mutant", names, known, "keras-conformance self-test --list")
    mutants = [known[name] for name in dict.fromkeys(names)] or list(known.values())
    if slice_:
        mutants = slice_of(mutants, *_parsed_slice(slice_), load_specification())
    if only_list:
        click.echo(
            "\n".join(f"{mutant.name} ({', '.join(mutant.declares)})\n    {mutant.summary}" for mutant in mutants)
        )
        return

    console = Console(stderr=as_json, highlight=False, markup=False, emoji=False, soft_wrap=True)
    begun = time.monotonic()
    if full:
        console.print("running the suite once to see which tests go through which functions")
    found = _tried(console, mutants, jobs, full)
    document = SelfTest(
        suite=__version__,
        full=full,
        slice=slice_,
        killed=sum(trial.killed for trial in found),
        total=len(found),
        seconds=round(time.monotonic() - begun, 1),
        mutants=tuple(_entry(trial) for trial in found),
        touched_by=touched_by(found, load_specification().requirements) if full else {},
    )
    text = json.dumps(asdict(document), indent=1)
    if output:
        output.write_text(text + "\n", encoding="utf-8")
    if as_json:
        click.echo(text)
    console.print("\n".join(report(document)))
    ctx.exit(exit_code(document))


def _parsed_slice(text: str) -> tuple[int, int]:
    match = _SLICE.fullmatch(text)
    if not match or int(match[1]) > int(match[2]):
        raise click.UsageError(f"--slice {text!r}: expected K/N with K from 1 to N, as in --slice 1/6")
    return int(match[1]), int(match[2])


def _tried(console: Any, mutants: Sequence[Mutant], jobs: int, full: bool) -> list[Trial]:
    """The trials in the order of ``mutants``; how far they are is shown meanwhile."""
    from conformance.mutants.pool import trials

    found: dict[str, Trial] = {}
    with _progress(console) as show:
        for trial in trials(mutants, jobs, full):
            found[trial.name] = trial
            show(
                f"{len(found)} of {len(mutants)} mutants, {sum(t.killed for t in found.values())} killed  {trial.name}"
            )
    return [found[mutant.name] for mutant in mutants]


@contextmanager
def _progress(console: Any) -> Generator[Callable[[str], None]]:
    """A function that shows a line: in place on a terminal, else now and then."""
    if console.is_terminal:
        with console.status("starting") as status:
            yield status.update
        return
    next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def show(line: str) -> None:
        nonlocal next_line
        if time.monotonic() >= next_line:
            console.print(line)
            next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    yield show


def _entry(trial: Trial) -> TriedMutant:
    return TriedMutant(killed=trial.killed, **asdict(trial))


def touched_by(trials: Sequence[Trial], requirements: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each requirement and the mutants that make a unit of it fail, or block it."""
    touched: dict[str, list[str]] = {name: [] for name in requirements}
    for trial in trials:
        for name in _touched(trial.failed, trial.blocked):
            touched[name].append(trial.name)
    return touched


def _touched(*units: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(unit.partition("[")[0] for each in units for unit in each))


def report(document: SelfTest) -> list[str]:
    """What people read: what was not killed and what to do about it, the table of a full run, the score."""
    from conformance.mutants.trial import ADVICE

    lines: list[str] = []
    for outcome, advice in ADVICE.items():
        mutants = [mutant for mutant in document.mutants if mutant.outcome == outcome]
        lines += [f"{outcome}: {advice}"] if mutants else []
        for mutant in mutants:
            lines += [f"  {mutant.name} ({mutant.dialect}) declares {', '.join(mutant.declares)}: {mutant.summary}"]
            lines += [f"    {mutant.problem}"] if mutant.problem else []
            told = {"failed": mutant.failed, "blocked": mutant.blocked, "crashed": mutant.crashed}
            lines += [f"    {what}: {', '.join(units)}" for what, units in told.items() if units]
    fallen = [mutant for mutant in document.mutants if mutant.killed and mutant.problem]
    lines += ["killed, while a test fell over it and gave no verdict: repair the test"] if fallen else []
    lines += [f"  {mutant.name}: {mutant.problem}" for mutant in fallen]
    if document.full:
        lines += confusion(document)
    return [*lines, f"{document.killed} of {document.total} mutants killed in {document.seconds:.0f} s"]


def confusion(document: SelfTest) -> list[str]:
    """Mutant × requirement: its own in brackets, then what else it made fail (or blocked)."""
    lines = ["which requirements each mutant touches; in brackets those that it declares"]
    for mutant in document.mutants:
        others = [name for name in _touched(mutant.failed, mutant.blocked) if name not in mutant.requirements]
        lines.append(f"  {mutant.name}: [{', '.join(mutant.requirements)}] {', '.join(others)}".rstrip())
    own = {mutant.name: mutant.requirements for mutant in document.mutants}
    alone = [
        name
        for name, mutants in document.touched_by.items()
        if mutants and all(name in own[mutant] for mutant in mutants)
    ]
    never = [name for name, mutants in document.touched_by.items() if not mutants]
    lines += [f"{len(alone)} requirements that nothing but their own mutants touch", *(f"  {name}" for name in alone)]
    return [*lines, f"{len(never)} requirements that no mutant touches", *(f"  {name}" for name in never)]


def exit_code(document: SelfTest) -> int:
    """0 all killed, 1 some not, 2 a mutant that says nothing."""
    outcomes = {mutant.outcome for mutant in document.mutants}
    if "error" in outcomes:
        return 2
    return 0 if outcomes <= {"killed"} else 1


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document; ``self-test.schema.json`` is this, written down."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(SelfTest).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
