"""Chapter open, weights: what the guide leaves open about saving, loading and setting weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Custom, Functional, Input, Sequential, Subclassed, chain, layer
from conformance.protocol.session import Session
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import assert_differs, assert_equal, assert_same_arrays, assert_warned
from conformance.suite.models import (
    WEIGHT_FILES,
    assert_same_weights,
    fresh_copy,
    load_status,
    prepared,
    set_distinct_weights,
)
from conformance.suite.open_models import MODEL, NAMES, UNBUILT, named, weight_count
from conformance.suite.refusals import assert_refuses, refused

Tolerance = Callable[[str], float]


@requirement("open.parents")
def test_saving_weights_makes_the_folders_above(impl: Session, format: str, scratch: Path):
    model = prepared(impl, MODEL, seed=1)
    path = scratch / "path" / "to" / WEIGHT_FILES[format]

    impl.save_weights(model, path)

    target = fresh_copy(impl, MODEL, model)
    impl.load_weights(target, path)
    assert_same_weights(impl, model, target, "weights")


@requirement("open.missing-weights")
def test_missing_weights_are_a_file_not_found_error(impl: Session, format: str, scratch: Path):
    model = prepared(impl, MODEL, seed=1)
    before = [array.copy() for array in impl.get_weights(model)]
    name = f"absent-{WEIGHT_FILES[format]}"

    assert_refuses(
        lambda: impl.load_weights(model, scratch / name),
        "loading weights from a path that does not exist",
        kinds=("FileNotFoundError",),
        mentions=name,
    )

    assert_same_arrays(before, impl.get_weights(model), "weights after the refusal")


@requirement("open.unbuilt-weights")
def test_weights_of_an_unbuilt_model_cannot_be_saved(impl: Session, format: str, scratch: Path):
    model = impl.build(UNBUILT)

    assert_refuses(
        lambda: impl.save_weights(model, scratch / WEIGHT_FILES[format]),
        "saving weights that do not exist yet",
        mentions=r"(?i)buil|created|call",
    )

    assert_equal([], [entry.name for entry in scratch.iterdir()], "files left behind")


def _widths(*units: int) -> Functional | Sequential:
    return chain(*[layer("Dense", units=n, name=f"dense_{i}") for i, n in enumerate(units)], shape=(4,))


@requirement("open.late-mismatch")
@examples(place=st.integers(1, 3), seed=strategies.data_seeds(), cost="save")
@example(place=3, seed=1)
def test_a_mismatch_found_late_changes_nothing(impl: Session, format: str, scratch: Path, place: int, seed: int):
    impl.save_weights(prepared(impl, _widths(3, 4, 5, 6), seed), scratch / WEIGHT_FILES[format])
    units = [3, 4, 5, 6]
    units[place] += 1
    target = prepared(impl, _widths(*units), seed + 1)
    before = [array.copy() for array in impl.get_weights(target)]

    assert_refuses(lambda: impl.load_weights(target, scratch / WEIGHT_FILES[format]), f"layer {place} of another width")

    assert_same_arrays(before, impl.get_weights(target), "weights after the refusal")


COPYING = """
layer = keras.layers.Dense(size)
layer.build((None, size))
given = [np.full((size, size), 2.0, "float32"), np.full((size,), 3.0, "float32")]
layer.set_weights(given)
for array in given:
    array[...] = 7.0
print("after changing what was given:", *[float(np.max(array)) for array in layer.get_weights()])
taken = layer.get_weights()
for array in taken:
    array[...] = 9.0
print("after changing what was taken:", *[float(np.max(array)) for array in layer.get_weights()])
kept = layer.get_weights()
layer.set_weights([array + 1.0 for array in kept])
print("taken before the layer changed:", *[float(np.max(array)) for array in kept])
"""


@requirement("open.copy")
@examples(size=st.sampled_from([2, 64, 512]), cost="config")
@example(size=2)
@example(size=512)
def test_get_weights_and_set_weights_copy(impl: Session, scratch: Path, size: int):
    # Arrays have to live in the implementation's own process for an alias to show.
    printed = impl.run_source(f"size = {size}\n{COPYING}", "copying", scratch)

    assert_equal(
        [
            "after changing what was given: 2.0 3.0",
            "after changing what was taken: 2.0 3.0",
            "taken before the layer changed: 2.0 3.0",
        ],
        printed.splitlines(),
        "values of the weights",
    )


def _mlp(kind: str) -> Functional | Sequential:
    return chain(
        layer("Dense", units=64, activation="relu", name="dense_1"),
        layer("Dense", units=64, activation="relu", name="dense_2"),
        layer("Dense", units=3, name="predictions"),
        shape=(5,),
        kind=kind,
    )


@requirement("open.other-api")
@examples(
    kinds=st.sampled_from([("functional", "sequential"), ("sequential", "functional")]),
    seed=strategies.data_seeds(),
    cost="save",
)
@example(kinds=("functional", "sequential"), seed=1)
@example(kinds=("sequential", "functional"), seed=1)
def test_functional_and_sequential_models_share_a_checkpoint(
    impl: Session, format: str, scratch: Path, kinds: tuple[str, str], seed: int
):
    original, target = prepared(impl, _mlp(kinds[0]), seed), prepared(impl, _mlp(kinds[1]), seed + 1)
    impl.save_weights(original, scratch / "ckpt")

    impl.load_weights(target, scratch / "ckpt")

    assert_same_weights(impl, original, target, "weights")


@requirement("open.other-api")
@examples(seed=strategies.data_seeds(), cost="once")
def test_what_does_not_match_is_told_by_the_status(impl: Session, format: str, scratch: Path, seed: int):
    impl.save_weights(prepared(impl, _mlp("functional"), seed), scratch / "ckpt")
    target = prepared(
        impl, Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 3}, inputs=(Input("x", (5,)),)), seed + 1
    )
    before = [array.copy() for array in impl.get_weights(target)]

    status = load_status(impl, target, scratch / "ckpt")

    assert_same_arrays(before, impl.get_weights(target), "weights of a model whose edges have other names")
    assert_refuses(lambda: impl.status(status, "assert_consumed"), "assert_consumed()", kinds=("AssertionError",))


@requirement("open.hdf5-names")
@examples(seed=strategies.data_seeds(), cost="once")
def test_another_number_of_layers_is_refused(impl: Session, format: str, scratch: Path, seed: int):
    impl.save_weights(prepared(impl, _widths(3, 4, 5), seed), scratch / WEIGHT_FILES[format])
    target = prepared(impl, _widths(3, 4), seed + 1)
    before = [array.copy() for array in impl.get_weights(target)]

    assert_refuses(
        lambda: impl.load_weights(target, scratch / WEIGHT_FILES[format]), "a file of three layers for a model of two"
    )

    assert_same_arrays(before, impl.get_weights(target), "weights after the refusal")


@requirement("open.hdf5-names")
@examples(seed=strategies.data_seeds(), cost="once")
def test_other_names_in_the_file_are_worth_a_warning(impl: Session, format: str, scratch: Path, seed: int):
    one = chain(layer("Dense", units=4, name="one"), layer("Dense", units=4, name="two"), shape=(4,))
    other = chain(layer("Dense", units=4, name="two"), layer("Dense", units=4, name="one"), shape=(4,))
    original, target = prepared(impl, one, seed), prepared(impl, other, seed + 1)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    impl.load_weights(target, scratch / WEIGHT_FILES[format])

    assert_warned(impl.messages, r"(?s)(one.*two|two.*one)", "warning about the names")
    assert_same_weights(impl, original, target, "weights, layer by layer")


@requirement("open.deferred")
@examples(seed=strategies.data_seeds(), cost="once")
def test_weights_loaded_before_the_variables_exist(impl: Session, format: str, scratch: Path, seed: int):
    built = Sequential(inputs=(Input("x", (4,)),), layers=UNBUILT.layers)
    original = prepared(impl, built, seed)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])
    target = impl.build(UNBUILT)
    assert_equal(0, weight_count(impl, target), "weights before the first call")

    if format != "checkpoint":
        assert_refuses(
            lambda: impl.load_weights(target, scratch / WEIGHT_FILES[format]), "HDF5 weights for an unbuilt model"
        )
        return
    impl.load_weights(target, scratch / WEIGHT_FILES[format])
    impl.call(target, [np.ones((1, 4), np.float32)])

    assert_same_weights(impl, original, target, "weights once they were made")


@requirement("open.weights-as-whole")
def test_a_weights_file_is_no_model(impl: Session, format: str, scratch: Path):
    impl.save_weights(prepared(impl, MODEL, seed=1), scratch / WEIGHT_FILES[format])

    assert_refuses(
        lambda: impl.load(scratch / WEIGHT_FILES[format]),
        "load_model() of a weights file",
        mentions=r"(?i)weights|config|checkpoint",
    )


@requirement("open.names-weights")
@examples(names=st.sampled_from(NAMES), cost="save")
@example(names=NAMES[0])
@example(names=NAMES[1])
@example(names=NAMES[2])
@example(names=NAMES[3])
@example(names=NAMES[4])
def test_layer_names_lose_no_value_in_weights_files(impl: Session, format: str, scratch: Path, names: tuple[str, str]):
    if refused(lambda: impl.build(named(names))):
        return  # the library has no layer of such a name, so none can be lost
    original = prepared(impl, named(names), seed=3)
    path = scratch / WEIGHT_FILES[format]

    if refused(lambda: impl.save_weights(original, path)):
        assert_refuses(
            lambda: impl.save_weights(original, path),
            "saving weights",
            mentions="|".join(f"({name})" for name in names),
        )
        return
    target = impl.build(named(names))
    set_distinct_weights(impl, target, seed=4)
    assert_differs(impl.get_weights(original), impl.get_weights(target), "weights before loading")
    impl.load_weights(target, path)

    assert_same_weights(impl, original, target, "weights")
