"""Reports on toy runs: what each says, and that nothing an implementation says can break their form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from test_gate_reasons import HELLO, whole
from toys import record

from conformance.results.admission import judged_again
from conformance.results.expectations import Expectations
from conformance.results.model import StartFailure
from conformance.results.report_badge import badge
from conformance.results.report_junit import junit
from conformance.results.report_markdown import SHOWN_FINDINGS, markdown

NASTY = "gone `` \n```\n# heading <script> | \x00\x1b[31m \ufffe & [x](y) *b*"


@pytest.fixture
def judged(specification):
    """Runs as a results file has them."""

    def judged(*changed, **more):
        hello = {**HELLO, "libraries": {"numpy": "2.4.6"}}
        return judged_again(whole(*changed, hello=hello, **more), specification, Expectations())[0]

    return judged


@pytest.fixture
def known(judged):
    run = judged()
    units = tuple(
        replace(unit, verdict=type(unit.verdict)("known-failure"), expectation="toy/expectations.toml:3")
        if unit.unit == "e.alone" else unit
        for unit in run.units
    )  # fmt: skip
    return replace(run, units=units)


def test_markdown_has_a_column_an_implementation_and_a_row_a_chapter(judged, specification):
    text = markdown([judged(), judged(record("e.alone", verdict="fail"), implementation="other")], specification)
    assert "| chapter | toy<br>new | other<br>new |" in text
    assert "| a | 2 ✓ | 2 ✓ |" in text
    assert "| **all** | 8 ✓ | 7 ✓ 1 ✗ |" in text
    assert "\n1 verdict not expected (2 implementations, 16 tests).\n" in text
    assert "| toy | new | toy 2.4.4, numpy 2.4.6, python 3.11.7 | 6 of 6 | 0 |" in text
    assert "| other | new | toy 2.4.4, numpy 2.4.6, python 3.11.7 | 5 of 6 | 0 |" in text


def test_a_requirement_that_fails_in_one_format_does_not_hold(judged, specification):
    text = markdown([judged(record("b.same[zip]", verdict="fail"))], specification)
    assert "| toy | new | toy 2.4.4, numpy 2.4.6, python 3.11.7 | 5 of 6 | 0 |" in text


def test_markdown_tells_each_failure_with_its_requirement_and_the_command(judged, specification):
    failing = replace(record("e.alone", verdict="fail"), expected="[1.]", actual="[0.]", notes=("a note",))
    text = markdown([judged(failing)], specification)
    assert "### ✗ fail: `e.alone`, toy (new)\n\n> **MUST** The text of e.alone. (guide)\n" in text
    assert "`test_e.alone` (silent)\n\n```text\nvalues differ\nexpected: [1.]\nactual:   [0.]\na note\n```" in text
    assert "```sh\nkeras-conformance run toy --requirement e.alone\n```" in text


def test_markdown_of_consequences_known_failures_and_problems(judged, known, specification):
    blocked = judged(record("a.saved[zip]", verdict="fail"), record("b.same[zip]", verdict="fail"))
    text = markdown([replace(blocked, problems=("x.toml:3: stale",)), known], specification)
    assert "* `b.same[zip]` of toy (new): blocked by `a.saved[zip]`" in text
    assert "* `toy (new): x.toml:3: stale`" in text
    assert "<summary>toy (new): 1</summary>\n\n* `e.alone`: `toy/expectations.toml:3`\n" in text
    assert "### ▪" not in text


def test_a_failure_of_several_units_is_shown_once(judged, specification):
    text = markdown([judged(record("d.resumed", "e.alone", verdict="fail", message="once"))], specification)
    assert text.count("\nonce\n") == 1
    assert "the failure shown under `d.resumed`" in text


def test_markdown_says_first_that_something_is_missing(judged, specification):
    text = markdown([judged(interruption="killed\nby *all*")], specification)
    assert text.index("**Not complete.**") < text.index("| chapter |")
    assert r"> * toy: stopped early: killed by \*all\*" in text
    assert "Everything is as expected (1 implementation, 8 tests). Not complete." in text


def test_what_an_implementation_says_is_no_markup(judged, specification):
    failing = replace(record("e.alone", verdict="fail", message=NASTY), expected=NASTY)
    text = markdown([judged(failing, implementation="a|b<c>")], specification)
    outside = re.sub(r"(`{3,})\w+\n.*?\n\1\n", "", text, flags=re.DOTALL)
    assert "heading" not in outside
    assert "<script>" not in outside
    assert r"| a\|b\<c\> |" in outside


def test_markdown_of_many_failures_is_cut_and_says_so(judged, specification):
    run = judged(record("e.alone", verdict="fail"))
    text = markdown([run] * (SHOWN_FINDINGS + 2), specification)
    assert text.count("### ✗ fail") == SHOWN_FINDINGS
    assert "And 2 more; the results file has all." in text


def cases(run):
    root = ElementTree.fromstring(junit([run]))
    (suite,) = root
    found = {case.get("name"): case for case in suite.iter("testcase")}
    for element in (root, suite):
        assert element.get("tests") == str(len(list(suite.iter("testcase"))))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(name) == str(len(list(suite.iter(tag))))
    return found


def outcome(case):
    return next((child.tag for child in case if child.tag != "properties"), None)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("pass", None),
        ("fail", "failure"),
        ("crash", "error"),
        ("timeout", "error"),
        ("unstable", "failure"),
        ("unexpected-pass", "failure"),
        ("known-failure", "skipped"),
        ("not-claimed", "skipped"),
        ("not-run", "error"),
    ],
)
def test_each_verdict_in_junit(verdict, expected):
    assert outcome(cases(whole(record("e.alone", verdict=verdict)))["test_e.alone"]) == expected


def test_a_case_has_its_requirement_kind_message_and_sides():
    failing = replace(record("e.alone", verdict="fail", test="test_x.py::test_y[zip]"), expected="[1.]", notes=("n",))
    case = cases(whole(failing, seconds=1.5))["test_y[zip]"]
    assert case.get("classname") == "test_x"
    assert case.find("properties/property").attrib == {"name": "requirement", "value": "e.alone"}
    assert case.find("failure").attrib == {"message": "values differ", "type": "silent"}
    assert case.find("failure").text == "values differ\nexpected: [1.]\nn"


def test_what_xml_cannot_hold_is_left_out():
    text = cases(whole(record("e.alone", verdict="fail", message=NASTY)))["test_e.alone"].find("failure").text
    assert text.splitlines()[2].startswith("# heading <script> | \ufffd\ufffd[31m \ufffd &")


def test_what_is_wrong_with_a_run_is_a_case_in_junit():
    assert (
        cases(whole(interruption="killed"))["is complete"].find("error").get("message") == "toy: stopped early: killed"
    )
    assert outcome(cases(whole(selection={"k": ["x"]}))["is complete"]) == "skipped"
    assert "Traceback" in cases(whole(start_failure=StartFailure("no", "Traceback")))["starts"].find("error").text
    problem = cases(whole(problems=("x.toml:3: test a matches no test that was run; delete",)))["x.toml:3: test a"]
    assert outcome(problem) == "failure"


def told(*runs):
    value = json.loads(badge(runs))
    assert (value["schemaVersion"], value["label"]) == (1, "keras conformance")
    return value["message"], value["color"]


def test_the_badge_says_the_worst_there_is(judged, known):
    good, bad = judged(), judged(record("e.alone", verdict="fail"))
    assert told(good) == ("conformant, 8 units", "brightgreen")
    assert told(good, known) == ("15 of 16 units, 1 known failure", "yellow")
    assert told(good, known, bad) == ("1 unexpected", "red")
    assert told(replace(good, problems=("stale",))) == ("1 unexpected", "red")
    for gap in (
        {"interruption": "x"},
        {"selection": {"k": ["x"]}},
        {"start_failure": StartFailure("x")},
        {"units": ()},
    ):
        assert told(replace(good, **gap)) == ("incomplete", "lightgrey")
