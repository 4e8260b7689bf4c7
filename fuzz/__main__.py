"""The command ``python -m fuzz``."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Column, Table

from conformance.cli.targets import find_targets
from fuzz import libraries
from fuzz.cases import WRITTEN
from fuzz.judge import FINDINGS
from fuzz.readers import READERS
from fuzz.run import MOST, Row, run
from fuzz.worker import again as read_again

SEED = 20240917
WIDTH = 120  # columns of a table; a pipe has 80, in which words would be cut
COLUMNS = {
    "fuzz": ("done", "refused", "right", "silent", "crash", "hang", "memory", "sites", "seconds"),
    "damage": ("done", "refused", "right", "silent", "crash", "hang", "memory", "unguarded", "seconds"),
}


class _Group(click.Group):
    """A group whose first command is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = next((arg for arg in args if not arg.startswith("-")), None)
        if named not in self.commands and "--help" not in args[:1]:
            args = ["fuzz", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Group)
def main() -> None:
    """Give the reference's readers files that nobody should trust, and see that they refuse or are right.

    Without a command: fuzz. Exit status 1 if there was a finding.
    """


_seed = click.option(
    "--seed", default=SEED, show_default=True, help="Where chance begins; the same cases for the same."
)
_findings = click.option(
    "--findings", type=click.Path(path_type=Path, file_okay=False), help="Where findings go; default: a new folder."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")


@main.command()
@click.argument("readers", nargs=-1, type=click.Choice(sorted(READERS)))
@click.option("--seconds", default=20.0, show_default=True, help="For each reader.")
@click.option("--cases", type=int, help="So many for each reader, instead of seconds: the same everywhere.")
@_seed
@_findings
@_as_json
def fuzz(
    readers: Sequence[str], seconds: float, cases: int | None, seed: int, findings: Path | None, as_json: bool
) -> None:
    """Mutate golden files, and what led somewhere new, for so many seconds a reader (default: all readers)."""
    seconds, most = (seconds, MOST) if cases is None else (float("inf"), cases)
    findings = findings or Path(tempfile.mkdtemp(prefix="fuzz-findings-"))
    rows = _watched(
        readers or tuple(READERS),
        cases,
        lambda name, told: run(READERS[name], "fuzz", seed, findings, seconds=seconds, cases=most, told=told),
    )
    _report("fuzz", rows, findings, as_json)


@main.command()
@click.argument("formats", nargs=-1, type=click.Choice(sorted(WRITTEN)))
@click.option("--variants", default=10_000, show_default=True, help="Damaged files of each format.")
@_seed
@_findings
@_as_json
def damage(formats: Sequence[str], variants: int, seed: int, findings: Path | None, as_json: bool) -> None:
    """Damage the files that the reference writes, so many times a format (default: all formats).

    silent: other values where a checksum covers the damage; unguarded: other values where the format has none.
    """
    findings = findings or Path(tempfile.mkdtemp(prefix="fuzz-findings-"))
    rows = _watched(
        formats or tuple(WRITTEN),
        variants,
        lambda name, told: run(READERS[name], "damage", seed, findings, cases=variants, told=told),
    )
    _report("damage", rows, findings, as_json)


@main.command("libraries")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--variants", default=300, show_default=True, help="Damaged files of each format.")
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="NAME=PATH",
    help="The interpreter of an implementation (repeatable); else where `keras-conformance run` looks for it.",
)
@_seed
@_as_json
def of_libraries(names: Sequence[str], variants: int, pythons: Sequence[str], seed: int, as_json: bool) -> None:
    """Damage the files that real libraries write, and count what each makes of its own: a measurement, no judgement.

    silent: other values where a checksum covers the damage; unguarded: other values where the format has none;
    changed: refused, but the model that the weights were for is no longer what it was.
    """
    rows: list[libraries.Row] = []
    targets = find_targets(names, pythons, ())
    for target in targets:
        if target.missing:
            raise click.ClickException(target.missing)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for target in targets:
            task = progress.add_task(target.name, total=None)
            told = partial(_show_format, progress, task, target.name)
            rows += libraries.run(target.implementation, variants, seed, target.python, told)
            progress.remove_task(task)
    if as_json:
        click.echo(json.dumps({"rows": [asdict(row) for row in rows]}, indent=1))
    else:
        _print_table(libraries.COLUMNS, rows)


@main.command()
@click.argument("finding", type=click.Path(path_type=Path, exists=True, file_okay=False))
def again(finding: Path) -> None:
    """Read the files of a FINDING once more, in this process, and tell what comes of it."""
    with tempfile.TemporaryDirectory() as scratch:
        outcome = read_again(finding, Path(scratch, "case"))
    click.echo(f"{outcome.kind} {' < '.join(outcome.site)}\n{outcome.text}")
    sys.exit(int(outcome.kind in FINDINGS))


def _watched(names: Sequence[str], total: int | None, one: Callable[[str, Callable[[int], None]], Row]) -> list[Row]:
    """The row of each name, made by ``one``, which tells how many cases it has done."""
    rows: list[Row] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for name in names:
            task = progress.add_task(name, total=total)
            rows.append(one(name, partial(_show, progress, task, name)))
            progress.remove_task(task)
    return rows


def _show(progress: Progress, task: TaskID, name: str, done: int) -> None:
    progress.update(task, completed=done, description=f"{name}: {done} cases")


def _show_format(progress: Progress, task: TaskID, name: str, format: str, done: int) -> None:
    progress.update(task, description=f"{name}, {format}: {done} files")


def _report(kind: str, rows: Sequence[Row], findings: Path, as_json: bool) -> None:
    """Print the counts, and where the findings are. Ends the process."""
    if as_json:
        click.echo(json.dumps({"rows": [asdict(row) for row in rows], "findings": str(findings)}, indent=1))
    else:
        _print_table(("reader", *COLUMNS[kind]), rows)
        for file in sorted(findings.rglob("REPRODUCE")):
            click.echo(file.read_text().strip())
    sys.exit(int(any(row.findings for row in rows)))


def _print_table(columns: Sequence[str], rows: Sequence[object]) -> None:
    table = Table(*(Column(name, no_wrap=True) for name in columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(getattr(row, column)) for column in columns))
    Console(width=max(Console().width, WIDTH)).print(table)


if __name__ == "__main__":
    main(prog_name="python -m fuzz")
