"""Interpreters that have a real library, for tests that need one; they are skipped where it is missing."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Library:
    """A real Keras: the implementation's name, the module Keras is imported from, its dialect."""

    name: str
    keras: str
    dialect: str

    def python(self) -> Path:
        """Its interpreter. Skips the test, naming the environment, where there is none."""
        folders = [ROOT / ".tox" / self.name]
        if "KERAS_CONFORMANCE_ENVS" in os.environ:
            folders.insert(0, Path(os.environ["KERAS_CONFORMANCE_ENVS"]) / self.name)
        for folder in folders:
            if (folder / "bin" / "python").exists():
                return folder / "bin" / "python"
        pytest.skip(f"no environment {self.name}: set KERAS_CONFORMANCE_ENVS, or make it with `tox -e {self.name}`")

    def run(self, source: str, *arguments: str | Path, cwd: Path) -> str:
        """Run a script in it and return what it prints; a script that fails fails the test, with its last lines."""
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
        if self.name == "keras3-jax":
            quiet["KERAS_BACKEND"] = "jax"
        script = cwd / "script.py"
        script.write_text(source, encoding="utf-8")
        done = subprocess.run(
            [self.python(), script, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{self.name}: the script failed\n{done.stderr[-2000:]}")
        return done.stdout


LIBRARIES = (
    Library("tf2.4", "tensorflow.keras", "keras-2.4"),
    Library("tf2.15", "tensorflow.keras", "keras-2.15"),
    Library("tf-keras", "tf_keras", "keras-2.15"),
    Library("keras3", "keras", "keras-3"),
    Library("keras3-jax", "keras", "keras-3"),
)
libraries = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
