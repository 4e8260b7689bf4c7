"""Known bugs of weights: held where a writer does not look, listed in another order, or under one name.

``known_bugs.toml`` says which test sees which bug.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.blueprint import Call, Functional, Input, NestedModel, chain, layer
from conformance.protocol.session import Session
from conformance.strategies.arrays import inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_equal, assert_same_arrays
from conformance.suite.models import WEIGHT_FILES, assert_same_weights, prepared, round_trip, same_path
from conformance.suite.refusals import attempted
from conformance.suite.scripts import ACROSS_THE_BORDER, shown, shown_with_file

# What a layer may keep its parts in: the attribute, and the order in which call() uses them.
HOLDERS = {
    "lists": (
        '[[dense("b"), dense("a")], (dense("c"),), {"z": [dense("z")], "y": dense("y")}]',
        '[*self.parts[0], *self.parts[1], *self.parts[2]["z"], self.parts[2]["y"]]',
    ),
    "dict with a tuple": (
        '{"z": dense("z"), "a": dense("a"), "m": (dense("m1"), dense("m2"))}',
        '[self.parts["z"], *self.parts["m"], self.parts["a"]]',
    ),
}

HOLDER = """
def dense(name):
    return keras.layers.Dense(3, name=name)

class Holder(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = {parts}

    def call(self, inputs):
        for part in {order}:
            inputs = part(inputs)
        return inputs

x = rows(4, 3)

def made():
    inputs = keras.Input((3,))
    return keras.Model(inputs, Holder(name="holder")(inputs))

model = made()
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
"""

SAVED_WHOLE = """
model.save(path)
loaded = keras.models.load_model(path, custom_objects=objects)
show(after=values(loaded.get_weights()), predicted_after=values(loaded(x)))
"""

SAVED_WEIGHTS = """
model.save_weights(path)
loaded = made()
fill(loaded, start=1000)
show(other=values(loaded.get_weights()))
loaded.load_weights(path)
show(after=values(loaded.get_weights()), predicted_after=values(loaded(x)))
"""


def assert_kept(found: dict[str, Any], tolerance: float) -> None:
    """The weights after are those before, and so is what is predicted."""
    assert_same_arrays(_arrays(found["before"]), _arrays(found["after"]), "weights")
    for other in (found["other"],) if "other" in found else ():
        assert_equal(len(found["before"]), len(other), "number of weights of the model loaded into")
        assert_equal(False, other == found["before"], "the model loaded into has those weights already")
    assert_same_arrays(
        [np.array(found["predicted"])], [np.array(found["predicted_after"])], "what is predicted", tolerance
    )


def _arrays(values: list[Any]) -> list[Any]:
    return [np.array(value, np.float64) for value in values]


@requirement("model.every-weight", formats=("hdf5", "keras"))
@examples(holder=st.just("lists"), cost="once")
@example(holder="dict with a tuple")
def test_weights_in_containers_are_in_the_file(impl: Session, format: str, scratch: Path, tolerance: Any, holder: str):
    parts, order = HOLDERS[holder]
    source = HOLDER.format(parts=parts, order=order) + 'objects = {"Holder": Holder}\n' + SAVED_WHOLE
    assert_kept(shown_with_file(impl, source, scratch, format), tolerance("same-path"))


@requirement("weights-file.every-weight", formats=("hdf5", "weights-h5"))
@examples(holder=st.just("lists"), cost="once")
@example(holder="dict with a tuple")
def test_weights_in_containers_are_in_a_weights_file(
    impl: Session, format: str, scratch: Path, tolerance: Any, holder: str
):
    parts, order = HOLDERS[holder]
    found = shown(impl, HOLDER.format(parts=parts, order=order) + SAVED_WEIGHTS, scratch, path=WEIGHT_FILES[format])
    assert_kept(found, tolerance("same-path"))


OWN_WEIGHT = """
x = rows(4, 3)

class Scaled(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3, name="dense")

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(3,), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return self.dense(inputs) * self.scale

def made():
    model = Scaled()
    model(x)
    return model

model = made()
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
"""


@requirement("weights-file.every-weight")
def test_weights_of_the_model_itself_are_in_a_weights_file(impl: Session, format: str, scratch: Path, tolerance: Any):
    assert_kept(shown(impl, OWN_WEIGHT + SAVED_WEIGHTS, scratch, path=WEIGHT_FILES[format]), tolerance("same-path"))


BESIDE_THE_GRAPH = """
x = rows(4, 3)

class Beside(keras.Model):
    def __init__(self, **kwargs):
        inputs = keras.Input((3,))
        super().__init__(inputs, keras.layers.Dense(3, name="graph")(inputs), **kwargs)
        self.extra = keras.layers.Dense(3, name="extra")
        self.extra.build((None, 3))

    def call(self, inputs, training=None):
        return self.extra(super().call(inputs))

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls()

def made():
    model = Beside()
    model(x)
    return model

objects = {"Beside": Beside}
model = made()
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
"""


@requirement("model.every-weight", formats=("hdf5", "keras"))
def test_a_layer_beside_the_graph_is_in_the_file_or_the_model_is_refused(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    """A Functional model that calls one layer more: its graph does not know of it."""
    before = shown(impl, BESIDE_THE_GRAPH, scratch)
    assert_equal(4, len(before["before"]), "weights of the saved model")
    after = attempted(lambda: shown_with_file(impl, SAVED_WHOLE, scratch, format))
    if after is not None:
        assert_kept({**before, **after}, tolerance("same-path"))


METRIC = """
x = np.ones((4, 3), "float32")

class Counting(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.count = keras.metrics.Sum(name="count")

    def call(self, inputs):
        return inputs + self.count.result()

inputs = keras.Input((3,))
layer = Counting(name="counting")
model = keras.Model(inputs, layer(inputs))
layer.count.update_state(5.0)
objects = {"Counting": Counting}
weights = model.get_weights()
show(before=values(weights), predicted=values(model(x)))
"""


@requirement("model.state-in-metrics")
def test_what_a_metric_inside_a_layer_counted_comes_back(impl: Session, format: str, scratch: Path, tolerance: Any):
    found = shown_with_file(impl, METRIC + SAVED_WHOLE, scratch, format)
    assert_equal([[6.0, 6.0, 6.0]] * 4, found["predicted"], "what the saved model predicts")
    assert_kept(found, tolerance("same-path"))


TWO_OF_ONE_NAME = """
x = rows(4, 3)

class Twins(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = keras.layers.Dense(3, name="x")
        self.second = keras.layers.Dense(3, name="x")
        self.first.build((None, 3))
        self.second.build((None, 3))

    def call(self, inputs):
        return self.second(self.first(inputs))

objects = {"Twins": Twins}
inputs = keras.Input((3,))
model = keras.Model(inputs, Twins(name="twins")(inputs))
fill(model)
show(before=values(model.get_weights()), predicted=values(model(x)))
"""


@requirement("model.same-names")
def test_two_weights_of_one_name_both_come_back(impl: Session, format: str, scratch: Path, tolerance: Any):
    assert_kept(shown_with_file(impl, TWO_OF_ONE_NAME + SAVED_WHOLE, scratch, format), tolerance("same-path"))


CASES = chain(
    layer("Dense", units=4, name="Head"),
    layer("Dense", units=4, name="head"),
    layer("Dense", units=4, name="HEAD"),
    shape=(4,),
)


@requirement("model.same-names")
def test_layers_whose_names_differ_by_case_alone_are_not_exchanged(
    impl: Session, format: str, scratch: Path, tolerance: Any
):
    model = prepared(impl, CASES, seed=1)
    loaded = round_trip(impl, model, scratch, format, CASES)
    assert_same_weights(impl, model, loaded, "weights")


def _deep(depth: int) -> NestedModel:
    inner = layer("Dense", units=3, name=f"d{depth}")
    parts = (inner, _deep(depth - 1)) if depth else (inner,)
    return NestedModel(
        f"m{depth}", chain(*parts, shape=(3,), kind="sequential", name=f"m{depth}", input_name=f"x{depth}")
    )


@requirement("clone.no-weights-no-compile")
def test_a_clone_shares_no_weight_at_any_depth(impl: Session):
    original = prepared(impl, chain(_deep(3), shape=(3,)), seed=1)
    before = impl.get_weights(original)
    clone = impl.clone(original)
    impl.set_weights(clone, [np.full_like(array, 7.0) for array in impl.get_weights(clone)])
    assert_same_arrays(before, impl.get_weights(original), "weights of the original")


# One layer called three times: "first" on what another layer gives, which is rebuilt later than the layer itself.
TWO_DEPTHS = Functional(
    name="two_depths",
    inputs=(Input("x", (3,)),),
    layers=(
        layer("Dense", units=3, name="between"),
        layer("Dense", units=3, name="shared"),
        layer("Dense", units=3, name="after"),
    ),
    calls=(
        Call("between", ("x",), "b"),
        Call("shared", ("b",), "first"),
        Call("shared", ("x",), "second"),
        Call("after", ("second",), "a"),
        Call("shared", ("a",), "third"),
    ),
    outputs=("second", "first", "third"),
)

# Inputs given in the order b, a, and branches of different depth.
SWAPPED_INPUTS = Functional(
    name="swapped",
    inputs=(Input("b", (3,)), Input("a", (3,))),
    layers=(
        layer("Dense", units=3, name="zz"),
        layer("Dense", units=3, name="aa"),
        layer("Dense", units=3, name="mm"),
        layer("Subtract", name="minus"),
        layer("Dense", units=3, name="out"),
    ),
    calls=(
        Call("aa", ("b",), "t1"),
        Call("zz", ("t1",), "t2"),
        Call("mm", ("a",), "t3"),
        Call("minus", ("t2", "t3"), "t4"),
        Call("out", ("t4",), "t5"),
    ),
    outputs=("t3", "t5", "t1"),
)

GRAPHS = {"two depths": TWO_DEPTHS, "swapped inputs": SWAPPED_INPUTS}


@requirement("model.same-outputs", formats=("hdf5", "keras"))
@examples(graph=st.just("two depths"), seed=st.just(1), cost="once")
@example(graph="swapped inputs", seed=1)
def test_a_shared_layer_and_the_order_of_inputs_are_rebuilt(
    impl: Session, format: str, scratch: Path, tolerance: Any, graph: str, seed: int
):
    blueprint = GRAPHS[graph]
    original = prepared(impl, blueprint, seed)
    inputs = inputs_for(blueprint, seed)
    loaded = round_trip(impl, original, scratch, format, blueprint)
    assert_same_weights(impl, original, loaded, "weights")
    assert_same_arrays(
        impl.predict(original, inputs), impl.predict(loaded, inputs), "predictions", tolerance(same_path(blueprint))
    )


COUNTED_AGAIN = "loaded = keras.models.load_model(path)\nshow(after=len(loaded.get_weights()))\n"


@requirement("model.shared-across-border")
def test_a_layer_shared_with_a_nested_model_stays_one_or_saying_so(impl: Session, format: str, scratch: Path):
    assert_equal(2, shown(impl, ACROSS_THE_BORDER, scratch)["before"], "weights of the saved model")
    said: list[str] = []

    def ran(source: str) -> dict[str, Any]:
        found = shown_with_file(impl, source, scratch, format)
        said.extend(message.text for message in impl.messages)
        return found

    saved = attempted(lambda: ran("model.save(path)\n"))
    after = attempted(lambda: ran(COUNTED_AGAIN)) if saved is not None else None
    if after is not None and not any("shared" in text for text in said):
        assert_equal(2, after["after"], "weights of the loaded model, nothing having been said")
