"""Whether the cases leave out a layer or an optimizer of TensorFlow 2.4."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from unittest.mock import MagicMock

import pytest

from tests.interop import libraries
from tests.interop.cases import all_cases
from tests.interop.cases.optimizers import OPTIMIZERS

WITHOUT_A_CASE = {
    "AbstractRNNCell": "a base class, which saves nothing of its own",
    "Layer": "a base class",
    "PreprocessingLayer": "a base class",
    "Wrapper": "a base class, whose outputs nobody defines",
    "InputLayer": "every model of every case begins with one",
    "LSTMCell": "what LSTM and RNN are made of",
    "GRUCell": "what GRU and RNN are made of",
    "SimpleRNNCell": "what SimpleRNN and RNN are made of",
    "Lambda": "its file holds code",
    "DenseFeatures": "its columns are functions of TensorFlow's",
    "SequenceFeatures": "its columns are functions of TensorFlow's",
    "Optimizer": "a base class",
}

LIST = """
import inspect, json
from tensorflow import keras
layers, optimizers = keras.layers, keras.optimizers
places = [layers, layers.experimental, layers.experimental.preprocessing]
found = {"layers": {}, "optimizers": {}}
for place in places:
    for name, cls in vars(place).items():
        if inspect.isclass(cls) and issubclass(cls, layers.Layer):
            found["layers"].setdefault(str(cls), []).append(name)
for name, cls in vars(optimizers).items():
    if inspect.isclass(cls) and issubclass(cls, optimizers.Optimizer):
        found["optimizers"].setdefault(str(cls), []).append(name)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def classes() -> dict[str, dict[str, list[str]]]:
    """Of layers and of optimizers the public names of each class."""
    done = subprocess.run(
        [libraries.interpreter("tf2.4"), "-c", LIST],
        env=libraries.environment("tf2.4"),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def subjects(makers: list[Callable[[MagicMock], object]]) -> set[str]:
    """The names that are called in making the cases."""
    namespace = MagicMock()
    for make in makers:
        make(namespace)
    return {call[0] for call in namespace.mock_calls}


def missing(classes: dict[str, list[str]], known: set[str]) -> list[str]:
    return sorted(names[0] for names in classes.values() if not known & {*names} and not {*WITHOUT_A_CASE} & {*names})


def test_every_layer_has_a_case(classes: dict[str, dict[str, list[str]]]) -> None:
    cases = [case["layer"] for case in all_cases().values()]
    assert missing(classes["layers"], subjects(cases)) == []


def test_every_optimizer_has_a_case(classes: dict[str, dict[str, list[str]]]) -> None:
    cases = [case["optimizer"] for case in OPTIMIZERS.values()]
    assert missing(classes["optimizers"], subjects(cases)) == []


def test_every_reason_names_a_library() -> None:
    tables = {**all_cases(), **OPTIMIZERS}
    unknown = {name: {*case.get("but", {})} - {*libraries.NAMES, "keras3"} for name, case in tables.items()}
    assert not any(unknown.values()), unknown
