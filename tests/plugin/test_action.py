"""action.yml, the workflow beside it and the pre-commit hook: what can be checked of them without GitHub."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli import cli

yaml: Any = pytest.importorskip("yaml", reason="not run: PyYAML is not here")

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
TEXT = (ROOT / "action.yml").read_text(encoding="utf-8")


def test_the_action_has_what_github_asks_of_a_composite_one():
    assert set(ACTION) == {"name", "description", "branding", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert ("run" in step) != ("uses" in step), step
        assert set(step) <= {"name", "id", "if", "shell", "env", "run", "uses", "with"}
        assert "shell" in step or "uses" in step, "a step of a composite action names its shell"
    assert all("description" in one for one in [*ACTION["inputs"].values(), *ACTION["outputs"].values()])
    assert all(isinstance(one["default"], str) for one in ACTION["inputs"].values())


def test_every_name_in_an_expression_exists():
    assert set(re.findall(r"inputs\.([\w-]+)", TEXT)) == set(ACTION["inputs"])
    ids = {step["id"]: step for step in STEPS if "id" in step}
    for name, output in re.findall(r"steps\.(\w+)\.outputs\.([\w-]+)", TEXT):
        assert name in ids
        assert "uses" in ids[name] or f"{output}=" in ids[name]["run"]


def test_nothing_from_outside_is_put_into_a_script():
    assert not [step["run"] for step in STEPS if "${{" in step.get("run", "")]


def test_the_scripts_are_bash_and_call_commands_that_exist():
    bash = shutil.which("bash")
    assert bash
    for step in STEPS:
        if "run" not in step:
            continue
        done = subprocess.run([bash, "-n"], input=step["run"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for command in re.findall(r"bin/keras-conformance\" (\w+)", step["run"]):
            told = CliRunner().invoke(cli, [command, "--help"]).output
            options = re.findall(r"(--[a-z][\w-]*) ", step["run"])
            assert [option for option in options if option not in told and option != "--quiet"] == []


def test_the_order_is_validate_report_gate():
    names = [step.get("name", step.get("uses", "")) for step in STEPS]
    assert names.index("Validate") < names.index("Summary") < names.index("Upload the report") < names.index("Gate")


def test_the_workflow_gives_inputs_that_exist():
    workflow = yaml.safe_load((ROOT / "examples" / "workflows" / "conformance.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    (step,) = (one for one in job["steps"] if "keras-conformance" in one.get("uses", ""))
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert workflow["permissions"] == {"contents": "read"}
    assert {"pull_request", "push"} == set(workflow[True])  # YAML 1.1 reads `on` so


def test_the_hook_runs_a_command_that_exists():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, *words = hook["entry"].split()
    assert program == "keras-conformance"
    told = CliRunner().invoke(cli, [*words[:-1], "--help"])
    assert told.exit_code == 0
    assert words[-1] in told.output
