"""The same examples are drawn, and the same verdicts come out, whatever else is going on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Chapters that draw models, layers, seeds and paths, and that the reference runs in a few seconds.
SELECTION = ("--chapter", "weights", "--chapter", "clone", "--chapter", "weights-file")


def verdicts(tmp_path: Path, *options: str, **environment: str) -> dict[str, tuple[str, int, str]]:
    """Test id → verdict, examples run and digest of what was drawn, from a run in a process of its own."""
    output = tmp_path / f"results-{len(list(tmp_path.iterdir()))}.json"
    run_one = [sys.executable, "-m", "conformance", "run", "reference", "--dialect", "keras-2.4"]
    command = [*run_one, *options, "--output", str(output)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert output.exists(), done.stdout + done.stderr
    (run,) = json.loads(output.read_text())["runs"]
    drawn = {
        test["id"]: (test["verdict"], test["examples"], test["digest"])
        for test in run["tests"]
        if test["verdict"] not in ("not-run", "not-claimed", "not-applicable")
    }
    assert drawn, done.stdout + done.stderr
    return drawn


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int, str]]:
    return verdicts(tmp_path_factory.mktemp("plain"), *SELECTION)


def test_examples_differ_from_test_to_test(plain: dict[str, tuple[str, int, str]]):
    digests = [digest for test, (_, _, digest) in plain.items() if "::test_every_value_comes_back[" in test]
    assert len(digests) == 2  # a format each
    assert len(set(digests)) == 2


def test_a_second_run_is_the_same(plain: dict[str, tuple[str, int, str]], tmp_path: Path):
    assert verdicts(tmp_path, *SELECTION) == plain


def test_over_the_pipe_is_the_same(plain: dict[str, tuple[str, int, str]], tmp_path: Path):
    assert verdicts(tmp_path, *SELECTION, "--piped") == plain


def test_in_ci_it_is_the_same(plain: dict[str, tuple[str, int, str]], tmp_path: Path):
    assert verdicts(tmp_path, *SELECTION, CI="true", PYTHONHASHSEED="7") == plain


def test_a_selection_draws_the_same(plain: dict[str, tuple[str, int, str]], tmp_path: Path):
    some = verdicts(tmp_path, *SELECTION, "-k", "stateless or weights_are_arrays or every_value")
    assert 0 < len(some) < len(plain)
    assert some == {test: plain[test] for test in some}


def test_another_seed_draws_others(plain: dict[str, tuple[str, int, str]], tmp_path: Path):
    other = verdicts(tmp_path, "-k", "weights_are_arrays", "--seed", "5")
    assert other
    assert all(digest != plain[test][2] for test, (_, _, digest) in other.items())
