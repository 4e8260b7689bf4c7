"""Blueprints print as plain Keras code; in every real library it builds what code written by hand builds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from conformance.adapters.custom_objects import make_custom_objects
from conformance.adapters.encoding import encode_value
from conformance.blueprint import (
    Blueprint,
    BlueprintError,
    Call,
    Compile,
    Custom,
    Functional,
    Input,
    Layer,
    NestedModel,
    Subclassed,
    chain,
    layer,
    layer_source,
    output_shapes,
    to_source,
    weight_shapes,
)
from conformance.blueprint.custom_source import custom_ids, custom_source, identifier
from conformance.strategies import models
from tests.environments import Library, libraries

CHAIN = chain(
    layer("Dense", units=4, activation="relu", name="first", trainable=False),
    layer("BatchNormalization", name="norm"),
    layer("Reshape", target_shape={"$tuple": [2, 2]}, name="square"),
    layer("Flatten", name="flat"),
    layer("Dense", units=2, name="last"),
    shape=(3,),
    kind="sequential",
    name="by_hand",
    compile=Compile({"class": "SGD", "args": {"learning_rate": 0.25, "momentum": 0.5}}, "mse", ["mae"]),
)
GRAPH = Functional(
    name="by_hand",
    inputs=(Input("z", (3,)), Input("a", (2,))),
    layers=(
        layer("Dense", "left", units=4, name="left"),
        layer("Dense", "right", units=4, name="right", use_bias=False),
        layer("Dense", "shared", units=4, name="shared"),
        layer("Subtract", "minus", name="minus"),
        layer("Concatenate", "join", name="join", axis=-1),
        layer("Dense", "one", units=1, name="one"),
        layer("Dense", "two", units=5, name="two"),
    ),
    calls=(
        Call("left", ("z",), "t0"),
        Call("right", ("a",), "t1"),
        Call("shared", ("t0",), "t2"),
        Call("shared", ("t1",), "t3"),
        Call("minus", ("t3", "t2"), "t4"),
        Call("join", ("t4", "t0"), "t5"),
        Call("one", ("t5",), "t6"),
        Call("two", ("t5",), "t7"),
    ),
    outputs=("t7", "t6"),
    compile=Compile("adam", {"two": "mae", "one": "mse"}, {"one": ["mae"], "two": []}),
)
INNER = chain(
    layer("Dense", units=3, name="inner_a", trainable=False), layer("Dense", units=3, name="inner_b"),
    shape=(3,), name="inner", input_name="inner_x",
)  # fmt: skip
NESTED = Functional(
    inputs=(Input("x", (3,)),),
    layers=(NestedModel("n", INNER), layer("Dense", "d", units=3, name="between"), layer("Add", "plus", name="plus")),
    calls=(
        Call("n", ("x",), "t0"),
        Call("d", ("t0",), "t1"),
        Call("n", ("t1",), "t2"),
        Call("plus", ("t2", "t1"), "y"),
    ),
    outputs=("y",),
)
SUBCLASSED = Subclassed(
    cls=Custom("SubclassedModel"), args={"output_dim": 2, "name": "sub"}, inputs=(Input("x", (3,)),)
)
CUSTOM = chain(
    layer(Custom("CustomLayer:units"), "c", units=4),
    layer("Activation", "f", activation={"$custom": "custom_activation"}),
    shape=(3,),
    compile=Compile("sgd", {"custom": "custom_loss"}, [{"custom": "custom_metric"}]),
)

BY_HAND: dict[str, tuple[Blueprint, str]] = {
    "chain": (
        CHAIN,
        """
first = keras.layers.Dense(4, activation="relu", name="first")
first.trainable = False
model = keras.Sequential([
    keras.Input((3,), name="x"),
    first,
    keras.layers.BatchNormalization(name="norm"),
    keras.layers.Reshape((2, 2), name="square"),
    keras.layers.Flatten(name="flat"),
    keras.layers.Dense(2, name="last"),
], name="by_hand")
model.compile(keras.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=["mae"])
""",
    ),
    "graph": (
        GRAPH,
        """
z, a = keras.Input((3,), name="z"), keras.Input((2,), name="a")
left, right = keras.layers.Dense(4, name="left"), keras.layers.Dense(4, use_bias=False, name="right")
shared = keras.layers.Dense(4, name="shared")
u, v = left(z), right(a)
p, q = shared(u), shared(v)
j = keras.layers.Concatenate(name="join")([keras.layers.Subtract(name="minus")([q, p]), u])
one = keras.layers.Dense(1, name="one")(j)
two = keras.layers.Dense(5, name="two")(j)
model = keras.Model([z, a], [two, one], name="by_hand")
model.compile("adam", {"two": "mae", "one": "mse"}, metrics={"one": ["mae"], "two": []})
""",
    ),
    "nested": (
        NESTED,
        """
i = keras.Input((3,), name="inner_x")
ia = keras.layers.Dense(3, name="inner_a")
ia.trainable = False
inner = keras.Model(i, keras.layers.Dense(3, name="inner_b")(ia(i)), name="inner")
x = keras.Input((3,), name="x")
u = inner(x)
v = keras.layers.Dense(3, name="between")(u)
model = keras.Model(x, keras.layers.Add(name="plus")([inner(v), v]))
""",
    ),
    "subclassed": (
        SUBCLASSED,
        """
class SubclassedModel(keras.Model):
    def __init__(self, output_dim, name=None):
        super().__init__(name=name)
        self.dense_1 = keras.layers.Dense(64, activation="relu", name="dense_1")
        self.dense_2 = keras.layers.Dense(64, activation="relu", name="dense_2")
        self.dense_3 = keras.layers.Dense(output_dim, name="predictions")
    def call(self, inputs):
        return self.dense_3(self.dense_2(self.dense_1(inputs)))
model = SubclassedModel(2, name="sub")
model(np.ones((1, 3), "float32"))
""",
    ),
    "custom": (
        CUSTOM,
        """
class CustomLayer(keras.layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 4), name="w")
        self.b = self.add_weight(shape=(4,), name="b")
    def call(self, inputs):
        return ops.dot(inputs, self.w) + self.b
custom_activation = lambda x: ops.tanh(x) ** 2
custom_loss = lambda t, p: 2.0 * ops.mean(ops.square(t - p), axis=-1)
def custom_metric(t, p):
    return ops.mean(ops.abs(t - p), axis=-1)
x = keras.Input((3,), name="x")
model = keras.Model(x, keras.layers.Activation(custom_activation)(CustomLayer()(x)))
model.compile("sgd", custom_loss, metrics=[custom_metric])
""",
    ),
}

FACTS = """
import json, sys
import numpy as np

def arrays(shapes):
    start = 0
    for shape in shapes:
        size = int(np.prod(shape))
        yield (np.sin(np.arange(start, start + size)) * 0.5 + 0.75).reshape(shape).astype("float32")
        start += size

def facts(source, names):
    space = {}
    exec(source, space)
    model = space["model"]
    model.set_weights(list(arrays([w.shape for w in model.get_weights()])))
    shapes = [t.shape[1:] for t in getattr(model, "inputs", None) or [np.ones((1, 3))]]
    x = [np.cos(np.arange(4 * int(np.prod(s)))).reshape((4, *s)).astype("float32") for s in shapes]
    x = x[0] if len(x) == 1 else x
    out = model.predict(x, verbose=0)
    out = out if isinstance(out, list) else [out]
    found = {
        "weights": [list(w.shape) for w in model.get_weights()],
        "trainable": [list(w.shape) for w in model.trainable_weights],
        "outputs": [o.tolist() for o in out],
        "flags": [bool(l.trainable) for l in model.layers],
        "classes": [type(l).__name__ for l in model.layers],
        "optimizer": float(np.asarray(model.optimizer.learning_rate)) if getattr(model, "optimizer", None) else None,
    }
    if names:
        found["names"] = [model.name] + [l.name for l in model.layers]
    if getattr(model, "optimizer", None):
        target = [np.zeros_like(o) for o in out]
        target = target[0] if len(target) == 1 else target
        found["loss"] = np.ravel(model.evaluate(x, target, verbose=0)).tolist()
    return found

print("FACTS" + json.dumps([[facts(source, names) for source in pair] for pair, names in json.load(open(sys.argv[1]))]))
"""


@libraries
def test_printed_code_builds_what_code_by_hand_builds(library: Library, tmp_path: Path):
    library.python()
    pairs: list[Any] = []
    for blueprint, by_hand in BY_HAND.values():
        printed = to_source(blueprint, library.dialect, library.keras)
        head = printed[: printed.index("ops = ")] + "ops = keras.ops\n" * (library.dialect == "keras-3")
        head += "ops = keras.backend\n" * (library.dialect != "keras-3")
        # The names of what is not named by hand count on through a process.
        pairs.append([[printed, head + by_hand], blueprint in (CHAIN, GRAPH)])
    sources = tmp_path / "sources.json"
    sources.write_text(json.dumps(pairs), encoding="utf-8")

    answer = library.run(FACTS, sources, cwd=tmp_path).partition("FACTS")[2]

    for name, (printed, by_hand) in zip(BY_HAND, json.loads(answer), strict=True):
        assert printed == by_hand, name


RUN_ALL = """
import json, sys
import numpy as np
shapes = []
for source, inputs in json.load(open(sys.argv[1])):
    space = {}
    exec(source, space)
    x = [np.zeros((2, *shape), dtype) for shape, dtype in inputs]
    out = space["model"].predict(x[0] if len(x) == 1 else x, verbose=0)
    out = out if isinstance(out, list) else [out]
    weights = sorted([list(w.shape) for w in space["model"].get_weights()])
    shapes.append([[list(o.shape[1:]) for o in out], weights])
print("SHAPES" + json.dumps(shapes))
"""


def drawn(count: int) -> list[Blueprint]:
    found: list[Blueprint] = []

    @seed(7)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
        deadline=None,
    )
    @given(models())
    def collect(model: Blueprint):
        found.append(model)

    collect()
    return found


@libraries
def test_every_drawn_model_builds_with_the_shapes_we_expect(library: Library, tmp_path: Path):
    library.python()
    blueprints = drawn(25)
    cases = [
        [to_source(one, library.dialect, library.keras), [[item.shape, item.dtype] for item in one.inputs]]
        for one in blueprints
    ]
    (tmp_path / "cases.json").write_text(json.dumps(cases), encoding="utf-8")

    answer = library.run(RUN_ALL, tmp_path / "cases.json", cwd=tmp_path).partition("SHAPES")[2]

    expected = [
        [[list(shape) for shape in output_shapes(one)], sorted(list(weight.shape) for weight in weight_shapes(one))]
        for one in blueprints
    ]
    assert json.loads(answer) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (encode_value((1, (2,))), "(1, (2,))"),
        (encode_value(float("nan")), "float('nan')"),
        (encode_value(np.float32(0.25)), "np.float32(0.25)"),
        (encode_value(np.arange(4, dtype="int16").reshape(2, 2)), "np.array([0, 1, 2, 3], 'int16').reshape((2, 2))"),
        (encode_value(b"\x00a"), "b'\\x00a'"),
        (encode_value({1: "a", "b": None}), "{1: 'a', 'b': None}"),
        (encode_value(set[int]()), "set()"),
        ({"class_name": "L2", "config": {"l2": 0.5}}, "{'class_name': 'L2', 'config': {'l2': 0.5}}"),
        ({"$custom": "custom_activation"}, "custom_activation"),
        ({"$layer": Layer("i", "Dense", {"units": 2}).to_json()}, "keras.layers.Dense(units=2)"),
    ],
)
def test_encoded_values_print_as_python(value: Any, text: str):
    assert layer_source(Layer("a", "Some", {"x": value})) == f"keras.layers.Some(x={text})"


def test_what_has_no_python_form_is_refused():
    with pytest.raises(BlueprintError, match=r"\$object"):
        layer_source(Layer("a", "Some", {"x": {"$object": {"class": "A", "repr": "a"}}}))
    with pytest.raises(ValueError, match="unknown dialect 'keras-9'"):
        to_source(CHAIN, "keras-9")


def test_names_that_python_cannot_have_are_changed():
    blueprint = chain(layer("Dense", "class", units=1), layer("Dense", "keras", units=2), input_name="model")
    source = to_source(blueprint, "keras-3")
    compile(source, "source", "exec")
    assert "name='model'" in source


def test_two_custom_objects_of_one_name_keep_apart():
    blueprint = chain(layer(Custom("Foo:A"), "a", units=2), layer(Custom("Foo:B"), "b", units=2))
    source = to_source(blueprint, "keras-2.4")
    assert source.index("Foo_A = Foo") < source.index('marker = "B"') < source.index("Foo_B = Foo")


def test_every_custom_object_of_the_adapters_can_be_printed():
    # What the definitions need of a library: nothing is made of the classes here.
    keras: Any = SimpleNamespace(Model=object, layers=SimpleNamespace(Layer=object, Dense=object))
    assert set(make_custom_objects(keras, None, 2)) == set(custom_ids())
    for custom in custom_ids():
        for dialect in ("keras-2.4", "keras-3"):
            source = custom_source(custom, dialect)
            compile(source, custom, "exec")
            assert re.search(rf"^(class|def) {identifier(custom)}\b|^{identifier(custom)} = ", source, re.MULTILINE)
