"""Chapter hdf5: whole models in one HDF5 file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conformance import strategies, witness
from conformance.blueprint import Blueprint, Compile, Custom, Input, Subclassed, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_differs,
    assert_equal,
    assert_same_arrays,
    assert_same_numbers,
    assert_true,
    assert_warned,
)
from conformance.suite.models import loading_options, prepared, round_trip, save, trained
from conformance.suite.refusals import assert_refuses

Tolerance = Callable[[str], float]

COMPILED = Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mean_squared_error", ["mean_absolute_error"])
MODEL = chain(
    layer("Dense", units=3, name="first"), layer("Dense", units=2, name="second"), shape=(4,), compile=COMPILED
)
LOSSY = chain(
    layer("Dense", units=3, name="first"),
    layer(Custom("LossyLayer"), "lossy", factor=0.25),
    layer("Dense", units=2, name="second"),
    shape=(4,),
    compile=COMPILED,
)


def graphs(**options: Any) -> st.SearchStrategy[Blueprint]:
    """Models that HDF5 can hold."""
    return strategies.models(kinds=("sequential", "functional"), **options)


@requirement("hdf5.single-file")
@examples(model=graphs(compiled=True, random=False), seed=strategies.data_seeds(), cost="save")
@example(model=MODEL, seed=1)
def test_one_file_holds_architecture_weights_and_compile_information(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = trained(impl, model, seed)

    path = save(impl, original, scratch, format)

    assert_equal([path.name], [file.name for file in scratch.iterdir()], "files written")
    file = witness.hdf5.read(path)
    names = [part.name for part in impl.describe(original).layers]
    stored = [entry["config"]["name"] for entry in file.model_config["config"]["layers"]]
    assert_true(set(names) <= set(stored), "layers in model_config", expected=names, actual=stored)
    stored_arrays = [weight.value for group in file.weight_groups for weight in group.weights]
    expected = sorted((w.value.shape, w.value.tobytes()) for w in impl.weights(original))
    assert_true(
        expected == sorted((array.shape, array.tobytes()) for array in stored_arrays),
        "weights in the file, bit for bit",
        expected=sorted(shape for shape, _ in expected),
        actual=sorted(array.shape for array in stored_arrays),
    )
    assert_equal(
        impl.optimizer(original).class_name,
        str(file.training_config.get("optimizer_config", {}).get("class_name")).rpartition(">")[2],
        "optimizer in training_config",
    )
    assert_true("loss" in file.training_config, "training_config", expected="a loss", actual=file.training_config)


@requirement("hdf5.roundtrip")
@examples(model=graphs(compiled=True, random=False), seed=strategies.data_seeds(), cost="save")
@example(model=MODEL, seed=1)
def test_a_trained_model_comes_back_whole(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = trained(impl, model, seed)
    inputs, following = inputs_for(model, seed), batches(model, seed + 1, 2)
    path = save(impl, original, scratch, format)
    predictions, optimizer = impl.predict(original, inputs), impl.optimizer(original)
    steps = impl.train(original, following)

    loaded = impl.load(path, **loading_options(model))

    assert_same_arrays(predictions, impl.predict(loaded, inputs), "predictions", tolerance("same-path"))
    assert_same_arrays(
        [variable.value for variable in optimizer.variables],
        [variable.value for variable in impl.optimizer(loaded).variables],
        "state of the optimizer",
    )
    for number, (expected, actual) in enumerate(zip(steps, impl.train(loaded, following), strict=True), start=1):
        assert_same_numbers(expected, actual, f"step {number} after loading", tolerance("same-path"))
    assert_same_arrays(
        impl.get_weights(original), impl.get_weights(loaded), "weights after going on", tolerance("same-path")
    )


def _scores(impl: Session, model: Handle, seed: int) -> dict[str, float]:
    x, y = batches(MODEL, seed + 7, 1)[0]
    return dict(impl.evaluate(model, x, y))


@requirement("hdf5.external-losses-lost")
@examples(form=st.sampled_from(["callable", "symbolic"]), seed=strategies.data_seeds(), cost="train")
@example(form="callable", seed=1)
@example(form="symbolic", seed=1)
def test_an_outside_loss_is_afterwards_gone_or_what_it_was(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, form: str, seed: int
):
    blueprint = MODEL.with_compile(None)
    model = prepared(impl, blueprint, seed)
    compiled = _compiled_scores(impl, seed)
    impl.add_loss(model, form, 0.5)
    impl.compile(model, COMPILED)
    with_loss = _scores(impl, model, seed)["loss"]
    assert_true(
        abs(with_loss - compiled) > 1e-4,
        "the outside loss counts in the original",
        expected="another total",
        actual=f"{with_loss} with it, {compiled} without",
    )

    loaded = _scores(impl, round_trip(impl, model, scratch, format, blueprint), seed)["loss"]

    allowed = tolerance("same-path") * max(1.0, abs(with_loss))
    assert_true(
        min(abs(loaded - with_loss), abs(loaded - compiled)) <= allowed,
        "loss of the loaded model",
        expected=f"{with_loss} (the outside loss kept) or {compiled} (lost)",
        actual=loaded,
    )


def _compiled_scores(impl: Session, seed: int) -> float:
    """The loss of the same model without anything from outside."""
    return _scores(impl, prepared(impl, MODEL, seed), seed)["loss"]


@requirement("hdf5.external-losses-reported")
@examples(form=st.sampled_from(["callable", "symbolic"]), cost="train")
@example(form="callable")
@example(form="symbolic")
def test_a_loss_that_is_lost_is_reported(impl: Session, format: str, scratch: Path, tolerance: Tolerance, form: str):
    seed = 5
    blueprint = MODEL.with_compile(None)
    model = prepared(impl, blueprint, seed)
    impl.add_loss(model, form, 0.5)
    impl.compile(model, COMPILED)
    before = _scores(impl, model, seed)["loss"]

    path = save(impl, model, scratch, format)
    messages = list(impl.messages)
    loaded = impl.load(path)
    messages += impl.messages

    lost = abs(_scores(impl, loaded, seed)["loss"] - before) > tolerance("same-path") * max(1.0, before)
    if lost:
        assert_warned(messages, r"(?i)loss", "message that a loss was not saved")


@requirement("hdf5.readd-resumes")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_callable_loss_put_on_again_lets_training_go_on(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    blueprint = MODEL.with_compile(None)
    original = prepared(impl, blueprint, seed)
    impl.add_loss(original, "callable", 0.5)
    impl.compile(original, COMPILED)
    impl.train(original, batches(MODEL, seed, 2))
    path = save(impl, original, scratch, format)
    following = batches(MODEL, seed + 1, 2)
    expected = impl.train(original, following)

    loaded = impl.load(path)
    impl.add_loss(loaded, "callable", 0.5)
    steps = impl.train(loaded, following)

    for number, (left, right) in enumerate(zip(expected, steps, strict=True), start=1):
        assert_same_numbers(left, right, f"step {number} after loading", tolerance("same-path"))
    assert_same_arrays(
        impl.get_weights(original), impl.get_weights(loaded), "weights after going on", tolerance("same-path")
    )


@requirement("hdf5.layer-losses-kept")
@examples(factor=st.sampled_from([0.25, 3.0]), seed=strategies.data_seeds(), cost="train")
@example(factor=0.25, seed=1)
def test_losses_and_metrics_made_inside_a_layer_stay(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, factor: float, seed: int
):
    blueprint = LOSSY.map_layers(lambda part: replace(part, args={"factor": factor}) if part.id == "lossy" else part)
    original = trained(impl, blueprint, seed)
    x, y = batches(blueprint, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)

    loaded = round_trip(impl, original, scratch, format, blueprint)

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))
    following = batches(blueprint, seed + 2, 1)
    assert_same_numbers(
        impl.train(original, following)[0], impl.train(loaded, following)[0], "the next step", tolerance("same-path")
    )


# What a file may need besides the built-ins, and the name that an error about its absence must give.
NEEDS: dict[str, tuple[Blueprint, str]] = {
    "layer": (chain(layer(Custom("Foo:A"), units=2, name="custom"), shape=(3,)), "Foo"),
    "activation": (
        chain(layer("Dense", units=2, activation={"$custom": "custom_activation"}), shape=(3,)),
        "custom_activation",
    ),
    "initializer": (
        chain(layer("Dense", units=2, kernel_initializer={"$custom": "custom_initializer"}), shape=(3,)),
        "custom_initializer",
    ),
    "loss": (
        chain(layer("Dense", units=2), shape=(3,), compile=Compile("sgd", {"custom": "custom_loss"})),
        "custom_loss",
    ),
    "metric": (
        chain(layer("Dense", units=2), shape=(3,), compile=Compile("sgd", "mse", [{"custom": "custom_metric"}])),
        "custom_metric",
    ),
}


@requirement("hdf5.custom-code-needed")
@examples(what=st.sampled_from(sorted(NEEDS)), cost="save")
@example(what="layer")
@example(what="activation")
@example(what="initializer")
@example(what="loss")
@example(what="metric")
def test_loading_without_the_custom_code_is_an_error_that_names_it(
    impl: Session, format: str, scratch: Path, what: str
):
    blueprint, name = NEEDS[what]
    model = prepared(impl, blueprint, seed=3)
    if blueprint.compile is not None:
        impl.train(model, batches(blueprint, 3, 1))
    path = save(impl, model, scratch, format)

    assert_refuses(lambda: impl.load(path), f"loading without the custom {what}", mentions=name)


@requirement("hdf5.subclassed-refused")
@examples(model=strategies.models(kinds=("subclassed",)), seed=strategies.data_seeds(), cost="train")
@example(
    model=Subclassed(
        cls=Custom("CustomModel"), args={"hidden_units": [16, 16, 10]}, inputs=(Input("x", (5,)),), compile=None
    ),
    seed=1,
)
def test_a_subclassed_model_is_refused_and_nothing_is_left_behind(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    handle = prepared(impl, model, seed)

    assert_refuses(lambda: save(impl, handle, scratch, format), "saving a subclassed model as HDF5")

    assert_equal([], sorted(path.name for path in scratch.iterdir()), "files left behind")


@requirement("hdf5.lighter")
@examples(seed=strategies.data_seeds(), cost="once")
def test_the_file_is_smaller_than_the_savedmodel_and_has_no_graph(impl: Session, format: str, scratch: Path, seed: int):
    model = trained(impl, MODEL, seed)

    file, folder = save(impl, model, scratch, format), save(impl, model, scratch, "savedmodel")

    folder_size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert_true(
        file.stat().st_size < folder_size,
        "size in bytes",
        expected=f"less than {folder_size}",
        actual=file.stat().st_size,
    )
    content = file.read_bytes()
    for operation in (b"MatMul", b"BiasAdd", b"StatefulPartitionedCall"):
        assert_true(operation not in content, "graph operations in the file", expected="none", actual=operation)


@requirement("hdf5.trainable-status")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_frozen_sub_layer_does_not_let_equal_shapes_be_exchanged(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    blueprint = chain(layer(Custom("FrozenInner"), "nested", units=4), shape=(4,))
    original = prepared(impl, blueprint, seed)
    first_kernel, first_bias, second_kernel, second_bias = impl.get_weights(original)
    exchanged = impl.build(blueprint)
    impl.set_weights(exchanged, [second_kernel, second_bias, first_kernel, first_bias])
    impl.set_trainable(impl.attribute(impl.layer(original, 1), "dense_1"), False)
    inputs = inputs_for(blueprint, seed)
    expected = impl.predict(original, inputs)
    assert_differs(expected, impl.predict(exchanged, inputs), "an exchange of the two inner layers would show")

    loaded = round_trip(impl, original, scratch, format, blueprint)

    assert_same_arrays(expected, impl.predict(loaded, inputs), "predictions", tolerance("same-path"))
