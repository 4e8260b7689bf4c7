# ruff: noqa
import importlib
import os

import numpy as np

keras = importlib.import_module(os.environ.get("KERAS", "tensorflow.keras"))


def of_layers(names):
    return keras.Sequential([keras.Input((4,))] + [keras.layers.Dense(4, name=name) for name in names])


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


three = of_layers("abc")
fill(three)
three.save_weights("model.weights.h5")
two = of_layers("bc")
two.load_weights("model.weights.h5")
for name in "bc":
    own, loaded = three.get_layer(name).get_weights(), two.get_layer(name).get_weights()
    print("weights of", name, "differ by", difference(own, loaded))
