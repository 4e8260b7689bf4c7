from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import conformance.cli.self_test as self_test
from conformance.cli import cli
from conformance.cli.self_test import SelfTest, TriedMutant, confusion, exit_code, report, touched_by
from conformance.mutants.faults import load_mutants
from conformance.mutants.mutant import Mutant, mutant
from conformance.mutants.trial import CRASH_ONLY, ERROR, KILLED, SURVIVED, WRONG_REQUIREMENT, Trial

SCHEMA = json.loads((Path(self_test.__file__).parent / "self-test.schema.json").read_text(encoding="utf-8"))


def invoke(*arguments: str):
    return CliRunner().invoke(cli, ["self-test", *arguments])


def entry(name: str, outcome: str, declares: tuple[str, ...] = ("a.b",), **facts: tuple[str, ...] | str) -> TriedMutant:
    known = {"failed": (), "blocked": (), "crashed": (), "failing_tests": (), "problem": None, **facts}
    return TriedMutant(
        name=name, summary="a fault", dialect="keras-2.4", requirements=declares, declares=declares,
        killed=outcome == KILLED, outcome=outcome, tests=3, seconds=1.0, **known,
    )  # fmt: skip


def document(*mutants: TriedMutant, **facts: object) -> SelfTest:
    killed = sum(each.killed for each in mutants)
    found = SelfTest("2026.11.0", False, None, killed, len(mutants), 2.0, mutants)
    return replace(found, **facts)


def test_the_published_schema_is_the_one_of_the_code():
    assert self_test.json_schema() == SCHEMA


def test_the_document_of_one_mutant_and_the_score(tmp_path: Path):
    done = invoke("too-few-weights-are-set", "--json", "--output", str(tmp_path / "out.json"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    jsonschema.validate(found, SCHEMA)
    assert json.loads((tmp_path / "out.json").read_text()) == found
    (tried,) = found["mutants"]
    assert (tried["name"], tried["killed"], tried["requirements"]) == (
        "too-few-weights-are-set",
        True,
        ["weights.mismatch"],
    )
    assert "weights.mismatch" in tried["failed"]
    assert "1 of 1 mutants killed" in done.stderr


def test_a_survivor_is_exit_1_and_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    @mutant("weights.created-on-call", target="reference_impl.layers.owner:set_values")
    def does_nothing(original, *args):
        """A fault that is none."""
        return original(*args)

    @mutant("weights.created-on-arrival", target="reference_impl.layers.owner:set_values")
    def knows_nothing(original, *args):
        """A mutant of what does not exist."""

    def known() -> dict[str, Mutant]:
        return {each.name: each for each in (does_nothing, knows_nothing)}

    monkeypatch.setattr("conformance.mutants.faults.load_mutants", known)
    done = invoke("does-nothing")
    assert done.exit_code == 1, done.output
    assert "survived: nothing failed: strengthen the tests" in done.output
    assert "does-nothing (keras-2.4) declares weights.created-on-call: A fault that is none." in done.output
    assert "0 of 1 mutants killed" in done.output

    done = invoke("knows-nothing")
    assert done.exit_code == 2, done.output
    assert "unknown requirement 'weights.created-on-arrival'" in done.output


def test_the_list_has_every_mutant_and_tries_none():
    done = invoke("--list")
    assert done.exit_code == 0
    assert all(name in done.output for name in load_mutants())
    assert len(invoke("--list", "--slice", "2/9").output) < len(done.output) / 3


@pytest.mark.parametrize("given", ["3/2", "0/4", "1", "1/0", "a/b"])
def test_a_slice_that_is_none_is_exit_2(given: str):
    done = invoke("--slice", given)
    assert done.exit_code == 2
    assert "expected K/N" in done.output


def test_an_unknown_mutant_is_exit_2_with_the_nearest():
    done = invoke("too-few-weights-are-sat")
    assert done.exit_code == 2
    assert "too-few-weights-are-set" in done.output


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([KILLED], 0),
        ([KILLED, SURVIVED], 1),
        ([WRONG_REQUIREMENT], 1),
        ([CRASH_ONLY], 1),
        ([SURVIVED, ERROR], 2),
        ([], 0),
    ],
)
def test_the_exit_code_is_the_worst(outcomes: list[str], code: int):
    assert exit_code(document(*(entry(str(i), outcome) for i, outcome in enumerate(outcomes)))) == code


def test_the_report_has_a_part_for_each_end():
    ends = {
        "one": entry("one", SURVIVED),
        "two": entry("two", WRONG_REQUIREMENT, failed=("c.d[x]",), blocked=("a.b",)),
        "three": entry("three", CRASH_ONLY, crashed=("a.b",)),
        "four": entry("four", ERROR, problem="never called"),
        "five": entry("five", KILLED, failed=("a.b",)),
    }
    lines = report(document(*ends.values()))
    text = "\n".join(lines)
    assert all(f"  {name} (keras-2.4) declares a.b: a fault" in lines for name in ("one", "two", "three", "four"))
    assert "    failed: c.d[x]" in lines
    assert "    blocked: a.b" in lines
    assert "    crashed: a.b" in lines
    assert "    never called" in lines
    assert "five" not in text
    assert lines[-1] == "1 of 5 mutants killed in 2 s"


def test_the_table_of_a_full_run():
    trials = [
        Trial("one", "", "keras-2.4", ("a.b",), ("a.b",), KILLED, failed=("a.b[x]", "a.b[y]"), blocked=("c.d",)),
        Trial("two", "", "keras-2.4", ("e.f",), ("e.f",), KILLED, failed=("e.f",)),
    ]
    touched = touched_by(trials, dict.fromkeys(("a.b", "c.d", "e.f", "g.h")))
    assert touched == {"a.b": ["one"], "c.d": ["one"], "e.f": ["two"], "g.h": []}

    mutants = (
        entry("one", KILLED, failed=("a.b[x]", "a.b[y]"), blocked=("c.d",)),
        entry("two", KILLED, declares=("e.f",), failed=("e.f",)),
    )
    lines = confusion(document(*mutants, full=True, touched_by=touched))
    assert "  one: [a.b] c.d" in lines
    assert "  two: [e.f]" in lines
    assert lines[lines.index("2 requirements that nothing but their own mutants touch") + 1 :][:2] == ["  a.b", "  e.f"]
    assert lines[lines.index("1 requirements that no mutant touches") + 1 :] == ["  g.h"]
