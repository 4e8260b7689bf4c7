"""One side of a benchmark: a line on stdin is an action and a path, the answer the seconds that it took.

``python side.py LIBRARY``; runs in the library's interpreter, needs nothing but it, and answers "ready" first.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any

import numpy as np


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    library = importlib.import_module(sys.argv[1])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        action, path = line.rstrip("\n").split(" ", 1)
        print(ACTIONS[action](library, path), file=answers, flush=True)


def load(library: Any, path: str) -> float:
    """One ``load_model``."""
    start = time.perf_counter()
    model = library.models.load_model(path)
    taken = time.perf_counter() - start
    del model
    return taken


def call(library: Any, path: str) -> float:
    """The median of many calls of the model on an array (8, 20)."""
    model = library.models.load_model(path)
    inputs = np.ones((8, 20), "float32")
    taken: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter()
        model(inputs)
        taken.append(time.perf_counter() - start)
    return sorted(taken[WARMING:])[(CALLS - WARMING) // 2]


ACTIONS = {"load": load, "call": call}
WARMING, CALLS = 20, 220


if __name__ == "__main__":
    main()
