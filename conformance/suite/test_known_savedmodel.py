"""Known bugs of SavedModel: what a revived object forgets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.blueprint import Custom, chain, layer
from conformance.protocol.session import Session
from conformance.suite.case import requirement
from conformance.suite.compare import assert_equal, assert_same_arrays, assert_true
from conformance.suite.models import MODEL_FILES, assert_same_weights, prepared
from conformance.suite.refusals import attempted, refused
from conformance.suite.scripts import shown, shown_with_file

PASSES_ON = """
class PassesOn(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs * 1.0

x = np.array([[1, 2, 0, 0], [3, 0, 0, 0]], "int32")
inputs = keras.Input((4,), dtype="int32")
embedded = keras.layers.Embedding(5, 3, mask_zero=True, name="e")(inputs)
model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D(name="g")(PassesOn(name="p")(embedded)))
fill(model)
show(predicted=values(model(x)))
"""
LOADED = """
loaded = keras.models.load_model(path)
show(predicted_after=values(loaded(x)))
"""


@requirement("savedmodel.masks")
def test_a_revived_layer_hands_the_mask_on_or_says_that_it_does_not(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    before = shown_with_file(impl, PASSES_ON + "model.save(path)\n", scratch, format)
    said = [message.text for message in impl.messages]

    def loaded() -> dict[str, Any]:
        found = shown_with_file(impl, LOADED, scratch, format)
        said.extend(message.text for message in impl.messages)
        return found

    after = attempted(loaded)
    if after is not None and not any("mask" in text for text in said):
        expected, actual = np.array(before["predicted"]), np.array(after["predicted_after"])
        assert_same_arrays([expected], [actual], "predictions, nothing having been said", tolerance("revived"))


DEFAULTS = """
class Halving(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3, name="dense")

    def call(self, inputs, training=True):
        return self.dense(inputs) * (0.5 if training else 1.0)

x = rows(4, 3)
model = Halving()
model(x)
fill(model)
show(predicted=values(model(x)), other=values(model(x, training=False)))
model.save(path)
loaded = keras.models.load_model(path)
show(predicted_after=values(loaded(x)))
"""


@requirement("savedmodel.call-defaults")
def test_a_revived_model_has_the_defaults_of_its_call(impl: Session, format: str, scratch: Path, tolerance: Any):
    found = shown_with_file(impl, DEFAULTS, scratch, format)
    before, other, after = (np.array(found[key]) for key in ("predicted", "other", "predicted_after"))
    assert_true(not np.array_equal(before, other), "the flag changes the outputs", expected="yes", actual="no")
    assert_same_arrays([before], [after], "outputs of a call without arguments", tolerance("revived"))


GOOD = chain(layer("Dense", units=2, name="good"), shape=(3,))
FAILING = chain(layer("Dense", units=2, name="good"), layer(Custom("FailingConfig"), "failing"), shape=(3,))


@requirement("savedmodel.failing-save")
def test_a_save_that_fails_midway_leaves_the_earlier_model(impl: Session, format: str, scratch: Path):
    path = scratch / MODEL_FILES[format]
    good = prepared(impl, GOOD, seed=1)
    impl.save(good, path)
    failing = impl.build(FAILING)
    if refused(lambda: impl.save(failing, path)):
        assert_same_weights(impl, good, impl.load(path), "weights of the model that was there")


OWN_TRAINING = """
class Halved(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2, name="dense")

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        return {"mine": tf.constant(1.0)}

x = rows(4, 3)
model = Halved()
model.compile("sgd", "mse")
model(x)
fill(model)
"""
SAVED = """
model.save(path)
loaded = keras.models.load_model(path)
show(after=sorted(loaded.train_on_batch(x, x[:, :2], return_dict=True)))
"""


@requirement("savedmodel.own-training")
def test_a_training_step_of_ones_own_is_not_replaced_without_a_word(impl: Session, format: str, scratch: Path):
    shown(impl, OWN_TRAINING, scratch)
    said: list[str] = []

    def loaded() -> dict[str, Any]:
        found = shown_with_file(impl, SAVED, scratch, format)
        said.extend(message.text for message in impl.messages)
        return found

    found = attempted(loaded)
    if found is not None and not any("train_step" in text for text in said):
        assert_equal(["mine"], found["after"], "what a training step of the revived model reports")
