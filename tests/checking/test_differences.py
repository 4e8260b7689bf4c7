"""How far arrays and models are from each other, and from what their file holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from conformance.checking import evidence as evidences
from conformance.checking.agreement import Tolerances, draws, pair
from conformance.checking.arrays import compare, digest, sample
from conformance.checking.evidence import Evidence, Named
from conformance.checking.fidelity import in_short, lost
from conformance.checking.finding import Found
from conformance.checking.loading import Loaded, said_of
from conformance.protocol.results import OptimizerInfo, VariableInfo
from tests.checking.models import save

A, B = np.arange(6, dtype="float32").reshape(2, 3), np.linspace(-1, 1, 4, dtype="float32")
TOLERANCES = Tolerances(1e-5, 1e-4)


def loaded(*weights: np.ndarray, **more: Any) -> Loaded:
    names = tuple(f"w{i}" for i in range(len(weights)))
    return Loaded(names, weights, tuple(map(digest, weights)), **more)


def optimizer(*values: np.ndarray, class_name: str = "Adam", iterations: int = 3, rate: float = 0.1) -> OptimizerInfo:
    variables = tuple(VariableInfo(str(i), value) for i, value in enumerate(values))
    return OptimizerInfo(True, class_name, iterations, {"learning_rate": rate}, variables)


def test_a_difference_has_its_share_its_size_and_its_first_places() -> None:
    other = A.copy()
    other[0, 1], other[1, 2] = 1.5, 7.0
    difference, error = compare("outputs", "0", A, other, 1e-5)
    assert difference is not None
    assert difference.problem == "2 of 6 values differ, by up to 2"
    assert (difference.differing, difference.of, difference.max_error) == (2, 6, 2.0)
    assert difference.first == ("[0, 1]: 1 against 1.5", "[1, 2]: 5 against 7")
    assert error == pytest.approx(2.0 / 5.0)  # in units of the largest value


@pytest.mark.parametrize(
    ("expected", "actual", "tolerance", "problem"),
    [
        (A, A.T, 0.0, "shape (2, 3) against (3, 2)"),
        (A, A.astype("float64"), 0.0, "dtype float32 against float64"),
        (np.array([0.0]), np.array([-0.0]), 0.0, "1 of 1 values differ, by up to 0"),
        (np.array([0.0]), np.array([-0.0]), 1e-9, None),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), 1e-6, None),
        (np.array([1.0]), np.array([np.nan]), 1e-6, "1 of 1 values differ, by up to nan"),
        (np.array([1e-9]), np.array([9e-6]), 1e-5, None),  # never relative near zero
        (np.array([1e6]), np.array([1e6 + 9]), 1e-5, None),
        (np.array([b"a", b"b"], object), np.array([b"a", b"c"], object), 0.0, "1 of 2 values differ"),
        (np.array([1], ml_dtypes.bfloat16), np.array([2], ml_dtypes.bfloat16), 0.0, "1 of 1 values differ, by up to 1"),
        (np.array(True), np.array(False), 0.0, "1 of 1 values differ, by up to 1"),
    ],
)
def test_arrays(expected: np.ndarray, actual: np.ndarray, tolerance: float, problem: str | None) -> None:
    difference, _ = compare("weights", "0", expected, actual, tolerance)
    assert (difference and difference.problem) == problem


def test_digests_tell_shapes_dtypes_and_strings_apart() -> None:
    arrays = [A, A.T, A.ravel(), A.view("int32"), np.array([b"ab", b"c"], object), np.array([b"a", b"bc"], object)]
    assert len({digest(array) for array in arrays}) == len(arrays)
    assert digest(A) == digest(A.copy(order="F"))


def test_a_sample_is_small_and_strict_json() -> None:
    taken = sample(np.full((100, 100), np.inf, "float32"))
    assert (taken.shape, len(taken.values), set(taken.values), taken.scale) == ((100, 100), 64, {None}, 0.0)
    assert sample(np.array([b"\xff"], object)).values == ("\\xff",)
    assert sample(np.zeros((0, 3))).values == ()


@pytest.mark.parametrize(
    ("right", "problems"),
    [
        (loaded(A, B), []),
        (loaded(A), ["weights: 2 weights against 1"]),
        (loaded(B, A), ["weights: the same values in another order"]),
        (loaded(A, B + 1), ["weights 1 (w1): 4 of 4 values differ, by up to 1"]),
    ],
)
def test_weights_of_a_pair(right: Loaded, problems: list[str]) -> None:
    assert _problems(loaded(A, B), right) == problems


@pytest.mark.parametrize(
    ("right", "problems"),
    [
        ({"outputs": (A,)}, []),
        ({"outputs": (A + 1e-6,)}, []),
        ({"outputs": (A + 1,)}, ["outputs 0: 6 of 6 values differ, by up to 1"]),
        ({"outputs": (A, A)}, ["outputs: 1 outputs against 2"]),
        ({"problems": {"outputs": "predict: TypeError: no"}}, ["outputs: one gives none: predict: TypeError: no"]),
    ],
)
def test_outputs_of_a_pair(right: dict[str, Any], problems: list[str]) -> None:
    assert _problems(loaded(outputs=(A,)), loaded(**right)) == problems


@pytest.mark.parametrize(
    ("right", "problems"),
    [
        (optimizer(np.zeros(2), B, np.array(3)), []),  # order, zeros and counters are each generation's own
        (optimizer(A, B, class_name="SGD"), ["optimizer class: Adam against SGD"]),
        (optimizer(A, B, iterations=0), ["optimizer iterations: 3 against 0"]),
        (optimizer(A, B, rate=0.2), ["optimizer learning_rate: 0.1 against 0.2"]),
        (optimizer(B), ["optimizer state: 1 of 2 arrays against 0 of 1 that the other lacks"]),
        (OptimizerInfo(False, None, None, None, ()), ["optimizer: one has an optimizer, the other none"]),
    ],
)
def test_optimizers_of_a_pair(right: OptimizerInfo, problems: list[str]) -> None:
    left = optimizer(B) if not problems else optimizer(A, B)
    assert _problems(loaded(optimizer=left), loaded(optimizer=right)) == problems


def test_next_steps_of_a_pair() -> None:
    left = loaded(A, steps=({"loss": 1.0, "old_name": 3.0},), trained=(A,))
    right = loaded(A, steps=({"loss": 1.5, "new_name": 4.0},), trained=(A + 1,))
    assert _problems(left, right) == [
        "steps 0 (loss): 1 of 1 values differ, by up to 0.5",
        "steps weights after, 0 (w0): 6 of 6 values differ, by up to 1",
    ]
    assert _problems(left, loaded(A, problems={"steps": "not compiled"})) == ["steps: one does not train: not compiled"]


def _problems(left: Loaded, right: Loaded) -> list[str]:
    found = pair(("one", "other"), left, right, TOLERANCES).differences
    return [f"{each.part} {each.name}".strip() + f": {each.problem}" for each in found]


def evidence(*weights: np.ndarray, **more: Any) -> Evidence:
    return Evidence("load.hdf5", weights=tuple(Named(f"f{i}", weight) for i, weight in enumerate(weights)), **more)


def told(model: Loaded, file: Evidence, again: list[str] | None = None) -> list[str]:
    return [f"{each.name}: {each.problem}" for each in lost(model, file, lambda: again)]


def test_what_was_loaded_is_what_the_file_holds() -> None:
    assert told(loaded(B, A), evidence(A, B)) == []
    assert told(loaded(A), evidence(A, B, mixed=True)) == []


def test_other_values_are_told_with_their_difference() -> None:
    (text,) = told(loaded(A, B + 1), evidence(A, B))
    assert text == "1 (w1): not as the file says: 4 of 4 values differ, by up to 1"


def test_fresh_weights_are_those_that_another_seed_changes() -> None:
    model = loaded(A + 1, B + 1)
    assert told(model, evidence(A, B), again=[digest(A + 2), digest(B + 1)]) == [
        "0 (w0): fresh: drawn by the initializer, not loaded from the file",
        "1 (w1): not as the file says: 4 of 4 values differ, by up to 1",
    ]


def test_weights_without_a_place_in_the_model() -> None:
    assert told(loaded(A), evidence(A, B)) == ["f1: 1 of 2 in the file were not loaded"]


def test_a_file_without_any_values_of_a_model_with_weights() -> None:
    assert told(loaded(A), evidence(), again=[digest(B)]) == [
        "0 (w0): fresh: drawn by the initializer, not loaded from the file"
    ]


@pytest.mark.parametrize(
    "file",
    [
        evidence(A, writer="1.2.2"),
        evidence(A, backend="theano"),
        evidence(A, config={"class_name": "CuDNNLSTM"}),
        replace(evidence(A), problem="the witness cannot read it"),
    ],
)
def test_what_is_rightly_converted_is_not_held_against_anybody(file: Evidence) -> None:
    assert told(loaded(A + 1), file) == []


def test_optimizer_state_that_was_not_loaded() -> None:
    file = evidence(A, optimizer=(Named("m", B), Named("v", np.zeros(3)), Named("iterations", np.array(7))))
    model = loaded(A, optimizer=optimizer(np.zeros(4), np.zeros(3)))
    differences = lost(model, file, lambda: None)
    assert in_short(differences) == "optimizer: 1 of 1 arrays of its state in the file were not loaded"
    assert told(loaded(A, optimizer=optimizer(B)), file) == []
    assert told(loaded(A), file) == []  # one that has no optimizer claims nothing of it


@pytest.mark.parametrize(
    ("message", "tells"),
    [
        ("Error in loading the saved optimizer state. As a result, your model is starting anew", True),
        ("Skipping variable loading for optimizer 'adam', because it has 9 variables", True),
        ("optimizer_weights: found 3 variables; the optimizer begins anew, with its configuration as it was", True),
        ("DynamicLossScale is deprecated. Use tf.keras.mixed_precision.LossScaleOptimizer", False),
        ("Skipping a layer", False),
    ],
)
def test_a_loss_is_told_of_in_words_about_it(message: str, tells: bool) -> None:
    assert bool(said_of("optimizer", [message])) == tells


def test_layers_that_draw_make_steps_incomparable() -> None:
    assert draws(evidence(config={"class_name": "Dropout"})) == "Dropout draws numbers of its own while training"
    assert draws(evidence(config={"class_name": "LSTM", "config": {"recurrent_dropout": 0.5}}))
    assert draws(evidence(config={"class_name": "LSTM", "config": {"recurrent_dropout": 0.0}})) is None


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "saved"])
def test_the_witness_tells_weights_and_optimizer_apart(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name)
    container = {"m.h5": "hdf5", "m.keras": "zip", "saved": "savedmodel"}[name]
    found = evidences.read(Found(str(path), container))
    shapes = sorted(each.value.shape for each in found.weights if each.value.ndim)
    assert shapes == [(2,), (3, 4), (4,), (4, 2)]
    assert len([each for each in found.optimizer if each.value.ndim]) == 8
    assert found.config
    assert found.training["loss"] == "mse"
