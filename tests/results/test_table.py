from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from toys import CAPABILITIES, record

from conformance.results.expectations import Expectations
from conformance.results.findings import findings
from conformance.results.judge import judge
from conformance.results.model import Run, StartFailure, results_of
from conformance.results.table import WIDTH, closing_line, summary, unexpected

RECORDS = [
    record("a.saved[folder]", test="test_a.py::test_saved[folder]"),
    record("a.saved[zip]", test="test_a.py::test_saved[zip]", verdict="fail", message="3 of 8 values differ"),
    record("b.same[folder]", test="test_b.py::test_same[folder]"),
    record("b.same[zip]", test="test_b.py::test_same[zip]", verdict="fail"),
    record("c.trained", "d.resumed", test="test_c.py::test_trained", verdict="crash", kind="crash", message="it died"),
    record("e.alone", test="test_e.py::test_alone"),
    record("f.late", test="test_f.py::test_late"),
]


@pytest.fixture
def judged(specification):
    def judged(records=RECORDS, name="toy", **changes):
        judgement = judge(records, specification, "new", CAPABILITIES, Expectations())
        options = {"command": f"keras-conformance run {name} --seed 7"}
        return replace(Run(name, "new", units=judgement.units, tests=judgement.tests, options=options), **changes)

    return judged


def printed(*parts):
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    for part in parts:
        console.print(part, crop=False)
    return console.file.getvalue()


def test_the_table_counts_units_by_chapter_and_verdict(judged, specification):
    lines = [line.split() for line in printed(summary(results_of([judged()]), specification)).splitlines() if line]
    assert lines[:3] == [["toy"], ["chapter", "new"], ["a", "1✓", "1✗"]]
    assert ["b", "1✓", "1▪"] in lines
    assert ["c", "1☠"] in lines
    assert ["all", "4✓", "2☠", "1✗", "1▪"] in lines


def test_what_a_selection_left_out_is_not_in_the_table(judged, specification):
    text = printed(summary(results_of([judged([RECORDS[5]], selection={"k": ["alone"]})]), specification))
    assert text.split()[:7] == ["toy", "chapter", "new", "e", "1✓", "all", "1✓"]
    assert "not run" not in text


def test_a_command_is_one_line_to_copy(judged, specification):
    run = judged([RECORDS[1]], options={"command": "keras-conformance run toy --python " + "x" * 120})
    assert "x" * 120 + " --requirement a.saved --format zip\n" in printed(unexpected(results_of([run]), specification))


def test_the_legend_explains_the_symbols_that_were_used_and_no_others(judged, specification):
    text = printed(summary(results_of([judged()]), specification))
    assert "✓ pass: " in text
    assert "☠ crash: " in text
    assert "not claimed" not in text


@pytest.mark.parametrize("count", [1, 6, 12])
def test_it_fits_a_hundred_columns_and_shows_every_implementation(judged, specification, count):
    names = [f"implementation-{n}" for n in range(count)]
    text = printed(summary(results_of([judged(name=name) for name in names]), specification))
    assert all(name in text for name in names)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_the_worst_comes_first_and_what_follows_from_it_last(judged, specification):
    units = [finding.unit.unit for finding in findings(judged(), specification)]
    assert units == ["c.trained", "d.resumed", "a.saved[zip]", "b.same[zip]"]


def test_a_finding_shows_the_requirement_both_sides_and_the_command_to_see_it_again(judged, specification):
    wrong = replace(RECORDS[1], expected="[1. 2.]", actual="[0. 0.]", notes=("drawn: one layer",))
    wrong = replace(wrong, message=f"{wrong.message}\n  expected: [1. 2.]\n  actual:   [0. 0.]")
    text = printed(unexpected(results_of([judged([wrong])]), specification))
    for part in (
        "✗ fail  a.saved[zip]  toy", "The text of a.saved. [guide]", "test_a.py::test_saved[zip] (silent)",
        "3 of 8 values differ", "[1. 2.]", "[0. 0.]", "drawn: one layer",
        "keras-conformance run toy --seed 7 --requirement a.saved --format zip",
    ):  # fmt: skip
        assert text.count(part) == 1


def test_the_command_asks_for_a_format_only_where_the_test_has_one(judged, specification):
    wide = record("a.saved[zip]", test="test_a.py::test_both", verdict="fail")
    assert findings(judged([wide]), specification)[0].again.endswith("--requirement a.saved")


def test_one_failure_of_two_units_is_shown_once(judged, specification):
    text = printed(unexpected(results_of([judged()]), specification))
    assert text.count("it died") == 1
    assert "the failure shown under c.trained" in text


def test_a_blocked_unit_is_one_line_that_names_where_to_begin(judged, specification):
    text = printed(unexpected(results_of([judged()]), specification))
    assert "▪ blocked  b.same[zip] by a.saved[zip]" in text


def test_a_run_as_expected_has_nothing_to_show(judged, specification):
    assert printed(unexpected(results_of([judged([RECORDS[0]])]), specification)).strip() == ""


def test_a_broken_test_is_shown_with_what_it_says(judged, specification):
    broken = replace(record("e.alone", verdict="not-run"), message="the suite itself failed: TypeError: no")
    text = printed(unexpected(results_of([judged([broken])]), specification))
    assert "? not run  e.alone  toy" in text
    assert "the suite itself failed: TypeError: no" in text
    assert "f.late" not in text


def test_a_start_failure_shows_what_the_implementation_said_last(specification):
    run = Run("toy", "new", start_failure=StartFailure("no answer to hello", "ImportError: no module"))
    text = printed(summary(results_of([run]), specification), unexpected(results_of([run]), specification))
    assert "toy: could not be started" in text
    assert "ImportError: no module" in text


def test_text_from_an_implementation_is_not_taken_for_markup(judged, specification):
    odd = record("e.alone", verdict="fail", message="[bold]shape[/nothing] [red]")
    assert "[bold]shape[/nothing] [red]" in printed(unexpected(results_of([judged([odd])]), specification))


def test_the_last_line_has_the_exit_code_and_its_meaning(judged):
    text = printed(closing_line(results_of([judged(), Run("x", "new", start_failure=StartFailure("no"))])))
    assert "not complete: x: could not be started" in text
    assert "4 unexpected verdicts; exit 3: an implementation could not be started" in text
