from __future__ import annotations

import random

import pytest
from toys import CAPABILITIES, record

from conformance.results.units import unit_verdicts
from conformance.results.verdict import Verdict, by_severity, worst


def verdicts(records, specification, dialect="new", capabilities=CAPABILITIES):
    return {unit.unit: unit.verdict.value for unit in unit_verdicts(records, specification, dialect, capabilities)}


def test_every_unit_of_the_specification_has_one_verdict_in_its_order(specification):
    assert list(verdicts([], specification)) == [str(unit) for unit in specification.units]


def test_a_unit_without_a_test_is_not_run(specification):
    assert verdicts([], specification)["e.alone"] == "not-run"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "fail", "known-failure"], "fail"),
        (["fail", "crash"], "crash"),
        (["pass", "not-run"], "not-run"),
        (["pass", "not-claimed"], "not-claimed"),
        (["known-failure", "pass"], "known-failure"),
    ],
)
def test_a_unit_has_the_worst_verdict_of_its_tests(specification, told, expected):
    records = [record("e.alone", verdict=verdict, test=f"test_{n}") for n, verdict in enumerate(told)]
    assert verdicts(records, specification)["e.alone"] == expected
    random.Random(1).shuffle(records)
    assert verdicts(records, specification)["e.alone"] == expected


def test_a_test_of_two_units_counts_for_both(specification):
    found = verdicts([record("e.alone", "a.saved[zip]", verdict="fail")], specification)
    assert (found["e.alone"], found["a.saved[zip]"], found["a.saved[folder]"]) == ("fail", "fail", "not-run")


def test_what_the_dialect_lacks_is_not_applicable_whatever_a_test_says(specification):
    found = verdicts([record("f.late", verdict="fail")], specification, "old")
    assert found["f.late"] == "not-applicable"
    assert found["a.saved[zip]"] == "not-applicable"
    assert found["a.saved[folder]"] == "not-run"


def test_a_unit_that_needs_what_is_not_claimed_is_never_passed(specification):
    found = verdicts([record("c.trained"), record("e.alone")], specification, capabilities=("save.folder",))
    assert found["c.trained"] == "not-claimed"
    assert found["a.saved[zip]"] == "not-claimed"
    assert found["e.alone"] == "pass"


def test_where_nobody_knows_what_is_claimed_nothing_is_called_not_claimed(specification):
    assert verdicts([], specification, capabilities=None)["c.trained"] == "not-run"
    assert verdicts([], specification, capabilities=())["c.trained"] == "not-claimed"


def test_worst_of_nothing_is_not_run():
    assert worst([]) is Verdict.NOT_RUN


def test_only_a_fail_can_hide_behind_another_so_crash_and_timeout_outrank_it():
    assert by_severity(Verdict.CRASH) < by_severity(Verdict.TIMEOUT) < by_severity(Verdict.FAIL)


def test_every_verdict_has_a_symbol_of_its_own_and_an_exit_code():
    assert len({verdict.symbol for verdict in Verdict}) == len(Verdict)
    expected = {verdict.value for verdict in Verdict if verdict.is_expected}
    assert expected == {"pass", "known-failure", "not-claimed", "not-applicable"}
    assert Verdict.NOT_RUN.exit_code == 2
