"""What becomes of a mutant: killed by the right requirement, or one of the other ends."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from conformance.mutants.faults import load_mutants
from conformance.mutants.mutant import Mutant, MutantError, declared_units
from conformance.mutants.pool import side_by_side, trials
from conformance.mutants.selection import probe, selection_for, slice_of, suite_tests, with_dependencies
from conformance.mutants.trial import CRASH_ONLY, ERROR, KILLED, SURVIVED, WRONG_REQUIREMENT, Trial, failure, outcome
from conformance.spec import load_specification

SPECIFICATION = load_specification()
MUTANTS = load_mutants()
SAVE = "reference_impl.saving:save_model"


def mutant(fault: Any, *declares: str, target: str = SAVE) -> Mutant:
    return Mutant("made-for-a-test", "nothing real", declares or ("model.weights[hdf5]",), (target,), fault)


def tried(*mutants: Mutant) -> list[Trial]:
    return list(trials(mutants))


# The table of mutants


def test_there_are_many_and_each_tells_what_it_imitates():
    assert len(MUTANTS) >= 120
    assert [name for name, each in MUTANTS.items() if len(each.summary) < 20] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_each_declares_what_there_is(name: str):
    assert all(declared_units(MUTANTS[name], SPECIFICATION).values())


def test_every_must_has_a_mutant():
    declared = {name for each in MUTANTS.values() for name in each.requirements}
    musts = {requirement.id for requirement in SPECIFICATION.requirements.values() if requirement.level == "MUST"}
    assert sorted(musts - declared) == []


@pytest.mark.parametrize(
    ("declares", "dialect", "told"),
    [
        ((), "keras-2.4", "declares no requirement"),
        (("model.wights",), "keras-2.4", "unknown requirement 'model.wights'"),
        (("model.weights[zip]",), "keras-2.4", "no unit in the dialect"),
        (("model.weights[keras]",), "keras-2.4", "no unit in the dialect keras-2.4"),
        (("model.weights",), "keras-4", "unknown dialect"),
    ],
)
def test_a_declaration_of_nothing_is_an_error(declares: tuple[str, ...], dialect: str, told: str):
    made = replace(mutant(lambda original: None), declares=declares, dialect=dialect)
    with pytest.raises(MutantError, match=told):
        declared_units(made, SPECIFICATION)


# What a mutant is tried with


def test_what_a_mutant_is_tried_with():
    found = {test.id for test in selection_for(mutant(None, "model.resume-training[hdf5]"), SPECIFICATION)}
    units = with_dependencies(["model.resume-training[hdf5]"], SPECIFICATION)
    assert {"model.weights[hdf5]", "model.any-kind[hdf5]", "model.optimizer-state[hdf5]"} <= units
    wanted = {test.id for test in suite_tests() if units.intersection(test.units)}
    assert wanted <= found < {test.id for test in suite_tests()}


def test_the_probe_has_a_test_of_each_chapter():
    for dialect in SPECIFICATION.dialects:
        found = {
            SPECIFICATION.requirements[name].chapter
            for test in probe(dialect, SPECIFICATION)
            for name in test.case.requirements
        }
        there = {
            SPECIFICATION.requirements[name].chapter
            for test in suite_tests()
            for name in test.case.requirements[:1]
            if all(SPECIFICATION.applicable(u, dialect) for u in SPECIFICATION.requirements[name].units)
        }
        assert there <= found


def test_slices_together_are_all_and_each_has_every_chapter():
    def chapters(mutants: Any) -> set[str]:
        return {SPECIFICATION.requirements[each.requirements[0]].chapter for each in mutants}

    mutants = list(MUTANTS.values())
    slices = [slice_of(mutants, number, 7, SPECIFICATION) for number in range(1, 8)]
    assert {each.name for part in slices for each in part} == set(MUTANTS)
    assert all(chapters(part) == chapters(mutants) for part in slices)
    assert slice_of(mutants, 1, 1, SPECIFICATION) == mutants


# What became of it


@pytest.mark.parametrize(
    ("failed", "blocked", "crashed", "expected"),
    [
        (["a[x]"], [], [], KILLED),
        (["a[x]", "other"], ["b"], [], KILLED),
        (["other"], [], [], WRONG_REQUIREMENT),
        (["basic"], ["a[x]"], [], WRONG_REQUIREMENT),
        ([], [], ["a[x]"], CRASH_ONLY),
        ([], [], [], SURVIVED),
    ],
)
def test_what_becomes_of_a_mutant(failed: list[str], blocked: list[str], crashed: list[str], expected: str):
    assert outcome({"a": ("a[x]", "a[y]")}, failed, blocked, crashed) == expected


def test_all_that_is_declared_must_fail():
    assert outcome({"a": ("a",), "b": ("b",)}, ["a"], [], []) == WRONG_REQUIREMENT
    assert outcome({"a": ("a",), "b": ("b",)}, ["a", "b"], [], []) == KILLED


def test_a_mutant_that_does_nothing_survives_and_one_in_nobodys_way_is_an_error():
    harmless = mutant(lambda original, *args, **kwargs: original(*args, **kwargs), "hdf5.subclassed-refused")
    unmet = mutant(lambda original, value: None, "weights.created-on-call", target="reference_impl.backend:set_floatx")
    survivor, lost = tried(harmless, replace(unmet, name="unmet"))
    assert (survivor.outcome, survivor.failed, survivor.problem) == (SURVIVED, (), None)
    assert lost.outcome == ERROR
    assert "never called" in (lost.problem or "")


def test_a_mutant_is_killed_by_what_it_declares_and_its_fault_stays_in_its_process():
    import reference_impl.layers.owner as owner

    before = owner.set_values
    (trial,) = tried(MUTANTS["too-many-weights-are-cut"])
    assert (trial.outcome, trial.killed) == (KILLED, True)
    assert trial.failed == ("weights.mismatch",)
    assert owner.set_values is before


def test_a_broken_basic_blocks_what_depends_on_it():
    def fault(original: Any, *args: Any) -> Any:
        return None

    (trial,) = tried(mutant(fault, "weights.stateless", target="reference_impl.layers.owner:set_values"))
    assert trial.outcome == WRONG_REQUIREMENT
    assert "weights.layer-transfer" in trial.failed
    assert {"weights.stateless", "weights.model-transfer"} <= set(trial.blocked)


def test_a_process_that_dies_is_an_error_and_the_others_go_on():
    def work(each: Mutant) -> Trial:
        if each.name == "dying":
            os._exit(5)
        return failure(each, "went on")

    dying, other = (replace(mutant(None), name=name) for name in ("dying", "other"))
    found = {trial.name: trial for trial in side_by_side([dying, other], 1, work)}
    assert found["dying"].outcome == ERROR
    assert "status 5" in (found["dying"].problem or "")
    assert found["other"].problem == "went on"


def test_an_exception_of_the_harness_is_told():
    def work(each: Mutant) -> Trial:
        raise KeyError("lost")

    (trial,) = side_by_side([mutant(None)], 1, work)
    assert (trial.outcome, trial.problem) == (ERROR, "KeyError: 'lost'")
