"""What ``import reference_impl`` costs above ``import numpy``: fresh processes, in pairs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Result, Timer, median_difference, pairs, timed

_ROOT = Path(__file__).resolve().parents[1]

_STATEMENTS: dict[str, tuple[str, float | None]] = {
    "import": ("import reference_impl", 0.1),
    # What the first model costs besides, for the parts are imported when they are first used.
    "import-models": ("from reference_impl import models, tf", None),
}


def run(count: int) -> Iterator[Result | None]:
    """None after each pair, at last the result."""
    for name, (statement, limit) in _STATEMENTS.items():
        measured: list[tuple[float, float]] = []
        for pair in pairs(_process("import numpy"), _process(statement), count):
            measured.append(pair)
            yield None
        difference = median_difference(tuple(measured))
        yield Result(name, f"{statement} − import numpy", "s", tuple(measured), difference, limit)


def _process(statement: str) -> Timer:
    def action() -> None:
        subprocess.run([sys.executable, "-c", statement], cwd=_ROOT, check=True)

    return timed(action)
