"""Every layer against every library: what it computes, and its files, both ways.

``truth`` is what the writer computed before it saved. Both sides give the weights the same values, so the reference's own
``truth`` must be the library's too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.cases import all_cases
from tests.interop.jobs import DIALECTS, Jobs, Side, Work, assert_close, assert_equal, chosen, facts
from tests.interop.jobs import reference_for as reference

CASES = all_cases()

_KERAS_2 = ("hdf5", "hdf5-weights", "checkpoint", "json")
_V3 = ("keras", "weights-h5")
THEIRS = {
    "tf2.4": _KERAS_2,
    "tf2.15": (*_KERAS_2, *_V3),
    "tf-keras": (*_KERAS_2, *_V3),
    "keras3": ("hdf5", "json", *_V3),
}
"""The formats that a library writes."""
OURS = THEIRS
"""The formats that a library reads, and the reference writes for it."""

MATRIX = [(name, library) for library in DIALECTS for name, case in CASES.items() if library not in case.get("but", {})]
LEFT_OUT = [(name, library) for library in DIALECTS for name, case in CASES.items() if library in case.get("but", {})]


def _exchanges(formats: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    return [(name, library, form) for name, library in MATRIX for form in formats[library]]


@pytest.fixture(scope="session")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Everything that the chosen tests need is started at once."""
    jobs = Jobs(Path(__file__).with_name("layer_program.py"), tmp_path_factory.mktemp("layers"))
    cases = chosen(request.session.items, CASES.__contains__)
    for library in cases:
        jobs.write(Side(library), Work(cases[library], THEIRS[library]))
    for dialect in dict.fromkeys(DIALECTS[library] for library in cases):
        readers = [library for library in cases if DIALECTS[library] == dialect]
        names = dict.fromkeys(name for library in readers for name in cases[library])
        formats = dict.fromkeys(form for library in readers for form in OURS[library])
        jobs.write(Side("reference", dialect), Work(list(names), list(formats)))
    for library in cases:
        jobs.read(library, reference(library), Work(cases[library], OURS[library]))
        jobs.read("reference", Side(library), Work(cases[library], THEIRS[library]))
    yield jobs
    jobs.close()


def tolerance(name: str) -> float:
    return CASES[name].get("tolerance", 1e-6)


def computes_the_same(files: Jobs, name: str, library: str) -> None:
    truth = facts(files.written(Side(library)) / name, "truth.npz")
    found = facts(files.written(reference(library)) / name, "truth.npz")
    assert_equal(truth, found, ("mask",))
    assert_close(truth, found, ("output", "training", "gradient", "after"), tolerance(name))


def is_exchanged(files: Jobs, name: str, reader: str, writer: Side, form: str) -> None:
    truth = facts(files.written(writer) / name, "truth.npz", f"write-{form}.txt")
    found = facts(files.found(reader, writer) / name, f"found-{form}.npz", f"read-{form}.txt")
    assert_equal(truth, found, ("weight", "mask"))
    assert_close(truth, found, ("output",), tolerance(name))


def ids(matrix: list[Any]) -> list[str]:
    return ["-".join(entry) for entry in matrix]


@pytest.mark.parametrize(("name", "library"), MATRIX, ids=ids(MATRIX))
def test_a_layer_computes_what_the_library_computes(files: Jobs, name: str, library: str) -> None:
    computes_the_same(files, name, library)


@pytest.mark.parametrize(("name", "library", "form"), _exchanges(THEIRS), ids=ids(_exchanges(THEIRS)))
def test_the_reference_reads_theirs(files: Jobs, name: str, library: str, form: str) -> None:
    is_exchanged(files, name, "reference", Side(library), form)


@pytest.mark.parametrize(("name", "library", "form"), _exchanges(OURS), ids=ids(_exchanges(OURS)))
def test_they_read_the_reference_s(files: Jobs, name: str, library: str, form: str) -> None:
    is_exchanged(files, name, library, reference(library), form)


@pytest.mark.parametrize(("name", "library"), LEFT_OUT, ids=ids(LEFT_OUT))
def test_a_reason_to_leave_a_library_out_still_holds(files: Jobs, name: str, library: str) -> None:
    aspects: list[Callable[[], None]] = [lambda: computes_the_same(files, name, library)]
    aspects += [
        lambda form=form: is_exchanged(files, name, "reference", Side(library), form) for form in THEIRS[library]
    ]
    aspects += [
        lambda form=form: is_exchanged(files, name, library, reference(library), form) for form in OURS[library]
    ]
    assert any(map(fails, aspects)), f"all is well with {library}; its reason was: {CASES[name]['but'][library]}"


def fails(aspect: Callable[[], None]) -> bool:
    try:
        aspect()
    except (AssertionError, pytest.fail.Exception):
        return True
    return False
