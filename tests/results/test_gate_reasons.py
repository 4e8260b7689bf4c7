"""The gate on the toy specification: each reason seen, and nothing else; judged again as often as one likes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from toys import CAPABILITIES, record, toy_requirement, toy_specification

import conformance.results.gate as module
from conformance.results.admission import judged_again
from conformance.results.expectations import Expectations, read_expectations
from conformance.results.gate import Reason, gate
from conformance.results.gate_table import report
from conformance.results.model import Run, results_of
from conformance.results.upkeep import Source
from conformance.results.verdict import Verdict

SCHEMA = json.loads(Path(module.__file__).with_name("gate.schema.json").read_text(encoding="utf-8"))
HELLO = {"capabilities": [*CAPABILITIES], "python": "3.11.7", "name": "toy", "version": "2.4.4"}

PIN = """\
# heading

[[expectation]]
unit = "a.saved[zip]"
kind = "silent"
match = "differ"
reason = "the archive loses them"
measured = "python measure.py"
"""


def whole(*changed, **more):
    """A run in which everything passes but what ``changed`` says."""
    told = {unit for test in changed for unit in test.units}
    units = ("a.saved[folder]", "a.saved[zip]", "b.same[folder]", "b.same[zip]", "c.trained", "d.resumed", "e.alone")
    passing = (record(unit) for unit in (*units, "f.late") if unit not in told)
    facts = {"implementation": "toy", "dialect": "new", "hello": HELLO, "tests": (*changed, *passing)}
    return Run(**{**facts, **more})


@pytest.fixture
def sources(tmp_path, specification):
    def sources(text):
        path = tmp_path / "expectations.toml"
        path.write_text(text, encoding="utf-8")
        return {"toy": Source(path, read_expectations(path, specification))}

    return sources


@pytest.fixture
def decide(specification, sources):
    """The gate on one run, and that its answer agrees with its schema, its report and the run's own exit code."""

    def decide(run, text="", baseline=None):
        run = judged_again(run, specification, Expectations())[0]
        old = results_of([baseline]) if baseline else None
        answer = gate(results_of([run]), sources(text), specification, old)
        jsonschema.validate(answer.to_json(), SCHEMA)
        again = judged_again(run, specification, sources(text)["toy"].expectations)[0]
        if baseline is None:
            assert answer.passed is (again.exit_code == 0)
        # Judged with expectations or without, by an earlier run: the gate's answer is the same.
        assert gate(results_of([again]), sources(text), specification, old) == answer
        return answer

    return decide


def reasons(answer):
    return [(problem.reason.value, problem.name) for problem in answer.problems]


def test_the_published_schema_is_the_one_of_the_code():
    assert module.json_schema() == SCHEMA


def test_everything_as_expected_passes(decide):
    assert decide(whole()).passed


def test_a_new_failure_is_told_with_its_requirement_and_the_command_to_see_it_again(decide):
    (problem,) = decide(whole(record("e.alone", verdict="fail"))).problems
    assert problem.reason is Reason.NEW_FAILURE
    assert (problem.name, problem.units) == ("test_e.alone", ("e.alone",))
    assert problem.requirements == {"e.alone": "MUST: The text of e.alone."}
    assert (problem.kind.value, problem.message) == ("silent", "values differ")
    assert problem.again == "keras-conformance run toy --requirement e.alone"
    assert problem.since is None


@pytest.mark.parametrize("verdict", ["crash", "timeout"])
def test_a_crash_and_a_timeout_are_failures(decide, verdict):
    assert reasons(decide(whole(record("e.alone", verdict=verdict, kind=verdict)))) == [("new-failure", "test_e.alone")]


def test_an_unstable_test_does_not_pass_and_cannot_be_pinned(decide):
    text = PIN.replace("a.saved[zip]", "e.alone")
    assert reasons(decide(whole(record("e.alone", verdict="unstable")), text)) == [("unstable", "test_e.alone")]


def test_a_known_failure_passes(decide):
    answer = decide(whole(record("a.saved[zip]", verdict="fail")), PIN)
    assert answer.passed
    assert {verdict.value: count for verdict, count in answer.judged[0].units.items()}["known-failure"] == 1


@pytest.mark.parametrize("change", [{"kind": "refused"}, {"message": "gone"}, {"verdict": "crash", "kind": "crash"}])
def test_a_failure_for_another_reason_shows_the_entry(decide, change):
    (problem,) = decide(whole(record("a.saved[zip]", **{"verdict": "fail", **change})), PIN).problems
    assert problem.reason is Reason.OTHER_FAILURE
    (entry,) = problem.entries
    assert (entry.first_line, entry.last_line, entry.match) == (3, 8, "differ")
    assert problem.message == change.get("message", "values differ")


def test_the_pattern_is_not_searched_in_what_was_said_about_the_pattern(decide):
    """Judged before with the same entry, the failure is still another."""
    answer = decide(whole(record("a.saved[zip]", verdict="fail", message="gone")), PIN)
    assert reasons(answer) == [("other-failure", "test_a.saved[zip]")]


def test_an_unexpected_pass_says_which_lines_to_delete(decide):
    (problem,) = decide(whole(), PIN).problems
    assert problem.reason is Reason.UNEXPECTED_PASS
    assert (problem.name, problem.units) == ("a.saved[zip]", ("a.saved[zip]",))
    assert problem.message.startswith("delete lines 3-8 of ")
    assert problem.message.endswith("expectations.toml")


def test_an_unexpected_pass_of_a_test(decide):
    text = PIN.replace('unit = "a.saved[zip]"', 'test = "test_e.alone"')
    (problem,) = decide(whole(), text).problems
    assert problem.reason is Reason.UNEXPECTED_PASS
    assert (problem.name, problem.units) == ("test_e.alone", ("e.alone",))


def test_an_entry_that_matches_nothing(decide):
    text = PIN.replace('unit = "a.saved[zip]"', 'test = "test_gone"')
    (problem,) = decide(whole(), text).problems
    assert problem.reason is Reason.NO_MATCH
    assert (problem.name, problem.entries[0].first_line) == ("test_gone", 3)


@pytest.mark.parametrize(
    ("condition", "passes"), [("toy >= 2.5", False), ("toy < 2.5", True), ("python > 3.12", False)]
)
def test_an_entry_whose_condition_does_not_hold_explains_nothing_and_is_not_stale(decide, condition, passes):
    text = f'{PIN}condition = "{condition}"\n'
    failing = decide(whole(record("a.saved[zip]", verdict="fail")), text)
    assert reasons(failing) == ([] if passes else [("new-failure", "test_a.saved[zip]")])
    passing = decide(whole(), text)
    assert reasons(passing) == ([("unexpected-pass", "a.saved[zip]")] if passes else [])


def test_what_follows_from_a_failure_comes_last_and_names_it(decide):
    answer = decide(whole(record("a.saved[zip]", verdict="fail"), record("b.same[zip]", verdict="fail")))
    assert reasons(answer) == [("new-failure", "test_a.saved[zip]"), ("blocked", "b.same[zip]")]
    assert answer.problems[1].blocked_by == ("a.saved[zip]",)


def test_a_test_of_a_unit_that_the_dialect_lacks_is_no_problem(decide):
    run = whole(record("f.late", verdict="fail"), dialect="old")
    assert decide(run).passed


def test_with_a_baseline_a_failure_is_told_to_be_new_or_old_and_fails_either_way(decide):
    failing = whole(record("e.alone", verdict="fail"))
    otherwise = whole(record("e.alone", verdict="fail", kind="refused"))
    told = {
        "does not fail in the baseline": decide(failing, baseline=whole()),
        "fails in the baseline too": decide(failing, baseline=failing),
        "failed otherwise in the baseline (fail)": decide(failing, baseline=otherwise),
    }
    for since, answer in told.items():
        assert [problem.since for problem in answer.problems] == [since]


def test_what_is_worse_than_the_baseline_is_told_first(decide):
    old = record("d.resumed", verdict="fail")
    answer = decide(whole(old, record("e.alone", verdict="fail")), baseline=whole(old))
    assert [problem.name for problem in answer.problems] == ["test_e.alone", "test_d.resumed"]


def test_a_claim_that_was_dropped_is_a_problem(decide):
    run = whole(
        record("c.trained", verdict="not-claimed"), hello={**HELLO, "capabilities": ["save.folder", "save.zip"]}
    )
    assert decide(run).passed
    answer = decide(run, baseline=whole())
    assert reasons(answer) == [("lost", "the claim train")]
    assert ("gone", "unit", "c.trained") in {(c.how.value, c.of.value, c.name) for c in answer.changes}


def test_an_implementation_that_is_gone_is_a_problem_and_a_new_one_is_none(specification):
    one, two = whole(), whole(implementation="other")
    both, single = results_of([one, two]), results_of([one])
    answer = gate(single, {}, specification, both)
    assert reasons(answer) == [("lost", "the implementation other")]
    assert gate(both, {}, specification, single).passed


RECORDS = [
    record("a.saved[zip]", verdict="fail"),
    record("a.saved[zip]", verdict="fail", message="gone"),
    record("a.saved[zip]", verdict="crash", kind="crash"),
    record("a.saved[zip]", verdict="timeout", kind="timeout"),
    record("a.saved[zip]", verdict="unstable"),
    record("a.saved[zip]"),
]


@pytest.mark.parametrize("kind", ["silent", "crash", "timeout"])
@pytest.mark.parametrize("before", RECORDS, ids=lambda test: test.verdict.value)
def test_no_judgement_outlives_its_expectations(before, kind, specification, sources):
    """A run judged with an entry, which is then deleted: what it explained, or found stale, is as it was."""
    text = PIN.replace("silent", kind).replace('unit = "a.saved[zip]"', f'test = "{before.id}"')
    before = replace(before, notes=("the example",))
    source = sources(text)
    judged = judged_again(whole(before), specification, source["toy"].expectations)[0]
    again = judged_again(judged, specification, Expectations())[0]
    assert again.tests[0] == before
    assert reasons(gate(results_of([judged]), {}, specification)) == (
        [] if before.verdict is Verdict.PASS
        else [("unstable" if before.verdict is Verdict.UNSTABLE else "new-failure", before.id)]
    )  # fmt: skip


@pytest.mark.parametrize("verdict", ["fail", "crash", "blocked", "known-failure", "not-claimed", "unstable"])
def test_a_verdict_that_no_test_explains(verdict, specification):
    """A file that says anywhere that something is wrong does not pass."""
    run = judged_again(whole(), specification, Expectations())[0]
    units = tuple(replace(unit, verdict=Verdict(verdict)) if unit.unit == "e.alone" else unit for unit in run.units)
    (problem,) = gate(results_of([replace(run, units=units)]), {}, specification).problems
    assert (problem.reason, problem.name) == (Reason.UNEXPLAINED, "e.alone")
    assert problem.message == f"the unit's verdict is {Verdict(verdict).label!r}; by its tests it is 'pass'"


def test_what_is_not_claimed_cannot_be_said_to_pass(specification):
    run = judged_again(whole(hello={**HELLO, "capabilities": []}), specification, Expectations())[0]
    passing = replace(run, units=tuple(replace(unit, verdict=Verdict.PASS) for unit in run.units))
    found = gate(results_of([passing]), {}, specification).problems
    unclaimed = {f"{name}[{form}]" for name in ("a.saved", "b.same") for form in ("folder", "zip")} | {"c.trained"}
    assert {problem.name for problem in found} == unclaimed
    assert {problem.reason for problem in found} == {Reason.UNEXPLAINED}


def test_a_failing_test_behind_a_unit_that_is_said_to_pass(specification):
    run = judged_again(whole(), specification, Expectations())[0]
    failing = replace(whole(record("e.alone", verdict="fail")), units=run.units)
    assert reasons(gate(results_of([failing]), {}, specification)) == [
        ("new-failure", "test_e.alone"), ("unexplained", "e.alone"),
    ]  # fmt: skip


def test_each_implementation_has_its_own_expectations(specification, sources):
    failing = whole(record("a.saved[zip]", verdict="fail"))
    results = results_of([failing, replace(failing, implementation="other")])
    answer = gate(results, sources(PIN), specification)
    assert [(problem.implementation, problem.reason.value) for problem in answer.problems] == [("other", "new-failure")]


def test_the_report_has_everything_that_a_person_needs(decide, capsys):
    from rich.console import Console

    failing = whole(record("a.saved[zip]", verdict="fail", message="gone [bold]away[/bold]"))
    answer = decide(failing, PIN, baseline=whole())
    console = Console(width=100, highlight=False, force_terminal=False)
    console.print(report(answer), crop=False)
    text = capsys.readouterr().out
    place = f"{answer.judged[0].expectations}:3-8"
    for part in (
        "failure for another reason than the pinned one  test_a.saved[zip]",
        "a.saved: MUST: The text of a.saved.",
        "silent",
        "gone [bold]away[/bold]",
        "silent /differ/: the archive loses them",
        place,
        "does not fail in the baseline",
        "keras-conformance run toy --requirement a.saved",
        "a.saved[zip]  pass → fail",
        "since the baseline: 1 unit broken, 1 test broken",
        "gate: 1 × failure for another reason than the pinned one; exit 1",
    ):
        assert part in text


def test_a_specification_of_nothing_passes_nothing_by_mistake():
    empty = toy_specification(toy_requirement("e.alone"))
    run = Run("toy", "new", hello=HELLO, tests=(record("e.alone", verdict="fail"),))
    assert not gate(results_of([run]), {}, empty).passed
