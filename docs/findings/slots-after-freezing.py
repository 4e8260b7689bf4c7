# ruff: noqa
import importlib
import os

import numpy as np

keras = importlib.import_module(os.environ.get("KERAS", "tensorflow.keras"))


def fill(model):
    """Weights that are all different."""
    start, weights = 1, []
    for array in model.get_weights():
        counted = np.arange(start, start + array.size)
        start += array.size
        weights.append((0.125 + counted * 0.6180339887 % 1.0).reshape(array.shape).astype(array.dtype))
    model.set_weights(weights)


def difference(first, second):
    pairs = zip(first, second)
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)


x = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
inputs = keras.Input((3,))
hidden = keras.layers.Dense(3, name="first")(inputs)
model = keras.Model(inputs, keras.layers.Dense(3, name="second")(hidden))
fill(model)
model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError())
for step in range(2):
    model.train_on_batch(x, x)
model.get_layer("first").trainable = False
model.compile(model.optimizer, keras.losses.MeanSquaredError())
for step in range(2):
    model.train_on_batch(x, x)
model.save("model.h5")
loaded = keras.models.load_model("model.h5")
for step in range(2):
    model.train_on_batch(x, x)
    loaded.train_on_batch(x, x)
print("after going on, weights differ by", difference(model.get_weights(), loaded.get_weights()))
