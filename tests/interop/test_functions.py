"""Functions that TensorFlow made, run by the reference: an op each, and programs of branches, loops and variables."""

from __future__ import annotations

import importlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl import functions
from reference_impl.formats import messages
from reference_impl.gradients import gradients
from reference_impl.graph.function import Library
from reference_impl.graph.interpreter import run
from reference_impl.tensors import Tensor, recording
from reference_impl.variables import Variable
from tests.interop import libraries

_calls: Any = importlib.import_module("tests.interop.op_calls")  # plain Python 3.8, without types
CALLS: dict[str, Any] = _calls.CALLS
PROGRAM = Path(__file__).with_name("op_program.py")
VARIABLES = ("matrix", "count", "state")
PROGRAMS = (
    *("loop", "branch-taken", "branch-not-taken", "branches", "branches-beyond", "mapped", "scanned", "rows", "nested"),
    *("inner-gradients", "checked", "counted", "drawn", "gathered"),
)


@dataclass(frozen=True)
class Written:
    """What TensorFlow wrote down."""

    library: Library
    names: dict[str, Any]
    truth: dict[str, np.ndarray]

    def of(self, name: str, kind: str) -> dict[int, Any]:
        start = f"{name}|{kind}|"
        return {int(key[len(start) :]): _read(self.truth[key]) for key in sorted(self.truth) if key.startswith(start)}


def _read(stored: Any) -> Any:
    if stored.dtype.kind != "U":
        return stored
    shape, items = json.loads(str(stored))
    found: Any = np.empty(len(items), object)
    found[:] = [bytes.fromhex(item) for item in items]
    return found.reshape(shape)


@pytest.fixture(scope="module", params=libraries.NAMES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Written]:
    name: str = request.param
    folder = tmp_path_factory.mktemp("functions")
    done = subprocess.run(
        [libraries.interpreter(name), PROGRAM, folder],
        env=libraries.environment(name),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    stored = messages.parse(messages.FunctionDefLibrary, (folder / "library.pb").read_bytes())
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    return name, Written(Library(stored), names, libraries.facts(folder / "truth.npz"))


def assert_close(found: Any, expected: Any, tolerance: float, what: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype, what
    assert found.shape == expected.shape, what
    if expected.dtype.kind not in "fc":
        assert found.tolist() == expected.tolist(), what
        return
    finite = expected[np.isfinite(expected)]
    limit = tolerance * max(1.0, float(np.abs(finite).max(initial=0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit, err_msg=what)


def check(written: Written, name: str, tolerance: float) -> None:
    inputs = [Tensor(np.asarray(value)) for value in written.of(name, "in").values()]
    variables = {key: Variable(written.truth[key], name=key) for key in VARIABLES}
    captures = [variables[key] for key in written.names[name]["captures"]]
    function = written.names[name]["function"]
    for place, (output, expected) in enumerate(
        zip(run(function, written.library, [*inputs, *captures]), written.of(name, "out").values(), strict=False)
    ):
        assert_close(output.value, expected, tolerance, f"{name}: output {place}")
    for key, variable in variables.items():
        assert variable.array.tolist() == written.truth[f"{name}|after|{key}"].tolist(), key
    expected_gradients = written.of(name, "gradient")
    if not expected_gradients:
        return
    for key, variable in variables.items():
        variable.assign(written.truth[key])
    with recording():
        outputs = run(function, written.library, [*inputs, *captures])
        total: Any = 0.0
        for output in outputs[: len(written.of(name, "out"))]:
            if output.dtype.is_floating:
                total = total + functions.reduce_sum(output * _calls.numbers(*output.shape).astype(output.dtype))
    sources = [inputs[place] for place in expected_gradients]
    for (place, expected), found in zip(expected_gradients.items(), gradients(total, sources), strict=True):
        value = np.zeros_like(expected) if found is None else found.value
        assert_close(value, expected, 5 * tolerance, f"{name}: gradient {place}")


@pytest.mark.parametrize("name", CALLS)
def test_op(written: tuple[str, Written], name: str) -> None:
    library, functions_of_it = written
    more = CALLS[name][3]
    failed = functions_of_it.names[name].get("failed")
    if library in more.get("but", {}):
        assert failed, f"{library} has the op: {more['but'][library]}"
        return
    assert failed is None
    check(functions_of_it, name, more.get("tolerance", 2e-5))


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(written: tuple[str, Written], name: str) -> None:
    check(written[1], name, 2e-5)
