"""Many cases in a process of its own: ``python -m fuzz.worker PLAN.json``.

The kernel ends the process if a case takes more CPU than it may (SIGPROF) or waits too long (SIGALRM), whatever it does
then; the case is still in its folder, and its number in the counts, which are in a file.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import random
import re
import resource
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from fuzz import damage
from fuzz.cases import Files, gather, lay, written
from fuzz.judge import FINDINGS, SECONDS, WAITING, Outcome, judge
from fuzz.readers import READERS, Reader

COUNTS = ("done", "right", "refused", "silent", "crash", "hang", "memory", "unguarded", "sites")
ADDRESS_SPACE, OF_FRESH = 8 << 30, 1 << 30  # bytes; so that a case that asks for all memory does not get it
CORPUS = 400


@dataclass(frozen=True)
class Plan:
    """What a worker is to do: cases ``first`` to ``last`` of a reader, or until the seconds are over."""

    reader: str
    kind: str
    seed: int
    first: int
    last: int
    seconds: float
    folder: str
    findings: str


def main(plan: Plan) -> None:
    """Do as planned."""
    folder = Path(plan.folder)
    counts = cast("Any", np.memmap(folder / "counts", np.int64, "r+", shape=len(COUNTS)))
    reader = READERS[plan.reader]
    logging.disable()
    space = OF_FRESH if reader.fresh else ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if plan.kind == "damage":
        originals = [written(reader.name, 0), written(reader.name, 1)]
        cases: Any = _Damaged(plan, list(_right(reader, originals, folder / "case")))
    else:
        cases = _Corpus(plan, reader, list(_right(reader, reader.seeds(), folder / "case")))
    end = time.monotonic() + plan.seconds
    started_by = os.getppid()
    for number in range(plan.first, plan.last):
        if time.monotonic() > end or os.getppid() != started_by:  # nobody would hear of what it finds
            break
        files, expected, guarded, how = cases.next(number)
        counts[0] = number + 1
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.alarm(WAITING)
        outcome = judge(reader, files, folder / "case", expected)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        if outcome.kind == "silent" and not guarded:
            counts[COUNTS.index("unguarded")] += 1
        else:
            counts[COUNTS.index(outcome.kind)] += 1
        counts[-1] = cases.learn(files, outcome)
        if outcome.kind in FINDINGS and (guarded or outcome.kind != "silent"):
            keep(Path(plan.findings), reader.name, outcome, files, f"{how}; seed {plan.seed}, case {number}")
        if number % 500 == 0:
            gc.collect()


def _right(reader: Reader, seeds: Iterable[Files], folder: Path) -> Iterator[tuple[Files, str]]:
    """The seeds that are read, and the digests of what they give."""
    for files in seeds:
        outcome = judge(reader, files, folder)
        if outcome.kind == "right":
            yield files, outcome.digest


class _Corpus:
    """Seeds, and what was made of them that got to a new place in the code: a guide without instrumented code."""

    def __init__(self, plan: Plan, reader: Reader, seeds: list[tuple[Files, str]]) -> None:
        self._plan, self._reader = plan, reader
        self._cases: list[tuple[Files, str | None]] = list(seeds)
        self._sites: set[tuple[str, ...]] = set()

    def next(self, number: int) -> tuple[Files, str | None, bool, str]:
        """The files of a case, the digest of its values if they must be certain ones, and what was done to them."""
        chance = random.Random(f"{self._plan.seed} {self._reader.name} {number}")
        files, digest = chance.choice(self._cases)
        chosen = [chance.choice(self._reader.mutations) for _ in range(chance.choice((1, 1, 1, 2)))]
        for mutation in chosen:
            files = mutation(chance, files)
        raw = all(mutation.raw for mutation in chosen) and self._reader.guarded
        return files, digest if raw else None, True, "+".join(mutation.name for mutation in chosen)

    def learn(self, files: Files, outcome: Outcome) -> int:
        """Keep a case that got to a new place; how many places there are."""
        if outcome.site and outcome.site not in self._sites:
            self._sites.add(outcome.site)
            if len(self._cases) < CORPUS:
                self._cases.append((files, None))
        return len(self._sites)


class _Damaged:
    """The reference's own files, damaged as files are in the world; the values must be right wherever they are read."""

    def __init__(self, plan: Plan, seeds: list[tuple[Files, str]]) -> None:
        (self._files, self._digest), (self._other, _) = seeds
        self._seed, self._format = plan.seed, plan.reader
        self._sites: set[tuple[str, ...]] = set()

    def next(self, number: int) -> tuple[Files, str | None, bool, str]:
        """See :class:`_Corpus`."""
        chance = random.Random(f"{self._seed} {self._format} {number}")
        files, how, places = damage.damaged(chance, self._files, self._other)
        return files, self._digest, damage.guarded(self._format, places), how

    def learn(self, files: Files, outcome: Outcome) -> int:
        """See :class:`_Corpus`; nothing is learned."""
        self._sites.add(outcome.site)
        return len(self._sites)


def keep(findings: Path, reader: str, outcome: Outcome, files: Files, how: str) -> None:
    """Write a finding, unless there is one of the same kind and place."""
    place = "-".join(re.findall(r"\w+", " ".join(outcome.site[:2])))
    folder = findings / reader / f"{outcome.kind}-{place}"
    if folder.exists():
        return
    lay(files, folder / "files")
    (folder / "finding.json").write_text(
        json.dumps({"reader": reader, "kind": outcome.kind, "how": how, "site": outcome.site, "text": outcome.text})
    )
    (folder / "REPRODUCE").write_text(f"python -m fuzz again {folder}\n")


def again(folder: Path, scratch: Path) -> Outcome:
    """The outcome of a finding's files now; ``silent`` cannot be told from them alone."""
    told = json.loads((folder / "finding.json").read_text())
    return judge(READERS[told["reader"]], gather(folder / "files"), scratch)


if __name__ == "__main__":
    main(Plan(**json.loads(Path(sys.argv[1]).read_text())))
