"""Chapter model, further down: whole models with one thing each that a plain model does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint, Call, Compile, Custom, Functional, Input, NestedModel, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies import Place, batches, hard_weights, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_differs,
    assert_equal,
    assert_same_arrays,
    assert_same_numbers,
    assert_true,
)
from conformance.suite.configs import thawed
from conformance.suite.models import (
    MODEL_FILES,
    assert_same_weights,
    loading_options,
    prepared,
    round_trip,
    save,
    trained,
)

Tolerance = Callable[[str], float]

COMPILED = Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mean_squared_error", ["mean_absolute_error"])
TWO_LAYERS = chain(layer("Dense", units=3, name="first"), layer("Dense", units=2, name="second"), shape=(4,))

TWO_OUTPUTS = Functional(
    inputs=(Input("x", (3,)),),
    layers=(layer("Dense", "l0", units=2, name="one"), layer("Dense", "l1", units=3, name="two")),
    calls=(Call("l0", ("x",), "t0"), Call("l1", ("x",), "t1")),
    outputs=("t0", "t1"),
)

# All vectors have one shape: an inner BatchNormalization read in another order exchanges values and raises nothing.
MASKED = chain(layer("Masking", mask_value=0.5, name="m"), layer("LSTM", units=2, name="rnn"), shape=(4, 1))


def deep(first: str, second: str, third: str) -> Blueprint:
    """Three levels, whose first layers have these names."""
    inmost = chain(layer("Dense", units=3, name=third), shape=(3,), name="inmost")
    inner = chain(
        layer("Dense", units=3, name=second, trainable=False),
        layer("BatchNormalization", name="middle"),
        NestedModel("n", inmost),
        shape=(3,),
        name="inner",
        kind="sequential",
    )
    outer = (layer("Dense", units=3, name=first), NestedModel("n", inner), layer("Dense", units=2, name="head"))
    return chain(*outer, shape=(3,), name="outer")


@requirement("model.same-outputs", "model.weights")
@examples(model=strategies.deep_models().map(thawed), seed=strategies.data_seeds(), cost="save")
@example(model=deep("c", "b", "a"), seed=1)
def test_models_in_models_come_back_as_they_were(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected = impl.predict(original, inputs)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_same_weights(impl, original, loaded, "weights")
    assert_same_arrays(expected, impl.predict(loaded, inputs), "predictions", tolerance("same-path"))


@requirement("model.weights")
def test_layers_of_one_name_on_different_levels_are_told_apart(impl: Session, format: str, scratch: Path):
    original = prepared(impl, deep("first", "first", "first"), seed=2)

    loaded = impl.load(save(impl, original, scratch, format))

    assert_same_weights(impl, original, loaded, "weights")


@requirement("model.weights")
@examples(
    model=strategies.models(kinds=("sequential", "functional"), compiled=False, stateless=False),
    seed=strategies.data_seeds(),
    cost="save",
)
@example(model=TWO_LAYERS, seed=1)
def test_nan_infinities_and_the_finest_numbers_survive(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = impl.build(model)
    expected = hard_weights([(array.shape, array.dtype) for array in impl.get_weights(original)], seed)
    impl.set_weights(original, expected)
    assert_same_arrays(expected, impl.get_weights(original), "weights that were set")

    loaded = round_trip(impl, original, scratch, format, model)

    assert_same_arrays(expected, impl.get_weights(loaded), "weights")


@requirement("model.weights")
def test_a_weight_without_elements_keeps_its_shape(impl: Session, format: str, scratch: Path):
    model = chain(layer(Custom("Foo:A"), "empty", units=0, name="empty"), layer("Dense", units=2), shape=(3,))
    original = prepared(impl, model, seed=1)
    assert_equal((3, 0), impl.get_weights(original)[0].shape, "shape of the weight")

    loaded = round_trip(impl, original, scratch, format, model)

    assert_same_weights(impl, original, loaded, "weights")


@requirement("model.same-outputs", "model.weights")
@examples(model=strategies.typed_models(), seed=strategies.data_seeds(), cost="save")
@example(model=chain(layer("Dense", units=3, dtype="mixed_float16", name="d0"), shape=(3,)), seed=1)
def test_dtypes_and_policies_of_layers_survive(
    impl: Session, dialect: str, format: str, scratch: Path, tolerance: Tolerance, model: Functional, seed: int
):
    model_here = strategies.spelled_for(dialect, model)
    original = prepared(impl, model_here, seed)
    inputs = inputs_for(model, seed)
    expected = impl.predict(original, inputs)

    loaded = round_trip(impl, original, scratch, format, model_here)

    assert_same_weights(impl, original, loaded, "weights")
    assert_same_arrays(expected, impl.predict(loaded, inputs), "predictions", tolerance("same-path"))


@requirement("model.same-outputs")
@examples(
    model=st.one_of(strategies.masked_models(), strategies.multi_output_layers()),
    seed=strategies.data_seeds(),
    cost="save",
)
@example(model=MASKED, seed=1)
def test_masks_and_layers_of_several_outputs_still_work(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected = impl.predict(original, inputs)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_same_arrays(expected, impl.predict(loaded, inputs), "predictions", tolerance("same-path"))


@requirement("model.same-outputs")
@examples(number=st.integers(0, 99), seed=strategies.data_seeds(), cost="save")
def test_a_model_of_any_built_in_layer_predicts_the_same(
    impl: Session, dialect: str, format: str, scratch: Path, tolerance: Tolerance, number: int, seed: int
):
    entries = strategies.plain_entries(dialect, impl.hello.layers)
    model = strategies.entry_model(entries[number % len(entries)])
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected = impl.predict(original, inputs)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_same_weights(impl, original, loaded, "weights")
    assert_same_arrays(expected, impl.predict(loaded, inputs), "predictions", tolerance("same-path"))


# Training


@requirement("model.compile-info")
@examples(model=strategies.penalized_models(), seed=strategies.data_seeds(), cost="train")
def test_penalties_and_constraints_still_count(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    compiled = model.with_compile(Compile({"class": "SGD", "args": {"learning_rate": 0.1}}, "mean_squared_error"))
    original = prepared(impl, compiled, seed)
    x, y = batches(compiled, seed, 1)[0]
    scores = impl.evaluate(original, x, y)
    path = save(impl, original, scratch, format)
    steps = impl.train(original, batches(compiled, seed + 1, 2))

    loaded = impl.load(path)

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss, penalties included", tolerance("same-path"))
    for number, (expected, actual) in enumerate(
        zip(steps, impl.train(loaded, batches(compiled, seed + 1, 2)), strict=True), start=1
    ):
        assert_same_numbers(expected, actual, f"step {number}, after a constrained one", tolerance("same-path"))


@requirement("model.optimizer-state")
@examples(optimizer=strategies.optimizers(), seed=strategies.data_seeds(), cost="train")
def test_every_optimizer_keeps_its_slots(impl: Session, format: str, scratch: Path, optimizer: Any, seed: int):
    model = TWO_LAYERS.with_compile(Compile(optimizer, "mean_squared_error"))
    _assert_same_state(impl, trained(impl, model, seed), model, scratch, format)


@requirement("model.compile-info")
def test_metrics_of_several_outputs_keep_their_names(impl: Session, format: str, scratch: Path, tolerance: Tolerance):
    """An object bears the name of its output, too, once the model was trained: not to be written, nor put on twice."""
    spread = {"class": "RootMeanSquaredError", "args": {"name": "spread"}}
    losses, metrics = ["mean_squared_error"] * 2, [["mean_absolute_error"], ["mean_absolute_error", spread]]
    model = replace(TWO_OUTPUTS, compile=Compile("sgd", losses, metrics))
    original = trained(impl, model, seed=5)
    x, y = batches(model, 6, 1)[0]
    expected = impl.evaluate(original, x, y)
    loaded = round_trip(impl, original, scratch, format, model)
    assert_same_numbers(expected, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


@requirement("model.resume-training")
@examples(optimizer=strategies.optimizers(besides=("Nadam",)), seed=strategies.data_seeds(), cost="train")
@example(optimizer={"class": "RMSprop", "args": {"learning_rate": 0.05}}, seed=1)
def test_every_optimizer_goes_on_by_the_rule_it_had(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, optimizer: Any, seed: int
):
    """Slots alone do not say by which of several rules a class has had (where epsilon stands) they are used.

    Nadam, whose state has one more part, is in :mod:`conformance.suite.test_known_training`.
    """
    model = TWO_LAYERS.with_compile(Compile(optimizer, "mean_squared_error"))
    original = trained(impl, model, seed)
    loaded = round_trip(impl, original, scratch, format, model)
    for one in (original, loaded):
        impl.train(one, batches(model, seed + 1, 3))
    assert_same_arrays(
        impl.get_weights(original), impl.get_weights(loaded), "weights after going on", tolerance("same-path")
    )


@requirement("model.optimizer-state")
def test_slots_of_layers_of_one_name_on_different_levels_are_told_apart(impl: Session, format: str, scratch: Path):
    inner = chain(layer("Dense", units=3, name="first"), shape=(3,), name="inner")
    model = chain(NestedModel("n", inner), layer("Dense", units=3, name="first"), shape=(3,), compile=COMPILED)
    _assert_same_state(impl, trained(impl, model, seed=4), model, scratch, format)


@requirement("model.optimizer-state")
@examples(frozen=st.sampled_from(["first", "second"]), seed=strategies.data_seeds(), cost="once")
@example(frozen="first", seed=1)
def test_slots_survive_where_a_layer_was_frozen_between_trainings(
    impl: Session, format: str, scratch: Path, frozen: str, seed: int
):
    model = TWO_LAYERS.with_compile(COMPILED)
    original = trained(impl, model, seed)
    impl.set_trainable(impl.layer(original, frozen), False)
    impl.compile(
        original, Compile({"class": "Adam", "args": {"learning_rate": 0.02, "beta_1": 0.7}}, "mean_absolute_error")
    )
    impl.train(original, batches(model, seed + 1, 3))

    _assert_same_state(impl, original, model, scratch, format)


def _assert_same_state(impl: Session, original: Handle, model: Blueprint, scratch: Path, format: str) -> None:
    expected = impl.optimizer(original)
    assert_equal(3, expected.iterations, "steps counted by the original optimizer")

    restored = impl.optimizer(round_trip(impl, original, scratch, format, model))

    assert_equal(expected.iterations, restored.iterations, "steps counted by the optimizer")
    assert_equal(expected.config, restored.config, "hyper-parameters of the optimizer")
    assert_same_arrays(expected.values(), restored.values(), "variables of the optimizer")


@requirement("model.compile-info")
@examples(seed=strategies.data_seeds(), cost="once")
def test_what_was_compiled_last_is_what_survives(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    model = TWO_LAYERS.with_compile(COMPILED)
    original = trained(impl, model, seed)
    impl.compile(
        original,
        Compile({"class": "SGD", "args": {"learning_rate": 0.03}}, "mean_absolute_error", ["mean_squared_error"]),
    )
    impl.train(original, batches(model, seed, 1))
    x, y = batches(model, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_equal("SGD", impl.optimizer(loaded).class_name, "class of the optimizer")
    assert_equal(impl.optimizer(original).config, impl.optimizer(loaded).config, "hyper-parameters of the optimizer")
    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


@requirement("model.compile-info")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_custom_loss_beside_built_in_metrics_survives(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    model = TWO_LAYERS.with_compile(Compile("sgd", {"custom": "custom_loss"}, ["mean_absolute_error"]))
    original = trained(impl, model, seed, steps=1)
    x, y = batches(model, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)

    loaded = impl.load(save(impl, original, scratch, format), **loading_options(model))

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


NORMALIZED = chain(
    layer("Dense", units=3, name="first"),
    layer("BatchNormalization", momentum=0.75, epsilon=0.01, name="norm"),
    layer("Dense", units=2, name="second"),
    shape=(4,),
)


@requirement("model.same-outputs")
@examples(seed=strategies.data_seeds(), cost="once")
def test_statistics_go_on_moving_after_loading(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    original = prepared(impl, NORMALIZED, seed)
    inputs = inputs_for(NORMALIZED, seed, batch=6)
    loaded = round_trip(impl, original, scratch, format, NORMALIZED)
    before = impl.get_weights(original)

    expected = impl.call(original, inputs, training=True)
    actual = impl.call(loaded, inputs, training=True)

    assert_differs(before, impl.get_weights(original), "a call in training mode moves the statistics")
    assert_same_arrays(expected, actual, "outputs in training mode", tolerance("same-path"))
    assert_same_arrays(
        impl.get_weights(original), impl.get_weights(loaded), "weights after a call in training mode",
        tolerance("same-path"),
    )  # fmt: skip


# Places


@requirement("model.overwrite")
@examples(
    place=strategies.places(path_types=("str", "pathlib"), missing=False), seed=strategies.data_seeds(), cost="train"
)
@example(place=Place(("größe", "層"), "pathlib", taken=True), seed=1)
def test_a_model_is_saved_wherever_there_is_a_folder(
    impl: Session, format: str, scratch: Path, place: Place, seed: int
):
    path = place.path(scratch, MODEL_FILES[format])
    if place.taken:
        older = chain(layer("Dense", units=5, name="older"), layer("Dense", units=1, name="and_more"), shape=(2,))
        impl.save(prepared(impl, older, seed + 1), path)
    original = prepared(impl, TWO_LAYERS, seed)

    impl.save(original, path, path_type=None if place.path_type == "str" else place.path_type)
    loaded = impl.load(path, path_type=None if place.path_type == "str" else place.path_type)

    assert_same_weights(impl, original, loaded, "weights")
    assert_true(path.exists(), "what is at the path", expected="the model", actual="nothing")
