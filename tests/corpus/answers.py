"""Is what ``inspect`` says of who should load a file true? Measured against ``check``, which loads it.

``python -m tests.corpus.answers RESULTS.jsonl`` takes what ``keras-conformance check MODELS --against A,B --output
RESULTS.jsonl`` wrote; the models must still be where they were. An answer is right if it is ``yes`` for a file that was
loaded, and anything else for one that was refused.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conformance.checking.results import read
from conformance.inspecting import inspect
from conformance.witness import WitnessError

LOADED = {"loaded", "silent"}
DECIDED = LOADED | {"refused", "not-claimed"}
"""Outcomes that say something about the file; a crash or a timeout does not."""


@dataclass(frozen=True)
class Answer:
    """What ``inspect`` said of one file and one implementation, and what came of loading it."""

    path: str
    implementation: str
    said: str
    outcome: str

    @property
    def right(self) -> bool:
        return (self.said == "yes") == (self.outcome in LOADED)


def answers(results: Path) -> Iterator[Answer]:
    """Of each file of the results and each implementation that both know."""
    for record in read(results, complete=True).models:
        try:
            said = {one.implementation: one.loads for one in inspect(Path(record.path)).expectations}
        except WitnessError:
            continue
        for name, found in record.implementations.items():
            if name in said and found.outcome.value in DECIDED:
                yield Answer(record.path, name, said[name], found.outcome.value)


def main(arguments: list[str]) -> int:
    """1 if fewer than 95 % are right, 2 for a file that cannot be used."""
    found = list(answers(Path(arguments[0])))
    counts = Counter((one.implementation, one.right) for one in found)
    for one in found:
        if not one.right:
            print(f"wrong  {one.implementation:<11}  said {one.said:<10}  {one.outcome:<11}  {one.path}")
    for name in dict.fromkeys(one.implementation for one in found):
        right, wrong = counts[name, True], counts[name, False]
        print(f"{name:<11}  {right} of {right + wrong} right")
    right = sum(one.right for one in found)
    print(f"all          {right} of {len(found)} right: {right / max(1, len(found)):.1%}")
    return int(right < 0.95 * len(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) == 2 else __doc__)
