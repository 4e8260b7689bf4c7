"""``keras-conformance report``: results files as an HTML page, Markdown, JUnit XML or a badge."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.results.model import Run
    from conformance.spec import Specification

_OUT = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


@click.command()
@click.argument(
    "files", metavar="RESULTS...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--html", type=_OUT, metavar="FILE", help="Write one HTML page, which needs no network.")
@click.option(
    "--matrix",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show in the HTML page who reads whose golden files, as `keras-conformance matrix --json` tells it.",
)
@click.option(
    "--markdown", type=_OUT, metavar="FILE", help="Write Markdown, as for a pull request or a step's summary."
)
@click.option("--junit", type=_OUT, metavar="FILE", help="Write JUnit XML, a case a test.")
@click.option("--badge", type=_OUT, metavar="FILE", help="Write the JSON of a shields.io endpoint badge.")
def report(
    files: tuple[Path, ...],
    html: Path | None,
    matrix: Path | None,
    markdown: Path | None,
    junit: Path | None,
    badge: Path | None,
) -> None:
    """Put the results files RESULTS, of one or several implementations, together in a report.

    They must be of this version of the suite, and no run may be in two of them. What is incomplete is reported as
    such; a file that was cut off, or is of another suite, is refused with exit 2. FILE - is the standard output.

    \b
    In a GitHub workflow:
      keras-conformance report results.json --markdown - >> "$GITHUB_STEP_SUMMARY"

    A report decides nothing: for that there is `keras-conformance gate`.
    """
    from conformance.spec import load_specification

    if not any((html, markdown, junit, badge)):
        raise click.UsageError("what kind of report? give --html FILE, --markdown FILE, --junit FILE or --badge FILE")
    if matrix and not html:
        raise click.UsageError("--matrix is a part of the HTML page: give --html FILE too")
    specification = load_specification()
    runs = _runs(files, specification)
    if html:
        from conformance.results.exchange import read_exchanges
        from conformance.results.report_html import html as as_html

        exchanges = read_exchanges(matrix) if matrix else []
        write_report("--html", html, as_html(runs, specification, exchanges))
    if markdown:
        from conformance.results.report_markdown import markdown as as_markdown

        write_report("--markdown", markdown, as_markdown(runs, specification))
    if junit:
        from conformance.results.report_junit import junit as as_junit

        write_report("--junit", junit, as_junit(runs))
    if badge:
        from conformance.results.report_badge import badge as as_badge

        write_report("--badge", badge, as_badge(runs))


def _runs(files: Sequence[Path], specification: Specification) -> list[Run]:
    """The runs of all files; raises ResultsError."""
    from conformance.results.admission import read_ended, title
    from conformance.results.model import Results, ResultsError

    first: Results | None = None
    places: dict[str, Path] = {}
    found: list[Run] = []
    for file in files:
        results = read_ended(file, specification, like=first)
        first = first or results
        for run in results.runs:
            if title(run) in places:
                raise ResultsError(f"{file}: {title(run)} is in {places[title(run)]} too, expected one run of each")
            places[title(run)] = file
            found.append(run)
    if not found:
        raise ResultsError(f"{', '.join(map(str, files))}: no implementation was run, so there is nothing to report")
    return found


def write_report(option: str, path: Path, text: str) -> None:
    """Write a report, ``-`` being the standard output; what cannot be written is a usage error."""
    from conformance.results.files import replace_file

    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as error:
        raise click.UsageError(f"{option} {path}: cannot be written: {error.strerror}") from error
