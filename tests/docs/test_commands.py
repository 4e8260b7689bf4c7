"""Every command that the documentation shows is run; what is not, or not as shown, is in exceptions.toml with its reason."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import reference_impl
from conformance.cli import cli
from conformance.results.model import results_of
from tests.docs.commands import ROOT, Command, commands_of, is_command, shown
from tests.docs.whole import whole_run
from tests.environments import LIBRARIES

EXCEPTIONS = tomllib.loads((Path(__file__).with_name("exceptions.toml")).read_text(encoding="utf-8"))
NARROWED = {entry["command"]: entry["add"] for entry in EXCEPTIONS["narrowed"]}
ELSEWHERE = {entry["command"]: entry["reason"] for entry in EXCEPTIONS["elsewhere"]}

OUTSIDER = "docs/adapters.md"
"""The page whose blocks are one path; test_outsider.py goes it word by word."""

COMMANDS = list(
    dict.fromkeys(
        one.text for one in shown() if not (one.page == OUTSIDER and one.text.startswith(("suite/", "python3", "cp ")))
    )
)
RUN = [text for text in COMMANDS if text not in ELSEWHERE]
WRITTEN = {"--html", "--output", "--markdown", "--junit", "--badge", "--save-baseline"}
LAYERS = """
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
"""


def test_the_list_of_exceptions_is_exact():
    listed = [entry["command"] for kind in ("narrowed", "elsewhere") for entry in EXCEPTIONS[kind]]
    assert sorted(listed) == sorted(set(listed))
    assert [command for command in listed if command not in COMMANDS] == []
    assert all(ELSEWHERE.values())


def test_a_command_is_found_wherever_it_is_shown(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("Do `tox -e lint` or\n```sh\npytest -x  # all\n```\nnot\n```\nx/y   a file\n```\n`tox`\n")
    assert list(commands_of(page)) == [Command("page.md", "pytest -x"), Command("page.md", "tox -e lint")]
    page.write_text("```sh\nkeras-conformance list\nls\n```\n")
    with pytest.raises(ValueError, match=r"page\.md: a line in a block of commands that is none: ls"):
        list(commands_of(page))


@pytest.fixture(scope="session")
def cabinet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the commands name."""
    folder = tmp_path_factory.mktemp("cabinet")
    keras = reference_impl
    (folder / "models").mkdir()
    for name in ("model.h5", "models/one.h5", "models/two.h5"):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.save(str(folder / name))
    (folder / "my_layers.py").write_text(LAYERS, encoding="utf-8")
    names = {"keras": keras}
    exec(LAYERS, names)
    with keras.dialect("keras-3"):
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), names["Doubled"]()]).save(
            str(folder / "model.keras")
        )
    for name in ("results.json", "old.json", "main.json"):
        results_of([whole_run()]).write(folder / name)
    node = ROOT / "examples" / "adapters" / "node"
    shutil.copytree(node, folder, dirs_exist_ok=True)
    shutil.copy(node / "tinynet.toml", folder / "my_adapter.toml")
    return folder


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for $PATH with what ``pip install`` puts there."""
    folder = tmp_path_factory.mktemp("bin")
    modules = {"keras-conformance": "-m conformance", "pytest": "-m pytest -p conformance.plugin", "python": ""}
    for name, module in modules.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("text", RUN)
def test_a_command_does_what_is_shown(text: str, cabinet: Path, programs: Path, tmp_path: Path):
    folder = tmp_path / "folder"
    shutil.copytree(cabinet, folder)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("KERAS_CONFORMANCE_", "PYTEST_"))},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    for python in interpreters(text):
        environment["KERAS_CONFORMANCE_ENVS"] = str(python.parents[2])
        if "venv/" in text:
            (folder / "venv").symlink_to(python.parents[1])
    if "tinynet" in text or "my_adapter" in text:
        needs_node()
    if "regenerate" in text:
        shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
        environment["KERAS_CONFORMANCE_FIXTURES"] = str(tmp_path / "fixtures")
    command = placed(text)
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    words = text.split()
    named = [after for word, after in itertools.pairwise(words) if word in WRITTEN]
    assert [name for name in named if not (folder / name).stat().st_size] == []
    assert named or done.stdout.strip()


def placed(text: str) -> str:
    """The command with what a reader puts in, and what makes less of it."""
    words = [EXCEPTIONS["placeholders"].get(word, word) for word in text.split()]
    return " ".join([*words, *NARROWED.get(text, "").split()])


def interpreters(text: str) -> Iterator[Path]:
    """Those of the implementations that the command names; skips the test where one is missing."""
    words = set(text.replace(",", " ").replace("=", " ").split())
    yield from (library.python() for library in LIBRARIES if library.name in words)


def needs_node() -> None:
    if shutil.which("node") is None:
        pytest.skip("not run: there is no node here")


@pytest.mark.parametrize("text", [text for text in ELSEWHERE if is_command(text) and text.startswith("keras-")])
def test_what_is_run_elsewhere_is_understood(text: str, cabinet: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Its command, options and files are those that there are, though nothing is done."""
    monkeypatch.chdir(cabinet)
    (cabinet / "models.jsonl").touch()
    _, name, *arguments = shlex.split(text)
    found = cli.get_command(cli.make_context("keras-conformance", [name]), name)
    assert found is not None
    found.make_context(name, arguments)
