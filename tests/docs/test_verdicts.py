"""docs/pages/verdicts.py: results files become the verdicts that the documentation shows."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.results.model import Run, results_of
from conformance.results.verdict import Verdict
from tests.docs.commands import ROOT
from tests.docs.whole import whole_run


def made(tmp_path: Path, *runs: Run, more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Call the program on one results file of the runs (on none where there are none)."""
    file = tmp_path / "results.json"
    results_of(runs).write(file)
    return subprocess.run(
        [
            sys.executable,
            "docs/pages/verdicts.py",
            *([str(file)] if runs else []),
            *more,
            f"--file={tmp_path / 'kept'}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def kept(tmp_path: Path) -> dict[str, dict[str, str]]:
    return {run["title"]: run for run in json.loads((tmp_path / "kept").read_text(encoding="utf-8"))["runs"]}


def test_runs_are_kept_with_their_versions_and_those_that_were_there_stay(tmp_path: Path):
    library = replace(whole_run("tf-keras", "keras-2.15"), hello={"version": "0", "libraries": {"tf_keras": "2.21.0"}})
    assert made(tmp_path, library).returncode == 0
    done = made(tmp_path, whole_run(), more=("--table",))
    assert done.returncode == 0, done.stderr
    found = kept(tmp_path)
    assert list(found) == ["reference (keras-2.4)", "tf-keras (keras-2.15)"]
    assert found["tf-keras (keras-2.15)"]["version"] == "2.21.0"
    assert set(found["reference (keras-2.4)"]["units"].values()) == {"pass"}
    assert "model.same-outputs[keras]" not in found["reference (keras-2.4)"]["units"]
    assert done.stdout.splitlines()[0] == "| chapter | reference (keras-2.4)<br> | tf-keras (keras-2.15)<br>2.21.0 |"
    assert made(tmp_path, more=("--table",)).stdout == done.stdout


def test_a_run_takes_the_place_of_an_older_one(tmp_path: Path):
    made(tmp_path, whole_run())
    made(tmp_path, whole_run(verdict=Verdict.FAIL))
    assert "fail" in kept(tmp_path)["reference (keras-2.4)"]["units"].values()


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (replace(whole_run(), interruption="killed"), "not complete: reference: stopped early: killed"),
        (replace(whole_run(), tests=()), "no test tells of "),
    ],
)
def test_what_is_not_whole_is_not_kept(tmp_path: Path, run: Run, told: str):
    done = made(tmp_path, run)
    assert done.returncode == 1
    assert told in done.stderr
    assert not (tmp_path / "kept").exists()


def test_the_readme_shows_what_is_kept():
    done = subprocess.run(
        [sys.executable, "docs/pages/verdicts.py", "--table"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in (ROOT / "README.md").read_text(encoding="utf-8")
