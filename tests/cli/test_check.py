"""``check`` as a program: the reference and an implementation that is broken in the way that each file's name says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import jsonschema
import numpy as np
import psutil
import pytest
from click.testing import CliRunner, Result

import conformance.cli.check_progress
import reference_impl
from conformance.checking.results import SCHEMA_FILE, Document, read
from conformance.cli import cli
from tests.checking.models import broken, dense, save
from tests.reference.formats.test_saved_model_reading import module

# What the file is called → what comes of it in the broken implementation, and of the model.
FATES = {
    "crash.h5": ("crash", "crash"),
    "forgets.h5": ("silent", "silent"),
    "fresh.h5": ("silent", "silent"),
    "good.h5": ("loaded", "equal"),
    "good.keras": ("loaded", "equal"),
    "hang.h5": ("timeout", "timeout"),
    "refused.h5": ("refused", "refused"),
    "silent.h5": ("silent", "silent"),
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, sound in themselves, among what is none."""
    folder = tmp_path_factory.mktemp("registry")
    model = dense()
    for name in FATES:
        save(folder / name, model)
    save(folder / "saved", model)
    (folder / "empty.h5").write_bytes(b"")
    (folder / "dangling.h5").symlink_to("gone.h5")
    (folder / "text.h5").write_text("no model")
    (folder / "cut.h5").write_bytes((folder / "good.h5").read_bytes()[:3000])
    (folder / "readme.txt").write_text("not looked at")
    return folder


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Result]:
    """Run ``check`` with the broken implementation at hand, as ``broken``."""

    def run(*arguments: str | Path, version: str = "1.0") -> Result:
        folder = tmp_path / "implementation"
        folder.mkdir(exist_ok=True)
        given = ["check", *map(str, arguments), "--implementation-file", str(broken(folder, version))]
        return CliRunner().invoke(cli, given, catch_exceptions=False)

    return run


def test_a_path_is_relative_to_where_the_command_is_called(
    check: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """An adapter works in a folder of its own."""
    save(tmp_path / "good.h5", dense())
    (tmp_path / "mine.py").write_text("MINE = 1\n")
    monkeypatch.chdir(tmp_path)
    done = check("good.h5", "--against", "broken", "--custom-objects", "mine.py")
    assert done.exit_code == 0, done.output
    assert "broken 1.0: 1 loaded" in done.output


def test_a_savedmodel_without_keras_is_compared_as_variables(check: Callable[..., Result], tmp_path: Path):
    module().save(tmp_path / "plain")
    done = check(tmp_path / "plain", "--against", "broken")
    assert done.exit_code == 0, done.output
    assert re.search(r"equal +.*plain  savedmodel without Keras, \d+ weights", done.output)

    (tmp_path / "plain" / "variables" / "variables.data-00000-of-00001").unlink()
    done = check(tmp_path / "plain", "--against", "broken")
    assert done.exit_code == 1
    assert "broken: refused  " in done.output


def by_name(document: Document) -> dict[str, Any]:
    return {Path(record.path).name: record for record in document.models}


def test_a_folder_with_everything_that_can_happen(registry: Path, check: Any, tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    done = check(registry, "--against", "broken", "--timeout", "8", "--jobs", "2", "--output", output, "--json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    assert done.exit_code == 1

    found = by_name(read(output, complete=True))
    assert {name: found[name].verdict for name in FATES} == {name: verdict for name, (_, verdict) in FATES.items()}
    outcomes = {name: found[name].implementations["broken"].outcome for name in FATES}
    assert outcomes == {name: outcome for name, (outcome, _) in FATES.items()}
    assert all(found[name].implementations["reference"].outcome == "loaded" for name in FATES)
    assert found["saved"].verdict == "equal"
    problems = {name: each.problem for name, each in found.items() if each.verdict == "bad-input"}
    assert problems["empty.h5"] == "is empty (0 bytes)"
    assert problems["dangling.h5"] == "is a dangling link to gone.h5"
    assert set(problems) == {"empty.h5", "dangling.h5", "text.h5"}
    assert found["cut.h5"].verdict == "refused"

    # What a person reads, on stderr here.
    text = done.stderr
    assert text.count("good.h5") == 1, "one line, if all is equal"
    assert "refused  load: ValueError: this reader does not like it" in text
    assert "1 weight not as in the file" in text
    assert "4 weights not as in the file, 4 of them fresh" in text
    assert "not as the file says: 1 of 8 values differ, by up to 0.25" in text
    assert "optimizer: 8 of 8 arrays of its state in the file were not loaded" in text
    assert "ended by SIGKILL" in text
    assert "no answer within 8 s" in text
    assert "13 models: 3 equal, 2 refused, 3 silent, 1 timeout, 1 crash, 3 bad-input" in text


def test_a_baseline_is_a_gate(registry: Path, check: Any, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for name in ("good.h5", "refused.h5", "silent.h5"):
        shutil.copy(registry / name, models / name)
    baseline = tmp_path / "baseline.jsonl"
    assert check(models, "--against", "broken", "--save-baseline", baseline).exit_code == 1
    same = check(models, "--against", "broken", "--baseline", baseline, version="1.1")
    assert same.exit_code == 0, "what was bad before is no reason to stop"
    assert "nothing has changed" in same.output

    # As if the library treated the two otherwise than it did.
    former = (
        baseline.read_text()
        .replace("/good.h5", "/x.h5")
        .replace("/refused.h5", "/good.h5")
        .replace("/x.h5", "/refused.h5")
    )
    baseline.write_text(former)
    worse = check(models, "--against", "broken", "--baseline", baseline)
    assert worse.exit_code == 1
    assert "broken: loaded → refused (load: ValueError: this reader does not like it)" in worse.output
    assert "broken: refused (load: ValueError: this reader does not like it) → loaded" in worse.output
    assert "against the baseline: 1 worse, 1 better" in worse.output


def test_stopped_and_gone_on_with(registry: Path, check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for number in range(6):
        shutil.copy(registry / "good.h5", models / f"{number}.h5")
    output = tmp_path / "results.jsonl"
    children: list[tuple[psutil.Process, str]] = []

    record = conformance.cli.check_progress.Shown._record

    def interrupt(self: Any, each: Any) -> None:
        record(self, each)
        if each.path.endswith("2.h5"):
            family = psutil.Process().children(recursive=True)
            children.extend((child, " ".join(child.cmdline())) for child in family)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(conformance.cli.check_progress.Shown, "_record", interrupt)
    # A shell without job control starts what runs in the background with SIGINT ignored.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        stopped = check(models, "--against", "broken", "--output", output)
    finally:
        signal.signal(signal.SIGINT, inherited)
    monkeypatch.undo()
    assert stopped.exit_code == 130
    assert "3 of 6 models done; go on with" in stopped.stderr
    assert children
    _, alive = psutil.wait_procs(
        [child for child, command in children if "resource_tracker" not in command], timeout=60
    )
    assert not alive

    partial = output.read_text()
    assert len(partial.splitlines()) == 4
    output.write_text(partial + partial.splitlines()[1][:200])  # and the next line was cut

    again = check(models, "--against", "broken", "--output", output)
    assert again.exit_code == 2
    assert "holds a run that was stopped: go on with it by --resume" in again.output
    otherwise = check(models, "--against", "broken", "--output", output, "--resume", "--train", version="2.0")
    assert otherwise.exit_code == 2
    assert "broken was '1.0', is '2.0'; train was False, is True" in otherwise.output

    (models / "1.h5").write_bytes((registry / "good.h5").read_bytes())  # another time: checked again
    resumed = check(models, "--against", "broken", "--output", output, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert "2 of 6 models were done before" in resumed.output
    whole = read(output, complete=True)
    assert sorted(Path(path).name for path in whole.by_path) == [f"{number}.h5" for number in range(6)]
    assert output.read_text().splitlines()[1] == partial.splitlines()[1], "what was done is kept as it was"


def test_weights_and_checkpoints_with_their_architecture_or_without(check: Any, tmp_path: Path) -> None:
    model = dense()
    folder = tmp_path / "models"
    (folder / "with").mkdir(parents=True)
    (folder / "without").mkdir()
    for path in (folder / "with", folder / "without"):
        with reference_impl.dialect("keras-2.15"):
            for name in ("old.h5", "new.weights.h5", "ckpt"):
                model.save_weights(str(path / name))
    (folder / "with" / "model.json").write_text(model.to_json(), encoding="utf-8")
    output = tmp_path / "results.jsonl"
    done = check(folder, "--against", "broken", "--output", output)
    assert done.exit_code == 1
    told = {
        Path(each.path).relative_to(folder).as_posix(): (each.format, each.verdict)
        for each in read(output, complete=True).models
    }
    assert told == {
        "with/ckpt": ("checkpoint weights", "equal"),
        "with/new.weights.h5": ("weights-h5 weights", "equal"),
        "with/old.h5": ("hdf5 weights", "equal"),
        "without/ckpt": ("checkpoint", "equal"),
        "without/new.weights.h5": ("hdf5", "bad-input"),
        "without/old.h5": ("hdf5", "bad-input"),
    }
    assert "holds weights alone: give the model's JSON with --architecture" in done.output


OBJECTS = """
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
"""


def test_what_cannot_be_compiled_is_compared_without(check: Any, tmp_path: Path) -> None:
    path = save(tmp_path / "lossy.h5", dense())
    with h5py.File(path, "r+") as file:
        file.attrs["training_config"] = file.attrs["training_config"].replace('"mse"', '"mine"')
    done = check(path, "--output", tmp_path / "results.jsonl")
    assert done.exit_code == 1
    assert "loads with compile=False (--no-compile), and was compared so" in done.output
    (record,) = read(tmp_path / "results.jsonl", complete=True).models
    examined = record.implementations["reference"]
    assert (record.verdict, examined.outcome) == ("refused", "refused")
    assert "mine" in examined.reason
    assert examined.weights.count == 4
    assert check(path, "--no-compile").exit_code == 0


def test_own_objects_own_inputs_and_the_next_steps(check: Any, tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"keras": reference_impl}
    exec(OBJECTS, namespace)
    reference_impl.backend.clear_session()
    model = reference_impl.Sequential(
        [reference_impl.Input((3,), name="x"), namespace["Doubled"](name="d"), reference_impl.layers.Dense(2, name="e")]
    )
    model.compile("sgd", "mse")
    path = save(tmp_path / "own.h5", model)
    (tmp_path / "objects.py").write_text(OBJECTS, encoding="utf-8")
    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.savez(tmp_path / "x.npz", x=x)

    assert "Doubled" in check(path, "--against", "broken").output
    output = tmp_path / "results.jsonl"
    options = ("--custom-objects", tmp_path / "objects.py", "--inputs", tmp_path / "x.npz", "--train")
    done = check(path, "--against", "broken", *options, "--output", output)
    assert done.exit_code == 0, done.output
    (record,) = read(output, complete=True).models
    for examined in record.implementations.values():
        assert examined.outputs[0].values == pytest.approx(model.predict(x).ravel())
        assert [list(step) for step in examined.steps] == [["loss"], ["loss"]]
        assert examined.trained
        assert examined.trained != examined.weights


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["m.h5", "--against", "tf2.44"], 2, "unknown implementation 'tf2.44'; nearest: tf2.4"),
        (["m.h5", "--against", "broken", "--resume"], 2, "--resume goes on with the file of --output"),
        (["m.h5", "--against", "broken", "--baseline", "m.h5"], 2, "m.h5: cannot be read"),
        (["m.h5", "--inputs", "m.h5"], 2, "cannot be read as .npz"),
        (["m.h5", "--custom-objects", "bad.py"], 2, "bad.py: is not Python"),
        (["m.h5", "--output", "m.h5"], 2, "it is not overwritten"),
        (["m.h5", "--architecture", "gone.json"], 2, "does not exist"),
        ([], 2, "Missing argument"),
        (["m.h5", "--against", "tf2.4", "--python", "tf2.4=nowhere"], 3, "tf2.4: not started"),
    ],
)
def test_what_cannot_be_used_is_said_at_once(
    registry: Path,
    check: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(registry / "good.h5", "m.h5")
    Path("bad.py").write_text("class (", encoding="utf-8")
    done = check(*arguments)
    assert (done.exit_code, problem in " ".join(done.output.split())) == (code, True), done.output
    assert "Traceback" not in done.output


def test_the_help_says_what_it_does() -> None:
    text = " ".join(CliRunner().invoke(cli, ["check", "--help"]).output.split())
    for part in ("Exit codes", "silent", "--save-baseline models.jsonl", "No code in a model is run"):
        assert part in text


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() <= before
