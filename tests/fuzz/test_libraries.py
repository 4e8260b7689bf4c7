"""Damage to a library's own files: each case is counted for what it is, and a real library can be run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.protocol.errors import AdapterCrash, AdapterTimeout, Refused
from fuzz import libraries
from fuzz.__main__ import main
from fuzz.cases import Files

REFUSAL = Refused("load", "OSError", (), "no")


class Reads:
    """A library that answers, or raises, as it is told."""

    def __init__(self, answer: str | Exception, *, touched: bool = False) -> None:
        self._answer, self._touched = answer, touched

    def __call__(self, files: Files, folder: Path) -> str:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def touched(self) -> bool:
        return self._touched


@pytest.mark.parametrize(
    ("reads", "guarded", "came"),
    [
        (Reads("saved"), True, "right"),
        (Reads("other"), True, "silent"),
        (Reads("other"), False, "unguarded"),
        (Reads(REFUSAL), True, "refused"),
        (Reads(REFUSAL, touched=True), True, "changed"),
        (Reads(AdapterCrash("gone")), True, "crash"),
        (Reads(AdapterTimeout("late")), True, "hang"),
    ],
)
def test_what_came_of_a_case(reads: Reads, guarded: bool, came: libraries.Came, tmp_path: Path):
    assert libraries._came(reads, {}, tmp_path, "saved", guarded) == came
    assert getattr(libraries.Row("x", "y").counted(came), came) == 1


@pytest.mark.parametrize(
    ("name", "place", "guarded"),
    [
        ("savedmodel model", "model/variables/variables.index", True),
        ("savedmodel model", "model/saved_model.pb", False),
        ("keras model", "model.keras", True),
        ("checkpoint weights", "weights.index", True),
        ("hdf5 weights", "weights.h5", False),
        ("weights-h5 weights", "model.weights.h5", False),
    ],
)
def test_which_damage_a_checksum_covers(name: str, place: str, guarded: bool):
    assert libraries._guarded(name, [place]) is guarded


def test_an_implementation_is_run_with_its_own_files():
    done = CliRunner().invoke(main, ["libraries", "reference", "--variants", "4", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    assert [row["format"] for row in rows] == ["savedmodel model", "hdf5 model", "checkpoint weights", "hdf5 weights"]
    for row in rows:
        assert row["done"] == 4 == row["refused"] + row["right"] + row["unguarded"]
        assert row["refused"]


def test_a_library_that_is_not_there_is_named():
    done = CliRunner().invoke(main, ["libraries", "keras3", "--python", "keras3=/nowhere"])
    assert done.exit_code == 1
    assert "keras3: there is no interpreter /nowhere" in done.output
