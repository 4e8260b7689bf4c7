"""Chapter model: saving and loading a whole model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conformance import strategies
from conformance.blueprint import Blueprint, Call, Compile, Functional, Input, NestedModel, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.strategies import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    assert_differs,
    assert_equal,
    assert_same_arrays,
    assert_same_numbers,
    assert_silent,
    assert_true,
    assert_warned,
)
from conformance.suite.models import (
    KINDS_WHOLE,
    MODEL_FILES,
    WEIGHT_FILES,
    formats_at,
    loading_options,
    prepared,
    round_trip,
    same_path,
    save,
    set_distinct_weights,
    trained,
)
from conformance.suite.refusals import assert_refuses

Tolerance = Callable[[str], float]

UNCOMPILED = r"(?i)no training configuration.*not.*compiled.*compile it manually"

GUIDE_MODEL = chain(layer("Dense", units=1), shape=(32,), compile=Compile("adam", "mean_squared_error"))

# Adam has two slots a variable and a step count; SGD without momentum has nothing but the step count.
ADAM_MODEL = chain(
    layer("Dense", units=3, name="first"),
    layer("Dense", units=2, name="second"),
    shape=(4,),
    compile=Compile(
        {"class": "Adam", "args": {"learning_rate": 0.01, "beta_1": 0.8}}, "mean_squared_error", ["mean_absolute_error"]
    ),
)
ALIASES = ADAM_MODEL.with_compile(Compile("adam", "mse", ["mae"]))

# A model inside the model: what saving leaves behind on the outer one it may leave on the inner one too.
NESTED_MODEL = Functional(
    inputs=(Input("x", (4,)),),
    layers=(
        NestedModel("inner", chain(layer("Dense", units=3, name="first"), shape=(4,), name="inner")),
        layer("Dense", units=2, name="second"),
    ),
    calls=(Call("inner", ("x",), "t0"), Call("second", ("t0",), "t1")),
    outputs=("t1",),
    compile=ADAM_MODEL.compile,
)

# Frozen layers beside trained ones, inside a nested model too: a lost flag moves weights from one list to the other.
FROZEN_MODEL = chain(
    layer("Dense", units=3, name="first", trainable=False),
    NestedModel(
        "inner",
        chain(layer("Dense", units=3, name="in"), layer("Dense", units=3, name="out", trainable=False), shape=(3,)),
    ),
    layer("Dense", units=2, name="second"),
    shape=(4,),
)


def models(**options: Any) -> Callable[[str], st.SearchStrategy[Blueprint]]:
    """Models of the kinds that a format can hold."""
    return lambda format: strategies.models(kinds=KINDS_WHOLE[format], **options)


@requirement("model.same-outputs")
@examples(model=models(compiled=False), seed=strategies.data_seeds(), cost="save")
def test_a_reloaded_model_predicts_the_same(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected = impl.predict(original, inputs)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_same_arrays(expected, impl.predict(loaded, inputs), "predictions", tolerance(same_path(model)))


@requirement("model.weights")
@examples(model=models(compiled=False), seed=strategies.data_seeds(), cost="save")
@example(model=FROZEN_MODEL, seed=1)
def test_every_weight_survives_bit_for_bit_and_in_order(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    expected = {which: impl.weights(original, which) for which in ("all", "trainable", "non_trainable")}

    loaded = round_trip(impl, original, scratch, format, model)

    for which, weights in expected.items():
        assert_same_arrays(
            [weight.value for weight in weights],
            [weight.value for weight in impl.weights(loaded, which)],
            f"{which} weights",
            names=[weight.name for weight in weights],
        )


@requirement("model.any-kind")
@examples(model=models(compiled=False), seed=strategies.data_seeds(), cost="save")
def test_each_kind_of_model_comes_back_as_what_it_was(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    before = impl.describe(original)

    after = impl.describe(round_trip(impl, original, scratch, format, model))

    assert_equal(before.class_name, after.class_name, "class of the model")
    assert_equal(
        [(part.name, part.class_name) for part in before.layers],
        [(part.name, part.class_name) for part in after.layers],
        "layers: name and class",
    )
    if model.kind != "subclassed":
        assert_equal(before.inputs, after.inputs, "inputs of the model")
        assert_equal(before.outputs, after.outputs, "outputs of the model")


@requirement("model.parts")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_saved_model_carries_architecture_weights_optimizer_losses_and_metrics(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    original = trained(impl, ADAM_MODEL, seed)
    x, y = batches(ADAM_MODEL, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)

    loaded = round_trip(impl, original, scratch, format, ADAM_MODEL)

    assert_equal(
        [part.name for part in impl.describe(original).layers],
        [part.name for part in impl.describe(loaded).layers],
        "architecture: names of the layers",
    )
    assert_same_arrays(impl.get_weights(original), impl.get_weights(loaded), "weights")
    assert_equal("Adam", impl.optimizer(loaded).class_name, "class of the optimizer")
    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


@requirement("model.compile-info")
@examples(model=models(compiled=True, random=False), seed=strategies.data_seeds(), cost="save")
@example(model=ADAM_MODEL, seed=1)
@example(model=ALIASES, seed=1)
@example(model=ADAM_MODEL.with_compile(Compile("sgd", {"class": "Huber", "args": {"delta": 0.37}})), seed=2)
def test_loss_metrics_and_optimizer_survive(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = trained(impl, model, seed, steps=1)
    x, y = batches(model, seed + 1, 1)[0]
    scores, optimizer = impl.evaluate(original, x, y), impl.optimizer(original)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_true(impl.describe(loaded).compiled is True, "the loaded model", expected="compiled", actual="not compiled")
    restored = impl.optimizer(loaded)
    assert_equal(optimizer.class_name, restored.class_name, "class of the optimizer")
    assert_equal(optimizer.config, restored.config, "hyper-parameters of the optimizer")
    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


@requirement("model.optimizer-state")
@examples(model=models(compiled=True, random=False), seed=strategies.data_seeds(), cost="train")
@example(model=ADAM_MODEL, seed=1)
def test_step_count_and_slots_of_the_optimizer_survive(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = trained(impl, model, seed)
    expected = impl.optimizer(original)
    assert_equal(3, expected.iterations, "steps counted by the original optimizer")

    restored = impl.optimizer(round_trip(impl, original, scratch, format, model))

    assert_equal(expected.iterations, restored.iterations, "steps counted by the optimizer")
    assert_same_arrays(
        [variable.value for variable in expected.variables],
        [variable.value for variable in restored.variables],
        "variables of the optimizer",
        names=[variable.name for variable in expected.variables],
    )


@requirement("model.resume-training")
@examples(model=models(compiled=True, random=False), seed=strategies.data_seeds(), cost="train")
@example(model=ADAM_MODEL, seed=1)
def test_training_goes_on_where_the_original_would_have(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = trained(impl, model, seed)
    path = save(impl, original, scratch, format)
    following = batches(model, seed + 1, 2)
    expected_steps = impl.train(original, following)
    expected_weights = impl.get_weights(original)

    loaded = impl.load(path, **loading_options(model))
    steps = impl.train(loaded, following)

    for number, (expected, actual) in enumerate(zip(expected_steps, steps, strict=True), start=1):
        assert_same_numbers(expected, actual, f"step {number} after loading", tolerance("same-path"))
    assert_same_arrays(expected_weights, impl.get_weights(loaded), "weights after going on", tolerance("same-path"))


@requirement("model.uncompiled")
@examples(model=models(compiled=False), seed=strategies.data_seeds(), cost="save")
def test_an_uncompiled_model_loads_uncompiled_and_says_so(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)

    loaded = round_trip(impl, original, scratch, format, model)

    assert_warned(impl.messages, UNCOMPILED, "warning that there was no training configuration")
    _assert_not_compiled(impl, loaded, "the loaded model")


@requirement("model.uncompiled")
@examples(seed=strategies.data_seeds(), cost="once")
def test_a_compiled_model_loads_without_that_warning(impl: Session, format: str, scratch: Path, seed: int):
    original = trained(impl, ADAM_MODEL, seed, steps=1)

    round_trip(impl, original, scratch, format, ADAM_MODEL)

    assert_silent(impl.messages, UNCOMPILED, "warning about a model that has its training configuration")


def _assert_format(path: Path, format: str, what: str) -> None:
    assert_equal([format], formats_at(path, MODEL_FILES), what)


@requirement("model.default-format")
@examples(name=st.sampled_from(["my_model", "my.model", "model_v2.1", "weights.tf"]), cost="train")
def test_without_format_and_suffix_save_writes_a_savedmodel(impl: Session, scratch: Path, name: str):
    model = prepared(impl, ADAM_MODEL, seed=3)

    impl.save(model, scratch / name)

    _assert_format(scratch / name, "savedmodel", f"what save('{name}') wrote")


@requirement("model.format-argument")
@examples(name=st.sampled_from(["model", "my.model"]), cost="train")
@example(name="model")
def test_save_format_selects_the_format(impl: Session, format: str, scratch: Path, name: str):
    argument = {"hdf5": "h5", "savedmodel": "tf"}[format]
    model = prepared(impl, ADAM_MODEL, seed=4)

    impl.save(model, scratch / name, format=argument)

    _assert_format(scratch / name, format, f"what save('{name}', save_format='{argument}') wrote")
    loaded = impl.load(scratch / name)
    assert_same_arrays(impl.get_weights(model), impl.get_weights(loaded), "weights")


@requirement("model.format-suffix")
@examples(suffix=st.sampled_from([".h5", ".keras"]), cost="train")
@example(suffix=".h5")
@example(suffix=".keras")
def test_the_suffixes_h5_and_keras_select_hdf5(impl: Session, scratch: Path, suffix: str):
    model = prepared(impl, ADAM_MODEL, seed=5)

    impl.save(model, scratch / f"model{suffix}")

    _assert_format(scratch / f"model{suffix}", "hdf5", f"what save('model{suffix}') wrote")
    loaded = impl.load(scratch / f"model{suffix}")
    assert_same_arrays(impl.get_weights(model), impl.get_weights(loaded), "weights")


@requirement("model.format-suffix-v3")
def test_the_suffix_selects_hdf5_or_the_v3_archive(impl: Session, format: str, scratch: Path):
    model = prepared(impl, ADAM_MODEL, seed=5)

    path = save(impl, model, scratch, format)

    _assert_format(path, format, f"what save('{path.name}') wrote")


@requirement("model.format-required")
@examples(name=st.sampled_from(["my_model", "model.tf", "model.h5py", "model.keras.bak"]), cost="train")
def test_a_path_of_unknown_suffix_is_refused(impl: Session, scratch: Path, name: str):
    model = prepared(impl, ADAM_MODEL, seed=7)

    assert_refuses(
        lambda: impl.save(model, scratch / name), f"save('{name}')", kinds=("ValueError",), mentions=r"\.keras"
    )

    assert_equal([], sorted(path.name for path in scratch.iterdir()), "files left behind")


@requirement("model.overwrite")
@examples(first=models(compiled=False), second=models(compiled=False), seed=strategies.data_seeds(), cost="train")
def test_saving_over_a_model_replaces_it_without_asking(
    impl: Session, format: str, scratch: Path, first: Blueprint, second: Blueprint, seed: int
):
    save(impl, prepared(impl, first, seed), scratch, format)
    newer = prepared(impl, second, seed + 1)

    loaded = round_trip(impl, newer, scratch, format, second)

    assert_same_arrays(impl.get_weights(newer), impl.get_weights(loaded), "weights of the newer model")
    assert_equal(
        [part.name for part in impl.describe(newer).layers],
        [part.name for part in impl.describe(loaded).layers],
        "layers of the newer model",
    )


@requirement("model.creates-parents")
def test_saving_makes_the_folders_above(impl: Session, format: str, scratch: Path):
    model = prepared(impl, ADAM_MODEL.with_compile(None), seed=6)
    path = scratch / "path" / "to" / MODEL_FILES[format]

    impl.save(model, path)

    assert_same_arrays(impl.get_weights(model), impl.get_weights(impl.load(path)), "weights")


@requirement("model.save-pure")
@examples(model=models(compiled=True, random=False), seed=strategies.data_seeds(), cost="save")
@example(model=ADAM_MODEL, seed=1)
@example(model=NESTED_MODEL, seed=1)
def test_saving_changes_nothing_in_the_live_model(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    live = trained(impl, model, seed)
    weights, optimizer = impl.get_weights(live), impl.optimizer(live)
    config = None if model.kind == "subclassed" else impl.get_config(live).config
    x, y = batches(model, seed + 1, 1)[0]
    scores = impl.evaluate(live, x, y)

    save(impl, live, scratch, format)

    assert_same_arrays(weights, impl.get_weights(live), "weights of the live model")
    after = impl.optimizer(live)
    assert_equal(optimizer.config, after.config, "hyper-parameters of the live optimizer")
    assert_same_arrays(
        [variable.value for variable in optimizer.variables],
        [variable.value for variable in after.variables],
        "variables of the live optimizer",
    )
    if config is not None:
        assert_equal(config, impl.get_config(live).config, "config of the live model")
    assert_same_numbers(scores, impl.evaluate(live, x, y), "loss and metrics of the live model")
    if config is not None:
        # The live model's compile information is what the next save writes, in whatever format that is.
        next_format = "keras" if "save.keras" in impl.hello.capabilities else format
        again = impl.load(save(impl, live, scratch / "again", next_format))
        assert_equal(optimizer.class_name, impl.optimizer(again).class_name, "optimizer in a second saving")


@requirement("model.partial-saving")
@examples(seed=strategies.data_seeds(), cost="once")
def test_json_carries_no_weights_and_a_weights_file_nothing_else(impl: Session, format: str, scratch: Path, seed: int):
    original = trained(impl, ADAM_MODEL, seed)
    impl.save_weights(original, scratch / WEIGHT_FILES[format])

    text = impl.to_json(original)
    rebuilt = impl.from_json(text)

    assert_true(isinstance(json.loads(text), dict), "the JSON text", expected="one object", actual=text[:80])
    _assert_not_compiled(impl, rebuilt, "a model from JSON")
    set_distinct_weights(impl, rebuilt, seed + 1)
    assert_differs(impl.get_weights(original), impl.get_weights(rebuilt), "weights of a model from JSON")

    impl.load_weights(rebuilt, scratch / WEIGHT_FILES[format])

    assert_same_arrays(impl.get_weights(original), impl.get_weights(rebuilt), "weights from the file")
    _assert_not_compiled(impl, rebuilt, "a model whose weights were loaded")


def _assert_not_compiled(impl: Session, model: Handle, what: str) -> None:
    assert_true(not impl.describe(model).compiled, what, expected="not compiled", actual="compiled")
