"""``keras-conformance matrix``: who reads what of whom, over the golden files.

``--json`` prints the document that ``matrix.schema.json`` beside this file describes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.cli.targets import Target
    from conformance.fixtures.matrix import Cell, Column, Matrix

SIGNS = {"pass": "✓", "refused": "R", "silent": "S", "crash": "C", "timeout": "T", "not-claimed": "·"}


@click.command()
@click.argument("names", metavar="[CONSUMER]...", nargs=-1)
@click.option("--run", "running", is_flag=True, help="Read all golden files now, and keep the result.")
@click.option("--keep/--no-keep", default=True, help="With --run, whether the result is kept (default: yes).")
@click.option("--reasons/--no-reasons", default=True, help="Why cells are not passes (default: yes).")
@click.option("--jobs", type=click.IntRange(min=1), default=1, metavar="N", help="Sessions at a time (default: 1).")
@click.option(
    "--python", "pythons", multiple=True, metavar="NAME=PATH", help="The interpreter of a consumer (repeatable)."
)
@click.option(
    "--fixtures", "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the golden files, where it is not the clone's.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the document.")
@click.pass_context
def matrix(
    ctx: click.Context,
    names: tuple[str, ...],
    running: bool,
    keep: bool,
    reasons: bool,
    jobs: int,
    pythons: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Producer × consumer for each format: how many golden entries were read right, refused, or read wrong.

    Without --run it shows the last full run, which the repository keeps with its date and versions. With --run each
    CONSUMER (default: every implementation) reads every entry, a quarter of an hour for a real library; the columns of the others
    stay. A consumer that cannot start is named, exit 3. Exit 1 if a cell that is no pass has no explanation.
    """
    from conformance.cli.names import check_names
    from conformance.cli.targets import find_targets, known_names
    from conformance.fixtures.location import fixtures_folder
    from conformance.fixtures.matrix import FILE, Matrix, manifest_digest, read_matrix
    from conformance.implementations.registry import implementation_names
    from conformance.results.files import replace_file

    folder = fixtures_folder(folder)
    check_names("implementation", names, implementation_names(), "keras-conformance list")
    status = 0
    found = read_matrix(folder)
    for target in find_targets(names or tuple(known_names()), pythons, ()) if running else ():
        if target.missing:
            click.echo(target.missing, err=True)
            status = 3
            continue
        found = found.with_column(_read(folder, target, jobs))
        if keep:
            replace_file(folder / FILE, found.to_json())
    found = Matrix(columns=tuple(one for one in found.columns if not names or one.consumer in names))
    if as_json:
        click.echo(found.to_json(), nl=False)
    elif not found.columns:
        click.echo(f"{folder / FILE}: nothing was read yet; read now with --run")
    else:
        _print(found, manifest_digest(folder), reasons)
    ctx.exit(max(status, 1 if found.unexplained() else 0))


def _read(folder: Path, target: Target, jobs: int) -> Column:
    from datetime import UTC, datetime

    from conformance.fixtures.explanations import read_explanations
    from conformance.fixtures.manifest import Entry, Made, read_manifest
    from conformance.fixtures.matrix import Column, cells, manifest_digest, read_all
    from conformance.fixtures.reading import Outcome
    from conformance.fixtures.recipe import read_recipes
    from conformance.implementations.registry import open_session
    from conformance.protocol.session import Session
    from conformance.spec import load_specification

    specification = load_specification()
    manifest = read_manifest(folder)
    dialects = target.implementation.dialects
    libraries: dict[str, str] = {}
    total = sum(len(made.entries) for made in manifest.made)
    done = 0

    def start(dialect: str) -> Session:
        session = open_session(target.implementation, python=target.python, dialect=dialect)
        libraries.update(session.hello.libraries)
        return session

    def report(made: Made, entry: Entry, outcome: Outcome) -> None:
        nonlocal done
        done += 1
        if outcome.verdict not in ("pass", "not-claimed"):
            place = f"{made.producer}/{made.recipe}/{entry.format}"
            click.echo(f"[{done}/{total}] {target.name} {place}: {outcome.verdict} at {outcome.aspect}: {outcome.text}")
        elif done % 100 == 0:
            click.echo(f"[{done}/{total}] {target.name}")

    recipes = read_recipes(folder, specification)
    outcomes = read_all(start, dialects, folder, manifest, recipes, specification, jobs=jobs, report=report)
    return Column(
        consumer=target.name,
        dialects=dialects,
        libraries=dict(sorted(libraries.items())),
        date=datetime.now(UTC).date().isoformat(),
        manifest=manifest_digest(folder),
        entries=len(outcomes),
        cells=cells(target.name, dialects, outcomes, read_explanations(folder)),
    )


def _print(found: Matrix, digest: str, with_reasons: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print(", ".join(f"{sign} {verdict}" for verdict, sign in SIGNS.items()))
    rows = sorted({(cell.format, cell.producer) for column in found.columns for cell in column.cells})
    for format in dict.fromkeys(row[0] for row in rows):
        table = Table(title=format, title_justify="left")
        table.add_column("written by")
        for column in found.columns:
            table.add_column(column.consumer)
        for producer in [row[1] for row in rows if row[0] == format]:
            table.add_row(producer, *(_counts(_cell(column, producer, format)) for column in found.columns))
        console.print(table)
    for column in found.columns:
        versions = ", ".join(f"{name} {version}" for name, version in column.libraries.items())
        stale = "" if column.manifest == digest else "; the golden files have changed since"
        console.print(f"{column.consumer}: {column.date}, {column.entries} entries, {versions}{stale}")
    if with_reasons:
        _print_reasons(found)


def _print_reasons(found: Matrix) -> None:
    for column in found.columns:
        counts: dict[tuple[str, str, str], int] = {}
        for cell in column.cells:
            for reason in cell.reasons:
                key = (reason.verdict, reason.id, reason.text)
                counts[key] = counts.get(key, 0) + reason.count
        for (verdict, name, text), count in sorted(counts.items()):
            click.echo(f"{column.consumer}: {count} {verdict}: {name}: {text}")


def _cell(column: Column, producer: str, format: str) -> Cell | None:
    return next((cell for cell in column.cells if (cell.producer, cell.format) == (producer, format)), None)


def _counts(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return " ".join(f"{cell.counts[verdict]}{sign}" for verdict, sign in SIGNS.items() if verdict in cell.counts)
