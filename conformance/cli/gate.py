"""``keras-conformance gate``: may this results file pass, why not, and what changed since another one.

``--json`` prints the document that ``conformance/results/gate.schema.json`` describes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.results.model import Results
    from conformance.results.upkeep import Source
    from conformance.spec import Specification

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("results_file", metavar="RESULTS", type=_FILE)
@click.option(
    "--baseline", "baseline_file", type=_FILE, metavar="OLD", help="Say what changed since this results file."
)
@click.option(
    "--expectations", "given", multiple=True, metavar="FILE|NAME=FILE",
    help="The expected failures of RESULTS' only implementation, or of the one of that name (repeatable).",
)  # fmt: skip
@click.option(
    "--update-expectations", "updating", is_flag=True,
    help="Delete the entries that are no longer true, and add one for each new failure, its reason left to be filled in.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the answer as a document instead.")
@click.pass_context
def gate(
    ctx: click.Context,
    results_file: Path,
    baseline_file: Path | None,
    given: tuple[str, ...],
    updating: bool,
    as_json: bool,
) -> None:
    """Decide whether a change may pass, by the results file RESULTS that `run --output` wrote.

    \b
    Exit 1, with each reason and what to do about it, for
      * a new failure: one that no entry of the expectations explains
      * a failure for another reason than the pinned one
      * an unexpected pass (prints the lines of expectations.toml to delete)
      * an entry of the expectations that matches nothing
      * an implementation or a claim that OLD has and RESULTS has not
    Exit 2 for a results file that is
      * cut off, incomplete, or made with a selection
      * of another schema version, or of another version of the suite

    A failure that OLD has too is still a failure: a known one is pinned, with its reason. Each implementation is
    judged with its own expectations (conformance/implementations/NAME/expectations.toml) as they are now, unless
    --expectations names another file.

    New entries of --update-expectations have an empty reason. Neither `run` nor `gate` accepts the file until
    that is filled in: an expected failure is one that somebody has understood.

    \b
    In CI:
      keras-conformance run tf-keras --python tf-keras=venv/bin/python --output results.json
      keras-conformance gate results.json --baseline main.json
    """
    from conformance.results.admission import read_whole
    from conformance.results.gate import gate as judge
    from conformance.results.upkeep import update
    from conformance.spec import load_specification

    specification = load_specification()
    results = read_whole(results_file, specification)
    baseline = read_whole(baseline_file, specification, like=results) if baseline_file else None
    sources = _sources(results, given, specification, may_be_missing=updating)
    answer = judge(results, sources, specification, baseline)
    if updating:
        _check_updatable(sources)
        updates = update(results, sources, specification)
        if updates and not any(done.added for done in updates):
            sources = _sources(results, given, specification, may_be_missing=True)
            answer = judge(results, sources, specification, baseline)
        answer = replace(answer, updates=updates)
    if as_json:
        click.echo(json.dumps(answer.to_json(), indent=1))
    else:
        _print(answer)
    ctx.exit(0 if answer.passed else 1)


def _check_updatable(sources: Mapping[str, Source]) -> None:
    for name, source in sources.items():
        if source.file is None:
            raise click.UsageError(
                f"--update-expectations: {name} is none of the suite's own implementations; "
                f"say where its expectations are, with --expectations {name}=FILE"
            )


def _print(answer: object) -> None:
    from rich.console import Console

    from conformance.results.gate import Gate
    from conformance.results.gate_table import report
    from conformance.results.table import WIDTH

    assert isinstance(answer, Gate)
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(report(answer), crop=False)


def _sources(
    results: Results, given: Sequence[str], specification: Specification, *, may_be_missing: bool
) -> dict[str, Source]:
    """The expectations of each implementation in ``results``."""
    from conformance.implementations.registry import implementation_names, load_implementation
    from conformance.results.expectations import read_expectations
    from conformance.results.upkeep import Source

    names = list(dict.fromkeys(run.implementation for run in results.runs))
    files = {name: load_implementation(name).expectations for name in names if name in implementation_names()}
    files |= _given_files(given, names, may_be_missing=may_be_missing)
    return {
        name: Source(files[name], read_expectations(files[name], specification)) if name in files else Source()
        for name in names
    }


def _given_files(given: Sequence[str], names: Sequence[str], *, may_be_missing: bool) -> dict[str, Path]:
    """From ``FILE`` and ``NAME=FILE`` to the file of each name."""
    from conformance.cli.names import check_names

    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).is_file():
            if len(names) != 1:
                raise click.UsageError(
                    f"--expectations {text!r}: of which one? expected NAME=FILE, for {', '.join(names)}"
                )
            name, path = names[0], text
        check_names("implementation", [name], names, "those in the results file")
        if name in found:
            raise click.UsageError(f"--expectations: two files for {name}: {found[name]} and {path}")
        found[name] = Path(path)
        if not found[name].is_file() and not (may_be_missing and not found[name].exists()):
            raise click.UsageError(f"--expectations {path}: there is no such file")
    return found
