"""``run`` around a stand-in for the suite's process: what is written, shown and returned, whatever becomes of it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import click
import psutil
import pytest
from click.testing import CliRunner

import conformance.cli.child
from conformance.cli import cli
from conformance.cli.targets import Target, in_dialects
from conformance.cli.validate import Plan
from conformance.results.model import Results
from conformance.results.verdict import Verdict

FAKE = Path(__file__).with_name("fake_suite.py")
TOY = 'name = "toy"\ntitle = "a toy"\ndialects = ["keras-2.4"]\ncommand = ["none"]\n'


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the command line on a scenario; returns the click result and the document, if one was written."""

    def run(scenario, *arguments):
        monkeypatch.setattr(
            "conformance.cli.validate.suite_command",
            lambda directory, options: [sys.executable, str(FAKE), scenario, str(directory / "records.jsonl")],
        )
        toy = tmp_path / "toy.toml"
        toy.write_text(TOY, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(Path(conformance.cli.child.__file__).parents[2]))
        output = tmp_path / "results.json"
        done = CliRunner().invoke(cli, ["run", "--implementation-file", str(toy), "--output", str(output), *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done, Results.read(output) if output.exists() else None

    return run


def test_a_run_as_expected(run):
    done, results = run("passes")
    assert done.exit_code == 0, done.output
    assert results.is_complete
    assert set(results.footer.counts) == {Verdict.PASS, Verdict.NOT_APPLICABLE}
    assert "0 unexpected verdicts; exit 0: everything was as expected" in done.output


def test_without_a_terminal_each_chapter_is_a_line(run):
    done, _ = run("passes")
    assert "toy: starting" in done.output
    assert "\x1b" not in done.output


def test_a_failure_is_shown_and_is_exit_1(run):
    done, results = run("fails", "--seed", "7")
    assert done.exit_code == 1
    assert results.is_complete
    for part in (
        "values differ",
        "[1.]",
        "[0.]",
        "keras-conformance run toy --implementation-file",
        " --seed 7 --requirement",
    ):
        assert part in done.output


def test_an_exploring_run_prints_its_seed_first_and_how_to_repeat_it_last(run):
    done, results = run("passes", "--explore", "--max-examples", "5x", "-k", "same")
    seed = results.runs[0].seed
    assert done.output.startswith(f"examples are drawn with --seed {seed}")
    repeat = next(line for line in done.output.splitlines() if line.startswith("keras-conformance run toy"))
    assert repeat.endswith(f" --max-examples 5x --seed {seed} -k same")
    again, repeated = run("passes", *repeat.split()[repeat.split().index("--max-examples") :])
    assert again.exit_code == done.exit_code
    assert repeated.runs[0].seed == seed


@pytest.mark.parametrize(("scenario", "told"), [("killed", "by signal 9"), ("cut", "with exit status 1")])
def test_a_suite_that_dies_leaves_an_incomplete_document_with_its_last_words(run, scenario, told):
    done, results = run(scenario)
    assert done.exit_code == 2
    assert not results.is_complete
    assert told in results.runs[0].interruption
    assert "the suite's own words" in results.runs[0].interruption
    assert results.runs[0].counts[Verdict.PASS] == 1
    assert results.runs[0].counts[Verdict.NOT_RUN] > 1


def test_a_selection_of_nothing_is_exit_2(run):
    done, results = run("nothing", "-k", "no_such_test")
    assert done.exit_code == 2
    assert "no test matches the selection" in done.output
    assert not results.is_complete


def test_a_selection_is_not_complete_and_no_fault(run):
    done, results = run("passes", "-k", "same")
    assert done.exit_code == 0
    assert not results.is_complete
    assert "only part of the suite was asked for" in done.output


def test_an_implementation_that_does_not_start_is_exit_3_with_its_last_words(run):
    done, results = run("start-failure")
    assert done.exit_code == 3
    assert results.runs[0].start_failure.stderr == "ImportError: no module"
    assert "ImportError: no module" in done.output


def test_a_suite_that_dies_before_it_asked_what_is_claimed_leaves_units_not_run_and_none_not_claimed(run):
    _, results = run("dies-at-once")
    assert set(results.runs[0].counts) == {Verdict.NOT_RUN, Verdict.NOT_APPLICABLE}


def test_a_missing_interpreter_is_exit_3_and_the_others_run(run, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_CONFORMANCE_ENVS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    done, results = run("passes", "tf2.4", "toy")
    assert done.exit_code == 3
    assert [run.start_failure is None for run in results.runs] == [False, True]
    assert results.runs[1].counts[Verdict.PASS] > 1
    assert "tox" in results.runs[0].start_failure.text


def test_ctrl_c_ends_the_suite_and_writes_what_is_known(run, monkeypatch):
    children = []
    follow = conformance.cli.child.SuiteProcess.follow

    def follow_and_interrupt(self, show):
        children.append(self._process.pid)

        def show_and_interrupt(found):
            show(found)
            if found.running and "hangs" in found.running:
                threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()

        return follow(self, show_and_interrupt)

    monkeypatch.setattr(conformance.cli.child.SuiteProcess, "follow", follow_and_interrupt)
    # A shell without job control starts what runs in the background with SIGINT ignored.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done, results = run("hangs", "toy", "tf2.4")
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert done.exit_code == 130
    assert not results.is_complete
    assert [run.interruption for run in results.runs] == ["interrupted by the user", "never begun"]
    assert results.runs[0].counts[Verdict.PASS] == 1
    assert not any(psutil.pid_exists(child) for child in children)


def test_json_is_alone_on_stdout(run):
    done, results = run("fails", "--json")
    assert Results.from_json(json.loads(done.stdout)) == results
    assert "values differ" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tf2.44"], "unknown implementation 'tf2.44'; nearest: tf2.4"),
        (["--requirement", "model.wieghts"], "unknown requirement 'model.wieghts'; nearest: model.weights"),
        (["--format", "saved-model"], "unknown format 'saved-model'; nearest: savedmodel"),
        (["--chapter", "modle"], "unknown chapter 'modle'; nearest: model"),
        (["--python", "tf2.4"], "expected NAME=PATH"),
        (["--python", "tf24=x"], "unknown implementation 'tf24'"),
        (["--max-examples", "0"], "Invalid value"),
        (["--max-examples", "x5"], "multiple of each test's own (5x)"),
        (["--dialect", "keras-4"], "unknown dialect 'keras-4'; nearest: keras-"),
    ],
)
def test_what_cannot_be_meant_is_exit_2_with_the_nearest_names(run, arguments, told):
    done, results = run("passes", *arguments)
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert results is None


def test_results_that_cannot_be_written_are_told_before_anything_runs(run, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done, _ = run("passes", "--output", str(tmp_path / "file" / "results.json"))
    assert done.exit_code == 2
    assert "cannot be written" in done.output
    assert "toy: starting" not in done.output


def test_faulty_expectations_are_exit_2_before_anything_runs(run, monkeypatch, tmp_path):
    path = tmp_path / "expectations.toml"
    path.write_text("[[expectation]]\nunit = 'nothing.like-it'\n", encoding="utf-8")
    read = conformance.cli.targets.read_expectations
    monkeypatch.setattr("conformance.cli.targets.read_expectations", lambda _, specification: read(path, specification))
    done, results = run("passes")
    assert done.exit_code == 2
    assert f"{path}:1" in done.output
    assert results is None


def test_the_options_of_the_suites_process(tmp_path):
    toy = type("Toy", (), {"name": "toy", "dialects": ("keras-2.4", "keras-3")})()
    target = Target(toy, "keras-2.4", Path("/bin/py"), Path("/bin/py"), Path("toy.toml"))
    plan = Plan({"requirement": ["a.b", "c.d"], "k": ["x and y"]}, {"max-examples": 3, "seed": 7}, jobs=2, piped=True)
    words = plan.suite_options(target, tmp_path / "records")
    assert words == [
        "--implementation", "toy", "--conformance-records", str(tmp_path / "records"),
        "--conformance-dialect", "keras-2.4", "--implementation-file", "toy.toml", "--conformance-python", "/bin/py",
        "--conformance-piped", "--conformance-requirement", "a.b", "--conformance-requirement", "c.d", "-k", "x and y",
        "--conformance-max-examples=3", "--conformance-seed=7", "-p", "xdist.plugin", "-n", "2",
    ]  # fmt: skip
    assert plan.command(target) == (
        "keras-conformance run toy --dialect keras-2.4 --python toy=/bin/py --implementation-file toy.toml"
        " --piped --max-examples 3 --seed 7"
    )
    times = Plan(drawing={"times": 5, "seed": 7})
    assert times.suite_options(target, tmp_path / "records")[-2:] == ["--conformance-times=5", "--conformance-seed=7"]
    assert times.command(target).endswith(" --max-examples 5x --seed 7")


def test_an_implementation_is_run_once_per_dialect():
    toy = type("Toy", (), {"name": "toy", "dialects": ("keras-2.4", "keras-3")})()
    target = Target(toy, "keras-2.4")
    assert [found.title for found in in_dialects([target])] == ["toy (keras-2.4)", "toy (keras-3)"]
    assert [found.dialect for found in in_dialects([target], ["keras-3"])] == ["keras-3"]
    with pytest.raises(click.UsageError, match=r"toy is judged in keras-2.4, keras-3, not in keras-2.15"):
        in_dialects([target], ["keras-2.15"])
