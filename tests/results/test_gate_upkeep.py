from __future__ import annotations

import re
import stat
import tomllib
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given
from test_gate_reasons import PIN, whole
from toys import record

from conformance.results.expectations import ExpectationsError, read_expectations
from conformance.results.expectations_text import pattern_for
from conformance.results.gate import gate
from conformance.results.model import results_of
from conformance.results.upkeep import Source, update

OTHER = """\
# about the next one
[[expectation]]   # the odd layout stays
test   = "test_e.alone"
kind = 'refused'
# in between
match = "ValueError"
reason = '''it
refuses'''
link = "https://example.org/1"
"""
TAIL = "\n# the end\n"
ALONE = record("e.alone", verdict="fail", kind="refused", message="ValueError: no")
SAVED = record("a.saved[zip]", verdict="fail")


@pytest.fixture
def updated(tmp_path, specification):
    """The file after an update by the runs, and what was done; whatever it says is read again if it can be."""

    def updated(text, *runs):
        path = tmp_path / "expectations.toml"
        path.write_bytes(text.encode())
        source = Source(path, read_expectations(path, specification))
        done = update(results_of(runs), {"toy": source}, specification)
        assert sorted(tmp_path.iterdir()) == [path]
        return path.read_bytes().decode(), done

    return updated


def test_a_file_that_is_true_is_not_touched(updated, tmp_path):
    path = tmp_path / "expectations.toml"
    text, done = updated(PIN + "\n" + OTHER + TAIL, whole(SAVED, ALONE))
    assert (text, done) == (PIN + "\n" + OTHER + TAIL, ())
    assert path.exists()


def test_an_unexpected_pass_is_deleted_and_everything_else_stays(updated):
    text, (done,) = updated(PIN + "\n" + OTHER + TAIL, whole(ALONE))
    assert text == "# heading\n\n" + OTHER + TAIL
    assert (done.removed, done.added) == (1, ())


def test_a_comment_directly_above_an_entry_goes_with_it(updated):
    text, _ = updated(PIN + "\n" + OTHER + TAIL, whole(SAVED))
    assert text == PIN + TAIL


def test_a_comment_that_begins_the_file_stays(updated):
    text, _ = updated("# ours\n" + OTHER.split("\n", 1)[1], whole())
    assert text == "# ours\n"


def test_both_go_and_the_comments_of_the_file_stay(updated):
    text, (done,) = updated(PIN + "\n" + OTHER + TAIL, whole())
    assert text == "# heading\n\n# the end\n"
    assert done.removed == 2


def test_line_ends_of_another_system_stay(updated):
    text, _ = updated((PIN + "\n" + OTHER + TAIL).replace("\n", "\r\n"), whole(ALONE))
    assert text == ("# heading\n\n" + OTHER + TAIL).replace("\n", "\r\n")


def test_what_is_added_has_the_line_ends_of_the_file(updated):
    text, _ = updated(PIN.replace("\n", "\r\n"), whole(SAVED, ALONE))
    assert text.count("\n") == text.count("\r\n") == len(PIN.splitlines()) + 7


def test_a_new_failure_is_added_last_and_is_refused_until_its_reason_is_there(updated, tmp_path, specification):
    text, (done,) = updated(PIN, whole(SAVED, ALONE))
    assert text.startswith(PIN + "\n[[expectation]]\n")
    entry = tomllib.loads(text)["expectation"][1]
    assert entry == {"test": "test_e.alone", "kind": "refused", "match": "ValueError: no", "reason": "", "measured": ""}
    assert text.splitlines()[done.added[0] - 1] == "[[expectation]]"
    path = tmp_path / "expectations.toml"
    with pytest.raises(
        ExpectationsError, match=f"expectations.toml:{done.added[0]}: reason is '', expected a text that is"
    ):
        read_expectations(path, specification)
    path.write_text(text.replace('reason = ""', 'reason = "why"').replace('measured = ""', 'measured = "how"'))
    source = {"toy": Source(path, read_expectations(path, specification))}
    assert gate(results_of([whole(SAVED, ALONE)]), source, specification).passed


def test_a_failure_for_another_reason_takes_the_place_of_the_entry_and_quotes_it(updated):
    text, (done,) = updated(OTHER, whole(record("e.alone", verdict="fail", message='it\'s "(1)" apart')))
    assert done.removed == 1
    assert text.splitlines()[0] == "# about the next one"  # it begins the file
    assert "# until now refused /ValueError/: it refuses\n[[expectation]]" in text
    assert text.splitlines()[done.added[0] - 1] == "[[expectation]]"
    (entry,) = tomllib.loads(text)["expectation"]
    assert (entry["kind"], entry["match"]) == ("silent", r"it's \"\(1\)\" apart".replace(r"\"", '"'))


def test_an_entry_that_is_still_true_of_another_test_stays(updated):
    text, (done,) = updated(PIN, whole(SAVED, record("a.saved[zip]", test="test_y", verdict="fail", message="gone")))
    assert (done.removed, len(done.added)) == (0, 1)
    assert text.startswith(PIN)


def test_an_unstable_test_decides_nothing(updated):
    text, done = updated(PIN, whole(record("a.saved[zip]", verdict="unstable")))
    assert (text, done) == (PIN, ())


def test_an_entry_that_an_unstable_test_may_confirm_stays(updated):
    otherwise = record("a.saved[zip]", verdict="fail", message="gone")
    text, (done,) = updated(PIN, whole(otherwise, record("a.saved[zip]", test="test_y", verdict="unstable")))
    assert (done.removed, len(done.added)) == (0, 1)
    assert text.startswith(PIN)


def test_an_entry_goes_only_if_it_is_untrue_in_every_dialect(updated):
    runs = [whole(record("e.alone", verdict=verdict, kind="refused", message="ValueError"), dialect=dialect)
            for verdict, dialect in (("fail", "new"), ("pass", "old"))]  # fmt: skip
    assert updated(OTHER, *runs)[1] == ()


@pytest.fixture
def numbered(specification):
    """The specification with the two dialects named as the real ones are."""
    dialects = dict(zip(("keras-2.8", "keras-3"), specification.dialects.values(), strict=True))
    known = {
        name: replace(requirement, dialects=tuple(dialects)) for name, requirement in specification.requirements.items()
    }
    return replace(specification, dialects=dialects, requirements=known)


def test_a_failure_of_one_dialect_is_pinned_for_that_one(tmp_path, numbered):
    path = tmp_path / "expectations.toml"
    runs = (whole(ALONE, dialect="keras-2.8"), whole(dialect="keras-3"))
    update(results_of(runs), {"toy": Source(path)}, numbered)
    (entry,) = tomllib.loads(path.read_text(encoding="utf-8"))["expectation"]
    assert entry["condition"] == "dialect == 2.8"


def test_an_entry_about_one_dialect_goes_when_it_is_untrue_there(tmp_path, numbered):
    path = tmp_path / "expectations.toml"
    path.write_text(PIN + 'condition = "dialect == 2.8"\n', encoding="utf-8")
    source = Source(path, read_expectations(path, numbered))
    update(results_of([whole(dialect="keras-2.8"), whole(SAVED, dialect="keras-3")]), {"toy": source}, numbered)
    (entry,) = tomllib.loads(path.read_text(encoding="utf-8"))["expectation"]
    assert (entry["condition"], entry["reason"]) == ("dialect == 3", "")


def test_a_failure_of_all_dialects_is_pinned_once(updated):
    text, _ = updated("", whole(ALONE), whole(ALONE, dialect="old"))
    (entry,) = tomllib.loads(text)["expectation"]
    assert "condition" not in entry


def test_an_entry_whose_condition_does_not_hold_here_stays(updated):
    text = PIN + 'condition = "python < 3.9"\n'
    assert updated(text, whole()) == (text, ())


def test_the_mode_stays_and_a_link_stays_a_link(tmp_path, specification):
    target, path = tmp_path / "real.toml", tmp_path / "expectations.toml"
    target.write_text(PIN, encoding="utf-8")
    target.chmod(0o640)
    path.symlink_to(target)
    update(results_of([whole()]), {"toy": Source(path, read_expectations(path, specification))}, specification)
    assert path.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text(encoding="utf-8") == "# heading\n\n"


def test_a_file_that_cannot_be_written_is_told_by_name(tmp_path, specification):
    source = {"toy": Source(tmp_path / "nowhere" / "expectations.toml")}
    with pytest.raises(ExpectationsError, match=r"nowhere/expectations\.toml: cannot be updated"):
        update(results_of([whole(ALONE)]), source, specification)


@given(st.text())
def test_the_pattern_of_a_message_finds_it_and_is_on_one_line(message):
    pattern = pattern_for(message)
    assert re.search(pattern, message)
    assert pattern.isprintable()
    assert pattern


def test_what_is_another_at_every_run_is_left_out_of_a_pattern():
    first, second = (
        f"no file {folder}/x.h5 in <A at {address}>, off by {number}: a/b/c"
        for folder, address, number in (("/tmp/q1", "0x7fa1", "0.003"), ("/var/z", "0x55ee01", "1.5e-07"))
    )
    assert re.search(pattern_for(first), second)
    assert pattern_for(first).endswith(": a/b/c")
