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


class Dense(keras.layers.Layer):
    """A layer of one's own, named as one of Keras's."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,))

    def call(self, inputs):
        return 10.0 * (inputs @ self.kernel) + self.bias

    def get_config(self):
        return {**super().get_config(), "units": self.units}


x = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")
inputs = keras.Input((3,))
model = keras.Model(inputs, Dense(2, name="d")(inputs))
fill(model)
model.save("model.h5")
loaded = keras.models.load_model("model.h5", compile=False)
print("class", type(loaded.layers[-1]).__module__, "- outputs differ by", difference([model(x)], [loaded(x)]))
