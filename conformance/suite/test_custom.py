"""Chapter custom: what custom layers, models and functions need in order to be saved through configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Compile, Custom, Input, Layer, Subclassed, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies.arrays import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_equal,
    assert_same_array,
    assert_same_arrays,
    assert_same_numbers,
)
from conformance.suite.configs import assert_same_config, config_of, members
from conformance.suite.models import assert_same_weights, prepared, round_trip, save
from conformance.suite.refusals import assert_refuses

FUNCTION_OBJECTS = ("custom_activation", "custom_initializer", "custom_loss", "custom_metric")
FUNCTIONS = chain(
    layer(
        "Dense",
        units=3,
        activation={"$custom": "custom_activation"},
        kernel_initializer={"$custom": "custom_initializer"},
        name="dense",
    ),
    layer("Activation", activation={"$custom": "custom_activation"}, name="activation"),
    layer("Dense", units=2, name="out"),
)
COMPILED = FUNCTIONS.with_compile(Compile("sgd", {"custom": "custom_loss"}, [{"custom": "custom_metric"}]))

# Two layers of the guide's class, which creates its weights without naming them.
UNNAMED = chain(
    layer(Custom("CustomLayer:units"), units=3, name="first"),
    layer(Custom("CustomLayer:units"), units=3, name="second"),
)


def names_of(config: Any) -> set[str]:
    """Every text in a config."""
    return {value for _, value in members(config) if isinstance(value, str)}


# Configs that custom objects must give


@requirement("custom.layer-needs-config")
def test_a_layer_with_arguments_and_no_config_is_refused(impl: Session):
    needy = layer(Custom("NoConfigLayer"), units=2, name="needy")
    model = impl.build(chain(layer("Dense", units=3, name="d"), needy))
    assert_refuses(lambda: impl.get_config(model), "the config of a model with a layer that defines none")
    assert_refuses(lambda: impl.to_json(model), "the JSON of a model with a layer that defines none")
    assert_refuses(lambda: impl.get_config(impl.layer(model, "needy")), "the config of a layer that defines none")
    assert_equal(3, config_of(impl, impl.layer(model, "d"))["units"], "the config of the layer beside it")


@requirement("custom.layer-needs-config")
def test_a_subclassed_model_without_config_is_refused(impl: Session):
    model = impl.build(Subclassed(cls=Custom("CustomModel"), args={"hidden_units": [3]}, inputs=(Input("x", (4,)),)))
    assert_refuses(lambda: impl.get_config(model), "the config of a model that defines none")
    args = {"output_dim": 3, "name": "with_config"}
    other = impl.build(Subclassed(cls=Custom("SubclassedModel"), args=args, inputs=(Input("x", (4,)),)))
    assert_same_config(args, config_of(impl, other), "the config of a model that defines one")


@requirement("custom.config-tracks-state")
@examples(first=st.integers(-9, 9), then=st.integers(-9, 9), cost="config")
@example(first=5, then=2)
def test_a_config_carries_current_values(impl: Session, first: int, then: int):
    assert_state_in_config(impl, "CustomLayer:a", first, then)


@requirement("custom.config-tracks-state")
def test_the_guides_own_layer_carries_its_value(impl: Session):
    assert_state_in_config(impl, "CustomLayer:a-verbatim", 5, 2)


def assert_state_in_config(impl: Session, custom: str, first: int, then: int) -> None:
    made = impl.build_layer(layer(Custom(custom), "l", a=first))
    variable = impl.attribute(made, "var")
    assert_same_array(np.asarray(first, np.int32), impl.value(variable), "the variable")
    impl.assign(variable, np.asarray(then, np.int32))

    form = impl.serialize(made)
    assert_equal(("CustomLayer", {"a": then}), (form["class_name"], form["config"]), "the serialised layer")
    loaded = impl.deserialize("layer", form, {"CustomLayer": custom})

    assert_equal("CustomLayer", impl.describe(loaded).class_name, "the class of what was made")
    value = impl.value(impl.attribute(loaded, "var"))
    assert_same_array(np.asarray(then, np.int32), value, "the variable of what was made")
    assert_same_array(np.asarray(then, np.int32), impl.value(variable), "the original's variable afterwards")


# The serialised form

SERIALISED = st.sampled_from(
    [
        layer("Dense", units=3, activation="relu", name="d"),
        layer("Dropout", rate=0.25, name="drop"),
        layer(Custom("Foo:A"), units=7, name="z"),
        layer(Custom("CustomLayer:units"), units=2, name="c"),
    ]
)


def class_name(described: Layer) -> str:
    return described.cls if isinstance(described.cls, str) else described.cls.id.partition(":")[0]


@requirement("custom.serialised-form")
@examples(described=SERIALISED, cost="cheap")
def test_the_serialised_form_is_class_name_and_config(impl: Session, described: Layer):
    made = impl.build_layer(described)
    expected = {"class_name": class_name(described), "config": config_of(impl, made)}
    assert_same_config(expected, impl.serialize(made), "the serialised layer")


@requirement("custom.serialised-form-v3")
@examples(described=SERIALISED, cost="cheap")
def test_the_serialised_form_names_module_and_registered_name(impl: Session, described: Layer):
    form = impl.serialize(impl.build_layer(described))
    assert_form_v3(form, class_name(described), described)
    package, _, _ = (form["registered_name"] or "").rpartition(">")
    assert_equal("", package, "the package of a class that is not registered")


@requirement("custom.serialised-form-v3")
@examples(package=st.sampled_from(["pkg", "my.package", "A"]), name=st.sampled_from(["Foo", "Other"]), cost="cheap")
def test_the_serialised_form_carries_the_package(impl: Session, package: str, name: str):
    impl.register("Foo:A", package, name)
    described = layer(Custom("Foo:A"), units=7, name="z")
    form = impl.serialize(impl.build_layer(described))
    assert_form_v3(form, "Foo", described)
    assert_equal(f"{package}>{name}", form["registered_name"], "the registered name")


def assert_form_v3(form: Any, name: str, described: Layer) -> None:
    wanted = {"class_name", "config", "module", "registered_name"}
    assert_equal([], sorted(wanted - set(form)), "fields that the serialised layer lacks")
    assert_equal(name, form["class_name"], "class_name")
    arguments = {key: form["config"].get(key) for key in described.args}
    assert_equal(dict(described.args), arguments, "the layer's arguments in its config")


# Functions by name


@requirement("custom.functions-by-name-config")
@examples(seed=strategies.data_seeds(), way=st.sampled_from(["config", "json"]), cost="config")
def test_a_config_names_custom_functions(impl: Session, tolerance: Any, seed: int, way: str):
    original = prepared(impl, FUNCTIONS, seed)
    inputs = inputs_for(FUNCTIONS, seed)
    expected = impl.call(original, inputs)
    config = config_of(impl, original)
    assert_equal(
        [], sorted({"custom_activation", "custom_initializer"} - names_of(config)), "functions not in the config"
    )
    again = remake(impl, way, original)

    assert_refuses(again, "rebuilding without the functions", mentions="custom_|Unknown|unknown|locate")
    with impl.scope({name: name for name in FUNCTION_OBJECTS}):
        made = again()
        fresh = impl.get_weights(made)
        impl.set_weights(made, impl.get_weights(original))

    initial = np.full_like(fresh[0], initial_value(impl))
    assert_same_array(initial, fresh[0], "the kernel that the custom initializer made")
    assert_same_arrays(expected, impl.call(made, inputs), "outputs", tolerance("same-path"))


def remake(impl: Session, way: str, original: Handle) -> Any:
    """A function that rebuilds the model from what it tells of itself now."""
    if way == "json":
        text = impl.to_json(original)
        return lambda: impl.from_json(text)
    config = config_of(impl, original)
    return lambda: impl.from_config("Model", config).object


def initial_value(impl: Session) -> float:
    """What the custom initializer fills a kernel with."""
    made = impl.build_layer(
        layer("Dense", units=1, kernel_initializer={"$custom": "custom_initializer"}, name="i"), (1,)
    )
    return float(impl.get_weights(made)[0].item())


@requirement("custom.functions-by-name")
@examples(seed=strategies.data_seeds(), way=st.sampled_from(["argument", "scope", "global"]), cost="save")
@example(seed=0, way="argument")
def test_a_saved_model_finds_custom_functions_by_name(
    impl: Session, format: str, scratch: Path, tolerance: Any, seed: int, way: str
):
    original = prepared(impl, COMPILED, seed)
    (x, y), *_ = batches(COMPILED, seed, steps=1)
    predictions, numbers = impl.predict(original, x), impl.evaluate(original, x, y)
    path = save(impl, original, scratch, format)
    known = {name: name for name in FUNCTION_OBJECTS}

    if way == "scope":
        with impl.scope(known):
            loaded = impl.load(path)
    elif way == "global":
        impl.set_global(known)
        loaded = impl.load(path)
    else:
        loaded = impl.load(path, custom_objects=known)

    assert_same_arrays(predictions, impl.predict(loaded, x), "predictions", tolerance("same-path"))
    assert_same_numbers(numbers, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))
    assert_equal("Dense", impl.describe(impl.layer(loaded, "dense")).class_name, "the class of the layer")


# Registration


@requirement("custom.registration-needed")
@examples(custom=st.sampled_from(["Foo:A", "CustomLayer:units"]), units=st.integers(1, 4), cost="config")
def test_a_config_does_not_make_a_class_loadable(impl: Session, custom: str, units: int):
    model = chain(layer(Custom(custom), units=units, name="own"), layer("Dense", units=2, name="d"))
    original = impl.build(model)
    config, text = config_of(impl, original), impl.to_json(original)
    name = custom.partition(":")[0]
    for what, make in (
        ("the config", lambda: impl.from_config("Model", config).object),
        ("the JSON", lambda: impl.from_json(text)),
    ):
        assert_refuses(make, f"rebuilding from {what} without the class", mentions=name)
        with impl.scope({name: custom}):
            made = make()
        assert_equal(
            units, config_of(impl, impl.layer(made, "own"))["units"], "the layer's units, its class being known"
        )


@requirement("custom.unnamed-weights")
@examples(seed=strategies.data_seeds(), cost="save")
@example(seed=0)
def test_layers_with_unnamed_weights_are_saved_whole(impl: Session, format: str, scratch: Path, seed: int):
    original = prepared(impl, UNNAMED, seed)
    loaded = round_trip(impl, original, scratch, format, UNNAMED)
    assert_same_weights(impl, original, loaded, "weights")
    for name in ("first", "second"):
        assert_same_weights(impl, impl.layer(original, name), impl.layer(loaded, name), f"weights of {name}")
