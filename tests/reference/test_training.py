"""Optimizers, losses, metrics, fit, and compile information. Expected numbers were computed by TensorFlow 2.4.4."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import tf
from reference_impl.training.config import compile_from_config, external_callables, training_config

L = keras.layers
opt = keras.optimizers
X = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
Y = np.array([[1], [0], [0.5], [-1]], "float32")


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


def model(units: int = 1, activation: str | None = None) -> Any:
    built = keras.Sequential([keras.Input((2,)), L.Dense(units, activation=activation, name="d")])
    built.set_weights([np.full((2, units), 0.5) * (np.arange(units) + 1), np.full((units,), 0.1)])
    return built


# After five steps on (X, Y) with the mean squared error: the two kernel weights and the bias.
OPTIMIZERS: dict[str, list[float]] = {
    "adam": [0.0082033, 0.008247, 0.0831422],
    "amsgrad": [0.0828749, 0.082726, 0.0797469],
    "sgd": [-0.081157, -0.0764307, 0.1165423],
    "momentum": [-0.9039658, -0.8929288, 0.13863],
    "nesterov": [-0.8431602, -0.8334156, 0.1341059],
    "rmsprop": [-0.2897275, -0.2976189, 0.1265866],
    "rmsprop_all": [-0.6188661, -0.6576626, 0.1184716],
    "clipped": [0.4290731, 0.4295063, 0.116784],
    "schedule": [-0.138354, -0.1332012, 0.1180347],
}
MAKERS: dict[str, Any] = {
    "adam": lambda: opt.Adam(0.1),
    "amsgrad": lambda: opt.Adam(0.1, amsgrad=True, decay=0.1),
    "sgd": lambda: opt.SGD(0.1),
    "momentum": lambda: opt.SGD(0.1, momentum=0.9),
    "nesterov": lambda: opt.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: opt.RMSprop(0.1),
    "rmsprop_all": lambda: opt.RMSprop(0.1, momentum=0.5, centered=True),
    "clipped": lambda: opt.SGD(0.1, clipnorm=0.2),
    "schedule": lambda: opt.SGD(opt.schedules.ExponentialDecay(0.2, 2, 0.5)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_optimizers(name: str) -> None:
    trained = model()
    trained.compile(MAKERS[name](), "mse")
    for _ in range(5):
        trained.train_on_batch(X, Y)
    found = np.concatenate([weight.ravel() for weight in trained.get_weights()])
    np.testing.assert_allclose(found, OPTIMIZERS[name], rtol=0, atol=1e-6)


# The loss of the fixed weights, and after one step of SGD(0.1).
LOSSES: dict[str, list[float]] = {
    "mse": [1.7413775, 1.2697401],
    "mae": [1.0035714, 0.9408163],
    "huber": [0.2620153, 0.257886],
    "hinge": [1.2857143, 1.2693877],
    "binary": [0.886802, 0.8753874],
    "binary_logits": [0.8725163, 0.8624173],
    "categorical": [1.2992153, 1.2842331],
    "categorical_sigmoid": [1.2992153, 1.2842331],
    "sparse": [1.2992153, 1.2842331],
    "kld": [0.638755, 0.6277236],
    "cosine": [0.0624936, 0.0603606],
    "sum": [6.9655099, 1.4319358],
}
BINARY = (Y > 0).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1, 0]]
LABELS = np.array([0, 2, 1, 0])
LOSS_CASES: dict[str, Any] = {
    "mse": ("mse", 1, None, Y),
    "mae": ("mean_absolute_error", 1, None, Y),
    "huber": (lambda: keras.losses.Huber(0.3), 1, None, Y),
    "hinge": ("hinge", 1, None, BINARY),
    "binary": ("binary_crossentropy", 1, "sigmoid", BINARY),
    "binary_logits": (lambda: keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), 1, None, BINARY),
    "categorical": ("categorical_crossentropy", 3, "softmax", ONE_HOT),
    "categorical_sigmoid": ("categorical_crossentropy", 3, "sigmoid", ONE_HOT),
    "sparse": ("sparse_categorical_crossentropy", 3, "softmax", LABELS),
    "kld": ("kl_divergence", 3, "softmax", ONE_HOT * 0.7 + 0.1),
    "cosine": (lambda: keras.losses.CosineSimilarity(axis=-1), 3, None, ONE_HOT),
    "sum": (lambda: keras.losses.MeanSquaredError(reduction="sum"), 1, None, Y),
}


@pytest.mark.parametrize("name", LOSS_CASES)
def test_losses(name: str) -> None:
    loss, units, activation, targets = LOSS_CASES[name]
    trained = model(units, activation)
    trained.compile(opt.SGD(0.1), loss() if callable(loss) else loss)
    found = [trained.train_on_batch(X, targets) for _ in range(2)]
    np.testing.assert_allclose(found, LOSSES[name], rtol=0, atol=1e-6)


def test_optimizer_state_and_names() -> None:
    trained = model()
    trained.compile("adam", "mse")
    assert trained.optimizer.weights == []
    trained.train_on_batch(X, Y)
    assert [variable.name for variable in trained.optimizer.weights] == [
        "Adam/iter:0", "Adam/d/kernel/m:0", "Adam/d/bias/m:0", "Adam/d/kernel/v:0", "Adam/d/bias/v:0",
    ]  # fmt: skip
    assert trained.optimizer.iterations.dtype == "int64"
    state = trained.optimizer.get_weights()
    with pytest.raises(ValueError, match="optimizer Adam"):
        trained.optimizer.set_weights(state[:-1])
    assert [name for name, _ in trained.optimizer._checkpoint_children()] == [
        "iter", "beta_1", "beta_2", "decay", "learning_rate",
    ]  # fmt: skip


def test_training_goes_on_from_copied_state() -> None:
    first, second = model(), model()
    for each in (first, second):
        each.compile(opt.Adam(0.1), "mse")
    first.train_on_batch(X, Y)
    second.set_weights(first.get_weights())
    second.optimizer.create_slots(second.trainable_weights)
    second.optimizer.set_weights(first.optimizer.get_weights())
    assert first.train_on_batch(X, Y) == second.train_on_batch(X, Y)
    for old, new in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("name", MAKERS)
def test_optimizer_config_round_trip(name: str) -> None:
    optimizer = MAKERS[name]()
    again = opt.deserialize(json.loads(json.dumps(opt.serialize(optimizer))))
    assert again.get_config() == optimizer.get_config()


def test_hyper_parameters_can_be_changed() -> None:
    optimizer = opt.SGD(0.1)
    optimizer.learning_rate = 0.5
    assert optimizer.get_config()["learning_rate"] == 0.5
    optimizer.create_slots([])
    optimizer.lr = 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25
    with pytest.raises(TypeError, match="nonsense"):
        opt.SGD(nonsense=1)


def test_names_of_numbers() -> None:
    x = keras.Input((2,))
    trained = keras.Model(x, [L.Dense(1, name="o1")(x), L.Dense(3, name="o2", activation="softmax")(x)])
    trained.compile("sgd", ["mse", "sparse_categorical_crossentropy"], metrics=[["mae"], ["accuracy"]])
    expected = ["loss", "o1_loss", "o2_loss", "o1_mae", "o2_accuracy"]
    assert list(trained.train_on_batch(X, [Y, LABELS], return_dict=True)) == expected
    assert trained.metrics_names == expected
    assert list(trained.fit(X, [Y, LABELS], verbose=0).history) == expected
    values = trained.evaluate(X, {"o1": Y, "o2": LABELS}, verbose=0, return_dict=True)
    assert values["loss"] == pytest.approx(values["o1_loss"] + values["o2_loss"])
    trained.compile("sgd", {"o3": "mse"})
    with pytest.raises(ValueError, match=r"names 'o3', which is no output"):
        trained.train_on_batch(X, [Y, LABELS])


def test_accuracy_by_shape() -> None:
    for units, targets, function in ((1, BINARY, "binary"), (3, ONE_HOT, "categorical"), (3, LABELS, "sparse")):
        trained = model(units, "sigmoid")
        trained.compile("sgd", "mse" if units == 1 else None, metrics=["accuracy"])
        if units == 3:
            trained.add_loss(lambda: tf.constant(0.0))
        found = trained.evaluate(X, targets, verbose=0)[-1]
        predicted = trained.predict(X)
        if function == "binary":
            expected = np.mean((predicted > 0.5) == targets)
        else:
            expected = np.mean(predicted.argmax(-1) == LABELS)
        assert found == pytest.approx(expected)


def test_fit_reports_the_mean_over_samples(capsys: pytest.CaptureFixture[str]) -> None:
    trained = model()
    trained.compile(opt.SGD(0.0), "mse")
    history = trained.fit(X, Y, batch_size=3, epochs=2, shuffle=False)
    assert history.epoch == [0, 1]
    assert history.history["loss"][0] == pytest.approx(float(np.mean((trained.predict(X) - Y) ** 2)))
    out = capsys.readouterr().out
    assert "Epoch 1/2\n" in out
    assert "2/2 [==============================]" in out


def test_sample_weights_and_validation() -> None:
    trained = model()
    trained.compile(opt.SGD(0.0), "mse")
    weights = np.array([1.0, 0.0, 2.0, 0.0])
    expected = np.mean((trained.predict(X) - Y)[:, 0] ** 2 * weights)
    assert trained.train_on_batch(X, Y, sample_weight=weights) == pytest.approx(float(expected))
    history = trained.fit(X, Y, verbose=0, validation_data=(X, Y)).history
    assert history["val_loss"] == pytest.approx(history["loss"])


def test_frozen_weights_stay() -> None:
    trained = model()
    trained.layers[0].trainable = False
    trained.compile("sgd", "mse")
    with pytest.raises(ValueError, match="No gradients"):
        trained.train_on_batch(X, Y)


def test_uncompiled_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="You must compile your model"):
        model().fit(X, Y)


def my_loss(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    ("loss", "metrics"),
    [
        ("mse", ["mae", "accuracy"]),
        (keras.losses.Huber(0.37), [keras.metrics.MeanSquaredError(name="m")]),
        (my_loss, [my_loss]),
        (keras.losses.mse, None),
        ({"d": "mse"}, {"d": ["mae"]}),
        ([keras.losses.CosineSimilarity(axis=0)], [["mae"]]),
    ],
)
def test_compile_information_round_trip(loss: Any, metrics: Any) -> None:
    first, second = model(), model()
    first.compile(opt.Adam(0.2), loss, metrics=metrics, loss_weights=None)
    expected = first.train_on_batch(X, Y, return_dict=True)
    config = json.loads(json.dumps(training_config(first)))
    compile_from_config(second, config, {"my_loss": my_loss})
    assert second.train_on_batch(X, Y, return_dict=True) == expected
    assert second.optimizer.get_config() == first.optimizer.get_config()
    if loss is my_loss:
        with pytest.raises(keras.LoadError, match=r"^Unknown (loss|metric) function: my_loss"):
            compile_from_config(model(), config)


def test_prefixed_metrics_of_tensorflow_files() -> None:
    x = keras.Input((2,))
    trained = keras.Model(x, [L.Dense(1, name="o1")(x), L.Dense(1, name="o2")(x)])
    wrapper = {"class_name": "MeanMetricWrapper", "config": {"name": "o1_mae", "dtype": "float32",
                                                             "fn": "mean_absolute_error"}}  # fmt: skip
    form = {"loss": "mse", "metrics": [[wrapper], []], "weighted_metrics": None, "loss_weights": None,
            "optimizer_config": {"class_name": "SGD", "config": {"name": "SGD", "learning_rate": 0.1}}}  # fmt: skip
    compile_from_config(trained, form)
    assert list(trained.train_on_batch(X, [Y, Y], return_dict=True)) == ["loss", "o1_loss", "o2_loss", "o1_mae"]


def test_external_losses_count_and_are_listed() -> None:
    trained = model()
    trained.compile(opt.SGD(0.0), "mse")
    before = trained.train_on_batch(X, Y)
    trained.add_loss(lambda: tf.reduce_sum(trained.weights[0]) * 2.0)
    assert trained.train_on_batch(X, Y) == pytest.approx(before + 2.0)
    assert external_callables(trained) == ["a loss given to add_loss of 'sequential'"]


def test_dropout_only_in_training() -> None:
    trained = keras.Sequential([keras.Input((100,)), L.Dropout(0.5)])
    x = np.ones((10, 100), "float32")
    np.testing.assert_array_equal(trained.predict(x), x)
    assert abs(float(np.mean(trained(x, training=True).numpy())) - 1) < 0.2


def test_gradient_tape() -> None:
    v = tf.Variable([2.0, 3.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(v * v)
    np.testing.assert_array_equal(tape.gradient(loss, v).numpy(), [4.0, 6.0])


def test_amsgrad_keeps_the_greatest_second_moment() -> None:
    optimizer, variable = opt.Adam(0.1, amsgrad=True), tf.Variable([0.0])
    optimizer.apply_gradients([(tf.constant([1.0]), variable)])
    optimizer.apply_gradients([(tf.constant([0.0]), variable)])
    v, vhat = optimizer.get_slot(variable, "v"), optimizer.get_slot(variable, "vhat")
    assert float(v[0]) < float(vhat[0]) == pytest.approx(0.001, rel=1e-4)
