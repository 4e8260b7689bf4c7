from __future__ import annotations

import itertools

import pytest

from conformance.results.blocked import dependencies, mark_blocked
from conformance.results.model import UnitVerdict
from conformance.results.verdict import Verdict

CHAIN = {"d": ("c",), "c": ("b",), "b": ("a",), "a": ()}


def marked(graph=CHAIN, **verdicts):
    units = [UnitVerdict(unit, Verdict(verdict)) for unit, verdict in verdicts.items()]
    return {unit.unit: (unit.verdict.value, unit.blocked_by) for unit in mark_blocked(units, graph)}


def test_a_fail_behind_a_fail_is_blocked_and_names_where_to_begin():
    found = marked(a="fail", b="fail", c="fail", d="pass")
    assert found == {"a": ("fail", ()), "b": ("blocked", ("a",)), "c": ("blocked", ("a",)), "d": ("pass", ())}


def test_through_a_unit_that_passes():
    assert marked(a="fail", b="pass", c="fail")["c"] == ("blocked", ("a",))


def test_a_known_failure_blocks_nothing_and_is_not_blocked():
    assert marked(a="known-failure", b="fail")["b"] == ("fail", ())
    assert marked(a="fail", b="known-failure", c="fail") == {
        "a": ("fail", ()), "b": ("known-failure", ()), "c": ("blocked", ("a",)),
    }  # fmt: skip


@pytest.mark.parametrize("cause", ["crash", "timeout"])
def test_a_crash_or_a_timeout_blocks_and_is_never_blocked(cause):
    assert marked(a=cause, b="fail")["b"] == ("blocked", ("a",))
    assert marked(a="fail", b=cause)["b"] == (cause, ())


@pytest.mark.parametrize("verdict", ["unstable", "unexpected-pass", "not-run", "not-claimed", "not-applicable", "pass"])
def test_nothing_else_is_blocked_or_blocks(verdict):
    assert marked(a="fail", b=verdict)["b"] == (verdict, ())
    assert marked(a=verdict, b="fail")["b"] == ("fail", ())


def test_the_order_plays_no_part():
    verdicts = {"a": "fail", "b": "fail", "c": "crash", "d": "fail"}
    expected = marked(**verdicts)
    for order in itertools.permutations(verdicts.items()):
        assert marked(**dict(order)) == expected


def test_a_cycle_leaves_every_unit_to_be_seen():
    found = marked({"a": ("b",), "b": ("a",)}, a="fail", b="fail")
    assert found == {"a": ("blocked", ("b",)), "b": ("blocked", ("a",))}


def test_dependencies_are_of_the_same_format_where_there_is_one(specification):
    graph = dependencies(specification)
    assert graph["b.same[zip]"] == ("a.saved[zip]",)
    assert graph["c.trained"] == ("b.same[folder]", "b.same[zip]")
