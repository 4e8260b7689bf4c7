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


class Beside(keras.Model):
    def __init__(self, **kwargs):
        inputs = keras.Input((3,))
        super().__init__(inputs, keras.layers.Dense(3, name="graph")(inputs), **kwargs)
        self.extra = keras.layers.Dense(3, name="extra")
        self.extra.build((None, 3))

    def call(self, inputs, training=None):
        return self.extra(super().call(inputs))

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls()


model = Beside()
fill(model)
model.save("model.h5")
loaded = keras.models.load_model("model.h5", custom_objects={"Beside": Beside}, compile=False)
print("weights differ by", difference(model.get_weights(), loaded.get_weights()))
