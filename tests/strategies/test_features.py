"""Models that have one thing each, models in models, values that are easily lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings

from conformance import strategies
from conformance.blueprint import Blueprint, Custom, Functional, NestedModel, from_json, output_shapes
from conformance.spec import load_specification
from conformance.strategies.features import DTYPES

FIND = settings(
    max_examples=400, database=None, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def models_inside(model: Blueprint) -> Iterator[NestedModel]:
    for node in model.nodes:
        if isinstance(node, NestedModel):
            yield node
            yield from models_inside(node.model)


def depth(model: Blueprint) -> int:
    return 1 + max((depth(node.model) for node in model.nodes if isinstance(node, NestedModel)), default=0)


def calls_twice(model: Blueprint) -> bool:
    inside = [model, *(node.model for node in models_inside(model))]
    called = [[call.layer for call in one.calls] for one in inside if isinstance(one, Functional)]
    return any(names.count("b") > 1 for names in called)


@settings(deadline=None)
@given(strategies.deep_models(depth=4))
def test_deep_models_are_well_formed_and_have_known_shapes(model: Blueprint):
    assert 2 <= depth(model) <= 4
    assert output_shapes(model) == ((2,),)
    assert from_json(model.to_json()) == model
    names = [name for one in model.all_layers() if (name := one.name)]
    assert len(names) == len(set(names)), "explicit names of different levels collide"


DEEP: dict[str, Callable[[Blueprint], bool]] = {
    "three levels": lambda model: depth(model) == 3,
    "two inputs": lambda model: any(len(node.model.inputs) == 2 for node in models_inside(model)),
    "called twice": calls_twice,
    "frozen model": lambda model: any(not node.trainable for node in models_inside(model)),
    "frozen layer inside": lambda model: any(
        not one.trainable for node in models_inside(model) for one in node.model.all_layers()
    ),
    "statistics inside": lambda model: any(
        one.cls == "BatchNormalization" for node in models_inside(model) for one in node.model.all_layers()
    ),
    "stateless layer inside": lambda model: any(
        one.cls == "Activation" for node in models_inside(model) for one in node.model.all_layers()
    ),
}


@pytest.mark.parametrize("feature", DEEP)
def test_each_feature_of_deep_models_is_drawn(feature: str):
    assert find(strategies.deep_models(), DEEP[feature], settings=FIND)


@given(strategies.typed_models())
def test_the_last_layer_of_a_typed_model_computes_in_float32(model: Functional):
    assert [layer.args["dtype"] for layer in model.all_layers()][-1] == "float32"
    assert {layer.args["dtype"] for layer in model.all_layers()} <= set(DTYPES)


def test_policies_are_spelled_as_the_dialect_wants_them():
    mixed = find(strategies.typed_models(("mixed_float16",)), lambda _: True)
    old, new = strategies.spelled_for("keras-2.4", mixed), strategies.spelled_for("keras-3", mixed)
    assert next(iter(old.all_layers())).args["dtype"] == {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    assert new == mixed


@given(strategies.penalized_models())
def test_every_penalized_layer_has_a_regularizer(model: Functional):
    *penalized, _ = model.all_layers()
    for layer in penalized:
        assert any(name.endswith("_regularizer") for name in layer.args)
    assert output_shapes(model) == ((2,),)


@given(strategies.masked_models(), strategies.multi_output_layers())
def test_masks_reach_a_recurrent_layer_and_states_a_merging_one(masked: Functional, several: Functional):
    assert masked.layers[0].id in ("e", "m")
    assert {"LSTM", "GRU", "SimpleRNN"} & {layer.cls for layer in masked.all_layers()}
    assert several.calls[1].inputs == ("states",)
    assert strategies.inputs_for(masked, 3)


def test_a_wide_model_has_more_names_than_an_attribute_of_hdf5_holds():
    names = [layer.name or "" for layer in strategies.wide_model().all_layers()]
    assert 2 * sum(len(name) + len("/kernel:0") for name in names) > 64 * 1024
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("dialect", load_specification().dialects)
def test_every_plain_entry_makes_a_model(dialect: str):
    classes = {
        entry.family: [one.cls for one in strategies.layer_catalogue()] for entry in strategies.layer_catalogue()
    }
    entries = strategies.plain_entries(dialect, classes)
    assert len(entries) > 60
    for entry in entries:
        inputs = strategies.inputs_for(strategies.entry_model(entry), 1)
        assert [array.shape[1:] for array in inputs] == list(entry.input_shapes)


def test_nothing_is_plain_where_no_class_is_offered():
    assert strategies.plain_entries("keras-2.4", {}) == ()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "uint8", "bool"])
def test_hard_values_are_all_of_different_bits(dtype: str):
    values = strategies.hard_values(dtype)
    assert values.dtype == np.dtype(dtype)
    assert len({value.tobytes() for value in values}) == len(values)


def test_hard_floats_have_every_sort():
    values = strategies.hard_values("float32")
    assert np.isnan(values).sum() == np.isinf(values).sum() == 2
    zeros = values[values == 0]
    assert sorted(np.signbit(zeros)) == [False, True]
    assert any(0 < abs(value) < np.finfo("float32").tiny for value in values)
    with pytest.raises(ValueError, match="expected a dtype of floats"):
        strategies.hard_values("complex64")


def test_hard_weights_keep_shape_dtype_and_seed():
    wanted: list[Any] = [((3, 4), "float32"), ((), "float64"), ((0, 3), "float32"), ((5,), "int32"), ((2,), "bool")]
    weights = strategies.hard_weights(wanted, 1)
    assert [(array.shape, array.dtype.name) for array in weights] == wanted
    assert [array.tobytes() for array in weights] == [array.tobytes() for array in strategies.hard_weights(wanted, 1)]
    assert not np.isfinite(strategies.hard_weights([((100,), "float32")], 2)[0]).all()


@given(strategies.custom_compiles(), strategies.optimizers())
def test_custom_compile_information_names_custom_objects(compiled: Any, optimizer: Any):
    blueprint = strategies.entry_model(strategies.layer_catalogue("core")[0]).with_compile(compiled)
    assert strategies.custom_objects(blueprint)
    assert Custom("custom_metric").id in str(compiled.to_json())
    assert set(optimizer) == {"class", "args"}
