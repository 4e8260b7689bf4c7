# ruff: noqa
import importlib
import os

import numpy as np

keras = importlib.import_module(os.environ.get("KERAS", "tensorflow.keras"))

x = np.sin(np.arange(24, dtype="float32")).reshape(8, 3)
y = np.cos(np.arange(16, dtype="float32")).reshape(8, 2)


def go_on(model):
    for step in range(3):
        model.train_on_batch(x, y)
    return model.get_weights()


for name in ("model.h5", "model.keras", "model"):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Nadam(0.05), keras.losses.MeanSquaredError())
    go_on(model)
    try:
        model.save(name)
        loaded = keras.models.load_model(name)
        expected, found = go_on(model), go_on(loaded)
        print(name, "differs by", max(float(np.abs(a - b).max()) for a, b in zip(expected, found)))
    except Exception as error:
        print(name, type(error).__name__, str(error)[:80])
