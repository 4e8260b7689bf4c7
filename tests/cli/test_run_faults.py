"""``run`` where the machine is at fault: whole results, or word that they are incomplete; no traceback, nothing left."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_run import TOY, run  # noqa: F401  the fixture

ROOT = Path(__file__).parents[2]
DROP_BOUNDING, OVERRIDE, SEARCH = 24, 1, 2  # prctl's number, and the capabilities by which root ignores permissions


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own without a free byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"not run: mounting a small disk is for root alone ({mounted.stderr.strip()})")
    try:
        fill(disk)
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    with open(disk / "filling", "wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def test_results_for_a_full_disk_are_no_results(run, full_disk):  # noqa: F811
    before = sorted(full_disk.iterdir())
    done, _ = run("passes", "--output", str(full_disk / "results.json"))
    assert done.exit_code == 2, done.output
    assert "No space left" in done.output
    assert "0 unexpected verdicts" in done.output  # what was found is told all the same
    assert sorted(full_disk.iterdir()) == before


def test_a_full_disk_does_not_cost_the_results_that_were_there(run, full_disk, tmp_path):  # noqa: F811
    (full_disk / "filling").unlink()
    run("passes")
    old = (tmp_path / "results.json").read_bytes()[:100]
    (full_disk / "results.json").write_bytes(old)
    fill(full_disk)
    done, _ = run("passes", "--output", str(full_disk / "results.json"))
    assert done.exit_code == 2, done.output
    assert (full_disk / "results.json").read_bytes() == old


def test_no_room_for_temporary_files(run, full_disk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(tempfile, "tempdir", str(full_disk))
    done, results = run("passes")
    assert done.exit_code == 2, done.output
    assert "not complete" in done.output
    assert not results.is_complete
    assert [entry.name for entry in full_disk.iterdir()] == ["filling"]


def unprivileged(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line, in a process that permissions hold for: an ordinary user, or root without its exceptions."""
    prctl = ctypes.CDLL(None).prctl

    def drop() -> None:
        for capability in (OVERRIDE, SEARCH):
            prctl(DROP_BOUNDING, capability, 0, 0, 0)

    return subprocess.run(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        preexec_fn=drop if sys.platform == "linux" and os.getuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_a_directory_that_may_not_be_written(tmp_path, read_only):
    toy = tmp_path / "toy.toml"
    toy.write_text(TOY)
    done = unprivileged("run", "--implementation-file", str(toy), "--output", str(read_only / "results.json"))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Permission denied" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
