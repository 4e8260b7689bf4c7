"""Models: graphs, configs, JSON, clones, weights, summaries."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import tf
from reference_impl.layers.owner import Owner

L = keras.layers


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


def branched() -> Any:
    """Two inputs, a shared layer, a nested model, order-sensitive joins, functions of tensors, two outputs."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = L.Dense(4, activation="relu", name="shared")
    inner = keras.Model(a, L.Dense(3, name="inside")(a), name="inner")
    difference = L.Subtract(name="difference")([shared(b), shared(a)])
    scaled = 2.0 * difference - a[:, 1:2]
    dropped = L.Dropout(0.5, name="dropped")(scaled, training=False)
    return keras.Model([a, b], [L.Concatenate(name="join")([inner(b), dropped, inner(a)]), scaled], name="branched")


def chain() -> Any:
    return keras.Sequential([keras.Input((4,)), L.Dense(3, name="x"), L.BatchNormalization(), L.Dense(2, name="y")])


DATA = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def outputs(model: Any) -> list[Any]:
    data: Any = [DATA, DATA[::-1].copy()] if len(model.inputs) == 2 else DATA
    found = model.predict(data)
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("make", [branched, chain])
@pytest.mark.parametrize("how", ["config", "json", "clone"])
def test_rebuilt_models_are_equal_but_fresh(make: Any, how: str) -> None:
    model = make()
    model.compile("adam", "mse")
    config = model.get_config()
    kept = copy.deepcopy(config)
    if how == "config":
        again = type(model).from_config(config)
    elif how == "json":
        again = keras.models.model_from_json(model.to_json())
    else:
        again = keras.models.clone_model(model)
    assert config == kept
    assert json.dumps(again.get_config()) == json.dumps(config)
    assert again.optimizer is None
    assert not np.array_equal(again.get_weights()[0], model.get_weights()[0])
    again.set_weights(model.get_weights())
    for old, new in zip(outputs(model), outputs(again), strict=True):
        np.testing.assert_array_equal(old, new)


def test_config_form_of_a_graph() -> None:
    config = branched().get_config()
    assert [layer["name"] for layer in config["layers"]][:3] == ["b", "a", "shared"]
    nodes = {layer["name"]: layer["inbound_nodes"] for layer in config["layers"]}
    assert nodes["shared"] == [[["b", 0, 0, {}]], [["a", 0, 0, {}]]]
    assert nodes["difference"] == [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]
    assert nodes["dropped"] == [[["tf.math.subtract", 0, 0, {"training": False}]]]
    assert nodes["tf.math.multiply"] == [["_CONSTANT_VALUE", -1, 2.0, {"y": ["difference", 0, 0], "name": None}]]
    assert nodes["join"] == [[["inner", 1, 0, {}], ["dropped", 0, 0, {}], ["inner", 2, 0, {}]]]
    assert config["output_layers"] == [["join", 0, 0], ["tf.math.subtract", 0, 0]]


def test_json_names_version_and_backend() -> None:
    form = json.loads(chain().to_json())
    assert (form["class_name"], form["keras_version"], form["backend"]) == ("Sequential", "2.4.0", "tensorflow")


def test_json_of_something_else_is_refused() -> None:
    layer = json.dumps({"class_name": "Dense", "config": {"units": 2}})
    for text, reason in (("{", "not JSON"), (layer, "'Dense' is a layer"), ("[]", "a dict with 'class_name'")):
        with pytest.raises(keras.LoadError, match=reason):
            keras.models.model_from_json(text)


def test_config_of_a_graph_that_cannot_be_connected() -> None:
    config = chain_graph().get_config()
    config["layers"][1]["inbound_nodes"][0][0][0] = "nowhere"
    with pytest.raises(keras.LoadError, match=r"layer 'd' cannot be connected.*nowhere"):
        keras.Model.from_config(config)


def chain_graph() -> Any:
    x = keras.Input((4,), name="i")
    return keras.Model(x, L.Dense(2, name="d")(x))


def test_values_json_has_no_form_for_are_named() -> None:
    class Holder(L.Layer):
        def __init__(self, held: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.__dict__["held"] = held

        def get_config(self) -> Any:
            return {**super().get_config(), "held": self.__dict__["held"]}

    fine = Holder({"t": (1, 2), "n": np.float32(2), "a": np.arange(3)})
    text = keras.Sequential([keras.Input((2,)), fine]).to_json()
    form = json.loads(text)
    assert form["config"]["layers"][1]["config"]["held"] == {"t": [1, 2], "n": 2.0, "a": [0, 1, 2]}
    held = keras.models.model_from_json(text, {"Holder": Holder}).layers[0].__dict__["held"]
    assert held["t"] == (1, 2)
    assert type(held["n"]) is np.float32
    np.testing.assert_array_equal(held["a"], np.arange(3), strict=True)
    form["value_kinds"]["/config/layers/9/config"] = "tuple"
    with pytest.raises(keras.LoadError, match="'/config/layers/9/config' is said to be 'tuple'"):
        keras.models.model_from_json(json.dumps(form), {"Holder": Holder})
    assert "value_kinds" not in branched().to_json()
    for value in ({1}, b"x", object()):
        with pytest.raises(TypeError, match=r"\['layers'\]\[1\]\['config'\]\['held'\]"):
            keras.Sequential([keras.Input((2,)), Holder(value)]).to_json()


def test_model_over_inner_tensors_shares_layers() -> None:
    x = keras.Input((4,))
    whole = keras.Model(x, L.Dense(2)(L.Dense(3, name="first")(x)))
    part = keras.Model(whole.inputs, whole.layers[-1].input)
    assert part.get_layer("first") is whole.get_layer("first")
    whole.get_layer("first").kernel.assign(np.ones((4, 3)))
    np.testing.assert_allclose(part.predict(DATA), DATA.sum(1, keepdims=True).repeat(3, 1), rtol=1e-6)


def test_mistakes_in_graphs_are_named() -> None:
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    with pytest.raises(ValueError, match=r"Graph disconnected.*'y'"):
        keras.Model(x, L.Dense(1)(y))
    with pytest.raises(ValueError, match='"q" is used 2 times'):
        keras.Model([x, y], [L.Dense(1, name="q")(x), L.Dense(1, name="q")(y)])
    with pytest.raises(ValueError, match="unique names"):
        keras.Sequential([L.Dense(1, name="q"), L.Dense(1, name="q")])


class Subclassed(keras.Model):
    def __init__(self, units: int = 3, name: str | None = None) -> None:
        super().__init__(name=name)
        self.units = units
        self.first = L.Dense(4)
        self.rest = [L.Dense(units)]
        self.scale = self.add_weight("scale", shape=(units,), initializer="ones")

    def call(self, inputs: Any) -> Any:
        return self.rest[0](self.first(inputs)) * self.scale


class Configured(Subclassed):
    def get_config(self) -> Any:
        return {"units": self.units, "name": self.name}


def test_subclassed_models() -> None:
    model = Subclassed()
    with pytest.raises(NotImplementedError, match="Subclassed is a subclassed model"):
        model.get_config()
    with pytest.raises(ValueError, match=r"expecting 1 weights"):
        model.set_weights([])
    model(DATA)
    assert [variable.name for variable in model.weights] == [
        "subclassed/dense/kernel:0", "subclassed/dense/bias:0",
        "subclassed/dense_1/kernel:0", "subclassed/dense_1/bias:0", "scale:0",
    ]  # fmt: skip


def test_a_subclassed_model_has_no_weights_before_its_call() -> None:
    class Plain(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.only = L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.only(inputs)

    model = Plain()
    assert model.weights == []
    with pytest.raises(ValueError, match="expecting 0 weights"):
        model.set_weights([np.ones((4, 2)), np.ones(2)])


def test_default_from_config_is_the_constructor() -> None:
    model = Configured(7, name="mine")
    again = Configured.from_config(model.get_config())
    assert (again.units, again.name) == (7, "mine")
    with keras.utils.custom_object_scope({"Configured": Configured}):
        assert keras.models.model_from_json(model.to_json()).units == 7
    assert keras.models.clone_model(model).units == 7
    with pytest.raises(ValueError, match="without get_config"):
        keras.models.clone_model(Subclassed())


def test_clone_keeps_flags() -> None:
    model = branched()
    model.get_layer("shared").trainable = False
    model.get_layer("inner").get_layer("inside").trainable = False
    model.get_layer("inner").trainable = False
    clone = keras.models.clone_model(model)
    assert [layer.trainable for layer in clone.layers] == [layer.trainable for layer in model.layers]
    assert not clone.get_layer("inner").get_layer("inside").trainable


def test_symbolic_losses_are_part_of_the_config() -> None:
    model = chain_graph()
    model.add_loss(tf.reduce_mean(model.outputs[0]))
    model.add_metric(tf.reduce_sum(model.outputs[0]), name="total", aggregation="mean")
    for again in (keras.Model.from_config(model.get_config()), keras.models.clone_model(model)):
        assert again.get_config() == model.get_config()
        again(DATA)
        assert len(again.losses) == 1
        assert [metric.name for metric in again.metrics] == ["total"]


def test_deferred_sequential() -> None:
    model = keras.Sequential([L.Dense(3), L.Dense(2)])
    with pytest.raises(ValueError, match="have not yet been created"):
        _ = model.weights
    with pytest.raises(ValueError, match="not yet been built"):
        model.summary()
    assert "InputLayer" not in model.to_json()
    model(DATA[:2])
    assert model(DATA).shape == (5, 2)
    assert model.get_config()["layers"][0]["config"]["batch_input_shape"] == (None, 4)
    assert [variable.name for variable in model.weights][:2] == ["dense/kernel:0", "dense/bias:0"]


def test_deferred_sequential_built_by_shape() -> None:
    model = keras.Sequential([L.Dense(3)])
    model.build((None, 4))
    assert model.input_shape == (None, 4)
    model.add(L.Dense(1))
    assert model.output_shape == (None, 1)
    model.pop()
    assert model.output_shape == (None, 3)


def test_inputs_by_name() -> None:
    model = branched()
    by_list = model.predict([DATA, DATA + 1])
    by_name = model.predict({"b": DATA + 1, "a": DATA})
    for first, second in zip(by_list, by_name, strict=True):
        np.testing.assert_array_equal(first, second)
    with pytest.raises(ValueError, match="Missing data for input 'b'"):
        model.predict({"a": DATA})
    with pytest.raises(ValueError, match=r"Input 'a' of the model has shape \(None, 4\)"):
        model.predict([DATA[:, :3], DATA])


def test_model_weights_are_the_layers_lists() -> None:
    model = chain()
    by_layer = [variable for layer in model.layers for variable in layer.weights]
    assert all(a is b for a, b in zip(model.weights, by_layer, strict=True))
    assert [v.name.split("/")[1] for v in model.weights] == [
        "kernel:0", "bias:0", "gamma:0", "beta:0", "moving_mean:0", "moving_variance:0", "kernel:0", "bias:0",
    ]  # fmt: skip


def test_summaries(capsys: pytest.CaptureFixture[str]) -> None:
    keras.Sequential([keras.Input((784,)), L.Dense(64, name="dense_1"), L.Dense(5, name="dense_3")]).summary()
    assert capsys.readouterr().out.splitlines() == [
        'Model: "sequential"',
        "_" * 65,
        "Layer (type)                 Output Shape              Param #   ",
        "=" * 65,
        "dense_1 (Dense)              (None, 64)                50240     ",
        "_" * 65,
        "dense_3 (Dense)              (None, 5)                 325       ",
        "=" * 65,
        "Total params: 50,565",
        "Trainable params: 50,565",
        "Non-trainable params: 0",
        "_" * 65,
    ]
    x = keras.Input((4,))
    keras.Model(x, L.Add()([L.Dense(4)(x), x])).summary()
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[2] == "Layer (type)                    Output Shape         Param #     Connected to                     "
    )
    assert lines[8:10] == [
        "add (Add)                       (None, 4)            0           dense[0][0]                      ",
        "                                                                 input_2[0][0]                    ",
    ]


def test_functional_subclass_keeps_its_class() -> None:
    class Mine(keras.Model):
        pass

    x = keras.Input((4,))
    model = Mine(x, L.Dense(2)(x))
    assert type(model) is Mine
    assert model.name == "mine"
    assert Mine.from_config(model.get_config()).get_config() == model.get_config()
    assert type(keras.Model(x, L.Dense(2)(x))).__name__ == "Functional"


def test_positional_arguments_as_tensorflow_misnames_them() -> None:
    class Two(L.Layer):
        def call(self, first: Any, second: Any, third: Any = None) -> Any:
            return first - second

    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model([a, b], Two(name="two")(a, b))
    config = model.get_config()
    assert config["layers"][2]["inbound_nodes"] == [[["a", 0, 0, {"second": ["b", 0, 0]}]]]
    config["layers"][2]["inbound_nodes"] = [[["a", 0, 0, {"first": ["b", 0, 0]}]]]
    with keras.utils.custom_object_scope({"Two": Two}):
        again = keras.Model.from_config(config)
    np.testing.assert_array_equal(again.predict([DATA[:, :2], DATA[:, 2:]]), DATA[:, :2] - DATA[:, 2:])


@pytest.mark.parametrize("make", [branched, chain])
def test_a_frozen_model_is_frozen_again(make: Any) -> None:
    outer = keras.Sequential([make()]) if make is chain else None
    model = make() if outer is None else outer.layers[0]
    assert "trainable" not in model.get_config()
    model.trainable = False
    model.layers[-1].trainable = True
    again = type(model).from_config(model.get_config())
    assert not again.trainable
    # An InputLayer has nothing to train, and no flag in its config.
    flags = [
        [layer.trainable for layer in each.layers if not isinstance(layer, L.InputLayer)] for each in (model, again)
    ]
    assert flags[0] == flags[1]


def test_configs_hand_out_no_live_lists() -> None:
    for layer in (L.Dropout(0.1, noise_shape=[None, 1]), L.Dot([1, 2]), L.Dense(1, kernel_constraint={
        "class_name": "MaxNorm", "config": {"axis": [0, 1]}}, bias_initializer=keras.initializers.Constant([1.0]))):  # fmt: skip
        kept = json.dumps(layer.get_config())
        for value in layer.get_config().values():
            inner = value["config"].values() if isinstance(value, dict) else [value]
            for item in inner:
                if isinstance(item, list):
                    item.append(9)
        assert json.dumps(layer.get_config()) == kept


def test_a_replaced_variable_is_no_weight() -> None:
    layer = L.Layer()
    layer.v = tf.Variable(1.0)
    layer.v = tf.Variable(2.0)
    assert [float(variable) for variable in layer.weights] == [2.0]


def test_names_are_not_compared_each_with_each(monkeypatch: pytest.MonkeyPatch):
    """A file of some megabytes may name tens of thousands of layers."""
    read: list[int] = []
    name: Any = Owner.__dict__["name"]
    monkeypatch.setattr(Owner, "name", property(lambda self: read.append(1) or name.fget(self)))

    def reads(count: int) -> int:
        read.clear()
        model = keras.Sequential([keras.Input((1,)), *(L.Activation("relu") for _ in range(count))])
        assert len(model.layers) == count
        return len(read)

    assert reads(200) < 3 * reads(100)
