"""Failures as scripts: each is run in the implementation's interpreter, and offered if it shows the fault there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from conformance.cli.targets import Target
from conformance.results.files import replace_file
from conformance.results.model import Run, TestRecord
from conformance.results.verdict import Verdict
from conformance.suite.repro import verdict_on

NO_SCRIPT = "no script: "


@dataclass(frozen=True)
class Wanted:
    """Where scripts go, and whether those of known failures are wanted as well."""

    directory: Path
    known: bool = False

    def covers(self, test: TestRecord) -> bool:
        """Whether this failure is one of them."""
        return test.verdict.is_failure or (self.known and test.verdict is Verdict.KNOWN_FAILURE)


def with_scripts(run: Run, target: Target, wanted: Wanted, jobs: int, console: Console) -> Run:
    """``run`` with those scripts that show their failure, each written to a file too; the notes say why others are none."""
    trying = [test for test in run.tests if test.script and wanted.covers(test)]
    if trying:
        console.print(f"{target.title}: trying {len(trying)} scripts")
    folder = wanted.directory / target.name / target.dialect
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        found = dict(zip(map(id, trying), pool.map(partial(_tried, target), trying), strict=True))
    tests = tuple(found.get(id(test), _without(test)) for test in run.tests)
    for test in tests:
        if test.script:
            path = folder / f"{_slug(test.id)}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, test.script)
    shown = sum(bool(test.script) for test in tests)
    concerned = sum(wanted.covers(test) for test in tests)
    if concerned:
        console.print(f"{target.title}: {shown} of {concerned} failures as scripts{f' in {folder}' if shown else ''}")
    return replace(run, tests=tests)


def _tried(target: Target, test: TestRecord) -> TestRecord:
    implementation = target.implementation
    seconds = implementation.limits.start + implementation.limits.request
    problem = tried(test.script or "", target.python or Path(sys.executable), implementation.env, seconds)
    return test if problem is None else _without(test, f"one was written and run, and {problem}")


def tried(script: str, python: Path, env: Mapping[str, str], seconds: float) -> str | None:
    """Run a script; None if it shows the fault, else what it did instead."""
    with tempfile.TemporaryDirectory(prefix="keras-conformance-") as name:
        path = Path(name) / "script.py"
        path.write_text(script, encoding="utf-8")
        try:
            done = subprocess.run(
                [str(python), str(path)],
                cwd=name, env={**os.environ, **env, "TMPDIR": name}, capture_output=True, timeout=seconds, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"it did not end within {seconds:.0f} s"
    return verdict_on(script, done.returncode, done.stderr.decode("utf-8", "replace"))


def _without(test: TestRecord, reason: str = "") -> TestRecord:
    notes = (*test.notes, NO_SCRIPT + reason) if reason else test.notes
    return replace(test, script=None, notes=notes)


def _slug(test_id: str) -> str:
    """``test_model.py::test_x[hdf5]`` → ``model-x-hdf5``."""
    return re.sub(r"[^\w.]+", "-", test_id.replace("test_", "").replace(".py::", "-")).strip("-")
