"""The workers of a run: one after another for each reader, a new one where the kernel ended the last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fuzz.cases import gather
from fuzz.judge import SECONDS, WAITING, Outcome
from fuzz.readers import Reader
from fuzz.worker import COUNTS, Plan, keep

ROOT = Path(__file__).resolve().parents[1]
MOST = 1 << 62
ENDED = {
    signal.SIGPROF: Outcome("hang", ("CPU",), f"took more than {SECONDS:g} s of CPU"),
    signal.SIGALRM: Outcome("hang", ("clock",), f"took more than {WAITING} s"),
}


@dataclass(frozen=True)
class Row:
    """What came of the cases of one reader. ``unguarded``: other values, where no checksum covers the change."""

    reader: str
    done: int
    right: int
    refused: int
    silent: int
    crash: int
    hang: int
    memory: int
    unguarded: int
    sites: int
    seconds: float

    @property
    def findings(self) -> int:
        """How many cases should have gone otherwise."""
        return self.silent + self.crash + self.hang + self.memory


def run(
    reader: Reader,
    kind: str,
    seed: int,
    findings: Path,
    *,
    seconds: float = float("inf"),
    cases: int = MOST,
    told: Callable[[int], None] = lambda _: None,
) -> Row:
    """Give the reader cases until their number or the seconds are reached. ``told`` hears how many were done."""
    start = time.monotonic()
    # The kernel's memory where there is some: tens of thousands of small files are laid there and read.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=place) as scratch:
        folder = Path(scratch)
        counts = np.memmap(folder / "counts", np.int64, "w+", shape=len(COUNTS))
        while (done := int(counts[0])) < cases and (left := seconds - (time.monotonic() - start)) > 0:
            left = min(left, 1e9)
            plan = Plan(reader.name, kind, seed, done, cases, left, str(folder), str(findings.absolute()))
            status = _work(plan, folder, lambda: told(int(counts[0])))
            if status == 0:
                break
            if status > 0 or int(counts[0]) == done:
                raise RuntimeError(f"{reader.name}: the worker failed (status {status}); what it says is above")
            ended = Outcome("crash", (f"signal {-status}",), f"the process was ended by signal {-status}")
            outcome = ENDED.get(signal.Signals(-status), ended)
            counts[COUNTS.index(outcome.kind)] += 1
            keep(findings, reader.name, outcome, gather(folder / "case"), f"seed {seed}, case {int(counts[0]) - 1}")
        return Row(reader.name, *map(int, counts), seconds=round(time.monotonic() - start, 1))


def _work(plan: Plan, folder: Path, told: Callable[[], None]) -> int:
    """The exit status of a worker that does the plan."""
    file = folder / "plan.json"
    file.write_text(json.dumps(asdict(plan)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    worker = subprocess.Popen([sys.executable, "-m", "fuzz.worker", str(file)], env=environment)
    try:
        while True:
            try:
                return worker.wait(1)
            except subprocess.TimeoutExpired:
                told()
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
