"""The results file: whole lines, resumed after a cut, refused when it is not what it should be; and the baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.checking.baseline import changes
from conformance.checking.record import (
    Difference,
    Examined,
    ModelRecord,
    Optimizer,
    Outcome,
    Pair,
    Sample,
    Summary,
    Verdict,
)
from conformance.checking.results import (
    SCHEMA_FILE,
    Document,
    Version,
    Writer,
    footer_of,
    header_of,
    json_schema,
    read,
    write,
)
from conformance.results.model import ResultsError

OPTIONS = {"train": False, "tolerance": 2e-5, "inputs": None}
WEIGHTS = Summary(4, 26, "d1")
OUTPUT = Sample((2, 2), "float32", "o1", 1.5, (0.5, 1.5, -1.0, None))
LOADED = Examined(
    Outcome.LOADED, weights=WEIGHTS, outputs=(OUTPUT,), optimizer=Optimizer("Adam", 3, Summary(8, 26, "s1"))
)
LOST = Difference("weights", "0 (a)", "2 of 6 values differ, by up to 1", 2, 6, 1.0, ("[0]: 1 against 2",))


def document(*names: str, **examined: Examined) -> Document:
    """One model in the reference and in ``names``, which all loaded it unless ``examined`` says otherwise."""
    implementations = {"reference": LOADED, **dict.fromkeys(names, LOADED), **examined}
    pairs = tuple(Pair(("reference", name)) for name in implementations if name != "reference")
    record = ModelRecord(
        "a.h5", Verdict.EQUAL, "hdf5", "2.4.0", "f" * 64, (10, 20), implementations=implementations, pairs=pairs
    )
    header = header_of({name: Version("1.0", "3.11", {"numpy": "2"}) for name in implementations}, OPTIONS)
    return Document(header, (record,), footer_of((record,)))


RICH = replace(
    document(
        "tf2.4",
        old=replace(LOADED, outcome=Outcome.SILENT, reason="1 weight", lost=(LOST,), notes=("n",), seconds=1.5),
        worse=Examined(Outcome.REFUSED, "load: ValueError: no"),
        trained=replace(LOADED, steps=({"loss": 0.5, "acc": None},), trained=WEIGHTS),
    )
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path / "r.jsonl", RICH)
    assert read(tmp_path / "r.jsonl", complete=True) == RICH


def test_lines_and_the_document_are_as_the_published_schema_says(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert schema == json_schema(), "python -m conformance.checking.results > conformance/checking/check.schema.json"
    write(tmp_path / "r.jsonl", RICH)
    for line in (tmp_path / "r.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema)
    jsonschema.validate(json.loads(json.dumps(RICH.to_json(), allow_nan=False)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"model": {"path": 3}}, schema)


def test_a_line_that_was_cut_was_never_written(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    writer = Writer(file, Document(RICH.header))
    writer.model(RICH.models[0])
    writer.close()
    whole = file.read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole), 97):
        file.write_bytes(whole[:length])
        assert read(file, complete=False).models == ()
    file.write_bytes(whole)
    assert read(file, complete=False).models == RICH.models
    with pytest.raises(ResultsError, match="the footer is missing"):
        read(file, complete=True)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines(keepends=True)


def _cut_footer(file: Path) -> None:
    file.write_text("".join(_lines(file)[:-1]))


def _two_footers(file: Path) -> None:
    file.write_text(file.read_text() + _lines(file)[-1])


def _damaged(file: Path) -> None:
    header, model, footer = _lines(file)
    file.write_text(header + model[:50] + "\n" + footer)


def _fewer_models(file: Path) -> None:
    header, _, footer = _lines(file)
    file.write_text(header + footer)


def _other_schema(file: Path) -> None:
    file.write_text(file.read_text().replace('"schema":"1.0"', '"schema":"2.0"'))


def _other_field(file: Path) -> None:
    file.write_text(file.read_text().replace('"verdict":"equal"', '"verdict":"splendid"'))


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (_cut_footer, "is not complete: the footer is missing"),
        (_two_footers, ":4: found 'footer' after the footer"),
        (_damaged, ":2: cannot be read as a line"),
        (_fewer_models, "the footer counts other models"),
        (_other_schema, "schema is '2.0', expected '1.0'"),
        (_other_field, ":2: verdict"),
        (lambda file: file.write_text("{}\n"), ":1: cannot be read as a line"),
        (lambda file: file.write_text('{"footer": {}}\n'), ":1: found no header"),
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: file.write_bytes(b"\xff\xfe\n"), "cannot be read"),
        (lambda file: file.unlink(), "cannot be read"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_its_name_and_the_reason(
    tmp_path: Path, harm: Any, problem: str
) -> None:
    file = tmp_path / "r.jsonl"
    write(file, RICH)
    harm(file)
    with pytest.raises(ResultsError) as caught:
        read(file, complete=True)
    assert str(caught.value).startswith(str(file))
    assert problem in str(caught.value)


def told(old: Document, new: Document) -> list[tuple[str, str, str | None]]:
    return [(change.kind, change.text, change.implementation) for change in changes(old, new, 2e-5)]


def test_nothing_has_changed() -> None:
    assert told(RICH, RICH) == []


@pytest.mark.parametrize(
    ("was", "now", "kind", "text"),
    [
        (LOADED, Examined(Outcome.REFUSED, "ValueError: no"), "worse", "loaded → refused (ValueError: no)"),
        (
            Examined(Outcome.CRASH, "SIGSEGV"),
            Examined(Outcome.REFUSED, "no"),
            "better",
            "crash (SIGSEGV) → refused (no)",
        ),
        (Examined(Outcome.REFUSED, "no"), Examined(Outcome.SILENT, "fresh"), "worse", "refused (no) → silent (fresh)"),
        (LOADED, Examined(Outcome.NOT_CLAIMED, "no"), "worse", "loaded → not-claimed (no)"),
        (LOADED, replace(LOADED, lost=(LOST,), reason="told"), "worse", "loaded → loaded (told)"),
        (LOADED, replace(LOADED, weights=Summary(4, 26, "d2")), "worse", "other weights: 4 → 4, of other values"),
        (LOADED, replace(LOADED, outputs=None), "worse", "no outputs any more"),
        (replace(LOADED, outputs=None), LOADED, "better", "has outputs now"),
        (
            LOADED,
            replace(LOADED, outputs=(replace(OUTPUT, digest="o2", values=(0.5, 1.6, -1.0, None)),)),
            "worse",
            "output 0 differs by up to 0.1",
        ),
        (LOADED, replace(LOADED, outputs=(replace(OUTPUT, shape=(4,)),)), "worse", "outputs of other shapes or dtypes"),
        (LOADED, replace(LOADED, optimizer=None), "worse", "optimizer: Adam, 3 iterations → none"),
        (
            LOADED,
            replace(LOADED, optimizer=Optimizer("Adam", 0, Summary(0, 0, "s2"))),
            "worse",
            "other optimizer state: Adam, 3 iterations → Adam, 0 iterations",
        ),
        (
            replace(LOADED, steps=({"loss": 1.0},)),
            replace(LOADED, steps=({"loss": 1.1},)),
            "worse",
            "training step 0: loss 1 → 1.1",
        ),
    ],
)
def test_what_is_worse_and_what_is_better(was: Examined, now: Examined, kind: str, text: str) -> None:
    assert told(document(x=was), document(x=now)) == [(kind, text, "x")]


def test_rounding_is_no_change() -> None:
    rounded = replace(LOADED, outputs=(replace(OUTPUT, digest="o2", values=(0.5, 1.50001, -1.0, None)),))
    assert told(document(x=LOADED), document(x=rounded)) == []


def test_an_upgrade_is_compared_with_what_it_takes_the_place_of() -> None:
    new = document(new=Examined(Outcome.REFUSED, "no"))
    assert told(document(old=LOADED), new) == [("worse", "loaded → refused (no)", "old → new")]
    assert told(document("a", "b"), new) == []  # nobody can say which of them


def test_a_file_that_is_another_now_has_other_values() -> None:
    old, new = document(x=LOADED), document(x=replace(LOADED, weights=Summary(4, 26, "d2")))
    other = replace(new, models=(replace(new.models[0], sha256="0" * 64),))
    assert [kind for kind, _, _ in told(old, other)] == ["changed"]


def test_pairs_models_that_come_and_go_and_bad_input() -> None:
    old = document("x")
    record = old.models[0]
    differing = replace(record, pairs=(Pair(("reference", "x"), (LOST,)),))
    worse = ("worse", "reference and x differ now: weights: 2 of 6 values differ, by up to 1", None)
    assert told(old, replace(old, models=(differing,))) == [worse]
    assert told(replace(old, models=(differing,)), old) == [("better", "reference and x are equal now", None)]
    assert told(old, replace(old, models=())) == [("gone", "in the baseline, and not checked now", None)]
    assert told(replace(old, models=()), old) == [("new", "not in the baseline; equal", None)]
    bad = ModelRecord("a.h5", Verdict.BAD_INPUT, problem="is empty")
    assert told(old, replace(old, models=(bad,))) == [("worse", "equal → is empty", None)]
    assert told(replace(old, models=(bad,)), old) == [("better", "is empty → equal", None)]
    assert told(replace(old, models=(bad,)), replace(old, models=(bad,))) == []
    assert told(replace(old, models=()), replace(old, models=(bad,)))[0][0] == "worse"
