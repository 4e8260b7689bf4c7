"""The benchmarks measure what they say; how fast this machine is, is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import imports, measure, memory
from benchmarks.__main__ import FAMILIES, main
from benchmarks.measure import Result


def test_pairs_are_measured_in_turn_and_the_first_is_thrown_away() -> None:
    calls: list[str] = []

    def timer(name: str, start: float) -> measure.Timer:
        def time() -> float:
            calls.append(name)
            return start + calls.count(name)

        return time

    measured = tuple(measure.pairs(timer("a", 10), timer("b", 20), 3))
    assert measured == ((12, 22), (13, 23), (14, 24))
    assert calls == ["b", "a", "a", "b", "b", "a", "a", "b"]


def test_medians_are_of_the_pairs() -> None:
    measured = ((1.0, 2.0), (1.0, 10.0), (4.0, 2.0))
    assert measure.median_ratio(measured) == 2.0
    assert measure.median_difference(measured) == 1.0


@pytest.mark.parametrize(
    ("value", "limit", "sense", "reached"),
    [
        (1.0, 1.0, "at most", True),
        (1.1, 1.0, "at most", False),
        (4.9, 5.0, "at least", False),
        (9.0, None, "at most", True),
    ],
)
def test_limits(value: float, limit: float | None, sense: str, reached: bool) -> None:
    assert Result("x", "x", "×", (), value, limit, sense).reached is reached  # type: ignore[arg-type]


def test_what_is_held_is_seen_from_outside(tmp_path: Path) -> None:
    from benchmarks import checkpoints

    checkpoints.write(tmp_path / "c", 32)
    before, peak, arrays = memory._measure("read", tmp_path / "c")
    assert arrays == 32 * 2**20
    assert peak - before > 30 * 2**20
    before, peak, arrays = memory._measure("read-zero-copy", tmp_path / "c")
    assert peak - before - arrays < 16 * 2**20


def test_the_command_prints_one_document() -> None:
    done = CliRunner().invoke(main, ["checkpoint", "memory", "--size", "16", "--json"])
    document = json.loads(done.stdout)
    names = [result["name"] for result in document["results"]]
    assert names == ["checkpoint-copied", "checkpoint-zero-copy", *(f"memory-{action}" for action in memory.ACTIONS)]
    assert done.exit_code == (0 if all(result["reached"] for result in document["results"]) else 1)
    assert document["checkpoint_mib"] == 16


def test_help_and_usage() -> None:
    runner = CliRunner()
    text = runner.invoke(main, ["--help"]).stdout
    assert all(word in text for word in (*FAMILIES, "--pairs", "--json", "Exit code"))
    assert runner.invoke(main, ["--pairs", "6"]).exit_code == 2
    assert runner.invoke(main, ["nonsense"]).exit_code == 2
    assert runner.invoke(main, ["hdf5", "--python", "tf-keras=/nowhere/python"]).exit_code == 3
    assert runner.invoke(main, ["hdf5", "--python", "other=/nowhere"]).exit_code == 2


def test_processes_are_fresh() -> None:
    assert imports._process("import sys; sys.exit(0)")() > 0
