"""The runs of the programs, each in a process of its own, two at a time; what they write, and how two sides compare.

A program is started as ``python PROGRAM PLAN``. The plan is JSON: ``library`` and ``dialect`` (whose interpreter, and what
the reference writes as), ``action`` (``write`` or ``read``), the names of the ``cases``, the ``formats``, the ``folder``
of the files, and the folder for the ``results`` of reading.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.interop import libraries
from tests.interop.libraries import Facts

DIALECTS = {"tf2.4": "keras-2.4", "tf2.15": "keras-2.15", "tf-keras": "keras-2.15", "keras3": "keras-3"}
"""The libraries, and what the reference writes for each."""


@dataclass(frozen=True)
class Side:
    """Who reads or writes: a library, or the reference, which writes in a ``dialect``."""

    library: str
    dialect: str | None = None

    def __str__(self) -> str:
        return self.library if self.dialect is None else f"{self.library}-{self.dialect}"


def reference_for(library: str) -> Side:
    """The reference as it writes for ``library``."""
    return Side("reference", DIALECTS[library])


@dataclass(frozen=True)
class Work:
    """The cases and formats of one run."""

    cases: Sequence[str]
    formats: Sequence[str]


class Jobs:
    """Writing and reading, each once. ``folder / writer / case`` has what was written; see :meth:`read`."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self._program = program
        self._pool = ThreadPoolExecutor(2)
        self._writes: dict[Side, Future[Path]] = {}
        self._reads: dict[tuple[str, Side], Future[Path]] = {}
        self._processes: list[subprocess.Popen[str]] = []

    def write(self, writer: Side, work: Work) -> None:
        """Let ``writer`` save; :meth:`written` waits for it. All writes must be asked for before the first read."""
        self._writes[writer] = self._pool.submit(self._run, writer, "write", self.folder / str(writer), work)

    def read(self, reader: str, writer: Side, work: Work) -> None:
        """Let ``reader`` read what ``writer`` saved; :meth:`found` waits for it."""

        def run() -> Path:
            folder = self._writes[writer].result()
            return self._run(Side(reader), "read", folder, work, self.folder / f"{reader}-reads-{writer}")

        self._reads[reader, writer] = self._pool.submit(run)

    def written(self, writer: Side) -> Path:
        """The folder with what ``writer`` saved."""
        return self._writes[writer].result()

    def found(self, reader: str, writer: Side) -> Path:
        """The folder with what ``reader`` made of it."""
        return self._reads[reader, writer].result()

    def close(self) -> None:
        """End what still runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.kill()

    def _run(self, side: Side, action: str, folder: Path, work: Work, results: Path | None = None) -> Path:
        target = results or folder
        plan = {"library": side.library, "dialect": side.dialect, "action": action, "folder": str(folder)}
        plan |= {"cases": list(work.cases), "formats": list(work.formats), "results": str(target)}
        path = self.folder / f"{action}-{target.name}.json"
        path.write_text(json.dumps(plan), encoding="utf-8")
        process = subprocess.Popen(
            [libraries.python_of(side.library), self._program, path],
            env=libraries.environment(side.library),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        _, errors = process.communicate()
        assert process.returncode == 0, f"{side} could not {action}:\n{errors[-4000:]}"
        return target


def chosen(items: Sequence[pytest.Item], marker: Callable[[str], bool]) -> dict[str, list[str]]:
    """By library the cases of the tests that will run: those whose parameter ``name`` ``marker`` knows."""
    found: dict[str, list[str]] = {}
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        name, library = params.get("name"), params.get("library")
        if isinstance(name, str) and library is not None and marker(name):
            names = found.setdefault(library, [])
            names += [name] if name not in names else []
    return found


def facts(folder: Path, found: str, *failures: str) -> Facts:
    """What a program wrote down; the traceback that stands there instead is the test's failure."""
    for failure in ("failed.txt", *failures):
        if (folder / failure).exists():
            text = (folder / failure).read_text(encoding="utf-8")
            pytest.fail(f"{folder.parent.name}/{folder.name}, {failure}:\n{text}", pytrace=False)
    return libraries.facts(folder / found)


def same_keys(expected: Facts, actual: Facts, kinds: tuple[str, ...]) -> list[str]:
    """The names of these kinds, which both sides must have."""
    names = sorted(key for key in expected if key.startswith(kinds))
    assert names == sorted(key for key in actual if key.startswith(kinds))
    return names


def assert_close(expected: Facts, actual: Facts, kinds: tuple[str, ...], tolerance: float) -> None:
    """|a - b| ≤ tolerance · max(1, max|expected|) for all facts of these kinds."""
    for key in same_keys(expected, actual, kinds):
        wanted, found = expected[key], actual[key]
        assert found.shape == wanted.shape, key
        if wanted.dtype.kind != "f":
            np.testing.assert_array_equal(found, wanted, err_msg=key)
            continue
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(wanted), err_msg=key)
        bound = tolerance * max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
        apart = np.abs(np.where(np.isfinite(wanted), found - wanted, 0.0))
        worst = float(np.max(apart, initial=0.0))
        if worst > bound:
            place = np.unravel_index(int(np.argmax(apart)), apart.shape)
            at = f"{key}{[int(i) for i in place]}"
            pytest.fail(
                f"{at}: {found[place]!r}, expected {wanted[place]!r}: {worst:.3g} apart, {bound:.3g} is allowed; "
                f"{np.count_nonzero(apart > bound)} of {apart.size} are too far",
                pytrace=False,
            )


def assert_equal(expected: Facts, actual: Facts, kinds: tuple[str, ...]) -> None:
    """Bit for bit, for all facts of these kinds."""
    for key in same_keys(expected, actual, kinds):
        assert actual[key].dtype == expected[key].dtype, key
        np.testing.assert_array_equal(actual[key], expected[key], err_msg=key)
