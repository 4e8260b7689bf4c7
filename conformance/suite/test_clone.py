"""Chapter clone: in-memory cloning."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint, Custom, Sequential, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies.arrays import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_differs, assert_equal, assert_same_arrays
from conformance.suite.configs import (
    assert_all_differ,
    assert_same_architecture,
    assert_same_config,
    plain_config_of,
    rebuilt,
    thawed,
)
from conformance.suite.models import prepared

KINDS = ("sequential", "functional")
SCOPE = {"CustomLayer": "CustomLayer:units", "custom_activation": "custom_activation"}


def custom_model(units: int) -> Blueprint:
    """The guide's model with a custom layer and a custom activation."""
    return chain(
        layer(Custom("CustomLayer:units"), units=units, name="custom"),
        layer("Activation", activation={"$custom": "custom_activation"}, name="activation"),
        shape=(units,),
    )


@requirement("clone.same-config")
@examples(model=strategies.models(kinds=KINDS).map(thawed), seed=strategies.data_seeds(), cost="config")
def test_a_clone_is_what_the_config_rebuilds(impl: Session, tolerance: Any, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    expected, config = impl.describe(original), plain_config_of(impl, original)

    clone = impl.clone(original)

    assert_same_config(config, plain_config_of(impl, clone), "the clone's config against the original's")
    assert_same_config(
        plain_config_of(impl, rebuilt(impl, model, config)),
        plain_config_of(impl, clone),
        "the clone's against the rebuilt",
    )
    assert_same_architecture(expected, impl.describe(clone), "the clone")
    impl.set_weights(clone, impl.get_weights(original))
    inputs = inputs_for(model, seed)
    outputs = impl.call(original, inputs)
    assert_same_arrays(outputs, impl.call(clone, inputs), "outputs", tolerance("same-path"))


@requirement("clone.same-config")
def test_a_clone_keeps_the_automatic_name_of_an_input(impl: Session):
    """A Sequential without an Input gets one, under a name that the library chooses, when it is first called."""
    original = impl.build(Sequential(name="s", layers=(layer("Dense", units=2, name="d"),)))
    impl.call(original, np.ones((2, 3), np.float32))
    assert_same_config(
        plain_config_of(impl, original), plain_config_of(impl, impl.clone(original)), "the clone's config"
    )


@requirement("clone.no-weights-no-compile")
@examples(model=strategies.models(kinds=KINDS, compiled=True), seed=strategies.data_seeds(), cost="config")
def test_a_clone_is_fresh(impl: Session, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    impl.train(original, batches(model, seed, steps=1))
    weights = impl.get_weights(original)

    clone = impl.clone(original)

    assert_all_differ(weights, impl.get_weights(clone))
    assert_equal(False, impl.describe(clone).compiled, "the clone is compiled")
    assert_equal(False, impl.optimizer(clone).present, "the clone has an optimizer")
    assert_equal(True, impl.describe(original).compiled, "the original is still compiled")


@requirement("clone.no-weights-no-compile")
@examples(model=strategies.models(kinds=KINDS, compiled=False), seed=strategies.data_seeds(), cost="config")
def test_a_clone_has_weights_of_its_own(impl: Session, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)
    weights = impl.get_weights(original)
    clone = impl.clone(original)
    new = [array * 2 + 1 for array in weights]
    assert_differs(weights, new, "the weights the clone is given")

    impl.set_weights(clone, new)

    assert_same_arrays(weights, impl.get_weights(original), "the original's weights after the clone's were set")
    assert_same_arrays(new, impl.get_weights(clone), "the clone's weights")


@requirement("clone.custom")
@examples(units=st.integers(1, 5), seed=strategies.data_seeds(), cost="config")
@example(units=32, seed=0)
def test_a_model_with_custom_objects_is_cloned_in_a_scope(impl: Session, tolerance: Any, units: int, seed: int):
    model = custom_model(units)
    original = prepared(impl, model, seed)
    with impl.scope(SCOPE):
        clone = impl.clone(original)
    assert_same_architecture(impl.describe(original), impl.describe(clone), "the clone")
    assert_copy_computes_the_same(impl, original, clone, model, seed, tolerance("same-path"))


def assert_copy_computes_the_same(
    impl: Session, original: Handle, clone: Handle, model: Blueprint, seed: int, tolerance: float
) -> None:
    assert_all_differ(impl.get_weights(original), impl.get_weights(clone))
    impl.set_weights(clone, impl.get_weights(original))
    inputs = inputs_for(model, seed)
    assert_same_arrays(impl.call(original, inputs), impl.call(clone, inputs), "outputs", tolerance)
