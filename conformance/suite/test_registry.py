"""Chapter registry: the three ways to register custom objects. Who comes first is in test_registry_precedence.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Custom, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies.arrays import inputs_for
from conformance.strategies.scopes import SAME_NAMED
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_equal, assert_same_arrays
from conformance.suite.configs import config_of, found_marker
from conformance.suite.models import prepared, save
from conformance.suite.refusals import assert_refuses, attempted

FOO = chain(layer(Custom("Foo:A"), units=3, name="foo"), layer("Dense", units=2, name="d"))

# What makes objects from configs, each given what the implementation itself says of a model with a Foo.
MAKERS = ("deserialize", "from_config", "from_json")
Maker = Callable[[Mapping[str, str] | None], Handle]


def makers(impl: Session, model: Handle, name: str) -> dict[str, tuple[Maker, str | None]]:
    """For each way of making objects, a function of custom_objects, and where in the result the layer is."""
    form, config, text = impl.serialize(impl.layer(model, name)), config_of(impl, model), impl.to_json(model)
    return {
        "deserialize": (lambda known: impl.deserialize("layer", form, known), None),
        "from_config": (lambda known: impl.from_config("Model", config, known).object, name),
        "from_json": (lambda known: impl.from_json(text, known), name),
    }


# Nothing registered


@requirement("registry.unknown")
@examples(way=st.sampled_from(MAKERS), cost="cheap")
@example(way="from_json")
@example(way="from_config")
@example(way="deserialize")
def test_an_unknown_class_is_an_error_that_names_it(impl: Session, way: str):
    make, _ = makers(impl, impl.build(FOO), "foo")[way]
    assert_refuses(lambda: make(None), f"{way} with an unknown class", mentions=r"\bFoo\b")


UNHEARD: dict[str, Any] = {"class_name": "Unheard", "config": {}}


@requirement("registry.unknown")
def test_an_unknown_layer_is_an_error_that_names_it(impl: Session):
    assert_refuses(lambda: impl.deserialize("layer", UNHEARD), "an unknown layer", mentions=r"\bUnheard\b")


@requirement("registry.unknown")
def test_an_unknown_name_of_another_kind_is_an_error(impl: Session):
    kinds = ("loss", "metric", "optimizer", "initializer", "regularizer", "constraint")
    made = {kind: attempted(partial(impl.deserialize, kind, UNHEARD)) for kind in kinds}
    found = {kind: impl.describe(thing).class_name for kind, thing in made.items() if thing is not None}
    assert_equal({}, found, "what was found for an unknown name, by kind")


@requirement("registry.unknown-message")
@examples(way=st.sampled_from(MAKERS), cost="cheap")
@example(way="deserialize")
def test_the_error_reads_unknown_layer(impl: Session, way: str):
    make, _ = makers(impl, impl.build(FOO), "foo")[way]
    assert_refuses(
        lambda: make(None),
        f"{way} with an unknown class",
        kinds=("ValueError",),
        mentions=r"Unknown layer: ['\"]?Foo\b",
    )


# Way 1


@requirement("registry.custom-objects-argument")
@examples(way=st.sampled_from(MAKERS), mark=st.sampled_from(["A", "B", "C"]), cost="config")
@example(way="deserialize", mark="B")
@example(way="from_config", mark="B")
@example(way="from_json", mark="B")
def test_the_argument_names_custom_objects(impl: Session, way: str, mark: str):
    make, place = makers(impl, impl.build(FOO), "foo")[way]
    assert_equal(mark, found_marker(impl, lambda: make({"Foo": f"Foo:{mark}"}), place), f"the class that {way} found")
    assert_refuses(lambda: make(None), f"{way} without the argument after {way} with it")


@requirement("registry.custom-objects-load")
@examples(mark=st.sampled_from(["A", "B", "C"]), cost="save")
@example(mark="B")
def test_the_argument_of_load_model_names_custom_objects(impl: Session, format: str, scratch: Path, mark: str):
    path = save(impl, impl.build(FOO), scratch, format)
    found = found_marker(impl, lambda: impl.load(path, custom_objects={"Foo": f"Foo:{mark}"}), "foo")
    assert_equal(mark, found, "the class that load_model found")
    # A SavedModel is revived without the class, the other formats are refused.
    assert_equal(
        None, found_marker(impl, lambda: impl.load(path), "foo"), "the class found without the argument afterwards"
    )


# Way 2


@requirement("registry.scope")
@examples(steps=strategies.scope_steps(), cost="config")
@example(steps=[{"Foo": "A"}, {"MarkedCall": "1"}, "leave", "leave"])
@example(steps=[{"Foo": "A"}, {"Foo": "B"}, "leave by error", "leave"])
def test_scopes_nest_shadow_and_restore(impl: Session, steps: list[dict[str, str] | str]):
    forms = {
        name: impl.serialize(impl.build_layer(layer(Custom(f"{name}:{marks[0]}"), name="x")))
        for name, marks in SAME_NAMED.items()
    }
    scopes: list[dict[str, str]] = []
    for step in steps:
        if isinstance(step, dict):
            scopes.append(step)
            impl.enter_scope({name: f"{name}:{mark}" for name, mark in step.items()})
        elif scopes:
            scopes.pop()
            impl.exit_scope(error=step == "leave by error")
        expected = {
            name: next((scope[name] for scope in reversed(scopes) if name in scope), None) for name in SAME_NAMED
        }
        found = {
            name: found_marker(impl, lambda name=name: impl.deserialize("layer", forms[name])) for name in SAME_NAMED
        }
        assert_equal(expected, found, f"the classes found inside the scopes {scopes}")


# Way 3

PACKAGES = st.sampled_from([None, "pkg", "my.package", "A1"])
CLASS_NAMES = st.sampled_from([None, "Foo", "Another"])


@requirement("registry.decorator")
@examples(package=PACKAGES, name=CLASS_NAMES, way=st.sampled_from(MAKERS), cost="config")
@example(package=None, name=None, way="deserialize")
@example(package="pkg", name="Another", way="from_json")
def test_the_decorator_registers_package_and_name(impl: Session, package: str | None, name: str | None, way: str):
    expected = f"{package or 'Custom'}>{name or 'Foo'}"
    assert_equal(expected, impl.register("Foo:A", package, name), "the registered name")

    model = impl.build(FOO)
    form = impl.serialize(impl.layer(model, "foo"))
    assert_equal(expected, form.get("registered_name") or form["class_name"], "the name in the serialised form")
    make, place = makers(impl, model, "foo")[way]
    assert_equal("A", found_marker(impl, lambda: make(None), place), f"the class that {way} found")


# The guide's example


@requirement("registry.example")
@examples(seed=strategies.data_seeds(), units=st.integers(1, 5), cost="config")
@example(seed=0, units=32)
def test_the_guides_example(impl: Session, tolerance: Any, seed: int, units: int):
    model = chain(
        layer(Custom("CustomLayer:units"), "custom", units=units),
        layer("Activation", "activation", activation={"$custom": "custom_activation"}),
        shape=(units,),
    )
    original = prepared(impl, model, seed)
    config = config_of(impl, original)
    with impl.scope({"CustomLayer": "CustomLayer:units", "custom_activation": "custom_activation"}):
        made = impl.from_config("Model", config).object
    described = [(item.class_name, item.weights) for item in impl.describe(made).layers]
    assert_equal([("InputLayer", 0), ("CustomLayer", 2), ("Activation", 0)], described, "the rebuilt model's layers")

    impl.set_weights(made, impl.get_weights(original))
    inputs = inputs_for(model, seed)
    expected = impl.call(original, inputs)
    assert_same_arrays(expected, impl.call(made, inputs), "outputs", tolerance("same-path"))
