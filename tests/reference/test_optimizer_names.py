"""Slots in HDF5 of weights that bear equal names, as unnamed layers of nested models may.

Keras 2.4 does not save such a model (``RuntimeError``: name already exists); what is written here it reads by its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras

L = keras.layers
X = np.random.RandomState(5).rand(4, 3).astype("f4")


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


def namesakes() -> Any:
    """Two Dense layers named ``dense`` of equal shapes, one of them in a nested model."""
    inner = keras.Sequential([L.Dense(3, name="dense", input_shape=(3,))], name="inner")
    x = keras.Input((3,))
    return keras.Model(x, inner(L.Dense(3, name="dense")(x)))


def assert_goes_on(model: Any, path: Path) -> None:
    model.save(path)
    loaded = keras.models.load_model(path)
    for weight, other in zip(model.weights, loaded.weights, strict=True):
        for name in ("m", "v"):
            kept = model.optimizer.get_slot(weight, name).array
            np.testing.assert_array_equal(loaded.optimizer.get_slot(other, name).array, kept)
    assert loaded.train_on_batch(X, X) == model.train_on_batch(X, X)
    for value, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_namesakes_keep_their_own_slots(tmp_path: Path) -> None:
    model = namesakes()
    model.compile("adam", "mse")
    model.train_on_batch(X, X)
    assert_goes_on(model, tmp_path / "m.h5")


def test_slots_made_in_another_order_than_the_weights(tmp_path: Path) -> None:
    model = namesakes()
    optimizer = keras.optimizers.Adam()
    model.layers[1].trainable = False
    model.compile(optimizer, "mse")
    model.train_on_batch(X, X)
    model.layers[1].trainable = True
    model.compile(optimizer, "mse")
    model.train_on_batch(X, 2 * X)
    assert_goes_on(model, tmp_path / "m.h5")


def test_the_only_slots_are_not_taken_for_a_namesake_s(tmp_path: Path) -> None:
    model = namesakes()
    model.layers[1].trainable = False
    model.compile("adam", "mse")
    model.train_on_batch(X, X)
    model.layers[1].trainable = True  # from here on as loaded: all train, half of the slots are missing
    model.save(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match="holds nothing for Adam/dense/kernel/m:0"):
        loaded = keras.models.load_model(tmp_path / "m.h5")
    for weight, other in zip(model.weights[2:], loaded.weights[2:], strict=True):
        kept = model.optimizer.get_slot(weight, "m").array
        np.testing.assert_array_equal(loaded.optimizer.get_slot(other, "m").array, kept)
    assert not loaded.optimizer.get_slot(loaded.weights[0], "m").array.any()
