from __future__ import annotations

import pytest
from toys import CAPABILITIES, record

from conformance.results.changes import changes
from conformance.results.model import Run, results_of


def run(*tests, capabilities=CAPABILITIES, **more):
    return Run(
        **{"implementation": "toy", "dialect": "new", "hello": {"capabilities": capabilities}, "tests": tests, **more}
    )


@pytest.fixture
def changed(specification):
    def changed(old, new):
        found = changes(results_of([old]), results_of([new]), specification)
        return [(change.how.value, change.of.value, change.name) for change in found]

    return changed


def test_nothing_changed(changed):
    assert changed(run(record("e.alone")), run(record("e.alone"))) == []


@pytest.mark.parametrize("bad", ["fail", "crash", "timeout", "unstable"])
def test_broken_and_fixed(changed, bad):
    good, bad = run(record("e.alone")), run(record("e.alone", verdict=bad, kind="silent"))
    assert changed(good, bad) == [("broken", "unit", "e.alone"), ("broken", "test", "test_e.alone")]
    assert changed(bad, good) == [("fixed", "unit", "e.alone"), ("fixed", "test", "test_e.alone")]


def test_a_failure_is_one_whether_it_is_pinned_or_not(changed):
    known = record("e.alone", verdict="known-failure")
    known = type(known)(**{**vars(known), "kind": record("e.alone", verdict="fail").kind})
    assert changed(run(known), run(record("e.alone", verdict="fail"))) == []
    assert changed(run(record("e.alone")), run(known))[0] == ("broken", "unit", "e.alone")
    assert changed(run(record("e.alone", verdict="unexpected-pass")), run(record("e.alone"))) == []


def test_a_unit_broken_by_one_of_its_tests(changed):
    old = run(record("e.alone", test="x"), record("e.alone", test="y"))
    new = run(record("e.alone", test="x"), record("e.alone", test="y", verdict="fail"))
    assert changed(old, new) == [("broken", "unit", "e.alone"), ("broken", "test", "y")]


def test_a_test_of_several_records_is_as_bad_as_the_worst(changed):
    good = record("e.alone", test="x")
    bad = record("d.resumed", test="x", verdict="fail")
    assert ("broken", "test", "x") in changed(run(good), run(good, bad))
    assert ("fixed", "test", "x") in changed(run(good, bad), run(good))


def test_new_and_gone_tests(changed):
    one, two = run(record("e.alone", test="x")), run(record("e.alone", test="x"), record("e.alone", test="y"))
    assert changed(one, two) == [("new", "test", "y")]
    assert changed(two, one) == [("gone", "test", "y")]


def test_claims_and_their_units(changed):
    claimed = run(record("c.trained"))
    dropped = run(record("c.trained", verdict="not-claimed"), capabilities=("save.folder", "save.zip"))
    expected = [("capability", "train"), ("unit", "c.trained"), ("test", "test_c.trained")]
    assert changed(claimed, dropped) == [("gone", *what) for what in expected]
    assert changed(dropped, claimed) == [("new", *what) for what in expected]


def test_implementations_and_dialects(specification, changed):
    assert changed(run(), run(implementation="other")) == [
        ("new", "implementation", "other"), ("gone", "implementation", "toy"),
    ]  # fmt: skip
    assert len(changed(run(), run(dialect="old"))) == 2


def test_the_order_is_by_implementation_then_the_worst_first(specification):
    old = [run(record("e.alone"), record("d.resumed", verdict="fail"), implementation=name) for name in "ba"]
    new = [run(record("e.alone", verdict="fail"), record("d.resumed"), implementation=name) for name in "ba"]
    found = changes(results_of(old), results_of(new), specification)
    assert [(c.implementation, c.how.value, c.of.value) for c in found] == [
        (name, how, of) for name in "ab" for how in ("broken", "fixed") for of in ("unit", "test")
    ]
