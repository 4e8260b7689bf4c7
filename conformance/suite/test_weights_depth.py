"""Chapters weights-file, hdf5-weights and checkpoint, further down: weights on disk of models that are not plain."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from conformance import strategies, witness
from conformance.blueprint import Blueprint, Compile, Custom, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches, hard_weights
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_differs, assert_equal, assert_same_arrays, assert_true
from conformance.suite.configs import thawed
from conformance.suite.models import (
    THREE_LAYERS,
    WEIGHT_FILES,
    assert_same_weights,
    prepared,
    set_distinct_weights,
    weights_round_trip,
)

SGD = Compile({"class": "SGD", "args": {"learning_rate": 0.05}}, "mean_squared_error")

# The most that HDF5 holds in one attribute, and in all attributes of one object, of the usual file version.
ATTRIBUTE_LIMIT = 64 * 1024


@requirement("weights-file.roundtrip")
@examples(model=strategies.deep_models().map(thawed), seed=strategies.data_seeds(), cost="save")
def test_weights_of_models_in_models_come_back(impl: Session, format: str, scratch: Path, model: Blueprint, seed: int):
    original = prepared(impl, model, seed)

    target = weights_round_trip(impl, original, scratch, format, model)

    assert_same_weights(impl, original, target, "weights")


@requirement("weights-file.roundtrip")
@examples(
    model=strategies.models(kinds=("sequential", "functional"), compiled=False, stateless=False),
    seed=strategies.data_seeds(),
    cost="save",
)
@example(model=THREE_LAYERS, seed=1)
def test_nan_infinities_and_the_finest_numbers_come_back(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = impl.build(model)
    expected = hard_weights([(array.shape, array.dtype) for array in impl.get_weights(original)], seed)
    impl.set_weights(original, expected)

    target = weights_round_trip(impl, original, scratch, format, model)

    assert_same_arrays(expected, impl.get_weights(target), "weights")


@requirement("weights-file.roundtrip")
@examples(model=strategies.typed_models(), seed=strategies.data_seeds(), cost="train")
@example(model=chain(layer("Dense", units=3, dtype="float64", name="d0"), shape=(3,)), seed=1)
@example(model=chain(layer(Custom("Foo:A"), "e", units=0, name="e"), layer("Dense", units=2), shape=(3,)), seed=1)
def test_weights_of_every_dtype_and_of_no_elements_come_back(
    impl: Session, dialect: str, format: str, scratch: Path, model: Blueprint, seed: int
):
    model = strategies.spelled_for(dialect, model)
    original = prepared(impl, model, seed)

    target = weights_round_trip(impl, original, scratch, format, model)

    assert_same_weights(impl, original, target, "weights")


@requirement("weights-file.roundtrip")
@examples(state=st.sampled_from(["compiled", "trained", "itself"]), seed=strategies.data_seeds(), cost="train")
@example(state="trained", seed=1)
@example(state="itself", seed=1)
def test_weights_go_into_a_model_that_was_used_before(impl: Session, format: str, scratch: Path, state: str, seed: int):
    """The file is of the same model earlier, or of another one; what the target learned since is gone."""
    compiled = THREE_LAYERS.with_compile(SGD)
    target = prepared(impl, compiled, seed)
    original = target if state == "itself" else prepared(impl, compiled, seed + 1)
    expected = impl.get_weights(original)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])
    if state != "compiled":
        impl.train(target, batches(compiled, seed, 2))
    assert_differs(expected, impl.get_weights(target), "weights before loading")

    impl.load_weights(target, scratch / WEIGHT_FILES[format])

    assert_same_arrays(expected, impl.get_weights(target), "weights")
    # What is loaded is what the model computes and learns with, not a copy beside it.
    fresh = prepared(impl, compiled, seed + 2)
    impl.set_weights(fresh, expected)
    impl.train(fresh, batches(compiled, seed + 3, 1))
    impl.train(target, batches(compiled, seed + 3, 1))
    assert_same_arrays(impl.get_weights(fresh), impl.get_weights(target), "weights after a further step", 1e-6)


@requirement("weights-file.roundtrip")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_second_saving_to_the_path_replaces_the_first(impl: Session, format: str, scratch: Path, seed: int):
    larger = chain(*(layer("Dense", f"l{i}", units=4, name=f"d{i}") for i in range(5)), shape=(4,))
    impl.save_weights(prepared(impl, larger, seed), scratch / WEIGHT_FILES[format])
    original = prepared(impl, THREE_LAYERS, seed + 1)

    target = weights_round_trip(impl, original, scratch, format, THREE_LAYERS)

    assert_same_weights(impl, original, target, "weights")


@requirement("hdf5-weights.grouped")
def test_more_weights_in_a_layer_than_one_attribute_can_name(impl: Session, format: str, scratch: Path):
    model = strategies.wide_model()
    original = impl.build(model)
    set_distinct_weights(impl, original, seed=1)
    names = [weight.name for weight in impl.weights(original)]

    target = weights_round_trip(impl, original, scratch, format, model)

    size = sum(len(name.encode()) for name in names)
    assert_true(size > ATTRIBUTE_LIMIT, "bytes of all names", expected=f"more than {ATTRIBUTE_LIMIT}", actual=size)
    groups = {group.name: group for group in witness.hdf5.read(scratch / WEIGHT_FILES[format]).weight_groups}
    assert_true("wide" in groups, "groups of the file", expected="one named wide, as the layer", actual=sorted(groups))
    assert_equal(len(names) - 2, len(groups["wide"].weights), "weights in the group of the wide layer")
    assert_same_weights(impl, original, target, "weights")
