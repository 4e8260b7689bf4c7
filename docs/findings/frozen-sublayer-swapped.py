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


class Two(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = keras.layers.Dense(3, name="first")
        self.second = keras.layers.Dense(3, name="second")

    def call(self, inputs):
        return self.second(self.first(inputs))


x = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")
inputs = keras.Input((3,))
two = Two(name="two")
model = keras.Model(inputs, two(inputs))
fill(model)
two.first.trainable = False
model.save("model.h5")
loaded = keras.models.load_model("model.h5", custom_objects={"Two": Two}, compile=False)
print("outputs differ by", difference([model(x)], [loaded(x)]))
