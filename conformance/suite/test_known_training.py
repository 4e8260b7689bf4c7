"""Known bugs of optimizers, losses and metrics: state that is not saved, arguments that are dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.blueprint import Blueprint, Compile, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_equal, assert_same_arrays, assert_same_numbers
from conformance.suite.models import prepared, round_trip, trained
from conformance.suite.refusals import attempted
from conformance.suite.scripts import shown, shown_with_file


def compiled(optimizer: Any = "sgd", loss: Any = "mse", metrics: Any = (), units: int = 2) -> Blueprint:
    """A model of one output; losses by their full names, which Keras 3's HDF5 reads as well."""
    return chain(layer("Dense", units=units, name="d"), shape=(3,), compile=Compile(optimizer, loss, tuple(metrics)))


# Optimizers with a state beside slots and steps, or with several slots a weight.
OPTIMIZERS = {
    "Nadam": {"class": "Nadam", "args": {"learning_rate": 0.01}},
    "amsgrad": {"class": "Adam", "args": {"learning_rate": 0.01, "amsgrad": True}},
    "centered": {"class": "RMSprop", "args": {"learning_rate": 0.01, "momentum": 0.5, "centered": True}},
}


@requirement("model.resume-training", formats=("hdf5", "keras"))
def test_nadam_goes_on_with_its_product_of_momenta(impl: Session, format: str, scratch: Path, tolerance: Any):
    _assert_training_goes_on(impl, format, scratch, tolerance("same-path"), "Nadam")


@requirement("model.resume-training", formats=("hdf5", "keras"))
@examples(optimizer=st.just("amsgrad"), cost="once")
@example(optimizer="centered")
def test_training_goes_on_with_every_slot(impl: Session, format: str, scratch: Path, tolerance: Any, optimizer: str):
    _assert_training_goes_on(impl, format, scratch, tolerance("same-path"), optimizer)


def _assert_training_goes_on(impl: Session, format: str, scratch: Path, tolerance: float, optimizer: str) -> None:
    blueprint = compiled(OPTIMIZERS[optimizer], {"class": "MeanSquaredError"})
    original = trained(impl, blueprint, seed=1)
    loaded = round_trip(impl, original, scratch, format, blueprint)
    more = batches(blueprint, seed=51, steps=3)
    for model in (original, loaded):
        impl.train(model, more)
    assert_same_arrays(impl.get_weights(original), impl.get_weights(loaded), "weights after going on", tolerance)


LOSS_SCALE = """
x = rows(8, 3)
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(2, name="d")(inputs))
fill(model)
scaled = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam(0.01))
model.compile(scaled, keras.losses.MeanSquaredError())

def go_on(model):
    for step in range(2):
        model.train_on_batch(x, x[:, :2])
    return values(model.get_weights())

go_on(model)
"""
WENT_ON = """
model.save(path)
loaded = keras.models.load_model(path)
show(expected=go_on(model), found=go_on(loaded))
"""


def assert_went_on(found: dict[str, Any], tolerance: float) -> None:
    """Two models trained on alike have equal weights."""
    expected, actual = ([np.array(array) for array in found[side]] for side in ("expected", "found"))
    assert_same_arrays(expected, actual, "weights after going on", tolerance)


@requirement("model.wrapped-optimizer")
def test_the_optimizer_inside_a_loss_scale_optimizer_keeps_its_state(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    assert_went_on(shown_with_file(impl, LOSS_SCALE + WENT_ON, scratch, format), tolerance("same-path"))


EXCLUDED = """
x = rows(8, 3)
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(2, name="d")(inputs))
fill(model)
optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
optimizer.exclude_from_weight_decay(var_names=["bias"])
model.compile(optimizer, keras.losses.MeanSquaredError())

def go_on(model):
    for step in range(2):
        model.train_on_batch(x, x[:, :2])
    return values(model.get_weights())

go_on(model)
"""


@requirement("model.optimizer-exclusions")
def test_what_does_not_decay_does_not_decay_after_loading(impl: Session, format: str, scratch: Path, tolerance: Any):
    shown(impl, EXCLUDED, scratch)
    said: list[str] = []

    def saved_and_loaded() -> dict[str, Any]:
        found = shown_with_file(impl, WENT_ON, scratch, format)
        said.extend(message.text for message in impl.messages)
        return found

    found = attempted(saved_and_loaded)
    if found is not None and not any("exclude_from_weight_decay" in text for text in said):
        assert_went_on(found, tolerance("same-path"))


# Losses and metrics whose arguments change what they compute.
MEASURES: dict[str, Compile] = {
    "Huber": Compile("sgd", {"class": "Huber", "args": {"delta": 0.2}}),
    "CosineSimilarity": Compile("sgd", {"class": "CosineSimilarity", "args": {"axis": 0}}),
    "label smoothing": Compile("sgd", {"class": "CategoricalCrossentropy", "args": {"label_smoothing": 0.25}}),
    "AUC from logits": Compile(
        "sgd", {"class": "MeanSquaredError"}, ({"class": "AUC", "args": {"from_logits": True, "name": "area"}},)
    ),
    "AUC of labels": Compile(
        "sgd",
        {"class": "MeanSquaredError"},
        ({"class": "AUC", "args": {"multi_label": True, "label_weights": [0.25, 0.75], "name": "area"}},),
    ),
}


@requirement("model.compile-info", formats=("keras",))
@examples(measure=st.just("AUC from logits"), cost="once")
def test_metrics_keep_their_arguments(impl: Session, format: str, scratch: Path, tolerance: Any, measure: str):
    """In the format of the dialects whose AUC has this argument."""
    _assert_same_measure(impl, format, scratch, tolerance("same-path"), MEASURES[measure])


@requirement("model.compile-info", formats=("hdf5", "keras"))
@examples(measure=st.just("label smoothing"), cost="once")
def test_losses_keep_their_arguments(impl: Session, format: str, scratch: Path, tolerance: Any, measure: str):
    _assert_same_measure(impl, format, scratch, tolerance("same-path"), MEASURES[measure])


@requirement("model.compile-info", formats=("hdf5", "keras"))
@examples(measure=st.just("Huber"), cost="once")
@example(measure="CosineSimilarity")
def test_losses_of_one_argument_keep_it(impl: Session, format: str, scratch: Path, tolerance: Any, measure: str):
    _assert_same_measure(impl, format, scratch, tolerance("same-path"), MEASURES[measure])


@requirement("model.compile-info", formats=("hdf5", "keras"))
@examples(measure=st.just("AUC of labels"), cost="once")
def test_a_metric_with_weights_of_labels_is_loaded(
    impl: Session, format: str, scratch: Path, tolerance: Any, measure: str
):
    _assert_same_measure(impl, format, scratch, tolerance("same-path"), MEASURES[measure])


def _assert_same_measure(impl: Session, format: str, scratch: Path, tolerance: float, compile: Compile) -> None:
    blueprint = chain(layer("Dense", units=2, name="d"), shape=(3,), compile=compile)
    original = prepared(impl, blueprint, seed=1)
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    y = np.array([[0, 1], [1, 0], [1, 1], [0, 0]], np.float32)
    expected = impl.evaluate(original, x, y)
    loaded = round_trip(impl, original, scratch, format, blueprint)
    assert_same_numbers(expected, impl.evaluate(loaded, x, y), "loss and metrics", tolerance)


@requirement("model.compile-info", formats=("hdf5", "keras"))
@examples(loss=st.just("SparseCategoricalCrossentropy"), cost="once")
def test_accuracy_means_the_accuracy_of_these_labels(
    impl: Session, format: str, scratch: Path, tolerance: Any, loss: str
):
    """Which accuracy the word means is decided by the labels, so it must not be decided when there are none."""
    blueprint = chain(
        layer("Dense", units=3, activation="softmax", name="d"),
        shape=(3,),
        compile=Compile("sgd", {"class": loss}, ("accuracy",)),
    )
    original = prepared(impl, blueprint, seed=1)
    loaded = round_trip(impl, original, scratch, format, blueprint)  # before anything was trained or evaluated
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
    y = np.argmax(impl.predict(original, x)[0], axis=1).astype(np.int32)
    y[:2] = (y[:2] + 1) % 3
    expected = impl.evaluate(original, x, y)
    assert_equal(0.75, expected["accuracy"], "accuracy of the saved model")
    assert_same_numbers(expected, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


FROZEN_WITH_SLOTS = """
x = rows(8, 3)
inputs = keras.Input((3,))
hidden = keras.layers.Dense(3, name="first")(inputs)
model = keras.Model(inputs, keras.layers.Dense(3, name="second")(hidden))
fill(model)
model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError())

def go_on(model):
    for step in range(2):
        model.train_on_batch(x, x)
    return values(model.get_weights())

go_on(model)
model.get_layer("first").trainable = False
model.compile(model.optimizer, keras.losses.MeanSquaredError())
go_on(model)
"""


@requirement("model.frozen-after-training")
def test_slots_of_what_was_frozen_later_are_not_given_to_another_weight(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    """Both layers have equal shapes: slots that are counted instead of named fit the wrong weight too."""
    assert_went_on(shown_with_file(impl, FROZEN_WITH_SLOTS + WENT_ON, scratch, format), tolerance("same-path"))
