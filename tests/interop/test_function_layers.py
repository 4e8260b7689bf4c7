"""TensorFlow's functions in Functional models: the layers ``TFOpLambda`` of real files, read and run without TensorFlow."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import structure
from reference_impl.errors import LoadError
from tests.interop import function_layer_program as program
from tests.interop import libraries

PROGRAM = Path(__file__).with_name("function_layer_program.py")
TOLERANCE = 2e-5


@pytest.fixture(scope="module", params=libraries.NAMES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the library wrote."""
    where = tmp_path_factory.mktemp(request.param)
    done = subprocess.run(
        [libraries.interpreter(request.param), PROGRAM, request.param, where],
        env=libraries.environment(request.param),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return where


@pytest.mark.parametrize("number", range(len(program.CASES)), ids=program.CASES)
def test_a_function_of_a_file_gives_what_it_gave(folder: Path, number: int) -> None:
    """Bit for bit, but for the last bits of what is computed in floating point."""
    expression = program.CASES[number]
    refused = json.loads((folder / "refused.json").read_text(encoding="utf-8"))
    path = folder / f"{number}.h5"
    if expression in refused:
        if path.exists():
            # The config lacks what the function was called on: TensorFlow writes it, and cannot load it either.
            with pytest.raises(LoadError):
                keras.models.load_model(path, compile=False)
        return
    model = keras.models.load_model(path, compile=False)
    given: list[Any] = program.inputs_of(expression)
    found = structure.flatten(model(given[0] if len(given) == 1 else given))
    with np.load(folder / f"{number}.npz") as file:
        expected = [file[key] for key in file.files]
    assert len(found) == len(expected)
    for tensor, array in zip(found, expected, strict=True):
        actual = tensor.numpy()
        assert actual.shape == array.shape
        if array.dtype.kind == "S":
            assert actual.tolist() == array.tolist()
            continue
        assert actual.dtype == array.dtype
        scale = max(1.0, np.abs(array).max(initial=0)) if array.dtype.kind == "f" else 0
        np.testing.assert_allclose(actual, array, rtol=0, atol=TOLERANCE * scale)
