"""The table of known bugs against the suite: every bug has a test that is there, or a reason."""

from __future__ import annotations

import importlib
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from conformance.spec import load_specification
from conformance.suite.case import case_of

BUGS: list[dict[str, Any]] = tomllib.loads(
    files("conformance.suite").joinpath("known_bugs.toml").read_text(encoding="utf-8")
)["bug"]


def test_each_bug_is_there_once() -> None:
    ids = [bug["id"] for bug in BUGS]
    assert len(ids) == len(set(ids)) == 76


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug["id"])
def test_a_bug_is_seen_by_a_test_or_has_a_reason_why_not(bug: dict[str, Any]) -> None:
    assert set(bug) - {"id", "what", "links"} in ({"seen_by"}, {"outside"})
    for seen in bug.get("seen_by", ["test_claims.py::test_layer_families_are_claimed_by_their_classes"]):
        module, _, name = seen.partition(".py::")
        function = getattr(importlib.import_module(f"conformance.suite.{module}"), name)
        case = case_of(function)
        assert case is not None
        assert set(case.requirements) <= set(load_specification().requirements)
    assert bug.get("seen_by") or len(bug["outside"]) > 40


def test_every_test_of_a_known_bug_is_named_in_the_table() -> None:
    """Those that see more than the table has are named here, with what they see."""
    beyond = {
        "test_known_weights.py::test_layers_whose_names_differ_by_case_alone_are_not_exchanged",
        "test_known_weights.py::test_a_layer_shared_with_a_nested_model_stays_one_or_saying_so",
        "test_known_training.py::test_training_goes_on_with_every_slot",
        "test_known_training.py::test_losses_keep_their_arguments",
        "test_known_training.py::test_slots_of_what_was_frozen_later_are_not_given_to_another_weight",
    }
    named = {seen for bug in BUGS for seen in bug.get("seen_by", [])}
    found: set[str] = set()
    for part in ("weights", "training", "configs", "savedmodel"):
        module = importlib.import_module(f"conformance.suite.test_known_{part}")
        found |= {f"test_known_{part}.py::{name}" for name in vars(module) if name.startswith("test_")}
    assert found - named == beyond
