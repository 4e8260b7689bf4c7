"""The real libraries, each in its own interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

NAMES = ("tf2.4", "tf2.15", "tf-keras")
PROGRAM = Path(__file__).with_name("program.py")
_ROOT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONHASHSEED": "0",
}

Facts = dict[str, np.ndarray]


def interpreter(name: str) -> Path:
    """The library's Python; the test is skipped, and says what is missing, where there is none."""
    folders = [_ROOT / ".tox" / name]
    if "KERAS_CONFORMANCE_ENVS" in os.environ:
        folders.insert(0, Path(os.environ["KERAS_CONFORMANCE_ENVS"]) / name)
    for folder in folders:
        python = folder / "bin" / "python"
        if python.exists():
            return python
    pytest.skip(f"no environment {name}; set KERAS_CONFORMANCE_ENVS to the folder that has it, or run tox -e {name}")


def python_of(name: str) -> str | Path:
    """The interpreter of a library, or for the reference this one."""
    return sys.executable if name == "reference" else interpreter(name)


def environment(name: str) -> dict[str, str]:
    """What a library's process starts with; the reference's finds this clone."""
    return {**os.environ, **_ENVIRONMENT, "PYTHONPATH": str(_ROOT) if name == "reference" else ""}


def run(name: str, action: str, kinds: Sequence[str], folder: Path) -> None:
    """Let the library do ``action`` of ``program.py`` for ``kinds`` in ``folder``."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [interpreter(name), PROGRAM, action, ",".join(kinds), folder],
        env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name} could not {action}:\n{done.stderr[-4000:]}"


def facts(path: Path) -> Facts:
    """What ``program.py`` wrote down."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def assert_same(truth: Facts, found: Facts, *, slots: bool = True, rest: bool = True) -> None:
    """Weights and optimizer state bit for bit; outputs and resumed training within 1e-6."""
    for key in truth:
        if key.startswith("weight-") or (slots and key.startswith("slot-")):
            assert found[key].dtype == truth[key].dtype, key
            np.testing.assert_array_equal(found[key], truth[key], err_msg=key)
    for key in ("prediction", "losses", "after") if rest else ("prediction",):
        np.testing.assert_allclose(found[key], truth[key], rtol=0, atol=1e-6, err_msg=key)
