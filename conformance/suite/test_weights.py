"""Chapter weights: weight values in memory, between layers and between models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint, Compile, Custom, Input, Layer, Subclassed, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches, distinct_weights
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_differs, assert_equal, assert_same_array, assert_same_arrays, assert_true
from conformance.suite.models import WEIGHT_FILES, assert_same_weights, fresh_copy, prepared, set_distinct_weights
from conformance.suite.refusals import assert_refuses

GUIDE_LAYER = Layer("dense_2", "Dense", {"units": 64, "activation": "relu", "name": "dense_2"})

MLP_LAYERS = (
    layer("Dense", units=7, activation="relu", name="dense_1"),
    layer("Dense", units=6, activation="relu", name="dense_2"),
    layer("Dense", units=5, name="predictions"),
)


@requirement("weights.layer-transfer")
@examples(spec_layer=strategies.layers(shape=(3,), stateless=False), seed=strategies.data_seeds())
@example(spec_layer=GUIDE_LAYER, seed=1)
def test_a_layer_takes_over_another_layers_weights(impl: Session, spec_layer: Layer, seed: int):
    shape = (784,) if spec_layer is GUIDE_LAYER else (3,)
    first, second = impl.build_layer(spec_layer, shape), impl.build_layer(spec_layer, shape)
    expected = distinct_weights([(array.shape, array.dtype) for array in impl.get_weights(first)], seed)
    impl.set_weights(first, expected)
    assert_same_arrays(expected, impl.get_weights(first), "weights that were set")

    impl.set_weights(second, impl.get_weights(first))

    assert_same_arrays(expected, impl.get_weights(second), "weights of the second layer")
    assert_same_arrays(expected, impl.get_weights(first), "weights of the first layer")


@requirement("weights.model-transfer")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="config")
def test_a_model_takes_over_another_models_weights(impl: Session, model: Blueprint, seed: int):
    first = prepared(impl, model, seed)
    second = fresh_copy(impl, model, first)

    impl.set_weights(second, impl.get_weights(first))

    assert_same_weights(impl, first, second, "weights of the second model")


@requirement("weights.model-transfer")
@examples(
    direction=st.sampled_from(["to the subclassed", "to the functional"]), seed=strategies.data_seeds(), cost="config"
)
@example(direction="to the subclassed", seed=1)
def test_functional_and_subclassed_models_exchange_weights(impl: Session, direction: str, seed: int):
    functional = impl.build(
        chain(
            layer("Dense", units=64, activation="relu", name="dense_1"),
            layer("Dense", units=64, activation="relu", name="dense_2"),
            layer("Dense", units=10, name="predictions"),
            shape=(9,),
        )
    )
    subclassed = impl.build(
        Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 10}, inputs=(Input("x", (9,)),))
    )
    source, target = (functional, subclassed) if direction == "to the subclassed" else (subclassed, functional)
    expected = set_distinct_weights(impl, source, seed)
    set_distinct_weights(impl, target, seed + 1)

    impl.set_weights(target, impl.get_weights(source))

    assert_same_arrays(expected, impl.get_weights(target), "weights of the target")
    inputs = [np.linspace(-1, 1, 18, dtype=np.float32).reshape(2, 9)]
    assert_same_arrays(impl.predict(source, inputs), impl.predict(target, inputs), "predictions", 1e-6)


@requirement("weights.order")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_layer_lists_trainable_then_other_weights_in_creation_order(impl: Session, seed: int):
    normalization = impl.build_layer(Layer("bn", "BatchNormalization"), (3,))
    dense = impl.build_layer(Layer("d", "Dense", {"units": 4}), (3,))

    assert_equal(
        ["gamma", "beta", "moving_mean", "moving_variance"], _short_names(impl, normalization), "BatchNormalization"
    )
    assert_equal(["kernel", "bias"], _short_names(impl, dense), "Dense")
    assert_equal([True, True, False, False], [w.trainable for w in impl.weights(normalization)], "trainable flags")


def _short_names(impl: Session, handle: Any) -> list[str]:
    return [weight.name.rpartition("/")[2].partition(":")[0] for weight in impl.weights(handle)]


@requirement("weights.order")
@examples(seed=strategies.data_seeds(), cost="once")
def test_freezing_inside_a_layer_moves_its_weights_behind_the_others(impl: Session, seed: int):
    model = prepared(impl, chain(layer(Custom("FrozenInner"), "nested", units=3), shape=(3,)), seed)
    first = [array.copy() for array in impl.get_weights(model)]

    impl.set_trainable(impl.attribute(impl.layer(model, 1), "dense_1"), False)

    layer_handle = impl.layer(model, 1)
    trainable, others = impl.weights(layer_handle, "trainable"), impl.weights(layer_handle, "non_trainable")
    assert_same_arrays(first[2:], [weight.value for weight in trainable], "trainable weights of the layer")
    assert_same_arrays(first[:2], [weight.value for weight in others], "other weights of the layer")
    assert_same_arrays(
        [*first[2:], *first[:2]], [weight.value for weight in impl.weights(layer_handle)], "all weights of the layer"
    )


@requirement("weights.order")
@examples(model=strategies.models(kinds=("sequential", "functional")), seed=strategies.data_seeds(), cost="config")
def test_a_model_lists_its_layers_lists_one_after_another(impl: Session, model: Blueprint, seed: int):
    handle = prepared(impl, model, seed)

    from_layers = [
        weight.value
        for index in range(len(impl.describe(handle).layers))
        for weight in impl.weights(impl.layer(handle, index))
    ]

    assert_same_arrays(from_layers, [weight.value for weight in impl.weights(handle)], "weights of the model")
    assert_same_arrays(from_layers, impl.get_weights(handle), "get_weights() of the model")


STATELESS = [
    layer("Dropout", rate=0.5),
    layer("Activation", activation="tanh"),
    layer("ReLU"),
    layer("LeakyReLU"),
    layer("Flatten"),
    layer("Reshape", target_shape={"$tuple": [7]}),
    layer("GaussianNoise", stddev=0.1),
]


@requirement("weights.stateless")
@examples(extra=st.sampled_from(STATELESS), place=st.integers(0, 1), seed=strategies.data_seeds(), cost="config")
@example(extra=STATELESS[0], place=1, seed=1)
def test_layers_without_weights_change_neither_number_nor_order(impl: Session, extra: Layer, place: int, seed: int):
    parts = [MLP_LAYERS[0], layer("Dense", units=7, name="dense_2"), MLP_LAYERS[2]]
    plain = prepared(impl, chain(*parts, shape=(4,)), seed)
    with_extra = impl.build(chain(*parts[: place + 1], extra, *parts[place + 1 :], shape=(4,)))
    set_distinct_weights(impl, with_extra, seed + 1)

    impl.set_weights(with_extra, impl.get_weights(plain))

    assert_same_weights(impl, plain, with_extra, "weights of the model with one more layer")


def _wrong(weights: list[np.ndarray[Any, Any]], fault: str) -> list[np.ndarray[Any, Any]]:
    faults = {
        "one too few": weights[:-1],
        "one too many": [*weights, np.ones((2,), np.float32)],
        "none": [],
        "last of another shape": [*weights[:-1], np.ones((*weights[-1].shape, 2), np.float32)],
        "last transposed": [*weights[:-2], weights[-2].T, weights[-1]],
    }
    return faults[fault]


FAULTS = ("one too few", "one too many", "none", "last of another shape", "last transposed")


@requirement("weights.mismatch")
@examples(fault=st.sampled_from(FAULTS), seed=strategies.data_seeds(), cost="config")
@example(fault="last transposed", seed=1)
@example(fault="last of another shape", seed=1)
@example(fault="one too few", seed=1)
def test_wrong_weights_are_refused_and_change_nothing(impl: Session, fault: str, seed: int):
    model = prepared(impl, chain(*MLP_LAYERS, shape=(4,)), seed)
    before = [array.copy() for array in impl.get_weights(model)]
    other = distinct_weights([(array.shape, array.dtype) for array in before], seed + 1)

    refusal = assert_refuses(
        lambda: impl.set_weights(model, _wrong(other, fault)), f"set_weights with {fault}", kinds=("ValueError",)
    )

    assert_same_arrays(before, impl.get_weights(model), "weights after the refusal")
    numbers = {"one too few": ("6", "5"), "one too many": ("6", "7"), "none": ("6", "0")}.get(fault, ("5",))
    assert_true(
        all(number in refusal.text for number in numbers),
        "the error names both sides",
        expected=numbers,
        actual=refusal.text,
    )


@requirement("weights.created-on-call")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_subclassed_model_has_no_weights_before_its_first_call(impl: Session, seed: int):
    built = impl.build(Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 2}, inputs=(Input("x", (3,)),)))
    expected = set_distinct_weights(impl, built, seed)
    uncalled = impl.build(Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 2}, inputs=()))
    assert_equal(0, len(impl.weights(uncalled)), "weights before the first call")

    assert_refuses(
        lambda: impl.set_weights(uncalled, expected),
        "set_weights before the first call",
        kinds=("ValueError",),
        mentions=r"\b0\b",
    )

    impl.call(uncalled, [np.ones((1, 3), np.float32)])
    impl.set_weights(uncalled, expected)
    assert_same_arrays(expected, impl.get_weights(uncalled), "weights after the first call")


COMPILED = Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mse", ["mae"])


@requirement("weights-only.compile-independent")
@examples(source=st.sampled_from(["compiled", "plain"]), seed=strategies.data_seeds(), cost="save")
@example(source="compiled", seed=1)
@example(source="plain", seed=1)
def test_weights_pass_between_compiled_and_uncompiled_models(
    impl: Session, format: str, scratch: Path, source: str, seed: int
):
    plain = chain(layer("Dense", units=3, name="first"), layer("Dense", units=2, name="second"), shape=(4,))
    compiled = plain.with_compile(COMPILED)
    first_print, second_print = (compiled, plain) if source == "compiled" else (plain, compiled)
    first, second = prepared(impl, first_print, seed), prepared(impl, second_print, seed + 1)
    impl.train(first if source == "compiled" else second, batches(compiled, seed, 2))
    expected = impl.get_weights(first)
    assert_differs(expected, impl.get_weights(second), "two models started from the same weights")
    impl.save_weights(first, scratch / WEIGHT_FILES[format])

    impl.load_weights(second, scratch / WEIGHT_FILES[format])

    assert_same_arrays(expected, impl.get_weights(second), "weights")
    assert_equal(second_print.compile is not None, impl.describe(second).compiled, "whether the target is compiled")
    for index, weight in enumerate(impl.weights(second)):
        assert_same_array(expected[index], weight.value, f"weight {weight.name}")
