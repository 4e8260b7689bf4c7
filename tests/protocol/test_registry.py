"""Implementations: what their files say, and where their interpreters are found."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from conformance.implementations import registry
from conformance.implementations.registry import (
    ImplementationError,
    InterpreterMissing,
    find_python,
    how_to_make,
    implementation_names,
    load_implementation,
    open_session,
)
from conformance.protocol.errors import StartFailure
from conformance.protocol.transport import Limits
from tests.protocol.toys import FOLDER

NAMES = ["reference", "keras3", "keras3-jax", "tf-keras", "tf2.15", "tf2.4"]

TOY = """
name = "toy"
title = "a toy"
dialects = ["keras-2.4"]
adapter = "toy.py"
"""


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No environment of this machine is found."""
    monkeypatch.delenv("KERAS_CONFORMANCE_ENVS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "CLONE", tmp_path / "clone")


def write(folder: Path, text: str) -> Path:
    file = folder / "toy.toml"
    file.write_text(text)
    (folder / "toy.py").write_text((FOLDER / "toy.py").read_text())
    return file


def interpreter(folder: Path) -> Path:
    path = folder / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_the_six() -> None:
    assert implementation_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_with_the_suite(name: str) -> None:
    implementation = load_implementation(name)
    assert implementation.name == name
    assert implementation.expectations == implementation.file.parent / "expectations.toml"
    assert implementation.env["PYTHONHASHSEED"] == "0"
    assert implementation.env["OMP_NUM_THREADS"] == "1"
    assert implementation.in_driver is (name == "reference")
    if implementation.requirements is not None:
        pins = [line for line in implementation.requirements.read_text().splitlines() if not line.startswith("#")]
        assert pins
        assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9a-z.]+", pin) for pin in pins)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ImplementationError, match=r"unknown implementation 'tf2.5'; nearest: .*tf2\.15"):
        load_implementation("tf2.5")


def test_one_from_outside(tmp_path: Path) -> None:
    file = write(tmp_path, TOY + 'arguments = ["--dialect={dialect}"]\n[limits]\nrequest = 7\n[env]\nA = "b"\n')
    implementation = load_implementation(None, file)
    assert implementation.name == "toy"
    assert implementation.limits == Limits(request=7)
    assert implementation.env == {"A": "b"}
    assert implementation.command_line(Path("/python")) == ["/python", str(tmp_path / "toy.py"), "--dialect=keras-2.4"]
    assert implementation.command_line(Path("/python"), "keras-3")[-1] == "--dialect=keras-3"
    with open_session(implementation) as session:
        assert session.hello.name == "toy"
    with pytest.raises(ImplementationError, match=r"name is 'toy'; expected 'tf2\.4'"):
        load_implementation("tf2.4", file)


def test_an_adapter_in_any_language(tmp_path: Path) -> None:
    text = TOY.replace('adapter = "toy.py"', f'command = ["{sys.executable}", "{{folder}}/toy.py"]')
    implementation = load_implementation(None, write(tmp_path, text))
    assert find_python(implementation) is None
    with open_session(implementation) as session:
        session.reset(1)
        assert session.build({"kind": "sequential", "layers": []}) == "model:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOY + 'adaptor = "x"', "unknown field 'adaptor'; did you mean 'adapter'"),
        (TOY + "[limits]\nreqest = 3", "limits: unknown field 'reqest'; did you mean 'request'"),
        (TOY + "[limits]\nstart = 0", "limits: a limit is not above 0"),
        (TOY + '[limits]\nstart = "5"', "limits: start is '5'; expected a number"),
        (TOY + "[env]\nA = 1", "env: A is 1; expected a text"),
        (TOY + 'command = ["x"]', "expected either adapter or command"),
        (TOY.replace("toy.py", "none.py"), "adapter: there is no 'none.py' beside the file"),
        (TOY.replace('"keras-2.4"', ""), "dialects is empty or missing"),
        (TOY.replace("title", "titel"), "title is missing"),
        ("name = ", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ImplementationError, match=message) as caught:
        load_implementation(None, file)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImplementationError, match=r"none\.toml: cannot be read: No such file"):
        load_implementation(None, tmp_path / "none.toml")


def test_where_interpreters_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    implementation = load_implementation("tf2.4")
    with pytest.raises(InterpreterMissing):
        find_python(implementation)
    cached = interpreter(tmp_path / "cache" / "keras-conformance" / "envs" / "tf2.4")
    assert find_python(implementation) == cached
    made_by_tox = interpreter(tmp_path / "clone" / ".tox" / "tf2.4")
    assert find_python(implementation) == cached
    (tmp_path / "clone" / "tox.ini").touch()
    assert find_python(implementation) == made_by_tox
    named = interpreter(tmp_path / "envs" / "tf2.4")
    monkeypatch.setenv("KERAS_CONFORMANCE_ENVS", str(tmp_path / "envs"))
    assert find_python(implementation) == named
    given = interpreter(tmp_path / "my own")
    assert find_python(implementation, given) == given
    assert find_python(implementation, tmp_path / "my own") == given
    with pytest.raises(InterpreterMissing, match=r"no interpreter .*given with --python"):
        find_python(implementation, tmp_path / "none")


def test_the_reference_lives_in_the_driver() -> None:
    assert find_python(load_implementation("reference")) == Path(sys.executable)


def test_a_missing_interpreter_comes_with_the_command_that_makes_it(tmp_path: Path) -> None:
    implementation = load_implementation("tf2.4")
    environment = tmp_path / "cache" / "keras-conformance" / "envs" / "tf2.4"
    with pytest.raises(StartFailure) as caught:
        open_session(implementation)
    assert f"uv venv --python 3.8 '{environment}' && uv pip install" in str(caught.value)
    assert f"-r '{implementation.requirements}'" in str(caught.value)
    assert "--python tf2.4=PATH" in str(caught.value)
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "tox.ini").touch()
    assert how_to_make(implementation) == "tox -e tf2.4 --notest"


def test_a_failed_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    file = write(tmp_path, TOY)
    (tmp_path / "toy.py").write_text("raise SystemExit('no')")
    with pytest.raises(StartFailure, match="toy did not start: hello: toy exited with status 1"):
        open_session(load_implementation(None, file))
    assert list((tmp_path / "t").iterdir()) == []


def test_only_the_driver_s_own_run_in_process() -> None:
    with pytest.raises(StartFailure, match=r"tf2\.4 cannot run in this process"):
        open_session(load_implementation("tf2.4"), in_process=True)
