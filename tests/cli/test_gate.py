"""``gate`` as a program, on real results of the reference: answers, exit codes, refusals; then a planted regression."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import conformance.results.gate
from conformance.cli import cli
from conformance.results.model import Results, Run, TestRecord, results_of
from conformance.results.verdict import FailureKind, Verdict
from conformance.spec import load_specification

ROOT = Path(__file__).parents[2]
DIALECT = "keras-2.4"
SCHEMA = json.loads(Path(conformance.results.gate.__file__).with_name("gate.schema.json").read_text(encoding="utf-8"))


def run_suite(output: Path, *arguments: str) -> Results:
    command = [sys.executable, "-m", "conformance", "run", *arguments, "--dialect", DIALECT, "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=output.parent, check=False)
    assert output.exists(), done.stderr
    return Results.read(output)


def completed(run: Run) -> Run:
    """``run`` as if the tests that a selection left out had been run too, and passed; the verdicts follow."""
    specification = load_specification()
    told = {unit for test in run.tests for unit in test.units}
    missing = (unit for unit in specification.units if str(unit) not in told)
    passing = (
        TestRecord(f"test_x.py::test_{unit}", (unit.requirement_id,), (str(unit),), Verdict.PASS) for unit in missing
    )
    return judged(replace(run, selection={}, interruption=None, tests=(*run.tests, *passing)))


def judged(run: Run) -> Run:
    from conformance.results.admission import judged_again
    from conformance.results.expectations import Expectations

    return judged_again(run, load_specification(), Expectations())[0]


def failing(run: Run, name: str, message: str = "values differ") -> Run:
    """``run`` with the test of that name failing silently."""
    changed = {"verdict": Verdict.FAIL, "kind": FailureKind.SILENT, "message": message}
    tests = tuple(replace(test, **changed) if f"::{name}" in test.id else test for test in run.tests)
    assert tests != run.tests
    return judged(replace(run, tests=tests))


FRESH = "test_a_clone_is_fresh"
STATE = ("-k", f"{FRESH} or (test_model and hdf5 and (optimizer_survive or training_goes_on))", "--max-examples", "2")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("gate") / "results.json"
    (run,) = run_suite(output, "reference", *STATE).runs
    assert {test.verdict for test in run.tests} == {Verdict.PASS}
    return completed(run)


@pytest.fixture
def gate(tmp_path):
    """Call the gate on runs (written down first) or on a file; returns the click result."""

    def gate(results, *arguments, old=None):
        if not isinstance(results, Path):
            results_of(results).write(tmp_path / "results.json")
            results = tmp_path / "results.json"
        if old is not None:
            results_of(old).write(tmp_path / "old.json")
            arguments = (*arguments, "--baseline", str(tmp_path / "old.json"))
        done = CliRunner().invoke(cli, ["gate", str(results), *map(str, arguments)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return gate


@pytest.fixture
def pins(tmp_path):
    """An expectations file that pins the failure of the clone."""
    path = tmp_path / "expectations.toml"
    entry = f'test = "test_clone.py::{FRESH}"\nkind = "silent"\nmatch = "differ"\nreason = "r"\nmeasured = "m"\n'
    path.write_text(f"# ours\n\n[[expectation]]\n{entry}", encoding="utf-8")
    return path


def test_what_is_as_expected_passes(gate, real):
    done = gate([real], old=[real])
    assert done.exit_code == 0, done.output
    assert "nothing changed" in done.output
    assert done.output.endswith("gate: passed; exit 0\n")


def test_a_new_failure_is_exit_1_and_told_to_be_new(gate, real):
    done = gate([failing(real, FRESH)], old=[real])
    assert done.exit_code == 1
    for part in (
        f"new failure  test_clone.py::{FRESH}",
        "does not fail in the baseline",
        "values differ",
        "requires  clone",
        "broken  1 test",
        "again     keras-conformance run reference",
        "gate: 1 × new failure; exit 1",
    ):
        assert part in done.output


def test_a_pinned_failure_passes_and_its_repair_says_which_lines_to_delete(gate, real, pins):
    assert gate([failing(real, FRESH)], "--expectations", pins).exit_code == 0
    done = gate([real], "--expectations", pins)
    assert done.exit_code == 1
    assert f"delete    {pins}:3-8" in done.output


def test_another_failure_than_the_pinned_one(gate, real, pins):
    done = gate([failing(real, FRESH, "the same object")], "--expectations", pins)
    assert done.exit_code == 1
    assert "failure for another reason than the pinned one" in done.output
    assert f"at        {pins}:3-8" in done.output


def test_an_entry_that_matches_nothing(gate, real, pins):
    pins.write_text(pins.read_text().replace(FRESH, "test_gone"))
    done = gate([real], "--expectations", f"reference={pins}")
    assert done.exit_code == 1
    assert "entry that matches nothing  test_clone.py::test_gone" in done.output


def test_json_is_the_published_document(gate, real, pins):
    done = gate([failing(real, FRESH, "other")], "--expectations", pins, "--json", old=[real])
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (document["passed"], document["problems"][0]["reason"]) == (False, "other-failure")
    assert document["problems"][0]["entries"][0]["first_line"] == 3
    assert {change["how"] for change in document["changes"]} == {"broken"}
    assert json.loads(gate([real], "--json").stdout)["passed"] is True


def test_an_update_that_only_deletes_passes_at_once(gate, real, pins):
    done = gate([real], "--expectations", pins, "--update-expectations")
    assert done.exit_code == 0, done.output
    assert "1 deleted, 0 added" in done.output.replace("\n", "")
    assert pins.read_text() == "# ours\n\n"


def test_an_update_that_adds_fails_until_the_reason_is_there(gate, real, tmp_path):
    path = tmp_path / "new.toml"
    done = gate([failing(real, FRESH)], "--expectations", path, "--update-expectations")
    assert done.exit_code == 1
    assert "fill in reason and measured (or link) of line 1" in " ".join(done.output.split())
    done = gate([failing(real, FRESH)], "--expectations", path)
    assert done.exit_code == 2
    assert "new.toml:1: reason is ''" in done.output
    path.write_text(path.read_text().replace('""', '"known"'))
    assert gate([failing(real, FRESH)], "--expectations", path).exit_code == 0


def test_several_implementations_have_a_file_each(gate, real, pins):
    other = replace(failing(real, FRESH), implementation="other")
    assert gate([real, other]).exit_code == 1
    assert gate([real, other], "--expectations", f"other={pins}").exit_code == 0
    for given, told in ((str(pins), "of which one? expected NAME=FILE"), (f"othr={pins}", "nearest: other")):
        done = gate([real, other], "--expectations", given)
        assert done.exit_code == 2
        assert told in done.output


def test_what_the_suite_does_not_know_needs_a_file_to_update(gate, real):
    done = gate([replace(real, implementation="other")], "--update-expectations")
    assert done.exit_code == 2
    assert "--expectations other=FILE" in done.output


def test_an_implementation_or_a_claim_that_is_gone(gate, real):
    other = replace(real, implementation="other")
    done = gate([real], old=[real, other])
    assert done.exit_code == 1
    assert "lost since the baseline  the implementation other" in done.output
    claims = [claim for claim in real.hello["capabilities"] if claim != "clone"]
    done = gate([judged(replace(real, hello={**real.hello, "capabilities": claims}))], old=[real])
    assert done.exit_code == 1
    assert "lost since the baseline  the claim clone" in done.output
    assert "→ not claimed" in done.output


def document(real):
    return results_of([real]).to_json()


def spoilt(change):
    def spoil(real):
        value = document(real)
        change(value)
        return json.dumps(value)

    return spoil


REFUSED = {
    "a file that was cut": (lambda real: json.dumps(document(real))[:-2000], "cannot be read as JSON"),
    "no footer": (spoilt(lambda value: value.pop("footer")), "there is no footer, so the file was cut off"),
    "another schema": (spoilt(lambda value: value.update(schema="2.0")), "schema is '2.0'"),
    "another suite": (spoilt(lambda value: value["suite"].update(version="2020.1.0")), "of suite 2020.1.0, "),
    "a selection": (spoilt(lambda value: value["runs"][0].update(selection={"k": ["x"]})), "part of the suite was asked"),
    "an interruption": (spoilt(lambda value: value["runs"][0].update(interruption="killed")), "stopped early: killed"),
    "not started": (
        spoilt(lambda value: value["runs"][0].update(start_failure={"text": "x", "stderr": ""})), "could not be started",
    ),
    "a unit not run": (spoilt(lambda value: value["runs"][0]["units"][0].update(verdict="not-run")), "1 unit not run"),
    "units without tests": (spoilt(lambda value: value["runs"][0]["tests"].clear()), "no test tells of"),
    "another footer": (spoilt(lambda value: value["footer"]["counts"].update({"pass": 1})), "the footer does not agree"),
    "an unknown dialect": (spoilt(lambda value: value["runs"][0].update(dialect="keras-9")), "judged in 'keras-9'"),
    "a unit of nowhere": (
        spoilt(lambda value: value["runs"][0]["units"][0].update(unit="no.such")), "tells of no.such",
    ),
    "a hello of other types": (
        spoilt(lambda value: value["runs"][0]["hello"].update(capabilities=5)), "hello.capabilities: Input should be",
    ),
    "one run twice": (spoilt(lambda value: value["runs"].append(value["runs"][0])), "has 2 runs of reference"),
    "nothing": (lambda real: "", "cannot be read as JSON"),
    "no JSON": (lambda real: "\x00\xff", "cannot be read as JSON"),
    "brackets without end": (lambda real: "[" * 100_000, "cannot be read as JSON"),
    "a number of many digits": (lambda real: "1" * 10_000, "cannot be read as JSON"),
    "another document": (lambda real: "[]", "not a results document"),
}  # fmt: skip


@pytest.mark.parametrize("which", ["results", "baseline"])
@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_judged_is_exit_2_with_the_reason(gate, real, tmp_path, which, text, told):
    path, good = tmp_path / "bad.json", tmp_path / "good.json"
    path.write_text(text(real), encoding="latin-1")
    results_of([real]).write(good)
    done = gate(path) if which == "results" else gate(good, "--baseline", path)
    assert done.exit_code == 2, done.output
    assert f"Error: {path}: " in done.output
    assert told in done.output


def test_of_other_suites_than_the_baseline(gate, real, tmp_path):
    old = tmp_path / "old.json"
    old.write_text(spoilt(lambda value: value["suite"].update(version="2020.1.0"))(real), encoding="utf-8")
    results_of([real]).write(tmp_path / "new.json")
    done = gate(tmp_path / "new.json", "--baseline", old)
    assert done.exit_code == 2
    assert "of suite 2020.1.0, to be compared with results of suite" in done.output


def test_files_that_are_not_there(gate, real, tmp_path):
    for arguments in ((tmp_path / "no.json",), (tmp_path,)):
        assert gate(*arguments).exit_code == 2
    done = gate([real], "--expectations", tmp_path / "no.toml")
    assert done.exit_code == 2
    assert "there is no such file" in done.output


ADAPTER = """\
import sys

sys.path.insert(0, sys.argv[1])

import reference_impl.formats.hdf5.optimizer as optimizer
from conformance.adapters.reference import Reference
from conformance.adapters.server import serve

optimizer.restore = lambda *arguments, **named: None
serve(Reference)
"""


def test_a_planted_regression_is_caught(gate, real, tmp_path):
    """An adapter outside the tree that drops the optimizer's state when it loads HDF5, and nothing else."""
    adapter, file = tmp_path / "adapter.py", tmp_path / "forgetful.toml"
    adapter.write_text(ADAPTER, encoding="utf-8")
    command = json.dumps([sys.executable, str(adapter), str(ROOT)])
    file.write_text(f'name = "forgetful"\ntitle = "x"\ndialects = ["{DIALECT}"]\ncommand = {command}\n')
    (run,) = run_suite(tmp_path / "found.json", "--implementation-file", str(file), *STATE).runs
    now, before = completed(run), replace(real, implementation="forgetful")
    assert gate([before], old=[before]).exit_code == 0
    done = gate([now], old=[before])
    assert done.exit_code == 1
    told = " ".join(done.output.split())
    for part in (
        "new failure test_model.py::test_step_count_and_slots_of_the_optimizer_survive[hdf5]",
        "units model.optimizer-state[hdf5]",
        "kind silent",
        "does not fail in the baseline",
        "model.optimizer-state[hdf5] pass → fail",
        "follows from another failure model.resume-training[hdf5]",
    ):
        assert part in told
    document = json.loads(gate([now], "--json", old=[before]).stdout)
    broken = {change["name"] for change in document["changes"] if change["how"] == "broken" and change["of"] == "unit"}
    assert all("[hdf5]" in name for name in broken), broken


def test_help_says_what_the_exit_codes_mean():
    done = CliRunner().invoke(cli, ["gate", "--help"])
    for part in ("Exit 1", "Exit 2", "unexpected pass", "cut off", "--baseline", "In CI:"):
        assert part in done.output
