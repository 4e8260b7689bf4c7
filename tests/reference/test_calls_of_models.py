"""Nested models in the graphs of Keras 3. The numbers are those that Keras 3.15.1 writes for this model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import reference_impl as keras

L = keras.layers


def nested() -> Any:
    """A graph called three times and a Sequential model once, the last two calls of the graph into an Add."""
    source, entrance = keras.Input((6,), name="source"), keras.Input((6,), name="entrance")
    inner = keras.Model(entrance, L.Dense(4, name="dense")(entrance), name="inner")
    chain = keras.Sequential([L.Dense(3, input_shape=(4,), name="last")], name="chain")
    first = inner(source)
    return keras.Model(source, [chain(first), first, L.Add(name="add")([inner(source), inner(source)])])


def test_the_calls_of_nested_models_are_numbered_as_keras_3_does() -> None:
    model = nested()
    with keras.dialect("keras-3"):
        text = model.to_json()
    config = json.loads(text)["config"]
    nodes = {layer["name"]: layer["inbound_nodes"] for layer in config["layers"]}
    assert [source[:3] for source in nodes["chain"][0]] == [["inner", 0, 0]]
    assert [source[:3] for source in nodes["add"][0]] == [["inner", 1, 0], ["inner", 2, 0]]
    assert config["output_layers"] == [["chain", 0, 0], ["inner", 1, 0], ["add", 0, 0]]
    again = keras.models.model_from_json(text)
    again.set_weights(model.get_weights())
    x = np.random.RandomState(0).rand(2, 6).astype("float32")
    for found, expected in zip(again.predict(x), model.predict(x), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_calls_of_keras_2_stay() -> None:
    model = nested()
    with keras.dialect("keras-2.15"):
        config = json.loads(model.to_json())["config"]
    nodes = {layer["name"]: layer["inbound_nodes"] for layer in config["layers"]}
    assert [source[:3] for source in nodes["chain"][0]] == [["inner", 1, 0]]
    assert config["output_layers"] == [["chain", 1, 0], ["inner", 1, 0], ["add", 0, 0]]
