"""What the strategies for models promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from conformance.blueprint import (
    Blueprint,
    Compile,
    Custom,
    Functional,
    Layer,
    NestedModel,
    Sequential,
    Subclassed,
    chain,
    layer,
    output_shapes,
    weight_shapes,
)
from conformance.strategies import (
    batches,
    compiles,
    custom_objects,
    functionals,
    models,
    sequentials,
)


@settings(deadline=None)
@given(models())
def test_every_model_has_known_small_shapes_and_a_trainable_head(model: Blueprint):
    assert all(1 <= size <= 60 for shape in output_shapes(model) for size in shape)
    assert weight_shapes(model)
    if not isinstance(model, Subclassed):
        heads = [node for node in model.nodes if isinstance(node, Layer) and node.cls == "Dense" and node.trainable]
        assert heads


@settings(deadline=None)
@given(models(compiled=True))
def test_every_compiled_model_has_batches_for_its_outputs(model: Blueprint):
    for inputs, targets in batches(model, 3, 2):
        assert [array.shape[1:] for array in inputs] == [item.shape for item in model.inputs]
        assert len(targets) == len(output_shapes(model))


@settings(deadline=None)
@given(st.data())
def test_options_are_kept(data: st.DataObject):
    kinds = data.draw(
        st.sampled_from([("sequential",), ("functional",), ("subclassed",), ("sequential", "functional")])
    )
    compiled = data.draw(st.sampled_from([True, False]))
    model = data.draw(models(kinds, compiled=compiled))
    assert model.kind in kinds
    assert (model.compile is not None) is compiled


@settings(deadline=None)
@given(models(random=False))
def test_without_random_layers(model: Blueprint):
    assert "Dropout" not in [one.cls for one in model.all_layers()]


@settings(deadline=None)
@given(models(kinds=("sequential", "functional"), stateless=False))
def test_without_stateless_layers(model: Blueprint):
    merges = {"Add", "Subtract", "Multiply", "Concatenate"}
    own = {one.cls for one in model.all_layers()} - merges
    assert own <= {"Dense", "BatchNormalization", "LayerNormalization", "Embedding"}


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="graph"):
        models(kinds=("graph",))
    with pytest.raises(ValueError, match="choose some of"):
        models(kinds=())


def _nested(model: Blueprint) -> list[NestedModel]:
    return [node for node in model.nodes if isinstance(node, NestedModel)]


def _shared(model: Blueprint) -> bool:
    called = [call.layer for call in model.calls] if isinstance(model, Functional) else []
    return len(called) > len(set(called))


def _order(model: Blueprint) -> list[int]:
    """The place among the calls of what makes each output."""
    if not isinstance(model, Functional):
        return []
    made = [call.output for call in model.calls]
    return [made.index(tensor) for tensor in model.outputs]


def _is_by_name(value: Any) -> bool:
    return isinstance(value, dict) and "class" not in value


FEATURES: dict[str, Callable[[Blueprint], object]] = {
    "sequential": lambda model: isinstance(model, Sequential),
    "subclassed with a config": lambda m: isinstance(m, Subclassed) and m.cls == Custom("SubclassedModel"),
    "subclassed without": lambda m: isinstance(m, Subclassed) and m.cls == Custom("CustomModel"),
    "nested sequential": lambda m: any(isinstance(node.model, Sequential) for node in _nested(m)),
    "nested functional": lambda m: any(isinstance(node.model, Functional) for node in _nested(m)),
    "frozen nested model": lambda m: any(not node.trainable for node in _nested(m)),
    "frozen layer": lambda m: any(not one.trainable for one in m.all_layers()),
    "shared": _shared,
    "two inputs": lambda m: len(m.inputs) == 2,
    "outputs permuted": lambda m: _order(m) != sorted(_order(m)),
    "subtract": lambda m: "Subtract" in [one.cls for one in m.all_layers()],
    "dropout": lambda m: "Dropout" in [one.cls for one in m.all_layers()],
    "embedding": lambda m: "Embedding" in [one.cls for one in m.all_layers()],
    "names by the library": lambda m: m.nodes and not any(m.layer_names),
    "explicit names": lambda m: m.nodes and all(m.layer_names),
    "names not sorted": lambda m: all(m.layer_names) and list(m.layer_names) != sorted(map(str, m.layer_names)),
    "losses by name": lambda m: m.compile and _is_by_name(m.compile.loss),
    "losses in a list": lambda m: m.compile and isinstance(m.compile.loss, list),
    "optimizer with arguments": lambda m: m.compile and isinstance(m.compile.optimizer, dict),
}


def test_every_feature_is_drawn():
    found: set[str] = set()

    @seed(1)
    @settings(max_examples=300, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(models())
    def collect(model: Blueprint):
        found.update(name for name, holds in FEATURES.items() if holds(model))

    collect()
    assert found == set(FEATURES)


@settings(deadline=None)
@given(compiles(("first", "second")))
def test_compile_information_names_every_output(compiled: Compile):
    parts: list[Any] = [compiled.loss, compiled.metrics]
    for part in parts:
        assert not _is_by_name(part) or list(part) == ["first", "second"]
        assert not isinstance(part, list) or len(part) in (0, 2)  # pyright: ignore[reportUnknownArgumentType]


@settings(deadline=None)
@given(sequentials(nested=False) | functionals(nested=False))
def test_without_nested_models(model: Blueprint):
    assert not _nested(model)


def test_the_custom_objects_that_a_loader_needs():
    model = chain(
        layer(Custom("CustomLayer:units"), "c", units=2),
        layer("Activation", "a", activation={"$custom": "custom_activation"}),
        compile=Compile("sgd", {"custom": "custom_loss"}, ["mae", {"custom": "custom_metric"}]),
    )
    assert custom_objects(model) == {
        "CustomLayer": "CustomLayer:units",
        "custom_activation": "custom_activation",
        "custom_loss": "custom_loss",
        "custom_metric": "custom_metric",
    }
    assert custom_objects(chain(layer("Dense", "d", units=1))) == {}
