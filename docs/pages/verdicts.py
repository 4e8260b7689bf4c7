"""The verdicts that the documentation shows, and the tables of them in README.md: made of results files.

``python docs/pages/verdicts.py results/*.json`` writes ``docs/verdicts.json``: for each run its title, the library's
version, and the verdict on each unit that its dialect has. The results must be whole and of this version of the suite;
what is in the file of implementations that are not among the results stays, with the date on which it was measured.
``--table`` prints chapters × implementations in Markdown instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
FILE = HERE / "verdicts.json"
sys.path[:0] = [str(HERE.parent)]  # run as a program, Python knows this folder alone

from conformance.results.admission import read_whole, title  # noqa: E402
from conformance.results.model import ResultsError, Run  # noqa: E402
from conformance.results.verdict import Verdict, by_severity  # noqa: E402
from conformance.spec import Specification, load_specification  # noqa: E402

# What a hello calls the library that its implementation is judged for; any other is the implementation itself.
LIBRARY = {
    "tf2.4": "tensorflow",
    "tf2.15": "tensorflow",
    "tf-keras": "tf_keras",
    "keras3": "keras",
    "keras3-jax": "keras",
}


@dataclass(frozen=True)
class Measured:
    """One run as it is kept: ``date`` is the day of its results file, ``units`` the verdict on each unit."""

    title: str
    version: str
    date: str
    units: Mapping[str, str]


def measured(run: Run, date: str) -> Measured:
    """What is kept of ``run``: nothing of units that its dialect does not have."""
    units = {unit.unit: unit.verdict.value for unit in run.units if unit.verdict is not Verdict.NOT_APPLICABLE}
    return Measured(title(run), version(run), date, units)


def version(run: Run) -> str:
    """The version of the library under test, as it named itself."""
    libraries: Mapping[str, str] = run.hello.get("libraries") or {}
    return libraries.get(LIBRARY.get(run.implementation, ""), str(run.hello.get("version", "")))


def read_runs(paths: Sequence[Path], specification: Specification) -> dict[str, Measured]:
    """The runs of all files by title, of two the later; raises ResultsError for one that is not whole."""
    found: dict[str, Measured] = {}
    for path in paths:
        date = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
        for run in read_whole(path, specification).runs:
            found[title(run)] = measured(run, date)
    return found


def read_kept(path: Path = FILE) -> dict[str, Measured]:
    """What the file holds, by title; nothing where there is no file."""
    if not path.exists():
        return {}
    return {run["title"]: Measured(**run) for run in json.loads(path.read_text(encoding="utf-8"))["runs"]}


def merged(kept: Mapping[str, Measured], new: Mapping[str, Measured], specification: Specification) -> list[Measured]:
    """Both, the new instead of the kept; units that the specification no longer has are dropped."""
    units = {str(unit) for unit in specification.units}
    runs = ({**kept, **new}[name] for name in sorted({**kept, **new}, key=_order))
    return [
        Measured(run.title, run.version, run.date, {name: run.units[name] for name in run.units if name in units})
        for run in runs
    ]


def _order(name: str) -> tuple[int, str]:
    known = ("reference", *LIBRARY)
    implementation = name.partition(" ")[0]
    return (known.index(implementation) if implementation in known else len(known), name)


def document(runs: Sequence[Measured]) -> dict[str, Any]:
    """As it is written."""
    return {"schema": "1.0", "runs": [asdict(run) for run in runs]}


def table(runs: Sequence[Measured], specification: Specification) -> str:
    """Chapters × runs in Markdown: how many units have which verdict, the worst first."""
    lines = ["| chapter | " + " | ".join(f"{run.title}<br>{run.version}" for run in runs) + " |"]
    lines.append("| --- |" + " --- |" * len(runs))
    requirements = specification.requirements
    for chapter in specification.chapters:
        mine = [
            Counter(
                Verdict(verdict)
                for unit, verdict in run.units.items()
                if requirements[unit.partition("[")[0]].chapter == chapter
            )
            for run in runs
        ]
        lines.append(f"| {chapter} | " + " | ".join(map(_counts, mine)) + " |")
    everything = (_counts(Counter(map(Verdict, run.units.values()))) for run in runs)
    lines.append("| **all** | " + " | ".join(everything) + " |")
    return "\n".join(lines) + "\n"


def _counts(counts: Counter[Verdict]) -> str:
    return " ".join(f"{counts[verdict]}{verdict.symbol}" for verdict in sorted(counts, key=by_severity)) or "·"


def main(arguments: Sequence[str]) -> str:
    """What the program prints; raises ResultsError for a file that cannot be used."""
    parser = argparse.ArgumentParser(description="Keep the verdicts of results files for the documentation.")
    parser.add_argument("results", nargs="*", type=Path, help="results files of whole runs")
    parser.add_argument("--table", action="store_true", help="print what is kept as a table, after adding the results")
    parser.add_argument("--file", type=Path, default=FILE, help=f"where they are kept (default: docs/{FILE.name})")
    given = parser.parse_args(arguments)
    specification = load_specification()
    runs = merged(read_kept(given.file), read_runs(given.results, specification), specification)
    if given.results:
        text = json.dumps(document(runs), indent=1, ensure_ascii=False)
        given.file.write_text(text + "\n", encoding="utf-8")
    return table(runs, specification) if given.table else "\n".join(f"{run.title} {run.version}" for run in runs)


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]).rstrip())
    except ResultsError as error:
        sys.exit(str(error))
