"""Files of Keras 1 and early 2.x: written here as those versions wrote them, and compared with what they computed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError
from reference_impl.serialization import legacy

Arrays = Sequence[tuple[str, Any]]


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def write(
    path: Path,
    config: Any,
    layers: Mapping[str, Arrays],
    *,
    kind: str = "Sequential",
    version: str | None = "1.2.2",
    backend: str | None = None,
    **attributes: Any,
) -> str:
    """A whole-model file; ``layers``: each with the names and values of its weights."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": kind, "config": config}).encode()
        group = file.create_group("model_weights")
        for name, value in (("keras_version", version), ("backend", backend)):
            if value is not None:
                file.attrs[name] = group.attrs[name] = value.encode()
        for name, value in attributes.items():
            file.attrs[name] = value
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for name, weights in layers.items():
            inner = group.create_group(name)
            inner.attrs["weight_names"] = [weight.encode() for weight, _ in weights]
            for weight, value in weights:
                inner[weight] = value
    return str(path)


def load(path: str) -> Any:
    return keras.models.load_model(path, compile=False)


def dense(name: str, units: int, **config: Any) -> Any:
    return {"class_name": "Dense", "config": {"name": name, "output_dim": units, "init": "uniform", **config}}


def dense_weights(name: str, kernel: Any, bias: Any) -> Arrays:
    return [(f"{name}_W:0", kernel), (f"{name}_b:0", bias)]


def as_array(tensor: Any) -> Any:
    return np.asarray(tensor)


def test_list_of_layers(tmp_path: Path) -> None:
    kernel, bias, x = numbers(3, 4), numbers(4, seed=1), numbers(2, 3, seed=2)
    layers = [
        dense(
            "dense_1",
            4,
            batch_input_shape=[None, 3],
            input_dim=3,
            input_dtype="float32",
            bias=True,
            activation="linear",
            W_regularizer={"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
            b_constraint={"name": "MaxNorm", "m": 2, "axis": 0},
            trainable=None,
        ),
        {"class_name": "Dropout", "config": {"name": "dropout_1", "p": 0.25}},
    ]
    model = load(write(tmp_path / "m", layers, {"dense_1": dense_weights("dense_1", kernel, bias), "dropout_1": []}))
    np.testing.assert_allclose(as_array(model(x)), x @ kernel + bias, rtol=1e-6)
    first, second = model.layers
    assert first.get_config()["kernel_regularizer"]["config"]["l2"] == pytest.approx(0.5)
    assert first.get_config()["bias_constraint"]["config"]["max_value"] == 2
    assert first.trainable
    assert second.rate == 0.25


def correlate(x: Any, kernel: Any) -> Any:
    """(rows, columns, channels) with (rows, columns, channels, filters), no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(0, 1))  # pyright: ignore[reportCallIssue, reportArgumentType]
    return np.einsum("hwcij,ijcf->hwf", windows, kernel)


@pytest.mark.parametrize("theano", [False, True])
@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_kernels(tmp_path: Path, theano: bool, ordering: str) -> None:
    """Channels-first kernels are (filters, channels, rows, columns); without ``:0`` in names Theano mirrored them."""
    kernel, x = numbers(2, 3, 4, 5), numbers(6, 7, 4, seed=1)
    stored = kernel[::-1, ::-1] if theano else kernel
    first = ordering == "th"
    config = {
        "name": "c",
        "nb_filter": 5,
        "nb_row": 2,
        "nb_col": 3,
        "dim_ordering": ordering,
        "border_mode": "valid",
        "subsample": [1, 1],
        "bias": False,
        "activation": "linear",
        "batch_input_shape": [None, 4, 6, 7] if first else [None, 6, 7, 4],
    }
    name = "c_W" if theano else "c_W:0"
    value = stored.transpose(3, 2, 0, 1) if first else stored
    path = write(tmp_path / "m", [{"class_name": "Convolution2D", "config": config}], {"c": [(name, value)]})
    given = x.transpose(2, 0, 1) if first else x
    found = as_array(load(path)(given[None]))[0]
    np.testing.assert_allclose(found.transpose(1, 2, 0) if first else found, correlate(x, kernel), rtol=1e-5, atol=1e-6)


def test_kernels_of_theano_in_keras_2(tmp_path: Path) -> None:
    kernel, x = numbers(2, 2, 1, 1), numbers(3, 3, 1, seed=1)
    config = {"name": "c", "filters": 1, "kernel_size": [2, 2], "use_bias": False, "batch_input_shape": [None, 3, 3, 1]}
    layers = [{"class_name": "Conv2D", "config": config}]
    for backend, stored in (("theano", kernel[::-1, ::-1]), ("tensorflow", kernel), ("cntk", kernel)):
        path = write(tmp_path / backend, layers, {"c": [("c/kernel", stored)]}, version="2.0.8", backend=backend)
        np.testing.assert_allclose(as_array(load(path)(x[None]))[0], correlate(x, kernel), rtol=1e-5)


def test_kernels_of_conv1d(tmp_path: Path) -> None:
    """(length, 1, channels, filters), and before 1.2 (filters, channels, length, 1)."""
    kernel = numbers(3, 4, 5)
    config = {"name": "c", "nb_filter": 5, "filter_length": 3, "input_dim": 4, "input_length": 7, "bias": False}
    layers = [{"class_name": "Convolution1D", "config": config}]
    for index, stored in enumerate((kernel[:, None], kernel.transpose(2, 1, 0)[..., None])):
        model = load(write(tmp_path / str(index), layers, {"c": [("c_W:0", stored)]}))
        np.testing.assert_array_equal(model.get_weights()[0], kernel)
        assert model.input_shape == (None, 7, 4)


def test_lstm_of_twelve_arrays(tmp_path: Path) -> None:
    gates = {
        gate: (numbers(3, 2, seed=i), numbers(2, 2, seed=10 + i), numbers(2, seed=20 + i))
        for i, gate in enumerate("icfo")
    }
    weights = [(f"{kind}_{gate}:0", value) for gate in "icfo" for kind, value in zip("WUb", gates[gate], strict=True)]
    config = {
        "name": "l",
        "output_dim": 2,
        "inner_activation": "hard_sigmoid",
        "activation": "tanh",
        "forget_bias_init": "one",
        "consume_less": "cpu",
        "batch_input_shape": [None, 5, 3],
    }
    model = load(write(tmp_path / "m", [{"class_name": "LSTM", "config": config}], {"l": weights}))
    for part, found in enumerate(model.get_weights()):
        np.testing.assert_array_equal(found, np.concatenate([gates[gate][part] for gate in "ifco"], axis=-1))
    assert model.layers[0].get_config()["recurrent_activation"] == "hard_sigmoid"
    both = [(f"{side}_{name}", value + shift) for side, shift in (("f", 0), ("b", 1)) for name, value in weights]
    inner = {"class_name": "LSTM", "config": config}
    form: Any = {"name": "b", "merge_mode": "concat", "layer": inner, "batch_input_shape": [None, 5, 3]}
    model = load(write(tmp_path / "b", [{"class_name": "Bidirectional", "config": form}], {"b": both}))
    forward, backward = model.get_weights()[0], model.get_weights()[3]
    np.testing.assert_array_equal(forward + 1, backward)


def test_gru_of_nine_arrays(tmp_path: Path) -> None:
    weights = [(f"{kind}_{gate}:0", numbers(*shape, seed=ord(gate))) for gate in "zrh" for kind, shape in GRU_SHAPES]
    config = {"name": "g", "output_dim": 2, "batch_input_shape": [None, 5, 3], "consume_less": "mem"}
    model = load(write(tmp_path / "m", [{"class_name": "GRU", "config": config}], {"g": weights}))
    kernel = model.get_weights()[0]
    np.testing.assert_array_equal(kernel, np.concatenate([value for name, value in weights if name[0] == "W"], axis=1))
    assert model.layers[0].get_config()["reset_after"] is False


GRU_SHAPES = (("W", (3, 2)), ("U", (2, 2)), ("b", (2,)))


def test_cudnn(tmp_path: Path) -> None:
    """Each gate transposed, two biases a gate; the class becomes the plain one."""
    kernel, recurrent, bias = numbers(3, 8), numbers(2, 8, seed=1), numbers(16, seed=2)
    plain = [
        np.concatenate([gate.reshape(2, 3).T for gate in np.split(kernel, 4, axis=1)], axis=1),
        np.concatenate([gate.T for gate in np.split(recurrent, 4, axis=1)], axis=1),
        bias[:8] + bias[8:],
    ]
    config = {"name": "l", "units": 2, "batch_input_shape": [None, 5, 3]}
    weights = [("l/kernel:0", kernel), ("l/recurrent_kernel:0", recurrent), ("l/bias:0", bias)]
    layers = [{"class_name": "CuDNNLSTM", "config": config}]
    model = load(write(tmp_path / "m", layers, {"l": weights}, version="2.2.4", backend="tensorflow"))
    for found, expected in zip(model.get_weights(), plain, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert model.layers[0].get_config()["recurrent_activation"] == "sigmoid"


def test_merge(tmp_path: Path) -> None:
    """A Sequential model that begins with a Merge has several inputs."""
    a, b, x, y = numbers(3, 4), numbers(2, 4, seed=1), numbers(5, 3, seed=2), numbers(5, 2, seed=3)
    zero = np.zeros(4, "float32")
    branches = [
        {"class_name": "Sequential", "config": [dense("a", 4, batch_input_shape=[None, 3])]},
        {"class_name": "Sequential", "config": [dense("b", 4, batch_input_shape=[None, 2])]},
    ]
    weights: Any = {"a": dense_weights("a", a, zero), "b": dense_weights("b", b, zero), "merge_1": []}
    expected = {"sum": x @ a + y @ b, "mul": (x @ a) * (y @ b), "max": np.maximum(x @ a, y @ b)}
    expected["concat"] = np.concatenate([x @ a, y @ b], axis=1)
    for mode, wanted in expected.items():
        merge = {
            "name": "merge_1",
            "mode": mode,
            "mode_type": "raw",
            "concat_axis": -1,
            "dot_axes": -1,
            "layers": branches,
        }
        path = write(tmp_path / mode, [{"class_name": "Merge", "config": merge}], weights)
        np.testing.assert_allclose(as_array(load(path)([x, y])), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ({"class_name": "Merge", "config": {"name": "m", "mode": "4wAA", "mode_type": "lambda"}}, "'m'.*lambda"),
        ({"class_name": "Merge", "config": {"name": "m", "mode": "cos"}}, "'m'.*cos"),
        ({"class_name": "Highway", "config": {"name": "h"}}, "'h'.*Highway"),
        ({"class_name": "MaxoutDense", "config": {"name": "h"}}, "'h'.*MaxoutDense"),
        ({"class_name": "BatchNormalization", "config": {"name": "n", "mode": 1}}, "'n'.*mode=1"),
        ({"class_name": "Convolution1D", "config": {"name": "c", "border_mode": "full"}}, "'c'.*full"),
    ],
)
def test_what_has_no_counterpart_is_refused(form: Any, found: str) -> None:
    with pytest.raises(LoadError, match=found):
        legacy.model_config({"class_name": "Sequential", "config": [dense("d", 2, batch_input_shape=[None, 2]), form]})
    known = legacy.model_config(form, {form["class_name"]})
    assert known == form


def test_ordering_that_is_not_written() -> None:
    """Keras 1 wrote no ordering for padding: it is that of the other layers."""
    convolution = {
        "class_name": "Convolution2D",
        "config": {"name": "c", "dim_ordering": "th", "nb_row": 1, "nb_col": 1},
    }
    padding = {"class_name": "ZeroPadding2D", "config": {"name": "p", "padding": [1, 2, 3, 4]}}
    known = legacy.model_config({"class_name": "Sequential", "config": [padding, convolution]})
    first, second = known["config"]["layers"]
    assert first["config"]["data_format"] == "channels_first"
    assert first["config"]["padding"] == [[1, 2], [3, 4]]
    assert second["config"]["kernel_size"] == [1, 1]


def test_configs_of_today_are_left_alone() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="d"), keras.layers.Dropout(0.5, name="o")])
    form = json.loads(model.to_json())
    assert legacy.model_config(form)["config"] == form["config"]


def test_numbered_layers(tmp_path: Path) -> None:
    """Weights from before Keras 1: ``layer_0`` with ``param_0``, …."""
    kernel, bias = numbers(3, 4), numbers(4, seed=1)
    with h5py.File(tmp_path / "w", "w") as file:
        file.attrs["nb_layers"] = 2
        for index, weights in enumerate(([kernel, bias], [])):
            group = file.create_group(f"layer_{index}")
            group.attrs["nb_params"] = len(weights)
            for number, value in enumerate(weights):
                group[f"param_{number}"] = value
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.ReLU()])
    model.load_weights(str(tmp_path / "w"))
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_weights_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(2, name="b")])
    before = model.get_weights()
    layers = {"a": dense_weights("a", numbers(3, 4), numbers(4)), "b": dense_weights("b", numbers(4, 3), numbers(3))}
    with pytest.raises(LoadError, match=r"m: model_weights: b: found shape \(4, 3\)"):
        model.load_weights(write(tmp_path / "m", [], layers))
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "slots"),
    [("Adam", 2), ("RMSprop", 1), ("Adadelta", 2), ("SGD", 1)],
)
def test_optimizer_lists_before_2_4(tmp_path: Path, name: str, slots: int) -> None:
    """Names say nothing; RMSprop and Adadelta have no step count, SGD has momentum that it does not use."""
    kernel, bias = numbers(3, 4), numbers(4, seed=1)
    layers = [{"class_name": "Dense", "config": {"name": "d", "units": 4, "batch_input_shape": [None, 3]}}]
    optimizer = {"class_name": name, "config": {"lr": 0.5, "decay": 0.0}}
    training: Any = {
        "optimizer_config": optimizer,
        "loss": "mse",
        "metrics": [],
        "loss_weights": None,
        "sample_weight_mode": None,
    }
    weights = {"d": [("d/kernel:0", kernel), ("d/bias:0", bias)]}
    text = json.dumps(training).encode()
    path = write(tmp_path / "m", layers, weights, version="2.2.4", backend="tensorflow", training_config=text)
    stored = [] if name in ("RMSprop", "Adadelta") else [np.asarray(7, "int64")]
    stored += [value + slot for slot in range(slots) for value in (kernel, bias)]
    with h5py.File(path, "r+") as file:
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = [f"training/Variable_{index}:0".encode() for index in range(len(stored))]
        for index, value in enumerate(stored):
            group[f"training/Variable_{index}:0"] = value
    model = keras.models.load_model(path)
    found = [np.asarray(weight) for weight in model.optimizer.weights]
    assert int(found[0]) == (0 if name in ("RMSprop", "Adadelta") else 7)
    if name != "SGD":
        for value, expected in zip(found[1:], stored[-2 * slots :], strict=True):
            np.testing.assert_array_equal(value, expected)
    assert float(model.optimizer.learning_rate) == 0.5


def test_state_beside_kernels_that_are_turned_begins_anew(tmp_path: Path) -> None:
    """It fits in shape, and would belong to other elements of the kernel."""
    kernel = numbers(2, 2, 1, 3)
    layers = [{"class_name": "Conv2D", "config": {"name": "c", "filters": 3, "kernel_size": [2, 2], "use_bias": False,
                                                  "batch_input_shape": [None, 4, 4, 1]}}]  # fmt: skip
    training = {"optimizer_config": {"class_name": "SGD", "config": {"lr": 0.5, "momentum": 0.9}}, "loss": "mse"}
    for backend in ("theano", "tensorflow"):
        text = json.dumps(training).encode()
        weights = {"c": [("c/kernel:0", kernel)]}
        path = write(tmp_path / backend, layers, weights, version="2.1.6", backend=backend, training_config=text)
        with h5py.File(path, "r+") as file:
            group = file.create_group("optimizer_weights")
            group.attrs["weight_names"] = [b"v0:0", b"v1:0"]
            group["v0:0"], group["v1:0"] = np.asarray(7, "int64"), kernel
        if backend == "theano":
            with pytest.warns(UserWarning, match="optimizer_weights: .*2.1.6 on Theano.*begins anew"):
                model = keras.models.load_model(path)
            assert int(model.optimizer.iterations) == 0
        else:
            model = keras.models.load_model(path)
            assert int(model.optimizer.iterations) == 7
            np.testing.assert_array_equal(np.asarray(model.optimizer.weights[1]), kernel)
        assert float(model.optimizer.learning_rate) == 0.5


def test_json_of_keras_1() -> None:
    layers = [dense("d", 4, batch_input_shape=[None, 3]), {"class_name": "Dropout", "config": {"name": "o", "p": 0.25}}]
    form = {"class_name": "Sequential", "config": layers, "keras_version": "1.2.2"}
    for model in (keras.models.model_from_json(json.dumps(form)), keras.models.model_from_config(form)):
        assert [layer.name for layer in model.layers] == ["d", "o"]
        assert (model.layers[0].units, model.layers[1].rate) == (4, 0.25)


def test_a_class_of_the_user_s_own_keeps_its_arguments() -> None:
    """Though Keras 1 had one of that name, whose arguments are others now."""

    class Mine(keras.layers.Layer):
        def __init__(self, p: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.p = p

    layers = [{"class_name": "Dropout", "config": {"name": "o", "p": 0.25, "batch_input_shape": [None, 3]}}]
    text = json.dumps({"class_name": "Sequential", "config": layers})
    model = keras.models.model_from_json(text, {"Dropout": Mine})
    assert model.layers[0].p == 0.25
    assert keras.models.model_from_json(text).layers[0].rate == 0.25
