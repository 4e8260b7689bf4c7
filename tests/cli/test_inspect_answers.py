"""What `inspect` says of who should load a file, against what the kept matrix knows of the golden files."""

from collections import Counter
from pathlib import Path

from conformance.fixtures.archive import write_below
from conformance.fixtures.manifest import read_archive, read_manifest
from conformance.fixtures.matrix import read_matrix
from conformance.fixtures.producing import PATHS
from conformance.inspecting.inspection import inspect

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
EVERY = 7
RIGHT = {
    "yes": {"pass", "silent"},
    "custom": {"pass", "silent"},  # a golden file is read with the custom objects it needs
    "uncompiled": {"refused"},
    "no": {"refused", "silent"},
}


def test_the_answers_are_right_for_nearly_all_golden_files(tmp_path: Path) -> None:
    verdicts = {
        (column.consumer, cell.producer, cell.format, recipe): reason.verdict
        for column in read_matrix(FIXTURES).columns
        for cell in column.cells
        for reason in cell.reasons
        for recipe in reason.recipes
    }
    right: Counter[bool] = Counter()
    entries = [(made, entry) for made in read_manifest(FIXTURES).made for entry in made.entries]
    for number, (made, entry) in enumerate(entries[::EVERY]):
        folder = tmp_path / str(number)
        write_below(folder, read_archive(FIXTURES, entry.archive))
        for answer in inspect(folder / PATHS[entry.format]).expectations:
            key = (answer.implementation, made.producer, entry.format, made.recipe)
            verdict = verdicts.get(key, "pass")
            if verdict != "not-claimed":
                right[verdict in RIGHT[answer.loads]] += 1
    assert right.total() > 1000
    assert right[True] / right.total() > 0.95
