"""What must be true of the project's own specification."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.spec import Requirement, load_specification

SPECIFICATION = load_specification()
REQUIREMENTS = tuple(SPECIFICATION.requirements.values())
GUIDE_IDS = (Path(__file__).parent / "guide_ids.txt").read_text(encoding="utf-8").split()
OURS = {"claims", "safety", "damage", "golden"}  # chapters that the guide has no section about
IMPLEMENTATIONS = {"tf2.4", "tf2.15", "tf-keras", "keras3"}  # what the errata were measured on


@pytest.mark.parametrize("guide_id", GUIDE_IDS)
def test_every_statement_of_the_guide_is_a_requirement_under_its_own_id(guide_id: str) -> None:
    requirement = SPECIFICATION.requirements[guide_id]
    assert requirement.guide in GUIDE_IDS


@pytest.mark.parametrize(
    "requirement", [each for each in REQUIREMENTS if each.id not in GUIDE_IDS], ids=lambda each: each.id
)
def test_every_other_requirement_belongs_to_a_statement_of_the_guide_and_is_marked_as_ours(
    requirement: Requirement,
) -> None:
    assert requirement.guide in GUIDE_IDS or requirement.chapter in OURS
    assert requirement.origin in {"derived", "hazard", "decision"}


def test_decisions_are_the_open_chapter_and_what_the_guide_is_not_about() -> None:
    decided = {each.id for each in REQUIREMENTS if each.origin == "decision" and each.chapter not in OURS}
    assert decided == {each.id for each in REQUIREMENTS if each.chapter == "open"}


def test_decisions_hold_in_every_dialect_that_has_their_formats() -> None:
    assert [each.id for each in REQUIREMENTS if each.origin == "decision" and each.dialect_note] == []


def test_a_hazard_is_a_should() -> None:
    assert {each.level for each in REQUIREMENTS if each.origin == "hazard"} == {"SHOULD"}


def test_a_requirement_named_as_the_reason_for_leaving_dialects_out_holds_in_them() -> None:
    named = [
        (requirement, SPECIFICATION.requirements[word])
        for requirement in REQUIREMENTS
        for word in re.findall(r"[a-z0-9-]+\.[a-z0-9-]+", requirement.dialect_note or "")
        if word in SPECIFICATION.requirements
    ]
    assert len(named) > 10
    for requirement, sibling in named:
        of_formats = (SPECIFICATION.dialects[name] for name in SPECIFICATION.dialects)
        left_out = {
            dialect.id
            for dialect in of_formats
            if set(requirement.formats) <= set(dialect.formats[requirement.artifact])
            and dialect.id not in requirement.dialects
        }
        assert left_out <= set(sibling.dialects), requirement.id


def test_the_errata_are_those_that_were_measured() -> None:
    assert list(SPECIFICATION.errata) == [*(f"E{number}" for number in range(1, 17)), "others"]
    for erratum in SPECIFICATION.errata.values():
        for observation in erratum.observed:
            assert observation.implementations
            assert set(observation.implementations) <= IMPLEMENTATIONS


def test_optimizer_state_through_savedmodel_stays_required_and_names_its_erratum() -> None:
    requirement = SPECIFICATION.requirements["model.optimizer-state"]
    saved_model = requirement.unit("savedmodel")
    assert requirement.level == "MUST"
    assert requirement.errata[0] == "E2"
    assert [SPECIFICATION.applicable(saved_model, name) for name in SPECIFICATION.dialects] == [True, True, True, False]


def test_the_tolerances_are_those_of_the_design() -> None:
    assert {name: each.epsilon for name, each in SPECIFICATION.tolerances.items()} == {
        "exact": 0.0,
        "same-path": 1e-6,
        "revived": 2e-5,
    }


def test_every_unit_applies_in_a_dialect() -> None:
    idle = [
        str(unit)
        for unit in SPECIFICATION.units
        if not any(SPECIFICATION.applicable(unit, dialect) for dialect in SPECIFICATION.dialects)
    ]
    assert idle == []


def test_every_capability_is_needed_by_a_requirement() -> None:
    needed = {need for unit in SPECIFICATION.units for need in unit.needs}
    assert set(SPECIFICATION.capabilities) - needed == set()


def test_reading_it_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; from conformance.spec import load_specification; load_specification(); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'click', 'rich', 'pytest', 'h5py'}))"
    )
    shown = subprocess.run([sys.executable, "-I", "-c", _with_path(code)], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def _with_path(code: str) -> str:
    return f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); {code}"
