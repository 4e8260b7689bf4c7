"""Masks that layers hand on, and the dtypes that policies choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import functions, mixed_precision
from reference_impl.tensors import Tensor, convert

L = keras.layers


class NonZero(L.Layer):
    """Masks steps that are 0."""

    def call(self, inputs: Any) -> Any:
        return functions.identity(inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return functions.not_equal(inputs, 0.0)


class Sees(L.Layer):
    """Adds 1 where its mask says so."""

    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return inputs if mask is None else inputs + functions.cast_to(mask, inputs.dtype)


class Plain(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


class PassesOn(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return functions.greater(inputs, 1.0)


X = np.array([[0.0, 2.0, 3.0]], np.float32)


def test_a_mask_reaches_the_next_layer() -> None:
    masked = NonZero()(X)
    np.testing.assert_array_equal(masked.mask.value, [[False, True, True]])
    seen = Sees()(masked)
    np.testing.assert_array_equal(seen.value, [[0.0, 3.0, 4.0]])
    np.testing.assert_array_equal(seen.mask.value, [[False, True, True]])


def test_a_layer_that_does_not_support_masks_ends_them() -> None:
    assert Plain()(NonZero()(X)).mask is None


def test_a_mask_given_to_the_call_wins() -> None:
    given = convert(np.array([[True, False, False]]))
    np.testing.assert_array_equal(Sees()(NonZero()(X), mask=given).value, [[1.0, 2.0, 3.0]])


def test_an_input_handed_on_keeps_its_own_mask() -> None:
    tensor = convert(X)
    result = PassesOn()(tensor)
    assert tensor.mask is None
    np.testing.assert_array_equal(result.mask.value, [[False, True, True]])


def test_functional_models_and_models_in_them_hand_masks_on() -> None:
    inside = keras.Input((3,))
    inner = keras.Model(inside, Sees()(inside))
    outside = keras.Input((3,))
    between = NonZero()(outside)
    assert between.mask is not None
    assert between.mask.dtype == "bool"
    model = keras.Model(outside, inner(between))
    np.testing.assert_array_equal(model(X).value, [[0.0, 3.0, 4.0]])


@pytest.fixture
def mixed() -> Iterator[None]:
    mixed_precision.set_global_policy("mixed_float16")
    yield
    mixed_precision.set_global_policy(None)


def test_a_mixed_policy_keeps_float32_weights_and_computes_in_16_bits(mixed: None) -> None:
    layer = L.Dense(2)
    outputs: Tensor = layer(X)
    assert outputs.dtype == "float16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    assert layer.get_config()["dtype"] == {"class_name": "Policy", "config": {"name": "mixed_float16"}}


def test_gradients_of_a_mixed_layer_are_float32(mixed: None) -> None:
    from reference_impl.gradients import GradientTape

    layer = L.Dense(2)
    with GradientTape() as tape:
        loss = functions.reduce_sum(layer(X))
    gradient = tape.gradient(loss, layer.kernel)
    assert gradient.dtype == "float32"
    np.testing.assert_array_equal(gradient.value, np.repeat(X.T, 2, axis=1))


@pytest.mark.parametrize(
    "dtype",
    [
        {"class_name": "Policy", "config": {"name": "mixed_float16"}},
        {"class_name": "PolicyV1", "config": {"name": "mixed_float16", "loss_scale": None}},
        {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}, "registered_name": None},
        "mixed_float16",
    ],
)
def test_configs_of_all_generations_name_policies(dtype: Any) -> None:
    layer = L.Dense(2, dtype=dtype)
    assert (layer.compute_dtype, layer.dtype) == ("float16", "float32")


def test_other_classes_are_no_dtype() -> None:
    with pytest.raises(keras.LoadError, match=r"found a dtype of class 'os\.system'"):
        L.Dense(2, dtype={"class_name": "os.system", "config": {}})


def test_layers_in_a_dict_are_listed_by_key() -> None:
    class Holder(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = {"b": L.Dense(1, name="second"), "a": L.Dense(1, name="first")}

        def call(self, inputs: Any) -> Any:
            return self.parts["b"](self.parts["a"](inputs))

    layer = Holder()
    layer(X)
    assert [weight.name.split("/")[-2] for weight in layer.weights] == ["first", "first", "second", "second"]


def test_a_layer_of_strings_reads_its_weights_as_they_are() -> None:
    class Weighing(keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight("factor", shape=(), dtype="float32", initializer="ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    assert np.asarray(Weighing(dtype="string")(np.float32([2.0])))[0] == 2
