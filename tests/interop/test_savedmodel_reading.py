"""Every layer in a SavedModel folder of every library of Keras 2, read in both ways that there are.

From its config: the weights bit for bit, and what it computes. From its stored functions: what they compute, in inference
and in training. The truth is what the library computed before it saved; of functions with masks, what it computes from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.cases import all_cases
from tests.interop.jobs import Jobs, Side, Work, assert_close, assert_equal, chosen, facts
from tests.interop.libraries import NAMES
from tests.interop.savedmodel_reading_program import FORMATS

CASES = all_cases()
TOLERANCE = 2e-5

_UNKNOWN_LENGTH = "Unrolling requires a fixed number of timesteps."
_UNKNOWN_SIZE = "None values not supported."
_IN_PLACE = ("1d-2", "1d-3", "2d-2", "2d-3")
NOT_SAVED: dict[str, dict[str, str]] = {
    "tf2.4": {
        **dict.fromkeys(("recurrent/lstm-unrolled", "wrappers/bidirectional-unrolled"), _UNKNOWN_LENGTH),
        **{f"locally_connected/locally-connected-{kind}": _UNKNOWN_SIZE for kind in _IN_PLACE},
    }
}
"""Cases that a library cannot save as a SavedModel: by library, what it says."""

MATRIX = [
    (name, library)
    for library in NAMES
    for name, case in CASES.items()
    if library not in case.get("but", {}) and name not in NOT_SAVED.get(library, {})
]
REFUSED = [(name, library) for library, cases in NOT_SAVED.items() for name in cases]
IDS = [f"{name}-{library}" for name, library in MATRIX]


@pytest.fixture(scope="session")
def folders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Everything that the chosen tests need is started at once."""
    program = Path(__file__).with_name("savedmodel_reading_program.py")
    jobs = Jobs(program, tmp_path_factory.mktemp("savedmodels"))
    items = [item for item in request.session.items if item.path == Path(__file__)]
    cases = chosen(items, CASES.__contains__)
    for library, names in cases.items():
        jobs.write(Side(library), Work(names, FORMATS))
    for library, names in cases.items():
        jobs.read("reference", Side(library), Work(names, FORMATS))
    yield jobs
    jobs.close()


@pytest.mark.parametrize(("name", "library"), MATRIX, ids=IDS)
def test_a_layer_is_revived_from_its_config(folders: Jobs, name: str, library: str) -> None:
    truth = facts(folders.written(Side(library)) / name, "truth.npz", "write.txt")
    found = facts(folders.found("reference", Side(library)) / name, "found-config.npz", "read-config.txt")
    assert_equal(truth, found, ("weight", "mask"))
    assert_close(truth, found, ("output",), TOLERANCE)


@pytest.mark.parametrize(("name", "library"), MATRIX, ids=IDS)
def test_a_layer_is_run_from_its_stored_functions(folders: Jobs, name: str, library: str) -> None:
    folder = folders.written(Side(library)) / name
    truth = facts(folder, "functions.npz" if CASES[name].get("mask") else "truth.npz", "write.txt")
    found = facts(folders.found("reference", Side(library)) / name, "found-functions.npz", "read-functions.txt")
    assert_close(truth, found, ("output", "training"), TOLERANCE)


@pytest.mark.parametrize(("name", "library"), REFUSED)
def test_a_layer_that_cannot_be_saved_still_cannot(folders: Jobs, name: str, library: str) -> None:
    text = (folders.written(Side(library)) / name / "write.txt").read_text(encoding="utf-8")
    assert NOT_SAVED[library][name] in text
