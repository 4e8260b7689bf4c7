"""In which tests a fault can show: those that call its targets, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.mutants import reach as module
from conformance.mutants.mutant import Mutant
from conformance.mutants.pool import prepare, trials
from conformance.mutants.reach import Reach, reach
from conformance.mutants.selection import suite_tests

HDF5 = "reference_impl.formats.hdf5.weights:load_weights"
CLONE = "reference_impl.models.cloning:clone_model"
TESTS = (
    "test_clone.py::test_a_clone_is_what_the_config_rebuilds",
    "test_hdf5_weights.py::test_a_model_of_the_same_architecture_loads_the_file[hdf5]",
    "test_weights_file.py::test_weights_are_arrays_in_memory",
)


def mutant(target: str, **changes: Any) -> Mutant:
    return replace(Mutant("made-for-a-test", "", ("weights-file.roundtrip[hdf5]",), (target,), fault), **changes)


def fault(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Nothing is loaded."""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    chosen = tuple(test for test in suite_tests() if test.id in TESTS)
    assert len(chosen) == len(TESTS)
    monkeypatch.setattr(module, "suite_tests", lambda: chosen)


@pytest.mark.usefixtures("few")
def test_a_target_is_reached_by_the_tests_that_call_it():
    found = reach([mutant(HDF5), mutant(CLONE)], 1, lambda: None)
    assert found.tests == {("keras-2.4", HDF5): {TESTS[1]}, ("keras-2.4", CLONE): {TESTS[0]}}
    assert [test.id for test in found.of(mutant(HDF5))] == [TESTS[1]]
    assert found.of(mutant(HDF5, targets=(HDF5, CLONE))) == tuple(t for t in module.suite_tests() if t.id in TESTS[:2])


@pytest.mark.usefixtures("few")
def test_of_what_is_called_before_any_test_and_of_another_process_nothing_is_known():
    start = "conformance.adapters.reference:Reference.__init__"
    assert reach([mutant(HDF5, piped=True)], 1, lambda: None).tests == {}
    assert reach([mutant(HDF5)], 1, lambda: None).of(mutant(HDF5, piped=True)) == module.suite_tests()
    assert Reach({("keras-2.4", start): None}).of(mutant(start)) == module.suite_tests()


@pytest.mark.usefixtures("few")
def test_a_full_trial_has_them_all():
    (trial,) = trials([mutant(HDF5)], 1, whole=True)
    assert trial.killed
    assert TESTS[1] in trial.failing_tests
