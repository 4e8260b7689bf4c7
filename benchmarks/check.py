"""Speed of ``keras-conformance check``: one small model in three implementations, and a thousand against the reference."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import reference_impl as keras
from benchmarks.measure import Result, timed

ROOT = Path(__file__).parents[1]
MODELS, JOBS = 1000, 2
AGAINST = "tf2.4,tf2.15"


def run() -> Iterator[Result | None]:
    """Both numbers, in seconds; the first only where both TensorFlows are."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = _save(folder / "model.h5")
        started = _check(str(model), "--against", AGAINST)
        if started == 3:
            yield None
        else:
            times = [timed(lambda: _check(str(model), "--against", AGAINST))() for _ in range(3)]
            yield _result("check one", f"a small model in the reference and {AGAINST}", times, 15.0)
        many = folder / "many"
        many.mkdir()
        for number in range(MODELS):
            shutil.copy(model, many / f"{number:04}.h5")
        times = [timed(lambda: _check(str(many), "--jobs", str(JOBS)))()]
        yield _result("check many", f"{MODELS} HDF5 files in the reference, --jobs {JOBS}", times, 60.0)


def _result(name: str, what: str, times: list[float], limit: float) -> Result:
    return Result(name, what, "s", tuple((0.0, time) for time in times), sorted(times)[len(times) // 2], limit)


def _save(path: Path) -> Path:
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(32), keras.layers.Dense(4)])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((4, 16), "float32"), np.ones((4, 4), "float32"))
    model.save(str(path))
    return path


def _check(*arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "check", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(f"check {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.returncode
