"""Chapter config: the architecture of models, as configs and as JSON. Layers are in test_config_layers.py."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import (
    Blueprint,
    Call,
    Custom,
    Functional,
    Input,
    NestedModel,
    Sequential,
    Subclassed,
    chain,
    layer,
)
from conformance.protocol.session import Handle, Session
from conformance.strategies.arrays import inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_equal,
    assert_same_arrays,
    assert_true,
)
from conformance.suite.configs import (
    assert_all_differ,
    assert_same_architecture,
    assert_same_config,
    config_of,
    members,
    rebuilt,
    thawed,
    with_frozen_model,
)
from conformance.suite.models import custom_objects, prepared
from conformance.suite.refusals import assert_refuses

KINDS = ("sequential", "functional")
RESET_SEED = 21

# Left minus right, of two inputs given in an order that is not the alphabetical one; one layer is used twice.
WIRED = Functional(
    name="wired",
    inputs=(Input("second", (3,)), Input("first", (3,))),
    layers=(
        layer("Dense", units=3, name="shared"),
        layer("Subtract", name="minus"),
        layer("Dense", units=2, name="z"),
        layer("Dense", units=2, name="a", trainable=False),
    ),
    calls=(
        Call("shared", ("first",), "t0"),
        Call("shared", ("second",), "t1"),
        Call("minus", ("t1", "t0"), "t2"),
        Call("z", ("t2",), "t3"),
        Call("a", ("t0",), "t4"),
    ),
    outputs=("t4", "t3"),
)
NESTED = chain(
    NestedModel("n", chain(layer("Dense", units=3, name="in"), kind="sequential", name="inner"), trainable=False),
    layer("Dense", units=2, name="out"),
    kind="sequential",
    name="outer",
)
UNBUILT = Sequential(name="unbuilt", layers=(layer("Dense", units=3, name="one"), layer("Dense", units=2, name="two")))
EMPTY = Sequential(name="empty")


def assert_rebuilt(impl: Session, model: Blueprint) -> None:
    original = impl.build(model)
    expected = impl.describe(original)
    made = rebuilt(impl, model, config_of(impl, original))
    assert_same_architecture(expected, impl.describe(made), "the model rebuilt from the config")
    if expected.built:
        assert_equal(
            _variables(impl, original), _variables(impl, made), "shapes and dtypes of the rebuilt model's weights"
        )


def _variables(impl: Session, model: Handle) -> dict[str, list[tuple[Any, ...]]]:
    return {
        which: [(weight.value.shape, weight.value.dtype) for weight in impl.weights(model, which)]
        for which in ("all", "trainable", "non_trainable")
    }


@requirement("config.sequential-roundtrip")
@examples(model=strategies.sequentials(), cost="config")
@example(model=EMPTY)
@example(model=UNBUILT)
@example(model=NESTED)
def test_a_sequential_model_is_rebuilt_from_its_config(impl: Session, model: Blueprint):
    assert_rebuilt(impl, model)


@requirement("config.functional-roundtrip")
@examples(model=strategies.functionals(), cost="config")
@example(model=WIRED)
def test_a_functional_model_is_rebuilt_from_its_config(impl: Session, model: Blueprint):
    assert_rebuilt(impl, model)


@requirement("config.sequential-roundtrip", "config.functional-roundtrip")
@examples(kind=st.sampled_from(KINDS), inner=st.sampled_from(KINDS), cost="config")
@example(kind="functional", inner="functional")
def test_a_frozen_nested_model_is_still_frozen(impl: Session, kind: str, inner: str):
    model = with_frozen_model(kind, inner)
    original = impl.build(model)
    made = rebuilt(impl, model, config_of(impl, original))
    old, new = ({item.name: item.trainable for item in impl.describe(side).layers} for side in (original, made))
    assert_equal(False, old["inner"], "the original's nested model is trainable")
    assert_equal(old, new, "trainable flags of the rebuilt model's layers")


@requirement("config.layers-and-wiring")
@examples(model=strategies.models(kinds=KINDS), seed=strategies.data_seeds(), cost="config")
@example(model=WIRED, seed=0)
def test_the_rebuilt_model_computes_the_same(impl: Session, tolerance: Any, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected = impl.call(original, inputs)
    weights, config = impl.get_weights(original), config_of(impl, original)

    impl.reset(RESET_SEED)  # nothing but the config knows the model now
    made = rebuilt(impl, model, config)
    impl.set_weights(made, weights)

    assert_same_arrays(expected, impl.call(made, inputs), "outputs", tolerance("same-path"))


@requirement("config.layers-and-wiring")
@examples(
    model=st.one_of(
        strategies.deep_models(),
        strategies.typed_models(),
        strategies.masked_models(),
        strategies.multi_output_layers(),
    ),
    seed=strategies.data_seeds(),
    cost="config",
)
def test_the_rebuilt_model_has_dtypes_masks_and_inner_models(
    impl: Session, dialect: str, tolerance: Any, model: Blueprint, seed: int
):
    model = strategies.spelled_for(dialect, model)
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected, architecture = impl.call(original, inputs), impl.describe(original)
    weights, text = impl.get_weights(original), json.dumps(config_of(impl, original))

    impl.reset(RESET_SEED)  # nothing but the text of the config knows the model now
    made = rebuilt(impl, model, read_json(text))
    impl.set_weights(made, weights)

    assert_same_architecture(architecture, impl.describe(made), "the rebuilt model")
    assert_same_arrays(weights, impl.get_weights(made), "weights, each of its dtype")
    assert_same_arrays(expected, impl.call(made, inputs), "outputs", tolerance("same-path"))


@requirement("config.fresh")
@examples(model=strategies.models(kinds=KINDS, compiled=True), seed=strategies.data_seeds(), cost="config")
def test_a_model_rebuilt_from_a_config_is_fresh(impl: Session, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    made = rebuilt(impl, model, config_of(impl, original))
    assert_fresh(impl, original, made)


@requirement("config.fresh")
@examples(model=strategies.models(kinds=KINDS, compiled=True), seed=strategies.data_seeds(), cost="config")
def test_a_model_rebuilt_from_json_is_fresh(impl: Session, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    made = impl.from_json(impl.to_json(original))
    assert_fresh(impl, original, made)


def assert_fresh(impl: Session, original: Handle, made: Handle) -> None:
    assert_true(bool(impl.describe(original).compiled), "the original is compiled", expected="compiled", actual="not")
    assert_all_differ(impl.get_weights(original), impl.get_weights(made))
    assert_equal(False, impl.describe(made).compiled, "the rebuilt model is compiled")
    assert_equal(False, impl.optimizer(made).present, "the rebuilt model has an optimizer")


@requirement("config.fixed-point")
@examples(model=strategies.models(kinds=KINDS).map(thawed), cost="config")
@example(model=WIRED)
@example(model=thawed(NESTED))
@example(model=UNBUILT)
@example(model=EMPTY)
def test_a_config_is_a_fixed_point(impl: Session, model: Blueprint):
    config = config_of(impl, impl.build(model))
    made = rebuilt(impl, model, config)
    assert_same_config(config, config_of(impl, made), "the config of the rebuilt model")


@requirement("config.fixed-point")
@examples(kind=st.sampled_from(KINDS), inner=st.sampled_from(KINDS), cost="config")
@example(kind="sequential", inner="functional")
def test_the_config_of_a_frozen_nested_model_is_a_fixed_point(impl: Session, kind: str, inner: str):
    model = with_frozen_model(kind, inner)
    config = config_of(impl, impl.build(model))
    made = rebuilt(impl, model, config)
    assert_same_config(config, config_of(impl, made), "the config of the rebuilt model")


@requirement("config.fixed-point")
@examples(
    model=st.one_of(
        strategies.deep_models().map(thawed),
        strategies.penalized_models(),
        strategies.masked_models(),
        strategies.multi_output_layers(),
    ),
    cost="config",
)
@example(model=WIRED)
@example(model=UNBUILT)
def test_a_config_is_a_fixed_point_through_json_text(impl: Session, model: Blueprint):
    config = config_of(impl, impl.build(model))
    text = json.dumps(config)
    made = rebuilt(impl, model, read_json(text))
    assert_equal(text, json.dumps(config_of(impl, made)), "JSON text of the rebuilt model's config")


@requirement("config.always-available")
@examples(model=strategies.models(kinds=KINDS), cost="config")
@example(model=EMPTY)
@example(model=UNBUILT)
def test_every_sequential_and_functional_model_has_a_config(impl: Session, model: Blueprint):
    for blueprint in (model, replace(model, inputs=()) if isinstance(model, Sequential) else model):
        config = config_of(impl, impl.build(blueprint))
        found = {value for _, value in members(config) if isinstance(value, str)}
        wanted = {name for name in blueprint.layer_names if name} | {str(item.cls) for item in blueprint.all_layers()}
        assert_equal([], sorted(wanted - found), "names or classes of layers that the config does not tell")


@requirement("config.not-subclassed")
def test_a_subclassed_model_has_no_config(impl: Session):
    model = impl.build(Subclassed(cls=Custom("CustomModel"), args={"hidden_units": [3, 2]}, inputs=(Input("x", (4,)),)))
    assert_refuses(lambda: impl.get_config(model), "the config of a subclassed model", kinds=("NotImplementedError",))


@requirement("config.automatic")
@examples(units=st.lists(st.integers(1, 5), min_size=1, max_size=3), cost="config")
@example(units=[2])
def test_a_subclassed_model_has_an_automatic_config(impl: Session, units: list[int]):
    made = impl.build(Subclassed(cls=Custom("CustomModel"), args={"hidden_units": units}, inputs=(Input("x", (4,)),)))
    assert_equal(units, config_of(impl, made).get("hidden_units"), "hidden_units in the automatic config")


@requirement("config.automatic")
@examples(scale=st.integers(4, 9), cost="config")
@example(scale=7)
def test_an_automatic_config_holds_what_was_given_and_not_the_default(impl: Session, scale: int):
    made = impl.build(Subclassed(cls=Custom("DefaultScale"), args={"scale": scale}, inputs=(Input("x", (4,)),)))
    assert_equal(scale, config_of(impl, made).get("scale"), "scale in the automatic config")


@requirement("config.automatic")
@examples(units=st.integers(1, 9), cost="config")
def test_a_subclassed_layer_has_an_automatic_config(impl: Session, units: int):
    made = impl.build_layer(layer(Custom("NoConfigLayer"), units=units, name="own"))
    config = config_of(impl, made)
    assert_equal((units, "own"), (config.get("units"), config.get("name")), "the automatic config")


@requirement("config.automatic")
def test_arguments_that_are_no_simple_values_have_no_automatic_config(impl: Session):
    made = impl.build_layer(layer(Custom("NoConfigLayer"), units={"$set": [1, 2]}, name="own"))
    assert_refuses(lambda: impl.get_config(made), "the automatic config of a layer that was given a set")


# JSON


@requirement("json.roundtrip")
@examples(model=strategies.models(kinds=KINDS), seed=strategies.data_seeds(), cost="config")
@example(model=WIRED, seed=0)
@example(model=NESTED, seed=0)
def test_a_model_is_rebuilt_from_its_json(impl: Session, tolerance: Any, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    architecture, expected = impl.describe(original), impl.call(original, inputs)
    weights, text = impl.get_weights(original), impl.to_json(original)
    assert_equal("dict", type(read_json(text)).__name__, "what the JSON text of a model is")

    impl.reset(RESET_SEED)  # nothing but the text knows the model now
    made = impl.from_json(text, custom_objects(model) or None)
    assert_same_architecture(architecture, impl.describe(made), "the model rebuilt from JSON")
    impl.set_weights(made, weights)

    assert_same_arrays(expected, impl.call(made, inputs), "outputs", tolerance("same-path"))


def read_json(text: str) -> Any:
    """The value of a JSON text; NaN and infinities, which are not JSON, are refused."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"the text is not JSON: it has the constant {constant}")

    return json.loads(text, parse_constant=refuse)


@requirement("json.version-and-backend")
@examples(model=strategies.models(kinds=KINDS), cost="config")
def test_the_json_names_version_and_backend(impl: Session, model: Blueprint):
    found = read_json(impl.to_json(impl.build(model)))
    for key in ("keras_version", "backend"):
        value = found.get(key)
        assert_true(
            isinstance(value, str) and bool(value), f"the JSON text's {key}", expected="a name", actual=repr(value)
        )


@requirement("json.models-only")
def test_a_layer_has_no_json(impl: Session):
    dense = impl.build_layer(layer("Dense", units=2, name="d"))
    assert_refuses(lambda: impl.to_json(dense), "to_json() of a layer")


@requirement("json.models-only")
def test_the_json_of_a_layer_is_not_taken_for_a_model(impl: Session):
    dense = impl.build_layer(layer("Dense", units=2, name="d"))
    text = json.dumps(impl.serialize(dense))
    assert_refuses(lambda: impl.from_json(text), "model_from_json() of a layer's text")


# The contract of from_config


@requirement("config.from-config-contract")
@examples(units=st.integers(1, 5), cost="config")
def test_the_default_from_config_of_a_layer_calls_the_class(impl: Session, units: int):
    cls, config = Custom("Foo:B"), {"units": units, "name": "own"}
    first, second = (impl.from_config(cls, config).object for _ in range(2))
    for made in (first, second):
        impl.call(made, np.ones((2, 3), np.float32))
        found = impl.describe(made)
        assert_equal(("Foo", "B", "own"), (found.class_name, found.marker, found.name), "class, marker and name")
        assert_equal(units, config_of(impl, made)["units"], "units")
    before = impl.get_weights(second)
    impl.set_weights(first, [array + 1 for array in impl.get_weights(first)])
    assert_same_arrays(before, impl.get_weights(second), "weights of one object after those of another were set")


@requirement("config.from-config-contract")
@examples(scale=st.integers(2, 9), seed=strategies.data_seeds(), cost="config")
@example(scale=7, seed=0)
def test_the_default_from_config_of_a_model_calls_the_class(impl: Session, tolerance: Any, scale: int, seed: int):
    blueprint = Subclassed(cls=Custom("ScaledModel"), args={"scale": scale}, inputs=(Input("x", (4,)),))
    assert_class_called(impl, blueprint, {"scale": scale}, seed, tolerance("same-path"))


@requirement("config.from-config-contract")
@examples(units=st.integers(1, 5), seed=strategies.data_seeds(), cost="config")
@example(units=10, seed=0)
def test_the_guides_model_with_a_config_is_rebuilt(impl: Session, tolerance: Any, units: int, seed: int):
    args = {"output_dim": units, "name": "sub"}
    blueprint = Subclassed(cls=Custom("SubclassedModel"), args=args, inputs=(Input("x", (4,)),))
    assert_class_called(impl, blueprint, args, seed, tolerance("same-path"))


def assert_class_called(
    impl: Session, blueprint: Subclassed, config: dict[str, Any], seed: int, tolerance: float
) -> None:
    original = prepared(impl, blueprint, seed)
    inputs = inputs_for(blueprint, seed)
    assert_same_config(config, config_of(impl, original), "the model's own config")

    made = impl.from_config(blueprint.cls, config_of(impl, original)).object
    impl.call(made, inputs)  # a subclassed model has no weights before its first call
    impl.set_weights(made, impl.get_weights(original))

    assert_equal(impl.describe(original).class_name, impl.describe(made).class_name, "the class")
    assert_same_config(config, config_of(impl, made), "the rebuilt model's config")
    assert_same_arrays(impl.call(original, inputs), impl.call(made, inputs), "outputs", tolerance)
