# ruff: noqa
import importlib
import os

import numpy as np

keras = importlib.import_module(os.environ.get("KERAS", "tensorflow.keras"))

inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="first")], name="inner")
model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(3, name="first")])
model.save("model.h5")
print(
    "not trained:",
    os.path.getsize("model.h5"),
    "bytes, loaded",
    len(keras.models.load_model("model.h5").weights),
    "weights",
)
model.compile("adam", keras.losses.MeanSquaredError())
model.train_on_batch(np.ones((2, 3)), np.ones((2, 3)))
try:
    model.save("model.h5")
    print("trained: saved")
except Exception as error:
    print("trained:", type(error).__name__, str(error)[:80])
try:
    loaded = keras.models.load_model("model.h5")
    expected, found = model.get_weights(), loaded.get_weights()
    print("weights differ by", max(float(np.abs(a - b).max()) for a, b in zip(expected, found)))
    print("steps counted:", int(loaded.optimizer.iterations))
except Exception as error:
    print("what lies there now:", type(error).__name__, str(error)[:80])
