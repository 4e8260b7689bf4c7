"""Cases: the files that a reader is given, by relative path; and those that a run begins with."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import reference_impl as keras
from conformance.fixtures.archive import unpack
from conformance.fixtures.location import fixtures_folder
from conformance.fixtures.manifest import read_manifest

Files = Mapping[str, bytes]

LARGEST_SEED = 200_000  # bytes; a small file has the same parts as a large one and is read sooner


def lay(files: Files, folder: Path) -> None:
    """Make ``folder`` hold these files and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def gather(folder: Path) -> dict[str, bytes]:
    """The files of ``folder``."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def golden(format: str, count: int) -> Iterator[Files]:
    """``count`` golden models of a format, of every producer that writes it, the same ones every time."""
    folder = fixtures_folder()
    entries = sorted(
        {
            (made.producer, entry.archive.file)
            for made in read_manifest(folder).made
            for entry in made.entries
            if entry.format == format
        }
    )
    random.Random(format).shuffle(entries)
    for _, file in entries:
        files = unpack((folder / file).read_bytes(), folder / file)
        if sum(map(len, files.values())) <= LARGEST_SEED:
            yield files
            count -= 1
        if not count:
            return


def small_model(seed: int = 0) -> Any:
    """A model with what a format has parts for: recurrence, state that is not trained, nesting, an optimizer."""
    layers = keras.layers
    source = keras.Input((4, 3), name="source")
    h = layers.LSTM(2, return_sequences=True, name="lstm", kernel_regularizer="l2")(source)
    h = layers.Bidirectional(layers.GRU(2), name="both")(layers.BatchNormalization(name="norm")(h))
    entrance = keras.Input((4,), name="entrance")
    inner = keras.Model(entrance, layers.Dense(2, activation="relu", name="dense")(entrance), name="inner")
    model = keras.Model(source, layers.Add(name="add")([inner(h), layers.Dropout(0.5, name="drop")(inner(h))]))
    model.compile("adam", "mse")
    x = np.random.RandomState(0).rand(2, 4, 3).astype("float32")
    model.train_on_batch(x, np.zeros((2, 2), "float32"))
    values = np.random.RandomState(seed)
    model.set_weights([values.rand(*weight.shape).astype("float32") for weight in model.get_weights()])
    return model


WRITTEN = {
    "savedmodel": ("keras-2.4", "save", "model"),
    "hdf5": ("keras-2.4", "save", "model.h5"),
    "keras": ("keras-3", "save", "model.keras"),
    "checkpoint": ("keras-2.4", "save_weights", "weights"),
    "hdf5-weights": ("keras-2.4", "save_weights", "weights.h5"),
    "weights-h5": ("keras-3", "save_weights", "model.weights.h5"),
}
"""How the reference writes each format: dialect, method, name."""


@cache
def written(format: str, seed: int = 0) -> Files:
    """:func:`small_model` as the reference writes it in ``format``."""
    dialect, method, name = WRITTEN[format]
    with keras.dialect(dialect), tempfile.TemporaryDirectory() as scratch:
        getattr(small_model(seed), method)(Path(scratch, name))
        return gather(Path(scratch))
