"""``load_model`` of a small HDF5 file, compiled and trained: the reference against tf_keras, each in its interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

import reference_impl as keras
from benchmarks.measure import Result, Timer, median_ratio, pairs

LIMIT = 5.0
_ROOT = Path(__file__).resolve().parents[1]
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}


class Side:
    """A process that loads models and says how long it took, from the moment it has imported its library."""

    def __init__(self, python: str, library: str) -> None:
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("side.py")), library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_QUIET, "PYTHONPATH": str(_ROOT) if library == "reference_impl" else ""},
            text=True,
        )
        if self._answer() != "ready":
            raise RuntimeError(f"{library} cannot be imported in {python}")

    def load(self, path: Path) -> float:
        """Seconds that ``load_model(path)`` took."""
        return self._ask("load", path)

    def call(self, path: Path) -> float:
        """Seconds that one call of the model in ``path`` takes, for inputs of the shape (8, 20)."""
        return self._ask("call", path)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, action: str, path: Path) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{action} {path}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def run(count: int, tf_keras: Path) -> Iterator[Result | None]:
    """None after each pair, at last the result. ``tf_keras`` is the interpreter that has it."""
    measured: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = _write(Path(folder))
        sides = [Side(sys.executable, "reference_impl"), Side(str(tf_keras), "tf_keras")]
        for side in sides:
            stack.callback(side.close)
        ours, theirs = (_timer(side, path) for side in sides)
        for pair in pairs(ours, theirs, count):
            measured.append(pair)
            yield None
    what = "load_model of a small HDF5 file: tf_keras / reference_impl"
    yield Result("hdf5", what, "×", tuple(measured), median_ratio(tuple(measured)), LIMIT, "at least")


def _timer(side: Side, path: Path) -> Timer:
    return lambda: side.load(path)


def _write(folder: Path) -> Path:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((20,)), *(layers.Dense(32, activation="relu") for _ in range(3)), layers.Dense(5)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((8, 20), "float32"), np.ones((8, 5), "float32"))
    path = folder / "model.h5"
    model.save(path)
    return path
