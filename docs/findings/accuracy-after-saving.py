# ruff: noqa
import importlib
import os

import numpy as np

keras = importlib.import_module(os.environ.get("KERAS", "tensorflow.keras"))

x = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
labels = np.argmax(model(x), axis=1)  # all right
model.save("model.h5")
loaded = keras.models.load_model("model.h5")
for name, each in (("saved", model), ("loaded", loaded)):
    print(name, "model: accuracy", each.evaluate(x, labels, verbose=0)[1])
