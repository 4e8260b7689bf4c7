"""Chapter savedmodel: whole models in a SavedModel folder, and its graph alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from conformance import strategies, witness
from conformance.blueprint import Blueprint, Compile, Custom, Input, Subclassed, chain, layer
from conformance.protocol.session import Session
from conformance.strategies import batches, inputs_for
from conformance.suite.case import example, examples, requirement
from conformance.suite.compare import (
    Mismatch,
    assert_equal,
    assert_same_array,
    assert_same_arrays,
    assert_same_numbers,
    assert_true,
    assert_warned,
)
from conformance.suite.models import prepared, round_trip, save
from conformance.suite.refusals import assert_refuses

Tolerance = Callable[[str], float]

COMPILED = Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mse", ["mae"])
MODEL = chain(
    layer("Dense", units=3, name="first"), layer("Dense", units=2, name="second"), shape=(4,), compile=COMPILED
)
NO_CONFIG = Subclassed(cls=Custom("CustomModel"), args={"hidden_units": [16, 16, 10]}, inputs=(Input("x", (5,)),))


def no_config_models() -> st.SearchStrategy[Subclassed]:
    """Subclassed models without a config, of one to three layers."""
    units = st.lists(st.integers(1, 5), min_size=1, max_size=3)
    return units.map(
        lambda hidden: Subclassed(cls=Custom("CustomModel"), args={"hidden_units": hidden}, inputs=(Input("x", (5,)),))
    )


@requirement("savedmodel.layout")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="train")
def test_the_folder_holds_the_parts_that_the_guide_names(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    path = save(impl, prepared(impl, model, seed), scratch, format)

    assert_true((path / "saved_model.pb").is_file(), "saved_model.pb", expected="a file", actual=_listing(path))
    for name in ("assets", "variables"):
        assert_true((path / name).is_dir(), name, expected="a folder", actual=_listing(path))


def _listing(path: Path) -> list[str]:
    return sorted(str(entry.relative_to(path)) for entry in path.rglob("*"))


@requirement("savedmodel.weights-in-variables")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="train")
def test_variables_is_a_checkpoint_that_holds_every_weight(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    path = save(impl, original, scratch, format)

    stored = witness.checkpoint.read(path / "variables" / "variables").values

    found = {(array.shape, array.dtype.name, array.tobytes()) for array in stored.values()}
    for weight in impl.weights(original):
        key = (weight.value.shape, weight.value.dtype.name, weight.value.tobytes())
        if key not in found:
            raise Mismatch(f"weight {weight.name} in variables/", "its values, bit for bit", sorted(stored))


@requirement("savedmodel.architecture-in-pb")
@examples(seed=strategies.data_seeds(), cost="once")
def test_saved_model_pb_holds_architecture_and_training_configuration(
    impl: Session, format: str, scratch: Path, seed: int
):
    model = prepared(impl, MODEL, seed)
    impl.train(model, batches(MODEL, seed, 1))
    path = save(impl, model, scratch, format)

    _assert_describes(witness.savedmodel.read(path).object_metadata, "saved_model.pb")


@requirement("savedmodel.keras-metadata")
@examples(seed=strategies.data_seeds(), cost="once")
def test_keras_metadata_pb_holds_architecture_and_training_configuration(
    impl: Session, format: str, scratch: Path, seed: int
):
    model = prepared(impl, MODEL, seed)
    impl.train(model, batches(MODEL, seed, 1))
    path = save(impl, model, scratch, format)

    _assert_describes(witness.savedmodel.read(path).keras_metadata, "keras_metadata.pb")


def _assert_describes(metadata: list[dict[str, Any]], file: str) -> None:
    """The metadata of the nodes says what MODEL is made of and how it is trained."""
    roots = [node for node in metadata if "training_config" in node]
    assert_true(len(roots) == 1, f"nodes with a training_config in {file}", expected=1, actual=len(roots))
    root = roots[0]
    layers = [entry["config"]["name"] for entry in root["config"]["layers"]]
    assert_true(layers[-2:] == ["first", "second"], f"layers in {file}", expected=["first", "second"], actual=layers)
    units = [entry["config"].get("units") for entry in root["config"]["layers"]][-2:]
    assert_equal([3, 2], units, f"units of the layers in {file}")
    training = root["training_config"]
    optimizer = str(training["optimizer_config"]["class_name"]).rpartition(">")[2]
    assert_equal("Adam", optimizer, f"optimizer in {file}")
    assert_true(
        "mse" in str(training["loss"]) or "mean_squared_error" in str(training["loss"]),
        f"loss in {file}",
        expected="mse",
        actual=training["loss"],
    )
    assert_true(
        "mae" in str(training["metrics"]) or "mean_absolute_error" in str(training["metrics"]),
        f"metrics in {file}",
        expected="mae",
        actual=training["metrics"],
    )


@requirement("savedmodel.stores")
@examples(seed=strategies.data_seeds(), cost="once")
def test_class_name_call_function_losses_weights_and_config_are_recorded(
    impl: Session, format: str, scratch: Path, seed: int
):
    blueprint = chain(
        layer("Dense", units=3, name="first"), layer(Custom("LossyLayer"), "lossy", factor=0.5), shape=(4,)
    )
    facts = witness.savedmodel.read(save(impl, prepared(impl, blueprint, seed), scratch, format))

    metadata = [*facts.object_metadata, *facts.keras_metadata]
    by_class = {node["class_name"]: node for node in metadata if "class_name" in node}
    for name in ("Functional", "Dense", "LossyLayer"):
        assert_true(name in by_class, "class names recorded", expected=name, actual=sorted(by_class))
        assert_true("config" in by_class[name], f"config of {name}", expected="there", actual=sorted(by_class[name]))
    for name in ("Dense", "LossyLayer"):
        children = facts.children_of_layer(name)
        assert_true("__call__" in children, f"functions of {name}", expected="__call__", actual=sorted(children))
    assert_true(
        "kernel" in facts.children_of_layer("Dense"),
        "weights of Dense",
        expected="kernel",
        actual=sorted(facts.children_of_layer("Dense")),
    )


@requirement("savedmodel.no-config-revives")
@examples(model=no_config_models(), seed=strategies.data_seeds(), cost="train")
@example(model=NO_CONFIG, seed=1)
def test_a_model_without_config_is_revived_and_computes_the_same(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    small, large = inputs_for(model, seed, batch=1), inputs_for(model, seed + 1, batch=7)
    expected = [impl.call(original, small), impl.predict(original, large)]

    loaded = impl.load(save(impl, original, scratch, format))

    assert_same_arrays(expected[0], impl.call(loaded, small), "outputs of a call", tolerance("revived"))
    assert_same_arrays(expected[1], impl.predict(loaded, large), "predictions", tolerance("revived"))
    assert_same_arrays(impl.get_weights(original), impl.get_weights(loaded), "weights")


@requirement("savedmodel.no-config-usable")
@examples(model=no_config_models(), seed=strategies.data_seeds(), cost="train")
@example(model=NO_CONFIG, seed=1)
def test_a_revived_model_trains_evaluates_and_predicts(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    compiled = model.with_compile(COMPILED)
    original = prepared(impl, model, seed)
    loaded = impl.load(save(impl, original, scratch, format))
    following = batches(compiled, seed, 2)
    x, y = following[0]
    for handle in (original, loaded):
        impl.compile(handle, COMPILED)

    assert_same_numbers(impl.evaluate(original, x, y), impl.evaluate(loaded, x, y), "scores", tolerance("revived"))
    for expected, actual in zip(impl.train(original, following), impl.train(loaded, following), strict=True):
        assert_same_numbers(expected, actual, "a training step", tolerance("revived"))
    assert_same_arrays(
        impl.predict(original, x), impl.predict(loaded, x), "predictions after training", tolerance("revived")
    )


@requirement("savedmodel.no-config-class")
@examples(model=no_config_models(), seed=strategies.data_seeds(), cost="train")
@example(model=NO_CONFIG, seed=1)
def test_the_revived_class_has_the_name_and_is_another(
    impl: Session, format: str, scratch: Path, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    before = impl.describe(original)

    after = impl.describe(impl.load(save(impl, original, scratch, format)))

    assert_equal("CustomModel", after.class_name, "name of the class")
    assert_true(
        before.module != after.module, "module of the class", expected=f"not {before.module}", actual=after.module
    )
    assert_true(
        after.has["fit"] and after.has["predict"], "a Keras model", expected="fit and predict", actual=after.has
    )


@requirement("savedmodel.config-preferred")
@examples(way=st.sampled_from(["argument", "scope", "decorator"]), cost="train")
@example(way="argument")
def test_a_registered_layer_class_with_a_config_is_used(impl: Session, format: str, scratch: Path, way: str):
    blueprint = chain(layer(Custom("Foo:A"), "foo", units=2), layer("Dense", units=2, name="last"), shape=(3,))
    if way == "decorator":
        impl.register("Foo:A", package="pkg")
    original = prepared(impl, blueprint, seed=3)
    path = save(impl, original, scratch, format)
    if way == "scope":
        impl.enter_scope({"Foo": "Foo:A"})

    loaded = impl.load(path, custom_objects={"Foo": "Foo:A"} if way == "argument" else None)

    found = impl.describe(impl.layer(loaded, 1))
    assert_equal(impl.describe(impl.layer(original, 1)).module, found.module, "module of the layer's class")
    assert_equal("A", found.marker, "marker of the layer's class")
    assert_same_arrays(impl.get_weights(original), impl.get_weights(loaded), "weights")


@requirement("savedmodel.config-preferred")
def test_a_registered_model_class_with_a_config_is_used(impl: Session, format: str, scratch: Path):
    blueprint = Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 3}, inputs=(Input("x", (5,)),))
    original = prepared(impl, blueprint, seed=3)

    path = save(impl, original, scratch, format)
    loaded = impl.load(path, custom_objects={"SubclassedModel": "SubclassedModel"})

    before, after = impl.describe(original), impl.describe(loaded)
    assert_equal((before.class_name, before.module), (after.class_name, after.module), "class of the model")
    assert_same_arrays(impl.get_weights(original), impl.get_weights(loaded), "weights")


EXTERNAL = ("symbolic loss", "callable loss", "metric")


@requirement("savedmodel.external-losses")
@examples(kind=st.sampled_from(EXTERNAL), seed=strategies.data_seeds(), cost="train")
@example(kind="symbolic loss", seed=1)
@example(kind="callable loss", seed=1)
@example(kind="metric", seed=1)
def test_losses_and_metrics_put_on_from_outside_survive(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, kind: str, seed: int
):
    uncompiled = MODEL.with_compile(None)
    original = prepared(impl, uncompiled, seed)
    if kind == "metric":
        impl.add_metric(original, "outside")
    else:
        impl.add_loss(original, kind.split()[0], 0.5)
    impl.compile(original, COMPILED)
    x, y = batches(MODEL, seed + 1, 1)[0]
    scores = impl.evaluate(original, x, y)
    plain = prepared(impl, MODEL, seed)
    assert_true(
        scores != impl.evaluate(plain, x, y),
        "what was put on from outside",
        expected="seen in the scores",
        actual="the scores of a model without it",
    )

    loaded = round_trip(impl, original, scratch, format, uncompiled)

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("same-path"))


@requirement("savedmodel.external-losses")
@examples(kind=st.sampled_from(["sequential", "subclassed, revived", "subclassed, class given"]), cost="train")
@example(kind="sequential")
@example(kind="subclassed, revived")
@example(kind="subclassed, class given")
def test_a_callable_loss_survives_on_the_other_kinds_of_model(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, kind: str
):
    seed = 4
    blueprint: Blueprint = (
        chain(layer("Dense", units=3, name="first"), shape=(5,), kind="sequential")
        if kind == "sequential"
        else Subclassed(cls=Custom("SubclassedModel"), args={"output_dim": 3}, inputs=(Input("x", (5,)),))
    )
    original = prepared(impl, blueprint, seed)
    impl.add_loss(original, "callable", 0.5)
    impl.compile(original, COMPILED)
    x, y = batches(blueprint.with_compile(COMPILED), seed, 1)[0]
    scores = impl.evaluate(original, x, y)

    path = save(impl, original, scratch, format)
    loaded = impl.load(path, custom_objects={"SubclassedModel": "SubclassedModel"} if "given" in kind else None)

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("revived"))


@requirement("savedmodel.layer-losses")
@examples(given=st.booleans(), seed=strategies.data_seeds(), cost="train")
@example(given=True, seed=1)
@example(given=False, seed=1)
def test_losses_and_metrics_made_inside_a_layer_survive(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, given: bool, seed: int
):
    blueprint = chain(
        layer("Dense", units=3, name="first"),
        layer(Custom("LossyLayer"), "lossy", factor=0.25),
        layer("Dense", units=2, name="last"),
        shape=(4,),
        compile=COMPILED,
    )
    original = prepared(impl, blueprint, seed)
    x, y = batches(blueprint, seed, 1)[0]
    scores = impl.evaluate(original, x, y)

    path = save(impl, original, scratch, format)
    loaded = impl.load(path, custom_objects=strategies.custom_objects(blueprint) if given else None)

    assert_same_numbers(scores, impl.evaluate(loaded, x, y), "loss and metrics", tolerance("revived"))


@requirement("savedmodel.graph-only")
@examples(model=strategies.models(random=False), seed=strategies.data_seeds(), cost="train")
@example(model=MODEL, seed=1)
def test_the_graph_alone_computes_the_outputs(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, model: Blueprint, seed: int
):
    original = prepared(impl, model, seed)
    inputs = inputs_for(model, seed)
    expected = impl.predict(original, inputs)

    graph = impl.graph_load(save(impl, original, scratch, format))

    _assert_same_outputs(expected, impl.call(graph, inputs), tolerance("revived"))


def _assert_same_outputs(expected: list[Any], actual: list[Any], tolerance: float) -> None:
    assert_equal(len(expected), len(actual), "number of outputs")
    for index, (left, right) in enumerate(zip(expected, actual, strict=True)):
        assert_same_array(left, right, f"output {index} of the graph", tolerance)


@requirement("savedmodel.graph-only-not-keras")
@examples(model=strategies.models(), seed=strategies.data_seeds(), cost="train")
def test_the_graph_alone_is_no_keras_model(impl: Session, format: str, scratch: Path, model: Blueprint, seed: int):
    graph = impl.graph_load(save(impl, prepared(impl, model, seed), scratch, format))

    has = impl.describe(graph).has
    assert_equal((False, False), (has["predict"], has["fit"]), "predict() and fit() of what the graph loader gives")


@requirement("savedmodel.graph-only-typed")
@examples(seed=strategies.data_seeds(), cost="once")
def test_the_graph_takes_the_saved_dtype_only(impl: Session, format: str, scratch: Path, seed: int):
    graph = impl.graph_load(save(impl, prepared(impl, MODEL, seed), scratch, format))
    inputs = inputs_for(MODEL, seed)
    impl.call(graph, inputs)

    for dtype in (np.float64, np.int32):
        assert_refuses(
            lambda dtype=dtype: impl.call(graph, [x.astype(dtype) for x in inputs]), f"a {dtype.__name__} input"
        )


@requirement("savedmodel.graph-only-rescue")
@examples(seed=strategies.data_seeds(), cost="once")
def test_the_graph_loads_where_load_model_lacks_the_custom_objects(
    impl: Session, format: str, scratch: Path, tolerance: Tolerance, seed: int
):
    blueprint = chain(
        layer("Dense", units=2),
        layer(Custom("MarkedCall:1"), "marked"),
        shape=(3,),
        compile=Compile("sgd", {"custom": "custom_loss"}),
    )
    original = prepared(impl, blueprint, seed)
    impl.train(original, batches(blueprint, seed, 1))
    inputs = inputs_for(blueprint, seed)
    expected = impl.predict(original, inputs)
    path = save(impl, original, scratch, format)
    assert_refuses(lambda: impl.load(path), "load_model without the custom loss", mentions="custom_loss")

    graph = impl.graph_load(path)

    _assert_same_outputs(expected, impl.call(graph, inputs), tolerance("revived"))


@requirement("savedmodel.assets-message")
def test_saving_says_where_the_assets_went(impl: Session, format: str, scratch: Path):
    model = prepared(impl, MODEL, seed=1)

    path = save(impl, model, scratch, format)

    assert_warned(impl.messages, f"Assets written to: .*{path.name}/assets", "message about the assets")


@requirement("savedmodel.computation-updatable")
def test_the_present_call_of_a_registered_class_runs(impl: Session, format: str, scratch: Path, tolerance: Tolerance):
    blueprint = chain(layer("Dense", units=3), layer(Custom("MarkedCall:1"), "marked"), shape=(4,))
    original = prepared(impl, blueprint, seed=2)
    inputs = inputs_for(blueprint, 2)
    outputs = impl.predict(original, inputs)
    path = save(impl, original, scratch, format)

    loaded = impl.load(path, custom_objects={"MarkedCall": "MarkedCall:2"})

    assert_same_arrays(
        [2 * array for array in outputs],
        impl.predict(loaded, inputs),
        "predictions, twice the original's",
        tolerance("same-path"),
    )
