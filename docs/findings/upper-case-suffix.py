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


inputs = keras.Input((3,))
keras.Model(inputs, keras.layers.Dense(2)(inputs)).save("model.H5")
print("a folder:", os.path.isdir("model.H5"))
