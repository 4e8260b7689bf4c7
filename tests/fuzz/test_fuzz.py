"""The fuzzer itself: it tells a reader that is wrong, it goes on after one that dies, and it says how to see it again."""

from __future__ import annotations

import json
import random
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fuzz import damage, worker
from fuzz.__main__ import main
from fuzz.cases import gather, lay, written
from fuzz.judge import judge, site_of
from fuzz.readers import READERS, Reader
from reference_impl import LoadError
from reference_impl.formats.checkpoint import table

SMALL = {"a": b"12345678"}


def reader(read) -> Reader:
    return Reader("toy", "a toy", read, lambda: [SMALL], ())


def test_a_case_is_right_or_refused_or_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuses(folder: Path):
        table.read_table((folder / "a").read_bytes(), "a")
        yield from table.read_table((folder / "a").read_bytes(), "a")

    def breaks(folder: Path):
        yield b"".join([None])  # type: ignore

    assert judge(reader(lambda folder: [folder.name]), SMALL, tmp_path / "c").kind == "right"
    refused = judge(reader(refuses), SMALL, tmp_path / "c")
    assert (refused.kind, refused.site[0]) == ("refused", "LoadError")
    assert refused.site[1].startswith("formats.checkpoint.table:")
    assert judge(reader(breaks), SMALL, tmp_path / "c").kind == "crash"
    assert judge(reader(lambda folder: ["x"]), SMALL, tmp_path / "c", expected="other").kind == "silent"
    for taken, kind in ((200 << 20, "right"), (201 << 20, "memory")):
        monkeypatch.setattr("fuzz.judge.peak_memory", iter([1000, 1000 + taken]).__next__)
        assert judge(reader(lambda folder: ["x"]), SMALL, tmp_path / "c").kind == kind


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="not run: needs Linux's /proc")
def test_what_an_earlier_case_took_hides_nothing(tmp_path: Path):
    for _ in range(2):
        assert judge(reader(lambda folder: [len(b"x" * (300 << 20))]), SMALL, tmp_path / "c").kind == "memory"


def test_a_refusal_for_want_of_memory_is_a_finding(tmp_path: Path):
    def read(folder: Path):
        try:
            raise MemoryError
        except MemoryError as error:
            raise LoadError("no") from error

    assert judge(reader(read), SMALL, tmp_path / "c").kind == "memory"
    assert judge(replace(reader(read), fresh=True), SMALL, tmp_path / "c").kind == "refused"


def test_a_reader_that_forgets_a_checksum_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The very mistake that the checksum of a block is against, made on purpose."""
    reader = READERS["checkpoint"]
    files = written("checkpoint")
    monkeypatch.setattr("reference_impl.formats.checkpoint.tensors.check", lambda *_: None)
    right = judge(reader, files, tmp_path / "c")
    found = set()
    for number in range(60):
        chance = random.Random(number)
        changed, _, places = damage.damaged(chance, files, written("checkpoint", 1))
        if places[0].endswith("-of-00001"):
            found.add(judge(reader, changed, tmp_path / "c", right.digest).kind)
    assert "silent" in found


@pytest.mark.parametrize("name", list(READERS))
def test_every_reader_reads_its_seeds_and_every_mutation_changes_them(name: str, tmp_path: Path):
    reader = READERS[name]
    seeds = [files for files, _ in zip(reader.seeds(), range(3), strict=False)]
    assert judge(reader, seeds[0], tmp_path / "c").kind == "right"
    for mutation in set(reader.mutations):
        changed = [mutation(random.Random(number), seeds[0]) != seeds[0] for number in range(12)]
        assert any(changed), mutation.name
        assert mutation(random.Random(1), seeds[0]) == mutation(random.Random(1), seeds[0])


@pytest.mark.parametrize("kind", damage.DAMAGES)
def test_every_damage_changes_the_files(kind: damage.Damage):
    files = written("checkpoint")
    name = next(name for name in files if name.endswith(".index"))
    changed = dict(files)
    kind(random.Random(3), changed, written("checkpoint", 1), name)
    assert changed != files or kind is damage.newline


def test_a_worker_that_is_killed_is_a_finding_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from fuzz import run

    def work(plan: worker.Plan, folder: Path, told) -> int:
        counts = np.memmap(folder / "counts", np.int64, "r+", shape=len(worker.COUNTS))
        lay(SMALL, folder / "case")
        counts[0] = plan.first + 1
        if plan.first < 2:
            return -(signal.SIGPROF if plan.first else signal.SIGSEGV)
        return 0

    monkeypatch.setattr(run, "_work", work)
    row = run.run(READERS["table"], "fuzz", 1, tmp_path, cases=9)
    assert (row.done, row.crash, row.hang) == (3, 1, 1)
    (crash, hang) = sorted(tmp_path.rglob("finding.json"))
    assert json.loads(crash.read_text())["kind"] == "crash"
    assert json.loads(hang.read_text())["kind"] == "hang"
    assert gather(hang.parent / "files") == SMALL


def test_a_short_run_reports_and_repeats(tmp_path: Path):
    def run(*arguments: str) -> list[dict[str, int]]:
        done = CliRunner().invoke(main, ["damage", "checkpoint", *arguments, "--json", "--findings", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return [{**row, "seconds": 0} for row in json.loads(done.stdout)["rows"]]

    (row,) = run("--variants", "40")
    assert row["done"] == 40 == row["right"] + row["refused"]
    assert run("--variants", "40") == [row]


def test_a_finding_is_read_again(tmp_path: Path):
    lay({"x.index": b"nothing"}, tmp_path / "f" / "files")
    told = {"reader": "table", "kind": "crash", "how": "", "site": [], "text": ""}
    (tmp_path / "f" / "finding.json").write_text(json.dumps(told))
    done = CliRunner().invoke(main, ["again", str(tmp_path / "f")])
    assert done.exit_code == 0
    assert done.output.startswith("refused LoadError < formats.checkpoint.table:")


def test_where_an_error_came_from_is_told_innermost_first():
    with pytest.raises(LoadError) as caught:
        list(table.read_table(b"", "x"))
    kind, *places = site_of(caught.value)
    assert kind == "LoadError"
    assert len(places) > 2
    assert all(place.startswith("formats.checkpoint.table:") for place in places)
