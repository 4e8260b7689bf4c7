"""Chapter hdf5-weights: weights in HDF5, grouped by layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies, witness
from conformance.blueprint import Blueprint, Custom, Functional, Input, Sequential, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies import inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_differs, assert_equal, assert_same_arrays, assert_true
from conformance.suite.models import WEIGHT_FILES, assert_same_weights, fresh_copy, prepared, set_distinct_weights
from conformance.suite.refusals import refused

Tolerance = Callable[[str], float]

GUIDE_MODEL = chain(
    layer("Dense", units=64, activation="relu", name="dense_1"),
    layer("Dense", units=64, activation="relu", name="dense_2"),
    layer("Dense", units=10, name="predictions"),
    shape=(784,),
    kind="sequential",
    input_name="digits",
)


def graphs() -> st.SearchStrategy[Blueprint]:
    """Models that HDF5 can hold."""
    return strategies.models(kinds=("sequential", "functional"))


@requirement("hdf5-weights.grouped")
@examples(model=graphs(), seed=strategies.data_seeds(), cost="save")
@example(model=GUIDE_MODEL, seed=1)
def test_weights_are_grouped_under_the_names_of_their_layers(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    groups = {group.name: group for group in witness.hdf5.read(scratch / WEIGHT_FILES[format]).weight_groups}

    for index, entry in enumerate(impl.describe(original).layers):
        assert_true(entry.name in groups, "groups of the file", expected=entry.name, actual=sorted(groups))
        stored = [weight.value for weight in groups[entry.name].weights]
        expected = [weight.value for weight in impl.weights(impl.layer(original, index))]
        assert_equal(len(expected), len(stored), f"number of weights in group {entry.name}")
        assert_equal(_contents(expected), _contents(stored), f"weights in group {entry.name}, in any order")


def _contents(arrays: list[Any]) -> list[tuple[Any, ...]]:
    return sorted((array.shape, array.dtype.name, array.tobytes()) for array in arrays)


@requirement("hdf5-weights.grouped-v3")
@examples(seed=strategies.data_seeds(), cost="once")
def test_weights_are_grouped_by_class_and_counter(impl: Session, format: str, scratch: Path, seed: int):
    # Two layers of one class next to another one: the counter is a class's own.
    blueprint = chain(
        layer("Dense", units=3, name="z"),
        layer("BatchNormalization", name="m"),
        layer("Dense", units=2, name="a"),
        shape=(4,),
    )
    original = prepared(impl, blueprint, seed)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    stored = witness.hdf5.read(scratch / WEIGHT_FILES[format]).datasets

    for name, group in (("z", "dense"), ("m", "batch_normalization"), ("a", "dense_1")):
        expected = impl.get_weights(impl.layer(original, name))
        paths = [f"layers/{group}/vars/{index}" for index in range(len(expected))]
        assert_true(set(paths) <= set(stored), f"datasets of layer {name}", expected=paths, actual=sorted(stored))
        assert_same_arrays(expected, [stored[path] for path in paths], f"weights in layers/{group}")


@requirement("hdf5-weights.order")
@examples(model=graphs(), seed=strategies.data_seeds(), cost="save")
@example(model=chain(layer("BatchNormalization", name="norm"), layer("Dense", units=2, name="out"), shape=(3,)), seed=1)
def test_each_group_lists_trainable_then_other_weights(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    groups = {group.name: group for group in witness.hdf5.read(scratch / WEIGHT_FILES[format]).weight_groups}

    for index, entry in enumerate(impl.describe(original).layers):
        handle = impl.layer(original, index)
        expected = [*impl.weights(handle, "trainable"), *impl.weights(handle, "non_trainable")]
        assert_same_arrays(
            [weight.value for weight in expected],
            [weight.value for weight in groups[entry.name].weights],
            f"weights in group {entry.name}",
            names=[weight.name for weight in expected],
        )


@requirement("hdf5-weights.same-architecture")
@examples(model=graphs(), seed=strategies.data_seeds(), cost="save")
@example(model=GUIDE_MODEL, seed=1)
def test_a_model_of_the_same_architecture_loads_the_file(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    target = fresh_copy(impl, model, original)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    impl.load_weights(target, scratch / WEIGHT_FILES[format])

    assert_same_weights(impl, original, target, "weights")
    inputs = inputs_for(model, seed)
    assert_same_arrays(
        impl.predict(original, inputs), impl.predict(target, inputs), "predictions", tolerance("same-path")
    )


BEFORE = ["nested/dense_1/kernel:0", "nested/dense_1/bias:0", "nested/dense_2/kernel:0", "nested/dense_2/bias:0"]
AFTER = [*BEFORE[2:], *BEFORE[:2]]

NESTED = Sequential(inputs=(Input("x", (7,)),), layers=(layer(Custom("NestedDenseLayer"), units=7, name="nested"),))


def _nested(impl: Session, seed: int) -> tuple[Handle, Handle]:
    """The guide's nested model, and its inner layer that is going to be frozen."""
    model = prepared(impl, NESTED, seed)
    return model, impl.attribute(impl.layer(model, "nested"), "dense_1")


@requirement("hdf5-weights.trainable-reorders")
@examples(seed=strategies.data_seeds(), cost="once")
def test_freezing_an_inner_layer_gives_the_guides_two_lists(impl: Session, format: str, scratch: Path, seed: int):
    model, inner = _nested(impl, seed)
    values = impl.get_weights(model)
    assert_equal(BEFORE, [weight.name for weight in impl.weights(model)], "names before freezing")
    impl.save_weights(model, scratch / "before.h5")

    impl.set_trainable(inner, False)

    assert_equal(AFTER, [weight.name for weight in impl.weights(model)], "names after freezing")
    assert_same_arrays([*values[2:], *values[:2]], impl.get_weights(model), "values after freezing")
    impl.save_weights(model, scratch / "after.h5")
    for name, expected in (("before", BEFORE), ("after", AFTER)):
        (group,) = [g for g in witness.hdf5.read(scratch / f"{name}.h5").weight_groups if g.name == "nested"]
        assert_equal(expected, [weight.name for weight in group.weights], f"names in the file, {name} freezing")


@requirement("hdf5-weights.trainable-status")
@examples(frozen=st.sampled_from(["when saved", "when loaded"]), seed=strategies.data_seeds(), cost="save")
@example(frozen="when saved", seed=1)
@example(frozen="when loaded", seed=1)
def test_other_trainable_flags_never_exchange_weights_unnoticed(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, frozen: str, seed: int
):
    original, inner = _nested(impl, seed)
    target, target_inner = _nested(impl, seed + 1)
    first, second = impl.layer(original, "nested"), impl.layer(target, "nested")
    parts = ("dense_1", "dense_2")
    expected = [array for part in parts for array in impl.get_weights(impl.attribute(first, part))]
    before = [array for part in parts for array in impl.get_weights(impl.attribute(second, part))]
    impl.set_trainable(inner if frozen == "when saved" else target_inner, False)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    was_refused = refused(lambda: impl.load_weights(target, scratch / WEIGHT_FILES[format]))

    loaded = [array for part in parts for array in impl.get_weights(impl.attribute(second, part))]
    assert_same_arrays(before if was_refused else expected, loaded, "weights of dense_1 and dense_2")


@requirement("hdf5-weights.transfer")
@examples(hidden=st.integers(2, 5), seed=strategies.data_seeds(), cost="save")
@example(hidden=64, seed=1)
def test_layers_of_the_original_architecture_are_taken_into_a_new_model(
    impl: Session, format: str, scratch: Path, hidden: int, seed: int
):
    blueprint = _functional(hidden)
    original = prepared(impl, blueprint, seed)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])
    pretrained = fresh_copy(impl, blueprint, original)

    impl.load_weights(pretrained, scratch / WEIGHT_FILES[format])
    taken = [impl.layer(pretrained, index) for index in range(3)]
    model = impl.sequential_of([*taken, layer("Dense", units=5, name="dense_3")])
    impl.call(model, [np.ones((1, 6), np.float32)])

    expected = impl.get_weights(original)[:4]
    assert_same_arrays(expected, impl.get_weights(model)[:4], "weights of the taken layers")
    set_distinct_weights(impl, model, seed + 5)
    assert_differs(expected, impl.get_weights(model)[:4], "weights set through the new model")
    assert_same_arrays(impl.get_weights(model)[:4], impl.get_weights(pretrained)[:4], "weights that both models share")


def _functional(hidden: int) -> Functional | Sequential:
    return chain(
        layer("Dense", units=hidden, activation="relu", name="dense_1"),
        layer("Dense", units=hidden, activation="relu", name="dense_2"),
        layer("Dense", units=10, name="predictions"),
        shape=(6,),
        name="3_layer_mlp",
        input_name="digits",
    )
