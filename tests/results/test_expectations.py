from __future__ import annotations

import pytest
from toys import CAPABILITIES, record

from conformance.results.expectations import ExpectationsError, read_expectations
from conformance.results.judge import Scope, judge

LOST = """\
# what is known

[[expectation]]
unit = "a.saved[zip]"
kind = "silent"
match = "differ"
reason = "the archive loses them"
measured = "python measure.py"

# the next one
[[expectation]]
test = "test_alone"
kind = "refused"
match = "ValueError"
reason = "it refuses"
link = "https://example.org/1"
"""


@pytest.fixture
def read(tmp_path, specification):
    def read(text):
        path = tmp_path / "expectations.toml"
        path.write_text(text, encoding="utf-8")
        return read_expectations(path, specification)

    return read


@pytest.fixture
def judged(read, specification):
    def judged(text, *records, scope=None):
        options = {"scope": scope} if scope else {}
        judgement = judge(records, specification, "new", CAPABILITIES, read(text), **options)
        return judgement, {unit.unit: unit for unit in judgement.units}

    return judged


ALONE = record("e.alone", verdict="fail", test="test_alone", kind="refused", message="ValueError: no")


def test_a_missing_file_expects_nothing(tmp_path, specification):
    assert read_expectations(tmp_path / "none.toml", specification).entries == ()


def test_entries_know_their_lines(read):
    first, second = read(LOST).entries
    assert (first.lines, second.lines) == ((3, 8), (11, 16))


def test_a_failure_that_agrees_in_kind_and_message_is_known(judged):
    judgement, units = judged(LOST, record("a.saved[zip]", verdict="fail"), ALONE)
    assert units["a.saved[zip]"].verdict.value == "known-failure"
    assert units["a.saved[zip]"].expectation.endswith("/expectations.toml:3")
    assert units["e.alone"].verdict.value == "known-failure"
    assert judgement.problems == ()


@pytest.mark.parametrize(
    "failure", [{"kind": "refused"}, {"message": "another thing"}, {"verdict": "crash", "kind": "crash"}]
)
def test_another_kind_or_another_message_is_a_failure_of_its_own(judged, failure):
    judgement, units = judged(LOST, record("a.saved[zip]", **{"verdict": "fail", **failure}), ALONE)
    assert units["a.saved[zip]"].verdict.value == failure.get("verdict", "fail")
    assert judgement.tests[0].message == failure.get("message", "values differ")
    assert judgement.tests[0].notes[0].startswith("expected failure failed for another reason")
    assert "expectations.toml:3" in judgement.tests[0].notes[0]


def test_every_failing_test_of_the_unit_must_agree(judged):
    wrong = record("a.saved[zip]", verdict="fail", test="test_other", message="gone")
    _, units = judged(LOST, record("a.saved[zip]", verdict="fail"), wrong, ALONE)
    assert units["a.saved[zip]"].verdict.value == "fail"


def test_one_failing_test_of_the_unit_is_enough(judged):
    _, units = judged(LOST, record("a.saved[zip]", verdict="fail"), record("a.saved[zip]", test="test_other"), ALONE)
    assert units["a.saved[zip]"].verdict.value == "known-failure"


def test_a_unit_that_passes_is_unexpected_and_says_which_lines_to_delete(judged):
    _, units = judged(LOST, record("a.saved[zip]"), record("a.saved[zip]", test="test_other"), ALONE)
    assert units["a.saved[zip]"].verdict.value == "unexpected-pass"
    assert "delete lines 3-8 of" in units["a.saved[zip]"].message


def test_an_unexpected_pass_of_a_unit_says_nothing_about_the_other_units_of_its_tests(judged):
    _, units = judged(LOST, record("a.saved[zip]", "b.same[zip]"), ALONE)
    assert units["b.same[zip]"].verdict.value == "pass"


def test_a_test_that_passes_is_unexpected_and_says_which_lines_to_delete(judged):
    passing = record("e.alone", test="test_alone")
    judgement, units = judged(LOST, record("a.saved[zip]", verdict="fail"), passing)
    assert units["e.alone"].verdict.value == "unexpected-pass"
    assert "delete lines 11-16 of" in judgement.tests[1].message


def test_an_entry_for_one_test_leaves_the_others_alone(judged):
    other = record("e.alone", test="test_other", verdict="fail", kind="refused", message="ValueError: no")
    judgement, units = judged(LOST, record("a.saved[zip]", verdict="fail"), ALONE, other)
    assert [test.verdict.value for test in judgement.tests] == ["known-failure", "known-failure", "fail"]
    assert units["e.alone"].verdict.value == "fail"


def test_several_entries_can_speak_of_one_unit(judged):
    text = "".join(entry(test=f"test_{n}", match=n) for n in "xy")
    records = [record("e.alone", test=f"test_{n}", verdict="fail", message=n) for n in "xy"]
    judgement, units = judged(text, *records)
    assert units["e.alone"].verdict.value == "known-failure"
    assert judgement.problems == ()


def test_a_stale_entry_beside_a_true_one_is_found(judged):
    text = "".join(entry(test=f"test_{n}", match=n) for n in "xy")
    _, units = judged(
        text, record("e.alone", test="test_x", verdict="fail", message="x"), record("e.alone", test="test_y")
    )
    assert units["e.alone"].verdict.value == "unexpected-pass"


def test_an_entry_that_matches_no_test_is_a_problem_with_its_line(judged):
    judgement, _ = judged(LOST, record("a.saved[zip]", verdict="fail"))
    assert len(judgement.problems) == 1
    assert "expectations.toml:11: test test_alone matches no test" in judgement.problems[0]


def test_an_entry_about_a_unit_that_is_not_claimed_matches_nothing(judged):
    judgement, _ = judged(LOST, record("a.saved[zip]", verdict="not-claimed"), ALONE)
    assert [problem.split(": ")[1].split(" matches")[0] for problem in judgement.problems] == ["unit a.saved[zip]"]


def test_what_a_selection_left_out_contradicts_nothing(judged):
    judgement, units = judged(LOST, record("a.saved[zip]"), scope=Scope(whole=False))
    assert judgement.problems == ()
    assert units["a.saved[zip]"].verdict.value == "pass"


def test_a_requirement_that_was_run_whole_is_judged_whole(judged):
    scope = Scope(whole=False, requirements=frozenset({"a.saved"}))
    _, units = judged(LOST, record("a.saved[zip]"), scope=scope)
    assert units["a.saved[zip]"].verdict.value == "unexpected-pass"


def test_a_test_that_was_not_run_or_is_unstable_decides_nothing(judged):
    for verdict in ("not-run", "unstable"):
        judgement, units = judged(LOST, record("a.saved[zip]", verdict=verdict), ALONE)
        assert units["a.saved[zip]"].verdict.value == verdict
        assert judgement.problems == ()


def test_a_known_failure_blocks_nothing(judged):
    records = [record("a.saved[zip]", verdict="fail"), record("b.same[zip]", verdict="fail"), ALONE]
    _, units = judged(LOST, *records)
    assert units["b.same[zip]"].verdict.value == "fail"
    _, units = judged("", *records)
    assert units["b.same[zip]"].verdict.value == "blocked"


ENTRY = {"unit": "e.alone", "kind": "silent", "match": "x", "reason": "r", "link": "l"}


def entry(**changes):
    fields = {name: value for name, value in {**ENTRY, **changes}.items() if value is not None}
    return "[[expectation]]\n" + "".join(f"{name} = '{value}'\n" for name, value in fields.items())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (entry(resaon="x"), "unknown field 'resaon' (nearest: reason"),
        (entry(match="("), "match is not a regular expression"),
        (entry(unit="e.alon"), "no unit 'e.alon' (nearest: e.alone"),
        (entry(kind="loud"), "kind is 'loud', expected one of refused, silent, crash, timeout"),
        (entry(reason=None), "each of kind, match, reason is needed"),
        (entry(reason=" "), "reason is ' ', expected a text"),
        (entry(link=None), "one of link, measured is needed"),
        (entry(unit=None), "one of unit, test is needed"),
        ("[[expectaton]]\n", "unknown key expectaton"),
        ("expectation = [{kind = 'silent'}]\n", "begins with a line [[expectation]]"),
        ("expectation = 3\n", "begins with a line [[expectation]]"),
        ("[[expectation", "cannot be read as TOML"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name_the_line_and_the_fault(read, text, told):
    with pytest.raises(ExpectationsError) as caught:
        read(text)
    assert told in str(caught.value)
    assert "expectations.toml" in str(caught.value)
    if "[[expectation]]\n" in text:
        assert "expectations.toml:1: " in str(caught.value)
