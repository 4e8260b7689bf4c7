"""Configs of later generations told in the terms of 2.4, and those of 2.4 told in the terms of Keras 3."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError
from reference_impl.serialization import generic, keras_3, later

L = keras.layers


def of_keras_3(name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    own: dict[str, Any] = {"name": "n", "dtype": policy} if module == "keras.layers" else {}
    return {"module": module, "class_name": name, "config": {**own, **config}, "registered_name": None}


def read(form: dict[str, Any], kind: Any = L) -> Any:
    return generic.deserialize(kind.KIND, later.model_config(form))


# -- from Keras 3 ------------------------------------------------------------------------------------------------

LOOKUP = {
    "vocabulary": ["a", "b"],
    "output_mode": "int",
    "num_oov_indices": 1,
    "mask_token": None,
    "oov_token": "[UNK]",
}
RESIZING = {"height": 3, "width": 4, "data_format": "channels_last", "fill_mode": "constant", "fill_value": 0.0}
ATTENTION = {"num_heads": 2, "key_dim": 3}


@pytest.mark.parametrize(
    ("name", "config", "harmless", "meant"),
    [
        ("Resizing", RESIZING, {"pad_to_aspect_ratio": False}, {"pad_to_aspect_ratio": True}),
        ("Resizing", RESIZING, {"antialias": False}, {"antialias": True}),
        ("CenterCrop", {"height": 2, "width": 2}, {"data_format": "channels_last"}, {"data_format": "channels_first"}),
        ("RandomCrop", {"height": 2, "width": 2}, {"data_format": "channels_last"}, {"data_format": "channels_first"}),
        ("Dense", {"units": 2}, {"quantization_config": None}, {"quantization_config": {"x": 1}}),
        ("LayerNormalization", {}, {"rms_scaling": False}, {"rms_scaling": True}),
        ("BatchNormalization", {}, {"renorm": False, "synchronized": True}, {"virtual_batch_size": 3}),
        ("StringLookup", LOOKUP, {"oov_method": "floormod", "salt": None}, {"oov_method": "another"}),
        ("MultiHeadAttention", ATTENTION, {"use_gate": False, "sliding_window": None}, {"use_gate": True}),
    ],
)
def test_an_argument_is_left_away_where_it_changes_nothing_and_else_refused_by_name(
    name: str, config: dict[str, Any], harmless: dict[str, Any], meant: dict[str, Any]
) -> None:
    with_it, without = (read(of_keras_3(name, **config, **more)) for more in (harmless, {}))
    assert with_it.get_config() == without.get_config()
    argument = next(iter(meant))
    with pytest.raises(LoadError, match=argument):
        read(of_keras_3(name, **{**config, **meant}))


def test_an_argument_of_a_class_of_the_user_s_own_is_left_alone() -> None:
    class Resizing(L.Layer):
        def __init__(self, antialias: bool, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.antialias = antialias

    form = {"module": "mine", "class_name": "Resizing", "config": {"antialias": False}, "registered_name": "Resizing"}
    with keras.utils.custom_object_scope({"Resizing": Resizing}):
        assert read(form).antialias is False


def test_contrast_is_kept_in_the_range_of_keras_3() -> None:
    images = np.array([0.0, 100.0, 200.0, 255.0], "float32").reshape(1, 2, 2, 1)
    form = of_keras_3("RandomContrast", factor=[0.0, 0.9], value_range=[0, 255], data_format="channels_last", seed=3)
    kept = np.array(read(form)(images, training=True))
    assert kept.min() >= 0
    assert kept.max() <= 255
    assert read(form).get_config()["value_range"] == [0, 255]
    assert "value_range" not in L.RandomContrast(0.2).get_config()


@pytest.mark.parametrize(
    ("more", "buckets"),
    [({"oov_method": "floormod"}, [1, 2, 2]), ({"oov_method": "farmhash"}, [0, 1, 1]),
     ({"oov_method": "farmhash", "salt": [3, 5]}, [1, 1, 0])],
)  # fmt: skip
def test_unknown_integers_go_where_keras_3_puts_them(more: dict[str, Any], buckets: list[int]) -> None:
    config = {"vocabulary": [70, 80], "num_oov_indices": 3, "mask_token": None, "oov_token": -1, "output_mode": "int"}
    layer = read(of_keras_3("IntegerLookup", **config, **more))
    assert np.array(layer(np.array([1, 2, 5]))).tolist() == buckets
    again = generic.deserialize(L.KIND, generic.serialize(layer))
    assert np.array(again(np.array([1, 2, 5]))).tolist() == buckets


def test_boundaries_that_keras_3_found_come_with_the_number_it_looked_for() -> None:
    layer = read(of_keras_3("Discretization", bin_boundaries=[0.5, 1.5], num_bins=3, epsilon=0.01, output_mode="int"))
    assert np.array(layer(np.array([[0.0, 0.5, 2.0]], "float32"))).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("MeanSquaredError", {"fn": "mean_squared_error"}),
        ("BinaryCrossentropy", {"fn": "binary_crossentropy", "axis": -1, "label_smoothing": 0.125}),
        ("SparseCategoricalCrossentropy", {"ignore_class": None, "from_logits": True}),
        ("Huber", {"fn": "huber", "delta": 0.5}),
    ],
)
def test_losses_of_later_generations(name: str, config: dict[str, Any]) -> None:
    found = read(of_keras_3(name, "keras.losses", reduction="sum_over_batch_size", **config), keras.losses)
    meant = {key: value for key, value in config.items() if key not in ("fn", "axis", "ignore_class")}
    assert found.get_config().items() >= meant.items()
    with pytest.raises(LoadError, match="ignore_class"):
        read(of_keras_3("SparseCategoricalCrossentropy", "keras.losses", ignore_class=2), keras.losses)


# -- to Keras 3 --------------------------------------------------------------------------------------------------


def told(layer: Any) -> dict[str, Any]:
    return keras_3.form_of(generic.serialize(layer))["config"]


@pytest.mark.parametrize(
    ("layer", "has", "lacks"),
    [
        (lambda: L.SpatialDropout1D(0.5), {"rate": 0.5}, ("trainable", "noise_shape")),
        (lambda: L.Discretization(bin_boundaries=[0.0]), {"bin_boundaries": [0.0]}, ("trainable", "bins")),
        (lambda: L.CategoryEncoding(6, "binary"), {"num_tokens": 6, "output_mode": "multi_hot"}, ("max_tokens",)),
        (lambda: L.Hashing(7), {"dtype": "int64", "output_mode": "int", "salt": None}, ()),
        (lambda: L.Hashing(7, salt=[3, 5]), {"dtype": "int64", "salt": [3, 5]}, ()),
        (
            lambda: L.IntegerLookup(vocabulary=[3]),
            {"max_tokens": None, "mask_token": 0, "oov_token": -1},
            ("max_values",),
        ),
        (lambda: L.LeakyReLU(0.25), {"negative_slope": 0.25}, ("alpha",)),
        (lambda: L.LSTM(2), {"units": 2}, ("time_major", "implementation")),
    ],
)
def test_arguments_of_keras_3(layer: Any, has: dict[str, Any], lacks: tuple[str, ...]) -> None:
    config = told(layer())
    assert config.items() >= has.items()
    assert not config.keys() & set(lacks)


def test_a_number_on_a_bin_of_2_4_stays_below_it() -> None:
    (boundary,) = told(L.Discretization(bins=[0.5]))["bin_boundaries"]
    assert boundary == np.nextafter(np.float32(0.5), np.float32(1))


def test_hard_sigmoid_is_another_function_in_keras_3() -> None:
    with pytest.raises(ValueError, match=r"Dense 'd': found activation='hard_sigmoid'"):
        told(L.Dense(2, activation="hard_sigmoid", name="d"))
    form = of_keras_3("Dense", units=2, activation="hard_sigmoid")
    layer = read(form)
    np.testing.assert_allclose(layer.activation(np.array([1.0], "float32")), [4 / 6], rtol=1e-6)
    assert told(layer)["activation"] == "hard_sigmoid"


def test_modules_and_names_of_schedules_and_losses() -> None:
    rate = keras.optimizers.schedules.ExponentialDecay(0.25, 2, 0.5)
    form = keras_3.form_of(generic.serialize(keras.optimizers.SGD(rate)))
    assert form["config"]["learning_rate"]["module"] == "keras.optimizers.schedules"
    assert form["config"]["learning_rate"]["config"]["name"] == "ExponentialDecay"
    loss = keras_3.form_of(generic.serialize(keras.losses.Huber()))
    assert (loss["module"], loss["config"]["reduction"]) == ("keras.losses", "sum_over_batch_size")
    with pytest.raises(ValueError, match="gain=2"):
        keras_3.form_of(generic.serialize(keras.initializers.Identity(2.0)))


def calls(model: Any) -> Any:
    with keras.dialect("keras-3"):
        text = model.to_json()
    again = keras.models.model_from_json(text)
    assert again.get_config()["output_layers"] == model.get_config()["output_layers"]
    return json.loads(text)["config"]["layers"][-1]["inbound_nodes"], again


def history(tensor: Any) -> Any:
    return tensor["config"]["keras_history"]


def test_tensors_among_the_arguments_of_a_call() -> None:
    q, v = keras.Input((4, 2), name="q"), keras.Input((3, 2), name="v")
    model = keras.Model([q, v], L.MultiHeadAttention(1, 2, name="m")(q, v))
    (node,), again = calls(model)
    assert history(node["args"][0]) == ["q", 0, 0]
    assert history(node["kwargs"]["value"]) == ["v", 0, 0]
    again.set_weights(model.get_weights())
    x = [
        np.sin(np.arange(8.0, dtype="float32")).reshape(1, 4, 2),
        np.cos(np.arange(6.0, dtype="float32")).reshape(1, 3, 2),
    ]
    np.testing.assert_array_equal(again(x), model(x))


def test_states_of_a_recurrent_layer_are_an_argument_of_their_own() -> None:
    x, h, c = keras.Input((4, 2), name="x"), keras.Input((3,), name="h"), keras.Input((3,), name="c")
    model = keras.Model([x, h, c], L.LSTM(3, name="l")(x, initial_state=[h, c]))
    (node,), again = calls(model)
    assert history(node["args"][0]) == ["x", 0, 0]
    assert [history(state) for state in node["kwargs"]["initial_state"]] == [["h", 0, 0], ["c", 0, 0]]
    again.set_weights(model.get_weights())
    values = [
        np.sin(np.arange(8.0, dtype="float32")).reshape(1, 4, 2),
        np.ones((1, 3), "float32"),
        np.ones((1, 3), "float32"),
    ]
    np.testing.assert_array_equal(again(values), model(values))
