"""Initial values that wait: a model that is loaded computes none that its file has another for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl.errors import LoadError
from reference_impl.initializers import Initializer
from reference_impl.tensors import recording
from reference_impl.variables import Variable, deferred

tf = keras.tf
FORMATS = ["model.h5", "model.keras", "folder"]


@keras.utils.register_keras_serializable("deferred")
class Counting(Initializer):
    """Gives 1, 2, 3 … , the number of the call, in every place."""

    calls = 0

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Any:
        Counting.calls += 1
        return np.full(tuple(shape), Counting.calls, dtype)


@pytest.fixture(autouse=True)
def _anew() -> None:  # pyright: ignore[reportUnusedFunction]
    Counting.calls = 0


def _weight(name: str = "w", **kwargs: Any) -> Variable:
    return keras.layers.Layer().add_weight(name, (2, 3), initializer=Counting(), **kwargs)


def test_shape_and_dtype_are_known_without_the_value() -> None:
    with deferred():
        weight = _weight(dtype="float16")
        assert (weight.shape, weight.dtype, weight.name) == ((2, 3), "float16", "w:0")
        assert Counting.calls == 0


def test_what_is_read_is_the_initial_value() -> None:
    with deferred():
        first, second = _weight(), _weight()
        np.testing.assert_array_equal(second.numpy(), np.full((2, 3), 1))
        np.testing.assert_array_equal(first.as_tensor() + 1.0, np.full((2, 3), 3))
        assert Counting.calls == 2
    assert Counting.calls == 2


def test_what_was_given_no_value_computes_it_at_the_end_in_order() -> None:
    with deferred():
        weights = [_weight() for _ in range(3)]
        weights[1].assign(np.full((2, 3), 7.0))
    assert Counting.calls == 2
    assert [weight.numpy()[0, 0] for weight in weights] == [1, 7, 2]


def test_the_random_numbers_are_those_of_eager_weights() -> None:
    def weights() -> list[Any]:
        layer = keras.layers.Dense(3)
        layer.build((None, 4))
        return layer.get_weights()

    tf.random.set_seed(5)
    eager = weights()
    tf.random.set_seed(5)
    with deferred():
        found = weights()
    for one, other in zip(eager, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_is_computed_after_an_error() -> None:
    def failing() -> None:
        with deferred():
            _weight()
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert Counting.calls == 0
    assert _weight().numpy()[0, 0] == 1


def test_gradients_flow_into_a_weight_that_waits() -> None:
    from reference_impl.gradients import gradients

    with deferred():
        weight = _weight()
        with recording():
            loss = weight * 2.0
        np.testing.assert_array_equal(gradients(loss, [weight])[0], np.full((2, 3), 2))


@keras.utils.register_keras_serializable("deferred")
class Scaled(keras.layers.Layer):
    """Multiplies by a weight; ``seen`` is what it was when it was made."""

    extra = False

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", (3,), initializer=Counting())
        self.seen = self.scale.numpy() if self.name == "looking" else None
        if self.extra:
            self.other = self.add_weight("other", (3,), initializer=Counting())
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


def _saved(path: Path, name: str = "scaled") -> keras.Model:
    model = keras.Sequential(
        [keras.Input((3,)), Scaled(name=name), keras.layers.Dense(2, kernel_initializer=Counting())]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    model.save(str(path))
    Counting.calls = 0
    return model


@pytest.mark.parametrize("name", FORMATS)
def test_loading_a_model_calls_no_initializer(name: str, tmp_path: Path) -> None:
    model = _saved(tmp_path / name)
    loaded = keras.models.load_model(tmp_path / name)
    assert Counting.calls == 0
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(model.optimizer.get_weights(), loaded.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(model.predict(x), loaded.predict(x))


@pytest.mark.parametrize("name", FORMATS)
def test_a_layer_that_looks_at_its_weight_sees_the_initial_value(name: str, tmp_path: Path) -> None:
    model = _saved(tmp_path / name, "looking")
    layer = keras.models.load_model(tmp_path / name).layers[0]
    np.testing.assert_array_equal(layer.seen, np.ones(3))
    np.testing.assert_array_equal(layer.scale.numpy(), model.get_weights()[0])


@pytest.mark.parametrize("name", FORMATS)
def test_a_weight_that_the_file_lacks_is_an_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _saved(tmp_path / name)
    monkeypatch.setattr(Scaled, "extra", True)
    with pytest.raises(LoadError):
        keras.models.load_model(tmp_path / name)
    assert Counting.calls == 0


def test_state_that_the_file_lacks_has_its_initial_value(tmp_path: Path) -> None:
    _saved(tmp_path / "model.h5").save(str(tmp_path / "model.h5"), include_optimizer=False)
    loaded = keras.models.load_model(tmp_path / "model.h5", compile=False)
    loaded.compile(keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.5), "mse")
    with deferred():
        loaded.optimizer.create_slots(loaded.trainable_weights)
    slot = loaded.optimizer.get_slot(loaded.trainable_weights[0], "accumulator")
    np.testing.assert_array_equal(slot.numpy(), np.full(3, 0.5))
