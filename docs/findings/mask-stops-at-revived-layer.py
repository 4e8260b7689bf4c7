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


class PassesOn(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs * 1.0


x = np.array([[1, 2, 0, 0], [3, 0, 0, 0]], "int32")
inputs = keras.Input((4,), dtype="int32")
embedded = keras.layers.Embedding(5, 3, mask_zero=True)(inputs)
model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(PassesOn()(embedded)))
fill(model)
model.save("model")
loaded = keras.models.load_model("model", compile=False)
print("outputs differ by", difference([model(x)], [loaded(x)]))
