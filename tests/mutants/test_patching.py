"""Faults are put in place everywhere, counted, and taken out again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from conformance.mutants.faults import load_mutants
from conformance.mutants.mutant import Mutant, MutantError
from conformance.mutants.patching import broken
from reference_impl.formats import files
from reference_impl.formats.keras_v3 import archive


def mutant(fault: Any, *targets: str) -> Mutant:
    return Mutant("made-for-a-test", "nothing real", ("model.weights",), targets, fault)


def test_a_function_is_replaced_wherever_it_was_imported_to():
    before = files.replacing
    with broken(mutant(lambda original, path: "broken", "reference_impl.formats.files:replacing")) as calls:
        assert archive.replacing is files.replacing is not before
        assert archive.replacing("path") == "broken"
        assert sum(calls.counts.values()) == 1
    assert archive.replacing is files.replacing is before


def test_methods_class_methods_and_properties_are_replaced():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    owner = "reference_impl.layers.owner:Owner"
    with broken(mutant(lambda original, self: original(self)[:1], f"{owner}.get_weights")):
        assert len(layer.get_weights()) == 1
    with broken(mutant(lambda original, self: original(self)[::-1], f"{owner}.weights")):
        assert [np.shape(w) for w in layer.weights] == [(2,), (3, 2)]
    target = "reference_impl.layers.base:Layer.from_config"
    with broken(mutant(lambda original, cls, config: (cls, original(cls, config)), target)):
        cls, made = keras.layers.Dense.from_config({"units": 4})
        assert (cls, made.units) == (keras.layers.Dense, 4)
    assert [np.shape(w) for w in layer.get_weights()] == [(3, 2), (2,)]
    assert keras.layers.Dense.from_config({"units": 4}).units == 4


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("reference_impl.saving:save_everything", "there is no such function"),
        ("reference_impl.saved:save_model", "No module named"),
        ("reference_impl.layers.owner:Possessor.weights", "Possessor"),
        # Inherited: the fault belongs where the function is written.
        ("reference_impl.layers.core:Dense.get_weights", "there is no such function"),
        ("reference_impl.saving:FORMATS", "found a dict"),
        ("reference_impl.saving", "expected module:function"),
    ],
)
def test_a_target_that_is_not_there_is_an_error(target: str, told: str):
    with pytest.raises(MutantError, match=told), broken(mutant(lambda original: None, target)):
        pass


def test_what_was_replaced_before_an_error_is_put_back():
    before = files.replacing
    targets = ("reference_impl.formats.files:replacing", "reference_impl.formats.files:lost")
    with pytest.raises(MutantError, match="no such function"), broken(mutant(lambda original, path: None, *targets)):
        pass
    assert files.replacing is before


@pytest.mark.parametrize("fault", [lambda original: None, lambda original, path, mode: None])
def test_a_fault_for_other_arguments_is_an_error(fault: Any):
    target = "reference_impl.formats.files:replacing"
    with pytest.raises(MutantError, match=r"its arguments are \(path"), broken(mutant(fault, target)):
        pass


def test_a_fault_that_nobody_met_is_an_error():
    with broken(mutant(lambda original, path: None, "reference_impl.formats.files:replacing")) as calls:
        pass
    with pytest.raises(MutantError, match="never called"):
        calls.check()


@pytest.mark.parametrize("name", load_mutants())
def test_each_mutant_still_applies(name: str):
    with broken(load_mutants()[name]):
        pass
