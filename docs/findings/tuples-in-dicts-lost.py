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


class Holder(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = {"a": keras.layers.Dense(3, name="a"), "m": (keras.layers.Dense(3, name="m"),)}

    def call(self, inputs):
        return self.parts["m"][0](self.parts["a"](inputs))


inputs = keras.Input((3,))
model = keras.Model(inputs, Holder(name="holder")(inputs))
fill(model)
model.save("model.keras")
loaded = keras.models.load_model("model.keras", custom_objects={"Holder": Holder})
print("weights differ by", difference(model.get_weights(), loaded.get_weights()))
