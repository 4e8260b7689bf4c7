"""The signatures of ops that this package knows are those of TensorFlow's registries."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from tests.interop import libraries

PROGRAM = Path(__file__).with_name("signature_program.py")


@cache
def registered(library: str) -> dict[str, str]:
    done = subprocess.run(
        [libraries.interpreter(library), PROGRAM],
        env=libraries.environment(library),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {name_of(line): line for line in done.stdout.splitlines() if "->" in line}


def name_of(line: str) -> str:
    return line.partition("(")[0].rstrip("!")


def known() -> tuple[dict[str, str], dict[str, str]]:
    text = resources.files("reference_impl.graph").joinpath("signatures.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return (
        {name_of(line): line for line in lines if not line.startswith("+")},
        {name_of(line[1:]): line[1:] for line in lines if line.startswith("+")},
    )


def test_ops_of_2_4_have_its_form() -> None:
    first, found = known()[0], registered("tf2.4")
    assert {name: line for name, line in first.items() if name in found} == {
        name: found[name] for name in first if name in found
    }


def test_ops_that_came_later_have_the_later_form() -> None:
    first, early, late = known()[0], registered("tf2.4"), registered("tf-keras")
    assert {name: line for name, line in first.items() if name not in early} == {
        name: late[name] for name in first if name not in early
    }


def test_ops_that_have_changed_have_both_forms() -> None:
    (first, later), late = known(), registered("tf-keras")

    def form(line: str) -> str:
        return line.replace("!", "", 1) if line.partition("(")[0].endswith("!") else line

    changed = {name: late[name] for name in first if name in late and form(late[name]) != form(first[name])}
    assert later == changed


@pytest.mark.parametrize("library", libraries.NAMES)
def test_nothing_is_known_that_no_library_has(library: str) -> None:
    names = {name for other in libraries.NAMES for name in registered(other)}
    assert set(known()[0]) <= names
