"""Small models on disk, written by the reference, and an implementation that is broken in a way that a file's name says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import reference_impl as keras
from reference_impl import naming

ROOT = Path(__file__).parents[2]
X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
Y = np.linspace(0, 1, 8, dtype="float32").reshape(4, 2)


def dense(*, trained: bool = True, fill: float = 0.0) -> Any:
    """A compiled model of two layers, by default one step into its training."""
    naming.reset()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(2, name="b")])
    model.compile("adam", "mse")
    shapes = [weight.shape for weight in model.get_weights()]
    model.set_weights([np.full(shape, fill + i + 1, "float32") / 10 for i, shape in enumerate(shapes)])
    if trained:
        model.train_on_batch(X, Y)
    return model


def save(path: Path, model: Any = None, dialect: str = "keras-2.15") -> Path:
    """Save a model, in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with keras.dialect(dialect):
        (dense() if model is None else model).save(str(path))
    return path


BROKEN = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from conformance.adapters.reference import Reference
from conformance.adapters.server import serve


class Broken(Reference):
    name = "broken"

    def __init__(self):
        super().__init__("keras-2.15")
        self.sound = self.keras.models.load_model
        self.keras.models.load_model = self.load_model

    def version(self):
        return os.environ.get("BROKEN_VERSION", "1.0")

    def load_model(self, path, *arguments, **options):
        name = os.path.basename(path)
        if "crash" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "hang" in name:
            signal.pause()
        if "refuse" in name:
            raise ValueError("this reader does not like it")
        model = self.sound(path, *arguments, **options)
        weights = model.get_weights()
        if "silent" in name:
            weights[2][1, 1] += 0.25
        if "fresh" in name:
            weights = [np.random.normal(size=weight.shape) for weight in weights]
        model.set_weights(weights)
        if "forgets" in name:
            model.optimizer.set_weights([0 * value for value in model.optimizer.get_weights()])
        return model


serve(Broken)
"""


def broken(folder: Path, version: str = "1.0") -> Path:
    """The implementation.toml of the broken implementation, made in ``folder``."""
    (folder / "broken.py").write_text(BROKEN, encoding="utf-8")
    file = folder / "implementation.toml"
    file.write_text(
        f'name = "broken"\ntitle = "broken on purpose"\ndialects = ["keras-2.15"]\n'
        f'command = ["{sys.executable}", "{{folder}}/broken.py"]\n'
        f'[env]\nBROKEN_VERSION = "{version}"\nOMP_NUM_THREADS = "1"\n[limits]\nstart = 120\nrequest = 120\n',
        encoding="utf-8",
    )
    return file
