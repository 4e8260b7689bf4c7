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


x = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")
inputs = keras.Input((3,))
shared = keras.layers.Dense(3, name="shared")
first = shared(keras.layers.Dense(3, name="between")(inputs))
second = shared(inputs)
third = shared(keras.layers.Dense(3, name="after")(second))
model = keras.Model(inputs, [second, first, third])
fill(model)
model.save("model.h5")
loaded = keras.models.load_model("model.h5", compile=False)
print("outputs differ by", difference(model(x), loaded(x)))
