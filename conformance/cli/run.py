"""``keras-conformance run``: the suite against each implementation, then the table and what was not expected."""

from __future__ import annotations

import json
import secrets
import tempfile
from pathlib import Path

import click


class ExampleCount(click.ParamType[dict[str, int]]):
    """A number of examples: ``N`` for every test, or ``Nx``, N times each test's own number."""

    name = "N|Nx"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        """The option of the plan, ``max-examples`` or ``times``, and its number."""
        digits, times = (value[:-1], True) if value.endswith("x") else (value, False)
        if not digits.isascii() or not digits.isdigit() or int(digits) < 1:
            self.fail(
                f"{value!r} is neither a number of examples (20) nor a multiple of each test's own (5x)", param, ctx
            )
        return {"times" if times else "max-examples": int(digits)}


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only tests whose names match, as pytest's -k.")
@click.option("--requirement", multiple=True, metavar="ID", help="Only this requirement (repeatable).")
@click.option("--format", "format_", multiple=True, metavar="FORMAT", help="Only units of this format (repeatable).")
@click.option("--chapter", multiple=True, metavar="NAME", help="Only this chapter (repeatable).")
@click.option("--dialect", "dialects", multiple=True, metavar="DIALECT", help="Only in this dialect (repeatable).")
@click.option(
    "--max-examples", "examples", type=ExampleCount(), metavar="N|Nx", default=None,
    help="Examples a test draws instead of its own number; 5x: five times its own.",
)  # fmt: skip
@click.option(
    "--explore",
    is_flag=True,
    help="Draw new examples: for nightly runs. Seed and command line to repeat are printed first and last.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", help="Draw with this seed, as an --explore run printed it."
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, metavar="N", help="Tests run at a time (needs pytest-xdist)."
)
@click.option(
    "--python", "pythons", multiple=True, metavar="NAME=PATH", help="The interpreter of an implementation (repeatable)."
)
@click.option(
    "--implementation-file", "files", multiple=True, metavar="FILE.toml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Add an implementation described outside; without a NAME it is the one that is run (repeatable).",
)  # fmt: skip
@click.option(
    "--in-process/--piped", default=True, help="The reference in the suite's process (default), or over the pipe."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the results document."
)
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one HTML page.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML.")
@click.option(
    "--repro",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write each failure as a script in plain Keras; one that does not show the failure is not kept.",
)
@click.option("--repro-known", is_flag=True, help="With --repro: known failures too, which takes minutes.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the results document on stdout, everything else on stderr."
)
@click.pass_context
def run(
    ctx: click.Context,
    names: tuple[str, ...],
    keyword: str | None,
    requirement: tuple[str, ...],
    format_: tuple[str, ...],
    chapter: tuple[str, ...],
    dialects: tuple[str, ...],
    examples: dict[str, int] | None,
    explore: bool,
    seed: int | None,
    jobs: int,
    pythons: tuple[str, ...],
    files: tuple[Path, ...],
    in_process: bool,
    output: Path | None,
    html: Path | None,
    junit: Path | None,
    repro: Path | None,
    repro_known: bool,
    as_json: bool,
) -> None:
    """Validate each implementation NAME (default: reference) against the specification.

    An implementation's interpreter is the one given with --python, else $KERAS_CONFORMANCE_ENVS/NAME, else .tox/NAME,
    else the user's cache. One that cannot be started does not keep the others from running. An implementation that has
    several dialects is run once in each.
    """
    from conformance.cli.names import check_names
    from conformance.cli.report import write_report
    from conformance.cli.scripts import Wanted
    from conformance.cli.targets import find_targets, in_dialects
    from conformance.cli.validate import Plan, validate
    from conformance.spec import load_specification

    specification = load_specification()
    check_names("requirement", requirement, specification.requirements, "keras-conformance spec list")
    check_names("format", format_, specification.formats)
    check_names("chapter", chapter, specification.chapters)
    check_names("dialect", dialects, specification.dialects)
    targets = in_dialects(find_targets(names, pythons, files), dialects)
    for option, path in {"--output": output, "--html": html, "--junit": junit}.items():
        if path:
            _check_writable(option, path)
    if repro_known and not repro:
        raise click.UsageError("--repro-known says which scripts --repro DIR writes: give --repro DIR too")
    if explore and seed is None:
        seed = secrets.randbits(32)

    selection = {"requirement": requirement, "format": format_, "chapter": chapter, "k": (keyword,) if keyword else ()}
    drawing = {**(examples or {}), "seed": seed}
    plan = Plan(
        selection={name: list(chosen) for name, chosen in selection.items() if chosen},
        drawing={name: value for name, value in drawing.items() if value is not None},
        jobs=jobs,
        piped=not in_process,
        scripts=Wanted(repro, repro_known) if repro else None,
    )
    results, exit_code = validate(targets, plan, specification, output=output, as_json=as_json)
    if html:
        from conformance.results.report_html import html as as_html

        write_report("--html", html, as_html(results.runs, specification))
    if junit:
        from conformance.results.report_junit import junit as as_junit

        write_report("--junit", junit, as_junit(results.runs))
    if as_json:
        click.echo(json.dumps(results.to_json(), indent=1))
    ctx.exit(exit_code)


def _check_writable(option: str, output: Path) -> None:
    """A run takes minutes: that its results cannot be written is told before it."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise click.UsageError(f"{option} {output}: cannot be written: {error.strerror}") from error
