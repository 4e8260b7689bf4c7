"""Chapter open: what the guide leaves open about configs, clones and the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint, Custom, Input, Subclassed, chain, layer
from conformance.protocol.encoding import encode_value
from conformance.protocol.session import Session
from conformance.strategies.arrays import inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_equal, assert_same_arrays
from conformance.suite.configs import (
    MODEL_CLASSES,
    assert_all_differ,
    assert_same_config,
    config_of,
    found_marker,
    mutable_places,
    thawed,
    with_frozen_model,
)
from conformance.suite.models import custom_objects, prepared, save
from conformance.suite.refusals import assert_refuses

KINDS = ("sequential", "functional")


# Configs


@requirement("open.config-misfit")
def test_a_config_that_does_not_fit_its_class_is_refused(impl: Session, format: str, scratch: Path):
    """The Foo that wrote the config has units; the one that is registered when it is read takes no such argument."""
    foo = layer(Custom("Foo:A"), units=3, name="foo")
    path = save(impl, impl.build(chain(foo)), scratch, format)
    fitting = found_marker(impl, lambda: impl.load(path, custom_objects={"Foo": "Foo:B"}), "foo")
    assert_equal("B", fitting, "the class found when it fits")
    assert_refuses(
        lambda: impl.load(path, custom_objects={"Foo": "Foo:narrow"}), "loading with a class that does not fit"
    )


@requirement("open.config-extra-key")
@examples(key=st.sampled_from(["colour", "unit", "Units"]), units=st.integers(1, 4), cost="config")
def test_an_unknown_key_is_an_error_that_names_it(impl: Session, key: str, units: int):
    for cls in ("Dense", Custom("Foo:A")):
        config = {"name": "own", "units": units}
        made = impl.from_config(cls, config).object
        assert_equal(units, config_of(impl, made)["units"], "units without the unknown key")
        assert_refuses(
            lambda cls=cls, config=config: impl.from_config(cls, {**config, key: 1}),
            "an unknown key in a config",
            mentions=key,
        )


@requirement("open.config-extra-key")
@examples(units=st.integers(1, 4), cost="config")
def test_a_missing_optional_key_means_its_default(impl: Session, units: int):
    full = config_of(impl, impl.build_layer(layer("Dense", units=units, name="own")))
    made = impl.from_config("Dense", {"units": units, "name": "own"}).object
    assert_same_config(full, config_of(impl, made), "the config after optional keys were left out")
    default = impl.from_config(Custom("CustomLayer:units"), {"name": "own"}).object
    assert_equal(32, config_of(impl, default)["units"], "units of the guide's layer, left out")


# Values that JSON can hold; with tuples and NumPy's it needs help, and each must come back as what it was.
PLAIN: dict[str, Any] = {"numbers": [1, 2.5, None, True], "texts": {"a": "text", "b": ["", "\u00e9"]}}
TUPLES: dict[str, Any] = {"tuple": (1, 2), "nested": {"sizes": [(1, (2, 3)), [4]]}}
NUMPY_SCALARS: dict[str, Any] = {"float32": np.float32(0.1), "int64": np.int64(2**40)}
NUMPY_ARRAYS: dict[str, Any] = {
    "array": np.arange(6, dtype=np.int16).reshape(2, 3),
    "float array": np.array([0.1, 0.2], np.float32),
}


def value_model(value: Any) -> Blueprint:
    return chain(layer(Custom("ValueLayer"), value=value, name="holder"), layer("Dense", units=2, name="d"))


def assert_survives_json(impl: Session, value: Any, what: str) -> None:
    original = impl.build(value_model(encode_value(value)))
    before = config_of(impl, impl.layer(original, "holder"))["value"]
    assert_same_config(value, before, f"{what} in the config")
    text = impl.to_json(original)
    json.loads(text)

    made = impl.from_json(text, {"ValueLayer": "ValueLayer"})

    after = config_of(impl, impl.layer(made, "holder"))["value"]
    assert_same_config(value, after, f"{what} in the config after JSON")


@requirement("open.config-values")
@examples(kind=st.sampled_from(list(PLAIN)), cost="config")
def test_plain_values_in_configs_survive_json(impl: Session, kind: str):
    assert_survives_json(impl, PLAIN[kind], kind)


@requirement("open.config-values")
@examples(kind=st.sampled_from(list(TUPLES)), cost="config")
@example(kind="tuple")
def test_tuples_in_configs_survive_json(impl: Session, kind: str):
    assert_survives_json(impl, TUPLES[kind], kind)


@requirement("open.config-values")
@examples(kind=st.sampled_from(list(NUMPY_SCALARS)), cost="config")
@example(kind="float32")
def test_numpy_scalars_in_configs_survive_json(impl: Session, kind: str):
    assert_survives_json(impl, NUMPY_SCALARS[kind], kind)


@requirement("open.config-values")
@examples(kind=st.sampled_from(list(NUMPY_ARRAYS)), cost="config")
@example(kind="array")
def test_numpy_arrays_in_configs_survive_json(impl: Session, kind: str):
    assert_survives_json(impl, NUMPY_ARRAYS[kind], kind)


@requirement("open.config-values")
def test_a_set_in_a_config_is_refused_by_its_key(impl: Session):
    model = impl.build(value_model({"$set": [1, 2]}))
    assert_refuses(lambda: impl.to_json(model), "the JSON of a model with a set in a config", mentions=r"\bvalue\b")


@requirement("open.config-values")
def test_bytes_in_a_config_are_refused_by_their_key(impl: Session):
    model = impl.build(value_model({"$bytes": "AP8="}))
    assert_refuses(lambda: impl.to_json(model), "the JSON of a model with bytes in a config", mentions=r"\bvalue\b")


@requirement("open.from-config-pure")
@examples(model=strategies.models(kinds=KINDS), cost="config")
@example(model=with_frozen_model("functional", "functional"))
def test_from_config_of_a_model_leaves_its_argument(impl: Session, model: Blueprint):
    live = impl.get_config(impl.build(model))
    done = impl.from_config(MODEL_CLASSES[model.kind], live.object, custom_objects(model) or None)
    assert_same_config(live.config, done.config_after, "the dict given to from_config, afterwards")


@requirement("open.from-config-pure")
@examples(model=strategies.models(kinds=KINDS), cost="config")
def test_the_config_of_a_model_is_a_dict_of_its_own(impl: Session, model: Blueprint):
    original = impl.build(model)
    live = impl.get_config(original)
    for place in mutable_places(live.config):
        impl.mutate(live.object, place, "changed by the caller")
    assert_same_config(live.config, config_of(impl, original), "the config after an earlier one was changed")


# Clones


@requirement("open.clone-details")
@examples(model=strategies.models(kinds=KINDS).map(thawed), cost="config")
def test_a_clone_keeps_names_and_flags(impl: Session, model: Blueprint):
    original = impl.build(model)
    clone = impl.clone(original)
    first, second = ([(item.name, item.trainable) for item in impl.describe(side).layers] for side in (original, clone))
    assert_equal(first, second, "names and trainable flags of the clone's layers")
    for which in ("trainable", "non_trainable"):
        old, new = ([weight.value.shape for weight in impl.weights(side, which)] for side in (original, clone))
        assert_equal(old, new, f"the clone's {which} weights")


@requirement("open.clone-details")
@examples(kind=st.sampled_from(KINDS), inner=st.sampled_from(KINDS), cost="config")
@example(kind="functional", inner="functional")
def test_a_clone_keeps_the_flag_of_a_nested_model(impl: Session, kind: str, inner: str):
    original = impl.build(with_frozen_model(kind, inner))
    clone = impl.clone(original)
    old, new = ({item.name: item.trainable for item in impl.describe(side).layers} for side in (original, clone))
    assert_equal(False, old["inner"], "the original's nested model is trainable")
    assert_equal(old, new, "trainable flags of the clone's layers")


@requirement("open.clone-details")
@examples(scale=st.integers(2, 9), seed=strategies.data_seeds(), cost="config")
@example(scale=7, seed=0)
def test_a_subclassed_model_with_a_config_is_cloned(impl: Session, tolerance: Any, scale: int, seed: int):
    model = Subclassed(cls=Custom("ScaledModel"), args={"scale": scale}, inputs=(Input("x", (4,)),))
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    clone = impl.clone(original)
    impl.call(clone, inputs)  # a subclassed model has no weights before its first call
    assert_equal("ScaledModel", impl.describe(clone).class_name, "the clone's class")
    assert_all_differ(impl.get_weights(original), impl.get_weights(clone))
    impl.set_weights(clone, impl.get_weights(original))
    assert_same_arrays(impl.call(original, inputs), impl.call(clone, inputs), "outputs", tolerance("same-path"))


@requirement("open.clone-details")
def test_custom_functions_are_found_through_a_scope_only(impl: Session):
    model = impl.build(chain(layer("Activation", activation={"$custom": "custom_activation"}, name="a")))
    assert_refuses(lambda: impl.clone(model), "a clone outside a scope", mentions="custom_activation")
    with impl.scope({"custom_activation": "custom_activation"}):
        clone = impl.clone(model)
    x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
    assert_same_arrays(impl.call(model, x), impl.call(clone, x), "outputs")


# The registry


@requirement("open.scope-threads")
@examples(mark=st.sampled_from(["A", "B", "C"]), cost="config")
def test_a_scope_holds_for_its_own_thread(impl: Session, mark: str):
    form = impl.serialize(impl.build_layer(layer(Custom("Foo:A"), name="x")))
    with impl.scope({"Foo": f"Foo:{mark}"}):
        assert_equal(
            mark, found_marker(impl, lambda: impl.deserialize("layer", form)), "the class found inside the scope"
        )
        elsewhere = found_marker(impl, lambda: impl.deserialize("layer", form, thread=True))
        assert_equal(None, elsewhere, "the class that another thread found meanwhile")
    with_argument = found_marker(impl, lambda: impl.deserialize("layer", form, {"Foo": f"Foo:{mark}"}, thread=True))
    assert_equal(mark, with_argument, "the class that another thread finds by argument")


@requirement("open.scope-threads")
@examples(error=st.booleans(), cost="config")
@example(error=False)
def test_names_set_inside_a_scope_end_with_it(impl: Session, error: bool):
    form = impl.serialize(impl.build_layer(layer(Custom("Foo:A"), name="x")))
    impl.enter_scope({"MarkedCall": "MarkedCall:1"})
    impl.set_global({"Foo": "Foo:B"})
    assert_equal("B", found_marker(impl, lambda: impl.deserialize("layer", form)), "the class found inside the scope")
    impl.exit_scope(error=error)
    assert_equal(None, found_marker(impl, lambda: impl.deserialize("layer", form)), "the class found after the scope")


@requirement("open.register-twice")
@examples(package=st.sampled_from([None, "pkg"]), name=st.sampled_from([None, "Foo"]), cost="cheap")
def test_a_second_object_under_a_registered_name_is_refused(impl: Session, package: str | None, name: str | None):
    registered = impl.register("Foo:A", package, name)
    assert_refuses(lambda: impl.register("Foo:B", package, name), "registering a second class", mentions="Foo")
    form = impl.serialize(impl.build_layer(layer(Custom("Foo:A"), name="x")))
    assert_equal(
        "A", found_marker(impl, lambda: impl.deserialize("layer", form)), f"the class found under {registered}"
    )


@requirement("open.register-twice")
@examples(package=st.sampled_from([None, "pkg"]), name=st.sampled_from([None, "Foo"]), cost="cheap")
def test_the_same_object_is_registered_again(impl: Session, package: str | None, name: str | None):
    first = impl.register("Foo:A", package, name)
    assert_equal(first, impl.register("Foo:A", package, name), "the name when it is registered again")
    form = impl.serialize(impl.build_layer(layer(Custom("Foo:A"), name="x")))
    assert_equal("A", found_marker(impl, lambda: impl.deserialize("layer", form)), f"the class found under {first}")


@requirement("open.registered-name")
@examples(package=st.sampled_from(["pkg", "my.package"]), name=st.sampled_from(["Foo", "Other"]), cost="config")
def test_a_registered_class_is_found_by_its_full_name_alone(impl: Session, package: str, name: str):
    unregistered = impl.serialize(impl.build_layer(layer(Custom("Foo:A"), name="x")))
    impl.register("Foo:A", package, name)
    registered = impl.serialize(impl.build_layer(layer(Custom("Foo:A"), name="x")))
    assert_equal(
        "A", found_marker(impl, lambda: impl.deserialize("layer", registered)), f"found under {package}>{name}"
    )
    assert_equal(
        None, found_marker(impl, lambda: impl.deserialize("layer", unregistered)), "found under the plain name"
    )
