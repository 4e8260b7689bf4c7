"""bfloat16: NumPy multiplies matrices of it as float32; what comes out of an op must be bfloat16 all the same.

The expected numbers were computed by TensorFlow 2.4.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference_impl as keras

L = keras.layers
X = np.random.RandomState(0).rand(4, 3).astype("f4")
KERNEL = np.random.RandomState(1).randn(3, 5).astype("f4")
BIAS = (np.arange(5) / 7).astype("f4")
OUTPUTS = [
    [0.12451171875, -0.185546875, -0.62890625, -0.1572265625, 0.9140625],
    [0.69140625, -0.65234375, -0.486328125, -0.2578125, 0.9296875],
    [0.07470703125, -0.51171875, -0.73046875, -0.1259765625, 0.94921875],
    [-0.404296875, 0.1982421875, -0.59765625, 0.068359375, 0.859375],
]


def test_a_dense_layer_casts_what_it_is_given() -> None:
    layer = L.Dense(5, activation="tanh", dtype="bfloat16")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.set_weights([KERNEL, BIAS])
    outputs = model.predict(X)
    assert outputs.dtype.name == "bfloat16"
    np.testing.assert_allclose(outputs.astype("f4"), OUTPUTS, rtol=0, atol=2**-7)
    model.compile("sgd", "mse")
    assert model.train_on_batch(X, np.ones((4, 5), "f4")) == pytest.approx(1.3125, abs=2**-6)
    assert {weight.dtype.name for weight in model.weights} == {"bfloat16"}


@pytest.mark.parametrize(
    "layer",
    [lambda: L.Dense(2, dtype="bfloat16"), lambda: L.LSTM(2, dtype="bfloat16"), lambda: L.GRU(2, dtype="bfloat16")],
)
def test_stacks_of_matrices(layer: Any) -> None:
    model = keras.Sequential([keras.Input((4, 3)), layer()])
    assert model.predict(np.ones((2, 4, 3), "f4")).dtype.name == "bfloat16"
    model.compile("sgd", "mse")
    before = model.get_weights()
    outputs = model.predict(np.ones((2, 4, 3), "f4"))
    model.train_on_batch(np.ones((2, 4, 3), "f4"), np.ones_like(outputs).astype("f4"))
    assert any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
