"""Known bugs of configs, the registry and clones: arguments, flags and learned state that do not come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.blueprint import Blueprint, chain, layer
from conformance.protocol.session import Session
from conformance.strategies.arrays import inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import Mismatch, assert_equal, assert_same_arrays
from conformance.suite.models import assert_same_weights, prepared, round_trip
from conformance.suite.refusals import attempted
from conformance.suite.scripts import ACROSS_THE_BORDER, shown, shown_with_file

# Built-in layers whose arguments or weights some writer or reader is known to drop.
LAYERS: dict[str, Blueprint] = {
    "softmax over two axes": chain(layer("Softmax", axis=[1, 2], name="s"), shape=(3, 4)),
    "normalization over two axes": chain(layer("LayerNormalization", axis=[1, 2], name="n"), shape=(3, 4)),
    "masked": chain(
        layer("Embedding", input_dim=5, output_dim=3, mask_zero=True, name="e"),
        layer("GlobalAveragePooling1D", name="g"),
        shape=(4,),
    ),
}


@requirement("model.same-outputs", formats=("hdf5", "keras"))
@examples(which=st.just("softmax over two axes"), cost="once")
@example(which="normalization over two axes")
def test_layers_over_several_axes_keep_them(impl: Session, format: str, scratch: Path, tolerance: Any, which: str):
    _assert_same_layer(impl, format, scratch, tolerance("same-path"), which)


@requirement("model.same-outputs", formats=("hdf5", "keras"))
def test_a_mask_reaches_the_layer_that_needs_it(impl: Session, format: str, scratch: Path, tolerance: Any):
    _assert_same_layer(impl, format, scratch, tolerance("same-path"), "masked")


def _assert_same_layer(impl: Session, format: str, scratch: Path, tolerance: float, which: str) -> None:
    blueprint = LAYERS[which]
    original = prepared(impl, blueprint, seed=1)
    inputs = [np.array([[1, 2, 0, 0], [3, 0, 0, 0], [4, 1, 2, 3]], np.float32)]
    inputs = inputs if which == "masked" else inputs_for(blueprint, seed=1)
    loaded = round_trip(impl, original, scratch, format, blueprint)
    assert_same_weights(impl, original, loaded, "weights")
    assert_same_arrays(impl.predict(original, inputs), impl.predict(loaded, inputs), "predictions", tolerance)


ATTENTION = """
x = rows(2, 4, 3)
inputs = keras.Input((4, 3))
model = keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3, name="attend")(inputs, inputs))
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
model.save(path)
loaded = keras.models.load_model(path)
show(after=values(loaded.get_weights()), predicted_after=values(loaded(x)))
"""


@requirement("model.every-weight")
def test_the_weights_of_an_attention_layer_come_back(impl: Session, format: str, scratch: Path, tolerance: Any):
    found = shown_with_file(impl, ATTENTION, scratch, format)
    assert_equal(found["before"], found["after"], "weights")
    before, after = (np.array(found[key]) for key in ("predicted", "predicted_after"))
    assert_same_arrays([before], [after], "predictions", tolerance("same-path"))


MIXED = """
mixed = keras.mixed_precision
policy = (mixed if hasattr(mixed, "Policy") else mixed.experimental).Policy("mixed_float16")
x = rows(4, 3)
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(2, dtype=policy, name="half")(inputs))
fill(model)
show(before=values(model.get_weights()), dtypes=[str(w.dtype) for w in model.get_weights()])
model.save(path)
loaded = keras.models.load_model(path)
show(after=values(loaded.get_weights()), dtypes_after=[str(w.dtype) for w in loaded.get_weights()])
"""


@requirement("model.every-weight", formats=("hdf5", "keras"))
def test_weights_are_stored_in_the_dtype_of_the_variable(impl: Session, format: str, scratch: Path):
    """A layer that computes in half precision keeps its weights in full precision."""
    found = shown_with_file(impl, MIXED, scratch, format)
    assert_equal(["float32"] * 2, found["dtypes"], "dtypes of the saved weights")
    assert_equal(found["dtypes"], found["dtypes_after"], "dtypes of the loaded weights")
    assert_equal(found["before"], found["after"], "weights")


# Flags


FLAGS = chain(
    layer("Dense", units=3, name="first", trainable=False),
    layer("BatchNormalization", name="norm", trainable=False),
    layer("Dense", units=2, name="last"),
    shape=(3,),
)


@requirement("model.trainable-flags")
def test_a_frozen_layer_is_still_frozen(impl: Session, format: str, scratch: Path):
    original = prepared(impl, FLAGS, seed=1)
    loaded = round_trip(impl, original, scratch, format, FLAGS)
    assert_equal(2, len(impl.weights(original, "trainable")), "trainable weights of the saved model")
    assert_equal(2, len(impl.weights(loaded, "trainable")), "trainable weights of the loaded model")


@requirement("model.trainable-set")
def test_what_a_frozen_model_does_not_train_is_not_trained_after_loading(impl: Session, format: str, scratch: Path):
    """The model is frozen as a whole, then one of its layers is told to train: nothing in it trains."""
    original = prepared(impl, FLAGS, seed=1)
    impl.set_trainable(original, False)
    impl.set_trainable(impl.layer(original, "last"), True)
    loaded = round_trip(impl, original, scratch, format, FLAGS)
    assert_equal(0, len(impl.weights(original, "trainable")), "trainable weights of the saved model")
    assert_equal(0, len(impl.weights(loaded, "trainable")), "trainable weights of the loaded model")


# Values in configs


@requirement("config.key-types")
def test_a_dict_with_numbers_as_keys_keeps_them_or_is_refused(impl: Session, scratch: Path):
    source = """
class Table(keras.layers.Layer):
    def __init__(self, table=None, **kwargs):
        super().__init__(**kwargs)
        self.table = {key: value for key, value in (table or {}).items()}

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = super().get_config()
        config.update({"table": dict(self.table)})
        return config

inputs = keras.Input((3,))
model = keras.Model(inputs, Table({1: 2.5}, name="table")(inputs))
show(before=[repr(key) for key in model.get_layer("table").table])
"""
    assert_equal(["1"], shown(impl, source, scratch)["before"], "keys before")
    again = """
loaded = keras.models.model_from_json(model.to_json(), custom_objects={"Table": Table})
show(after=[repr(key) for key in loaded.get_layer("table").table])
"""
    after = attempted(lambda: shown(impl, again, scratch))
    if after is not None:
        assert_equal(["1"], after["after"], "keys after the config went through JSON")


LAMBDA = """
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(2, activation=lambda x: x * 2.0, name="d")(inputs))
fill(model)
"""


@requirement("custom.unloadable-told")
def test_a_function_without_a_name_is_refused_when_it_is_saved(impl: Session, format: str, scratch: Path):
    shown(impl, LAMBDA, scratch)
    said: list[str] = []

    def saved() -> bool:
        shown_with_file(impl, "model.save(path)\n", scratch, format)
        said.extend(message.text for message in impl.messages)
        return True

    if attempted(saved) and not any("lambda" in text for text in said):
        raise Mismatch("saving a model with a lambda as activation", "an error, or a warning that names it", said)


# Operators on tensors


OPERATORS = """
x = rows(4, 3)
inputs = keras.Input((3,))
hidden = keras.layers.Dense(3, name="d")(inputs)
model = keras.Model(inputs, OUTPUT)
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
model.save(path)
loaded = keras.models.load_model(path)
show(after=values(loaded.get_weights()), predicted_after=values(loaded(x)))
"""
EXPRESSIONS = {
    "constants behind": "hidden * 2.0 + 1.0",
    "constant in front": 'np.array([1.0, 2.0, 3.0], "float32") - hidden',
}


@requirement("model.operators")
@examples(expression=st.just("constants behind"), cost="once")
def test_operators_with_constants_come_back(impl: Session, format: str, scratch: Path, tolerance: Any, expression: str):
    _assert_operators(impl, format, scratch, tolerance("same-path"), expression)


@requirement("model.operators")
@examples(expression=st.just("constant in front"), cost="once")
def test_a_constant_in_front_of_the_operator_comes_back(
    impl: Session, format: str, scratch: Path, tolerance: Any, expression: str
):
    _assert_operators(impl, format, scratch, tolerance("same-path"), expression)


def _assert_operators(impl: Session, format: str, scratch: Path, tolerance: float, expression: str) -> None:
    found = shown_with_file(impl, OPERATORS.replace("OUTPUT", EXPRESSIONS[expression]), scratch, format)
    before, after = (np.array(found[key]) for key in ("predicted", "predicted_after"))
    assert_same_arrays([before], [after], "predictions", tolerance)


# What preprocessing layers learned


ADAPTED = {
    "Normalization": ("layers.Normalization(name='p')", "rows(8, 3) * 3.0 + 1.0", "(3,), dtype='float32'", "rows(4, 3)"),
    "Discretization": (
        "layers.Discretization(num_bins=3, name='p')", "rows(40, 1) * 5.0 + 7.0", "(1,), dtype='float32'", "rows(9, 1) * 5.0 + 7.0",
    ),
    "StringLookup": (
        "layers.StringLookup(name='p')", "np.array([['b'], ['a'], ['b'], ['c']])", "(1,), dtype='string'",
        "tf.constant([['a'], ['b'], ['c'], ['d']])",
    ),
}  # fmt: skip
ADAPT = """
layers = keras.layers if hasattr(keras.layers, "Normalization") else keras.layers.experimental.preprocessing
processing = MAKING
processing.adapt(DATA)
inputs = keras.Input(INPUT)
model = keras.Model(inputs, processing(inputs))
x = X
show(predicted=values(model(x)))
model.save(path)
loaded = keras.models.load_model(path)
show(predicted_after=values(loaded(x)))
"""


@requirement("model.adapted-state")
@examples(which=st.just("Normalization"), cost="once")
def test_what_a_layer_learned_from_data_comes_back(
    impl: Session, format: str, scratch: Path, tolerance: Any, which: str
):
    _assert_learned(impl, format, scratch, tolerance("same-path"), which)


@requirement("model.adapted-state", formats=("keras",))
@examples(which=st.just("StringLookup"), cost="once")
def test_a_vocabulary_comes_back(impl: Session, format: str, scratch: Path, tolerance: Any, which: str):
    """In the format that has a place for it beside the weights."""
    _assert_learned(impl, format, scratch, tolerance("same-path"), which)


@requirement("model.adapted-state", formats=("keras",))
@examples(which=st.just("Discretization"), cost="once")
def test_bins_come_back(impl: Session, format: str, scratch: Path, tolerance: Any, which: str):
    """In the format of the dialects whose Discretization learns."""
    _assert_learned(impl, format, scratch, tolerance("same-path"), which)


def _assert_learned(impl: Session, format: str, scratch: Path, tolerance: float, which: str) -> None:
    making, data, given, x = ADAPTED[which]
    source = ADAPT.replace("MAKING", making).replace("DATA", data).replace("INPUT", given).replace("= X", f"= {x}")
    found = shown_with_file(impl, source, scratch, format)
    before, after = (np.array(found[key], np.float64) for key in ("predicted", "predicted_after"))
    if np.ptp(before) == 0:
        raise Mismatch("what the layer gives", "values that depend on what it learned", before.tolist())
    assert_same_arrays([before], [after], "what the layer gives", tolerance)


# The registry


NAMESAKE = """
class Dense(keras.layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return 10.0 * tf.matmul(inputs, self.kernel) + self.bias

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config

x = rows(4, 3)
inputs = keras.Input((3,))
model = keras.Model(inputs, Dense(2, name="d")(inputs))
fill(model)
show(predicted=values(model(x)))
"""
LOADED = """
model.save(path)
loaded = keras.models.load_model(path)
show(predicted_after=values(loaded(x)))
"""


@requirement("registry.builtin-namesake")
def test_a_custom_class_is_not_taken_for_the_built_in_of_its_name(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    before = shown(impl, NAMESAKE, scratch)
    said: list[str] = []

    def loaded() -> dict[str, Any]:
        found = shown_with_file(impl, LOADED, scratch, format)
        said.extend(message.text for message in impl.messages)
        return found

    after = attempted(loaded)
    if after is not None and not any("Dense" in text for text in said):
        expected, actual = np.array(before["predicted"]), np.array(after["predicted_after"])
        assert_same_arrays([expected], [actual], "predictions, nothing having been said", tolerance("revived"))


@requirement("registry.names-agree")
def test_class_and_registered_name_of_a_config_agree(impl: Session):
    """A config that says Keras's own Dense, and under registered_name another class."""
    impl.register("Dense:mine", "Evil", "Dense")
    form = impl.serialize(impl.build_layer(layer("Dense", units=2, name="d")))
    found = attempted(lambda: impl.describe(impl.deserialize("layer", {**form, "registered_name": "Evil>Dense"})))
    if found is not None:
        assert_equal(None, found.marker, "mark of the class found for class_name Dense of keras.layers")


REGISTERED = """
@keras.utils.register_keras_serializable("shelf", "Stacked")
class Stacked(keras.Sequential):
    pass

model = Stacked([keras.Input((3,)), keras.layers.Dense(2, name="d")])
x = rows(4, 3)
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
model.save(path)
loaded = keras.models.load_model(path)
show(cls=type(loaded).__name__, after=values(loaded.get_weights()), predicted_after=values(loaded(x)))
"""


@requirement("registry.decorator-models")
def test_a_registered_model_class_is_found_in_every_format(impl: Session, format: str, scratch: Path):
    found = shown_with_file(impl, REGISTERED, scratch, format)
    assert_equal("Stacked", found["cls"], "class of the loaded model")
    assert_equal(found["before"], found["after"], "weights")


# Clones


@requirement("clone.shared-across-border")
def test_a_layer_shared_with_a_nested_model_is_one_in_the_clone(impl: Session, scratch: Path):
    assert_equal(2, shown(impl, ACROSS_THE_BORDER, scratch)["before"], "weights of the model")
    found = attempted(lambda: shown(impl, "show(after=len(keras.models.clone_model(model).get_weights()))\n", scratch))
    if found is not None:
        assert_equal(2, found["after"], "weights of the clone")


BESIDE = """
class Beside(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.extra = keras.layers.Dense(3, name="extra")
        self.extra.build((None, 3))

    def call(self, inputs, training=None):
        return self.extra(super().call(inputs))

inputs = keras.Input((3,))
model = Beside(inputs, keras.layers.Dense(3, name="graph")(inputs))
show(before=len(model.get_weights()), cls=type(model).__name__)
"""


@requirement("clone.beside-the-graph")
def test_a_clone_has_the_layers_beside_the_graph_too_or_is_refused(impl: Session, scratch: Path):
    before = shown(impl, BESIDE, scratch)
    assert_equal({"before": 4, "cls": "Beside"}, before, "weights and class of the model")
    source = "clone = keras.models.clone_model(model)\nshow(after=len(clone.get_weights()), cls=type(clone).__name__)\n"
    after = attempted(lambda: shown(impl, source, scratch))
    if after is not None:
        assert_equal({"after": 4, "cls": "Beside"}, after, "weights and class of the clone")
