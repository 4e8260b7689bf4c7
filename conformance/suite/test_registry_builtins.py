"""Chapter registry: what is built in is found by its name, with nothing registered."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from conformance.blueprint import Blueprint, Compile, chain, layer
from conformance.protocol.session import Session
from conformance.strategies.layers import CatalogueEntry
from conformance.suite.case import example, examples, requirement
from conformance.suite.catalogue import each_layer
from conformance.suite.compare import assert_equal, assert_true
from conformance.suite.configs import assert_same_config, config_of
from conformance.suite.refusals import attempted

MODEL = chain(layer("Dense", units=2, name="d"))
OPTIMIZERS = (
    *("SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl"),
    *("AdamW", "Adafactor", "Lion", "Lamb", "Muon"),
)
LOSSES = (
    *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError"),
    *("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "Huber", "LogCosh"),
    *("Hinge", "SquaredHinge", "CategoricalHinge", "Poisson", "CosineSimilarity", "KLDivergence"),
    *("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "Dice", "Tversky"),
)
METRICS = (
    *("MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "Mean", "Sum"),
    *("Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "BinaryCrossentropy"),
    *("CategoricalCrossentropy", "SparseCategoricalCrossentropy", "AUC", "Precision", "Recall", "TruePositives"),
    *("Hinge", "SquaredHinge", "CategoricalHinge", "Poisson", "CosineSimilarity", "KLDivergence", "LogCoshError"),
)


@requirement("registry.builtin-list")
def test_a_built_in_layer_is_found_by_its_name(impl: Session, dialect: str, family: str):
    def check(entry: CatalogueEntry) -> None:
        original = impl.build_layer(entry.layer(name="own"))
        made = impl.deserialize("layer", impl.serialize(original))
        expected, found = ((item.class_name, item.module) for item in map(impl.describe, (original, made)))
        assert_equal(expected, found, f"the class that was found for {entry.cls}")
        assert_same_config(
            config_of(impl, original), config_of(impl, made), f"the config of the {entry.cls} that was made"
        )

    each_layer(impl, dialect, family, check)


@requirement("registry.builtin-objects")
@examples(kind=st.sampled_from(["sequential", "functional"]), cost="config")
def test_a_built_in_model_is_found_by_its_name(impl: Session, kind: str):
    model: Blueprint = chain(layer("Dense", units=2, name="d"), kind=kind, name="m")
    original = impl.build(model)
    made = impl.from_json(impl.to_json(original))
    assert_equal(impl.describe(original).class_name, impl.describe(made).class_name, "the class that was found")


def offered(impl: Session, names: tuple[str, ...], part: str) -> list[str]:
    """Those of the classes that the implementation has: it compiles a model with them. At least the first of them."""
    model = impl.build(MODEL)

    def compile_with(name: str) -> bool:
        choice: dict[str, Any] = {"optimizer": "sgd", "loss": "mse", "metrics": [], part: {"class": name, "args": {}}}
        if part == "metrics":
            choice[part] = [choice[part]]
        impl.compile(model, Compile(**choice))
        return True

    found = [name for name in names if attempted(lambda name=name: compile_with(name))]
    assert_true(names[0] in found, f"{part}: {names[0]}", expected="is there", actual="cannot be made")
    return found


def assert_found_by_name(impl: Session, kind: str, names: list[str]) -> None:
    made = {
        name: attempted(lambda name=name: impl.deserialize(kind, {"class_name": name, "config": {}})) for name in names
    }
    found = {name: None if thing is None else impl.describe(thing).class_name for name, thing in made.items()}
    lost = {name: cls for name, cls in found.items() if cls != name}
    assert_equal({}, lost, f"what was found for the class of a {kind} instead of it")


@requirement("registry.builtin-objects")
def test_a_built_in_optimizer_is_found_by_its_name(impl: Session):
    assert_found_by_name(impl, "optimizer", offered(impl, OPTIMIZERS, "optimizer"))


@requirement("registry.builtin-objects")
def test_a_built_in_loss_is_found_by_its_name(impl: Session):
    assert_found_by_name(impl, "loss", offered(impl, LOSSES, "loss"))


@requirement("registry.builtin-objects")
def test_a_built_in_metric_is_found_by_its_name(impl: Session):
    assert_found_by_name(impl, "metric", offered(impl, METRICS, "metrics"))


@requirement("registry.builtin-objects")
@examples(kind=st.sampled_from(["optimizer", "loss"]), cost="config")
@example(kind="optimizer")
@example(kind="loss")
def test_what_a_built_in_object_serialises_to_is_found(impl: Session, kind: str):
    lost: dict[str, str] = {}
    for name in offered(impl, OPTIMIZERS if kind == "optimizer" else LOSSES, kind):
        model = impl.build(MODEL)
        other: dict[str, Any] = {"optimizer": "sgd", "loss": "mse", kind: {"class": name, "args": {}}}
        impl.compile(model, Compile(**other))
        original = impl.attribute(model, kind)
        made = attempted(lambda original=original: impl.deserialize(kind, impl.serialize(original, kind)))
        found = None if made is None else impl.describe(made).class_name
        if made is None or found != name:
            lost[name] = found or "nothing"
            continue
        assert_same_config(config_of(impl, original), config_of(impl, made), f"the config of the {name} that was made")
    assert_equal({}, lost, f"what was found for a serialised {kind} instead of it")
