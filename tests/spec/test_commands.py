"""``spec list``, ``spec show`` and ``spec coverage``: what they print, their JSON and their exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from conformance.cli.spec import Coverage, spec
from conformance.spec import load_specification

SPECIFICATION = load_specification()
ALL_TESTED = {name: [f"test_x.py::test_{number}"] for number, name in enumerate(SPECIFICATION.requirements)}

Inventory = Callable[[dict[str, list[str]], list[str]], None]


@pytest.fixture(autouse=True)
def inventory(monkeypatch: pytest.MonkeyPatch) -> Inventory:
    """Stand in for the suite: at first every requirement has a test of its own."""

    def replace(tests: dict[str, list[str]], without: list[str]) -> None:
        module = ModuleType("conformance.suite.inventory")
        vars(module).update(tests_by_requirement=lambda: tests, tests_without_requirement=lambda: without)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    replace(ALL_TESTED, [])
    return replace


def call(*arguments: str) -> Result:
    return CliRunner().invoke(spec, arguments)


def document(schema: str, *arguments: str, code: int = 0) -> Any:
    """The JSON that the command prints, after it was checked by its published schema."""
    result = call(*arguments, "--json")
    assert result.exit_code == code
    found = json.loads(result.output)
    validator(schema).validate(found)
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    folder = files("conformance.spec")
    schemas = [json.loads(each.read_text()) for each in folder.iterdir() if each.name.endswith(".schema.json")]
    registry: Registry[Any] = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in schemas)
    schema = json.loads((folder / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, registry=registry)


def test_list_shows_every_requirement_and_counts_them() -> None:
    result = call("list")
    assert result.exit_code == 0
    assert [name for name in SPECIFICATION.requirements if name not in result.output] == []
    assert f"{len(SPECIFICATION.requirements)} requirements" in result.output


def test_list_as_json_gives_level_dialects_and_tests() -> None:
    listed = document("list", "list")["requirements"]
    assert [each["id"] for each in listed] == list(SPECIFICATION.requirements)
    by_id = {each["id"]: each for each in listed}
    suffix = by_id["model.format-suffix"]
    assert (suffix["level"], suffix["dialects"]) == ("MUST", ["keras-2.4", "keras-2.8"])
    assert suffix["tests"] == ALL_TESTED["model.format-suffix"]
    assert by_id["model.weights"]["units"] == [f"model.weights[{each}]" for each in ("savedmodel", "hdf5", "keras")]


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (["--chapter", "clone"], lambda each: each["chapter"] == "clone"),
        (["--chapter", "clone", "--chapter", "hdf5"], lambda each: each["chapter"] in {"clone", "hdf5"}),
        (["--level", "should"], lambda each: each["level"] == "SHOULD"),
        (["--dialect", "keras-3"], lambda each: "keras-3" in each["dialects"]),
        (["--format", "checkpoint"], lambda each: "checkpoint" in each["formats"]),
        (["--chapter", "open", "--level", "MUST"], lambda each: each["chapter"] == "open" and each["level"] == "MUST"),
    ],
)
def test_list_filters(filters: list[str], kept: Callable[[dict[str, Any]], bool]) -> None:
    everything = document("list", "list")["requirements"]
    expected = [each["id"] for each in everything if kept(each)]
    assert 0 < len(expected) < len(everything)
    assert [each["id"] for each in document("list", "list", *filters)["requirements"]] == expected


def test_list_of_a_format_in_a_dialect_that_lacks_it_is_empty() -> None:
    listed = [
        each["id"]
        for each in document("list", "list", "--format", "savedmodel", "--dialect", "keras-3")["requirements"]
    ]
    assert listed == []


def test_show_tells_everything() -> None:
    output = call("show", "model.resume-training").output
    for expected in (
        SPECIFICATION.requirements["model.resume-training"].text[:60],
        "model.resume-training[savedmodel]",
        "model.optimizer-state",
        "same-path: 1e-06",
        "hdf5.roundtrip",
        ALL_TESTED["model.resume-training"][0],
        "Erratum E2: Optimizer state is lost through SavedModel",
        "tf2.4, tf2.15, tf-keras",
    ):
        assert expected in output


def test_show_as_json_tells_everything() -> None:
    shown = document("show", "show", "model.resume-training")
    assert shown["requirement"]["tests"] == ALL_TESTED["model.resume-training"]
    assert [each["id"] for each in shown["errata"]] == ["E2", "E15"]
    assert "hdf5.roundtrip" in shown["dependents"]
    assert shown["tolerance"]["epsilon"] == 1e-6
    saved_model = shown["units"][0]
    assert saved_model["dialects"] == ["keras-2.4", "keras-2.8", "keras-2.15"]
    assert "save.savedmodel" in saved_model["needs"]
    assert "model.optimizer-state[savedmodel]" in saved_model["depends"]


@pytest.mark.parametrize("chapter", SPECIFICATION.chapters)
def test_show_has_every_requirement(chapter: str) -> None:
    for requirement in SPECIFICATION.requirements.values():
        if requirement.chapter == chapter:
            shown = document("show", "show", requirement.id)
            assert shown["requirement"]["text"] == requirement.text
            assert all(str(unit) in call("show", requirement.id).output for unit in requirement.units)


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["show", "model.optimiser-state"], "model.optimizer-state"),
        (["list", "--chapter", "modle"], "model"),
        (["list", "--level", "MUSTN'T"], "MUST"),
        (["list", "--dialect", "keras-2.5"], "keras-2.15"),
        (["list", "--format", "hdf"], "hdf5"),
    ],
)
def test_an_unknown_name_exits_with_2_and_the_nearest(arguments: list[str], nearest: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert arguments[-1] in result.output
    assert nearest in result.output.split("nearest:")[1]


def test_coverage_is_complete_when_each_side_has_the_other() -> None:
    result = call("coverage")
    assert result.exit_code == 0
    assert "0 requirements without a test" in result.output
    assert "0 tests without a requirement" in result.output
    assert document("coverage", "coverage")["tests"] == len(SPECIFICATION.requirements)


def test_coverage_lists_what_is_missing_and_exits_with_1(inventory: Inventory) -> None:
    tests = ALL_TESTED | {"clone.custom": [], "clone.lost": ["test_x.py::test_lost"]}
    inventory(tests, ["test_x.py::test_alone"])
    result = call("coverage")
    assert result.exit_code == 1
    assert "1 requirements without a test\n  clone.custom\n" in result.output
    assert "1 tests without a requirement\n  test_x.py::test_alone\n" in result.output
    assert "lacks\n  clone.lost\n" in result.output
    found = document("coverage", "coverage", code=1)
    assert found["requirements_without_test"] == ["clone.custom"]
    assert found["tests_without_requirement"] == ["test_x.py::test_alone"]
    assert found["unknown_requirements"] == ["clone.lost"]


@pytest.mark.parametrize(
    ("tests", "without", "complete"),
    [
        ({"a.b": ["one"]}, [], True),
        ({}, [], False),
        ({"a.b": ["one"]}, ["two"], False),
        ({"a.b": ["one"], "a.c": ["one"]}, [], False),
    ],
)
def test_coverage_is_complete_only_when_nothing_is_missing(
    tests: dict[str, list[str]], without: list[str], complete: bool
) -> None:
    assert Coverage.of(["a.b"], tests, without).complete is complete
