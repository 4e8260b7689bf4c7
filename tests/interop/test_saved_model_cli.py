"""``saved_model_cli`` shows and runs the SavedModels written here: the first layer of each family."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.interop import layer_program, libraries
from tests.interop.cases import all_cases
from tests.interop.jobs import DIALECTS, Jobs, Side, Work, facts
from tests.interop.test_savedmodel_writing import TOLERANCE

_HERE = Path(__file__)
FIRSTS = {name.partition("/")[0]: name for name in reversed(list(all_cases()))}


@pytest.fixture(scope="module", params=["tf2.4", "tf-keras"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a folder for each family: ``saved``, ``names.json``, ``truth.npz``, ``show.txt``, ``run.txt``, ``run/``."""
    folder = tmp_path_factory.mktemp("cli")
    writer = Side("reference", DIALECTS[request.param])
    jobs = Jobs(_HERE.with_name("savedmodel_writing_program.py"), folder)
    jobs.write(writer, Work(list(FIRSTS.values()), ["savedmodel"]))
    written = jobs.written(writer)
    jobs.close()
    commands = [command for name in FIRSTS.values() for command in _commands(name, written / name)]
    (folder / "commands.json").write_text(json.dumps(commands), encoding="utf-8")
    done = subprocess.run(
        [libraries.interpreter(request.param), _HERE.with_name("saved_model_cli_program.py"), folder / "commands.json"],
        env=libraries.environment(request.param),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return written


def _names(folder: Path) -> dict[str, list[str]]:
    return json.loads((folder / "names.json").read_text(encoding="utf-8"))


def _commands(case: str, folder: Path) -> list[dict[str, object]]:
    given: list[str] = []
    for name, values in zip(_names(folder)["inputs"], layer_program.data(all_cases()[case]), strict=True):
        np.save(folder / f"{name}.npy", values.astype("S") if values.dtype == object else values)
        given.append(f"{name}={folder / f'{name}.npy'}")
    saved = ["--dir", str(folder / "saved"), "--tag_set", "serve", "--signature_def", "serving_default"]
    run = ["run", *saved, "--inputs", ";".join(given), "--outdir", str(folder / "run"), "--overwrite"]
    return [
        {"arguments": ["show", "--dir", str(folder / "saved"), "--all"], "said": str(folder / "show.txt")},
        {"arguments": run, "said": str(folder / "run.txt")},
    ]


def _said(folder: Path, command: str) -> str:
    text = (folder / f"{command}.txt").read_text(encoding="utf-8")
    assert (folder / f"{command}.txt.status").read_text(encoding="utf-8") == "0", text[-3000:]
    return text


@pytest.mark.parametrize("family", FIRSTS)
def test_the_signature_is_shown(ran: Path, family: str) -> None:
    folder = ran / FIRSTS[family]
    text, names = _said(folder, "show"), _names(folder)
    assert "signature_def['serving_default']" in text
    assert "Method name is: tensorflow/serving/predict" in text
    for name in names["inputs"]:
        assert f"inputs['{name}']" in text
    for name in names["outputs"]:
        assert f"outputs['{name}']" in text


@pytest.mark.parametrize("family", FIRSTS)
def test_the_signature_is_run(ran: Path, family: str) -> None:
    folder = ran / FIRSTS[family]
    _said(folder, "run")
    truth = facts(folder, "truth.npz", "write-savedmodel.txt")
    for place, name in enumerate(_names(folder)["outputs"]):
        expected = truth[f"output-{place}"]
        actual = np.load(folder / "run" / f"{name}.npy")
        assert actual.shape == expected.shape
        scale = max(1.0, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE * scale)
