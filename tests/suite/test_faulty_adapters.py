"""A whole run over an adapter that misbehaves: a verdict for each fault, and everything else as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

ADAPTER = Path(__file__).with_name("faulty_adapter.py")
SELECTION = ("-k", "clone_is_fresh or weights_are_arrays or no_weights_before_its_first_call")


def implementation(folder: Path, fault: str) -> Path:
    file = folder / f"{fault}.toml"
    command = json.dumps([sys.executable, str(ADAPTER), fault])
    file.write_text(
        f'name = "faulty"\ntitle = "a faulty adapter"\ndialects = ["keras-2.4"]\ncommand = {command}\n'
        "[limits]\nstart = 60\nrequest = 4\nmemory_gb = 2\n"
    )
    return file


def run(tmp_path: Path, fault: str, *names: str) -> tuple[int, dict[str, Any], str]:
    output = tmp_path / "results.json"
    file = implementation(tmp_path, fault)
    command = [sys.executable, "-m", "conformance", "run", *names, "--implementation-file", str(file), *SELECTION]
    done = subprocess.run([*command, "--output", str(output)], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(output.read_text()), done.stdout + done.stderr


def verdicts(document: dict[str, Any], number: int) -> dict[str, str]:
    return {
        test["id"].split("::")[1]: test["verdict"]
        for test in document["runs"][number]["tests"]
        if test["verdict"] != "not-run"
    }


@pytest.mark.parametrize(
    ("fault", "verdict", "told"),
    [
        ("dies", "crash", "exited with status 7"),
        ("is_killed", "crash", "SIGKILL"),
        ("prints_garbage", "crash", "Epoch 1/1"),
        ("answers_the_wrong_id", "crash", "id"),
        ("hangs", "timeout", "4 s"),
    ],
)
def test_a_fault_is_a_verdict_and_the_run_goes_on(tmp_path: Path, fault: str, verdict: str, told: str):
    code, document, text = run(tmp_path, fault)

    assert code == 1, text
    found = verdicts(document, 0)
    assert found.pop("test_a_clone_is_fresh") == verdict
    assert set(found.values()) == {"pass"}
    assert len(found) == 2
    (message,) = [test["message"] for test in document["runs"][0]["tests"] if test["verdict"] == verdict]
    assert told in message
    assert f"last words: {fault}" in message
    assert not [p for p in psutil.process_iter(["cmdline"]) if [str(ADAPTER), fault] == (p.info["cmdline"] or [])[-2:]]


def test_one_that_dies_at_start_does_not_keep_the_others_from_running(tmp_path: Path):
    code, document, text = run(tmp_path, "dies_at_start", "faulty", "reference")

    assert code == 3, text
    assert "last words: dies_at_start" in text
    assert set(verdicts(document, 1).values()) == {"pass"}
    assert len(verdicts(document, 1)) == 3
