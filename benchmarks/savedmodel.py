"""SavedModels: loading a small one, calling one revived from its functions, loading a large one."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

import reference_impl as keras
from benchmarks.hdf5 import Side
from benchmarks.measure import Result, Timer, median_ratio, pairs, timed
from reference_impl.formats.checkpoint import Bundle

LOAD_LIMIT = 20.0
CALL_LIMIT = 1.0
LARGE_LIMIT = 1.5
LARGE_MIB = 100


class TwoDense(keras.Model):
    """A model without config: whoever loads it without this class revives it from its functions."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.layers.Dense(32, activation="relu")
        self.outer = keras.layers.Dense(5)

    def call(self, inputs: keras.tf.Tensor) -> keras.tf.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Two dense layers, one after the other."""
        return self.outer(self.inner(inputs))


def run(count: int, tf_keras: Path) -> Iterator[Result | None]:
    """None after each pair, after each benchmark its result. ``tf_keras`` is the interpreter that has it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ours, theirs = Side(sys.executable, "reference_impl"), Side(str(tf_keras), "tf_keras")
        for side in (ours, theirs):
            stack.callback(side.close)
        path = _small(Path(folder))
        measured = yield from _pairs(lambda: ours.load(path), lambda: theirs.load(path), count)
        what = "load_model of a small SavedModel: tf_keras / reference_impl"
        yield Result("savedmodel", what, "×", measured, median_ratio(measured), LOAD_LIMIT, "at least")
        path = _revived(Path(folder))
        measured = yield from _pairs(lambda: theirs.call(path), lambda: ours.call(path), count)
        what = "a call of a small model revived from its functions: reference_impl / tf_keras"
        yield Result("savedmodel", what, "×", measured, median_ratio(measured), CALL_LIMIT)
        path = _large(Path(folder))
        measured = yield from _pairs(
            timed(partial(_read_variables, path)), timed(partial(keras.models.load_model, str(path))), count
        )
        what = f"load_model of a SavedModel of {LARGE_MIB} MiB / reading its variables/ alone"
        yield Result("savedmodel", what, "×", measured, median_ratio(measured), LARGE_LIMIT)


def _pairs(first: Timer, second: Timer, count: int) -> Generator[None, None, tuple[tuple[float, float], ...]]:
    measured: list[tuple[float, float]] = []
    for pair in pairs(first, second, count):
        measured.append(pair)
        yield None
    return tuple(measured)


def _read_variables(path: Path) -> list[np.ndarray]:
    bundle = Bundle(str(path / "variables" / "variables"))
    return [bundle.tensor(key) for key in bundle.entries]


def _small(folder: Path) -> Path:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((20,)), *(layers.Dense(32, activation="relu") for _ in range(3)), layers.Dense(5)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((8, 20), "float32"), np.ones((8, 5), "float32"))
    return _saved(model, folder / "small")


def _revived(folder: Path) -> Path:
    model = TwoDense()
    model(np.ones((8, 20), "float32"))
    return _saved(model, folder / "revived")


def _large(folder: Path) -> Path:
    width = 1024
    model = keras.Sequential([keras.Input((width,))])
    for _ in range(LARGE_MIB // 4):  # a kernel of 1024 × 1024 float32 is 4 MiB
        model.add(keras.layers.Dense(width))
    return _saved(model, folder / "large")


def _saved(model: keras.Model, path: Path) -> Path:
    model.save(str(path))
    return path
