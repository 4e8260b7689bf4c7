from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from toys import record

import conformance.results.model as model
from conformance.results.model import Results, ResultsError, Run, StartFailure, UnitVerdict, results_of
from conformance.results.verdict import Verdict

SCHEMA = json.loads((Path(model.__file__).parent / "results.schema.json").read_text(encoding="utf-8"))


def run(*verdicts: str, **changes: object) -> Run:
    units = tuple(UnitVerdict(f"u.{n}", Verdict(verdict)) for n, verdict in enumerate(verdicts))
    return replace(Run("reference", "keras-2.4", hello={"capabilities": ["train"]}, units=units), **changes)


BROKEN = (replace(record("u.1", verdict="not-run"), message="the suite itself failed: TypeError"),)

FULL = results_of([
    run("pass", "known-failure", tests=(record("u.0"), record("u.1", verdict="fail"))),
    run(implementation="tf2.4", start_failure=StartFailure("no interpreter", "Traceback")),
])  # fmt: skip


def test_the_published_schema_is_the_one_of_the_code():
    assert model.json_schema() == SCHEMA


@pytest.mark.parametrize("results", [FULL, results_of([run("pass")]), results_of([])])
def test_documents_agree_with_the_published_schema(results):
    jsonschema.validate(results.to_json(), SCHEMA)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("footer"),
        lambda document: document.pop("environment"),
        lambda document: document["runs"][0]["units"][0].update(verdict="passed"),
        lambda document: document["runs"][0]["tests"][0].pop("id"),
        lambda document: document["footer"]["counts"].update(passed=1),
    ],
)
def test_the_schema_refuses_what_is_not_a_document(spoil):
    document = FULL.to_json()
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_a_document_survives_json(tmp_path):
    FULL.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == FULL


def test_a_document_of_a_later_minor_version_is_read_and_of_another_major_refused():
    later = {**FULL.to_json(), "schema": "1.7", "news": 1}
    assert Results.from_json(later).runs == FULL.runs
    for schema in ("2.0", None, 1):
        with pytest.raises(ResultsError, match="not a results document"):
            Results.from_json({**FULL.to_json(), "schema": schema})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "schema is None"),
        ('{"schema": "1.0", "suite": {"version": "1"}}', "environment"),
    ],
)
def test_a_file_that_is_no_document_is_refused_by_name(tmp_path, text, told):
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=told) as caught:
        Results.read(path)
    assert str(path) in str(caught.value)


def test_a_whole_run_is_complete():
    assert results_of([run("pass", "fail", "not-claimed", "not-applicable")]).is_complete


@pytest.mark.parametrize(
    ("part", "gap"),
    [
        (run("pass", "not-run"), "1 unit not run"),
        (run("pass", interruption="interrupted by the user"), "stopped early: interrupted by the user"),
        (run("pass", selection={"k": ["x"]}), "only part of the suite was asked for (k x)"),
        (run(start_failure=StartFailure("x")), "could not be started"),
    ],
)
def test_what_is_missing_makes_a_document_incomplete_and_is_told(part, gap):
    results = results_of([run("pass"), part])
    assert not results.is_complete
    assert len(results.footer.gaps) == 1
    assert gap in results.footer.gaps[0]


def test_a_broken_test_is_told_whatever_was_asked_for():
    results = results_of([run("pass", "not-run", selection={"k": ["x"]}, tests=BROKEN)])
    assert results.footer.gaps[1] == "reference: 1 broken test of the suite"


def test_a_document_without_its_footer_or_with_another_ones_is_not_complete():
    whole = results_of([run("pass")])
    without = {name: value for name, value in whole.to_json().items() if name != "footer"}
    assert not Results.from_json(without).is_complete
    assert not replace(results_of([run("not-run")]), footer=whole.footer).is_complete
    assert not results_of([]).is_complete


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ([run("pass", "known-failure", "not-claimed", "not-applicable")], 0),
        ([run("pass", "fail")], 1),
        ([run("unexpected-pass")], 1),
        ([run("unstable")], 1),
        ([run("pass", problems=("stale",))], 1),
        ([run("pass", "not-run")], 2),
        ([run("pass", "not-run", selection={"k": ["x"]})], 0),
        ([run("fail", "not-run", selection={"k": ["x"]})], 1),
        ([run("pass", "not-run", selection={"k": ["x"]}, tests=BROKEN)], 2),
        ([run("pass", interruption="killed")], 2),
        ([run("fail"), run(start_failure=StartFailure("x"))], 3),
    ],
)
def test_the_exit_code_is_the_highest(runs, code):
    assert results_of(runs).exit_code == code


def test_a_reader_that_has_the_file_open_keeps_the_old_document(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("before", encoding="utf-8")
    with path.open(encoding="utf-8") as reader:
        FULL.write(path)
        assert reader.read() == "before"


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(ValueError, match="serialize unknown type"):
        results_of([run("pass", options={"x": object()})]).write(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]
