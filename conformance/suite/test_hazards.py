"""What a careful implementation does where the guide prescribes or allows that values are lost or exchanged in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance.blueprint import Blueprint, Compile, NestedModel, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import Mismatch, assert_equal, assert_same_arrays, assert_true
from conformance.suite.models import (
    MODEL_FILES,
    WEIGHT_FILES,
    assert_same_weights,
    formats_at,
    fresh_copy,
    prepared,
    round_trip,
    trained,
)
from conformance.suite.refusals import assert_refuses, attempted, refused


def assert_told(impl: Session, operation: Any, pattern: str, what: str) -> None:
    """The operation is refused, or one of its messages speaks of ``pattern``."""
    done = attempted(lambda: (operation(), impl.messages))
    if done is not None and not any(pattern in message.text for message in done[1]):
        raise Mismatch(what, f"an error, or a message that names {pattern!r}", [message.text for message in done[1]])


# Loading less than there is


INNER = chain(
    layer("Dense", units=4, name="dense_1"), layer("Dense", units=4, name="dense_2"), shape=(6,), name="pretrained"
)
OUTER = chain(
    NestedModel("pretrained", INNER),
    layer("Dense", units=5, name="predictions"),
    shape=(6,),
    kind="sequential",
    name="outer",
)
LONGER = chain(*INNER.layers, layer("Dense", units=4, name="dense_3"), shape=(6,))


@requirement("hdf5-weights.layers-changed")
@examples(names=st.just("abcd"), cost="once")
@example(names="anbc")
@example(names="bc")
@example(names="ab")
def test_layers_that_came_or_went_since_take_no_other_ones_values(
    impl: Session, format: str, scratch: Path, names: str
):
    """All layers have one shape, so that nothing but order or names can tell whose values they are."""
    saved = prepared(impl, _of_layers("abc"), seed=1)
    impl.save_weights(saved, scratch / WEIGHT_FILES[format])
    model = prepared(impl, _of_layers(names), seed=2)
    before = {name: impl.get_weights(impl.layer(model, name)) for name in names}

    if refused(lambda: impl.load_weights(model, scratch / WEIGHT_FILES[format])):
        return
    for name in names:
        found, own = impl.get_weights(impl.layer(model, name)), before[name]
        if not all(map(np.array_equal, own, found)):
            expected = impl.get_weights(impl.layer(saved, name)) if name in "abc" else own
            assert_same_arrays(expected, found, f"weights of {name} in a model of {names}, loaded from those of abc")


def _of_layers(names: str) -> Blueprint:
    return chain(*(layer("Dense", units=4, name=name) for name in names), shape=(4,))


@requirement("checkpoint.unfilled-told")
@examples(target=st.just("longer"), cost="once")
@example(target="outer")
def test_loading_that_leaves_weights_without_a_value_says_so(impl: Session, format: str, scratch: Path, target: str):
    """The guide's trap (the inner model's checkpoint, loaded through the outer one), and a model of one layer more."""
    impl.save_weights(prepared(impl, INNER, seed=1), scratch / WEIGHT_FILES[format])
    model = prepared(impl, {"longer": LONGER, "outer": OUTER}[target], seed=2)
    name = {"longer": "layer_with_weights-2", "outer": "outer"}[target]
    assert_told(impl, lambda: impl.load_weights(model, scratch / WEIGHT_FILES[format]), name, "loading a checkpoint")


@requirement("hdf5-weights.by-name")
def test_loading_by_name_that_finds_no_layer_says_so(impl: Session, format: str, scratch: Path):
    impl.save_weights(prepared(impl, INNER, seed=1), scratch / WEIGHT_FILES[format])
    other = chain(layer("Dense", units=4, name="first"), layer("Dense", units=4, name="second"), shape=(6,))
    model = prepared(impl, other, seed=2)
    assert_told(
        impl,
        lambda: impl.load_weights(model, scratch / WEIGHT_FILES[format], by_name=True),
        "first",
        "loading by name where no name fits",
    )


@requirement("hdf5-weights.by-name")
def test_loading_by_name_looks_at_shapes_first(impl: Session, format: str, scratch: Path):
    impl.save_weights(prepared(impl, INNER, seed=1), scratch / WEIGHT_FILES[format])
    narrower = chain(layer("Dense", units=3, name="dense_1"), shape=(6,))
    model = prepared(impl, narrower, seed=2)
    before = impl.get_weights(model)
    assert_refuses(
        lambda: impl.load_weights(model, scratch / WEIGHT_FILES[format], by_name=True), "another shape under the name"
    )
    assert_same_arrays(before, impl.get_weights(model), "weights after the refusal")


# Loading more than was asked for


def _compiled(rate: float) -> Blueprint:
    return chain(
        layer("Dense", units=2, name="d"),
        shape=(3,),
        compile=Compile({"class": "SGD", "args": {"learning_rate": rate}}, {"class": "MeanSquaredError"}),
    )


@requirement("weights-file.hyper-parameters")
def test_loading_weights_leaves_the_learning_rate(impl: Session, format: str, scratch: Path, tolerance: Any):
    impl.save_weights(trained(impl, _compiled(0.5), seed=1), scratch / WEIGHT_FILES[format])
    model = trained(impl, _compiled(0.0625), seed=2)
    impl.load_weights(model, scratch / WEIGHT_FILES[format])
    if any("learning_rate" in message.text for message in impl.messages):
        return
    twin = impl.build(_compiled(0.0625))
    impl.set_weights(twin, impl.get_weights(model))
    more = batches(_compiled(0.0625), seed=3, steps=1)
    for each in (model, twin):
        impl.train(each, more)
    assert_same_arrays(
        impl.get_weights(twin),
        impl.get_weights(model),
        "weights after a step at the rate given to compile()",
        tolerance("same-path"),
    )


# Many and long names


def _long(count: int) -> Blueprint:
    """Layers whose names do not fit together into one attribute of an HDF5 object (64 KiB)."""
    names = [f"{number:02d}_" + "x" * 3000 for number in range(count)]
    return chain(*(layer("Dense", units=1, name=name) for name in reversed(names)), shape=(1,))


@requirement("hdf5.long-names")
def test_more_names_than_fit_into_one_attribute_come_back(impl: Session, format: str, scratch: Path):
    blueprint = _long(24)
    original = prepared(impl, blueprint, seed=1)
    loaded = round_trip(impl, original, scratch, format, blueprint)
    assert_same_weights(impl, original, loaded, "weights")


# Suffixes


@requirement("model.suffix-case")
@examples(suffix=st.just(".H5"), cost="once")
def test_an_upper_case_suffix_means_no_other_format(impl: Session, format: str, scratch: Path, suffix: str):
    model = prepared(impl, INNER, seed=1)
    path = (scratch / MODEL_FILES[format]).with_suffix(suffix)
    if attempted(lambda: (impl.save(model, path), True)) is not None:
        assert_equal(["hdf5"], formats_at(path, MODEL_FILES), f"what a file name ending in {suffix} gave")


@requirement("model.argument-against-suffix")
@examples(suffix=st.just(".h5"), cost="once")
@example(suffix=".keras")
def test_an_argument_that_contradicts_the_suffix_is_not_passed_over(
    impl: Session, format: str, scratch: Path, suffix: str
):
    model = prepared(impl, INNER, seed=1)
    path = scratch / f"contradiction{suffix}"
    if attempted(lambda: (impl.save(model, path, format="tf"), True)) is not None:
        assert_equal([format], formats_at(path, MODEL_FILES), f"what save('m{suffix}', save_format='tf') wrote")


@requirement("hdf5-weights.order-stable")
@examples(frozen=st.just("dense_1"), cost="once")
def test_the_file_tells_whose_value_is_whose(impl: Session, format: str, scratch: Path, frozen: str):
    """Flags changed between saving and loading, both ways, in a model of the very same layers."""
    blueprint = chain(NestedModel("inner", INNER), layer("Dense", units=4, name="head"), shape=(6,))
    model = prepared(impl, blueprint, seed=1)
    inner = impl.layer(model, "pretrained")
    by_name = {name: impl.get_weights(impl.layer(inner, name)) for name in ("dense_1", "dense_2")}
    impl.set_trainable(impl.layer(inner, frozen), False)
    impl.save_weights(model, scratch / WEIGHT_FILES[format])
    copy = fresh_copy(impl, blueprint, model)
    loaded = attempted(lambda: (impl.load_weights(copy, scratch / WEIGHT_FILES[format]), True))
    if loaded is not None:
        found = impl.layer(copy, "pretrained")
        for name, expected in by_name.items():
            assert_same_arrays(expected, impl.get_weights(impl.layer(found, name)), f"weights of {name}")
    assert_true(np.ptp(by_name["dense_2"][0]) > 0, "values differ", expected="yes", actual="no")
