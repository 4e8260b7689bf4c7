"""The whole way, over the pipe: with a broken basic one unit fails, and what depends on it is blocked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_one_failure_and_the_rest_blocked(tmp_path: Path):
    command = json.dumps([sys.executable, "-m", "conformance.mutants.adapter", "hdf5-keeps-fresh-weights"])
    file = tmp_path / "mutant.toml"
    file.write_text(
        f'name = "mutant"\ntitle = "the reference with a fault"\ndialects = ["keras-2.4"]\ncommand = {command}\n[env]\nPYTHONPATH = "{Path(__file__).parents[2]}"\n'
    )
    output = tmp_path / "results.json"
    wanted = ("model.any-kind", "model.weights", "model.same-outputs", "open.whole-as-weights", "open.names")
    selection = [part for name in wanted for part in ("--requirement", name)]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "conformance",
            "run",
            "--implementation-file",
            str(file),
            "--format",
            "hdf5",
            *selection,
            "--max-examples",
            "1",
            "--output",
            str(output),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in (1, 2), done.stdout + done.stderr  # 2: the rest of the suite was not run
    units = {each["unit"]: each for each in json.loads(output.read_text())["runs"][0]["units"]}
    found = {name: units[f"{name}[hdf5]"]["verdict"] for name in wanted}
    assert found == {
        "model.any-kind": "pass",
        "model.weights": "fail",
        "model.same-outputs": "blocked",
        "open.whole-as-weights": "blocked",
        "open.names": "blocked",
    }
    for name in ("model.same-outputs", "open.whole-as-weights", "open.names"):
        assert units[f"{name}[hdf5]"]["blocked_by"] == ["model.weights[hdf5]"]
