"""What a library does in the interop tests; the same text runs in the real libraries and in the reference.

``python program.py write KIND FOLDER`` builds a model, trains it two steps, saves it in every format and writes down
(``FOLDER/truth.npz``) its weights, its optimizer's variables, what it predicts, and how its training goes on.
``python program.py read KIND FOLDER`` loads what is in the folder and writes down the same (``FOLDER/found-*.npz``).
"""

import os
import sys
import warnings

import numpy as np

X = np.sin(np.arange(32, dtype="float32") * 1.7).reshape(8, 4)
Y = np.cos(np.arange(24, dtype="float32") * 0.9).reshape(8, 3)


def sequential(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, activation="tanh", name="first"),
            layers.Dropout(0.0),
            layers.Dense(3, name="second"),
        ]
    )


def functional(keras):
    layers = keras.layers
    inside = keras.Input((4,), name="inside")
    hidden = layers.Dense(4, activation="tanh", name="h")(inside)
    inner = keras.Model(inside, layers.Dense(4, name="g")(hidden), name="inner")
    outside = keras.Input((4,), name="outside")
    shared = layers.Dense(4, name="shared")
    both = layers.Add(name="both")([shared(outside), shared(inner(outside))])
    return keras.Model(outside, layers.Dense(3, name="head")(both), name="outer")


def subclassed(keras):
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.chain = [layers.Dense(4, activation="tanh", name="chain0"), layers.Dense(4, name="chain1")]
            self.table = {"a": layers.Dense(4, name="a"), "b": (layers.Dense(4, name="b"), 3)}
            self.nothing = []

        def build(self, shape):
            self.scale = self.add_weight("scale_weight", (4,), initializer="ones")
            self.offset = self.add_weight("offset", (4,), initializer="zeros", trainable=False)

        def call(self, x):
            for layer in self.chain:
                x = layer(x)
            return self.table["b"][0](self.table["a"](x)) * self.scale + self.offset

    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.block = Block()
            self.head = layers.Dense(3, name="head")

        def call(self, x):
            return self.head(self.block(x))

    return Net()


def optimizers(keras):
    """The optimizers whose slots are kept as Keras before 2.11 kept them, where there is a choice."""
    return getattr(keras.optimizers, "legacy", keras.optimizers)


def adam(keras):
    return optimizers(keras).Adam(0.01)


def momentum(keras):
    return optimizers(keras).SGD(0.1, momentum=0.9)


def new_adam(keras):
    return keras.optimizers.Adam(0.01)


def new_momentum(keras):
    return keras.optimizers.SGD(0.1, momentum=0.9)


KINDS = {
    f"{build.__name__}-{optimizer.__name__}": (build, optimizer)
    for build in (sequential, functional, subclassed)
    for optimizer in (adam, momentum, new_adam, new_momentum)
}


def make(keras, kind):
    """The model of ``kind``, compiled, every weight different from every other."""
    build, optimizer = KINDS[kind]
    model = build(keras)
    model(X)
    start = 0
    for weight in model.weights:
        size = int(np.prod(weight.shape))
        values = np.sin(np.arange(start, start + size, dtype="float32")) * 0.5
        weight.assign(values.reshape([int(n) for n in weight.shape]))
        start += size
    model.compile(optimizer(keras), "mse", metrics=["mae"])
    return model


def slots(optimizer):
    found = optimizer.weights if hasattr(optimizer, "weights") else optimizer.variables
    found = found() if callable(found) else found
    return [np.array(variable) for variable in found]


def facts(model, path):
    """Write down what can be seen of ``model``, and train it three more steps."""
    found = {"prediction": np.array(model(X))}
    for index, weight in enumerate(model.weights):
        found[f"weight-{index:03d}"] = np.array(weight)
    for index, value in enumerate(slots(model.optimizer)):
        found[f"slot-{index:03d}"] = value
    found["losses"] = np.array([float(model.train_on_batch(X, Y)[0]) for _ in range(3)])
    found["after"] = np.concatenate([np.array(weight).reshape(-1) for weight in model.weights])
    np.savez(path, **found)


def write(keras, kind, folder):
    model = make(keras, kind)
    for _ in range(2):
        model.train_on_batch(X, Y)
    model.save_weights(os.path.join(folder, "checkpoint-of-weights"))
    model.save_weights(os.path.join(folder, "weights.h5"))
    if not kind.startswith("subclassed"):
        model.save(os.path.join(folder, "model.h5"))
    facts(model, os.path.join(folder, "truth.npz"))


def read(keras, kind, folder):
    prefix = os.path.join(folder, "checkpoint-of-weights")
    if "-new" not in kind:  # checkpoints of the new optimizers are for new optimizers
        fresh = make(keras, kind)
        fresh.train_on_batch(X, Y)
        fresh.load_weights(prefix).assert_consumed()
        facts(fresh, os.path.join(folder, "found-checkpoint.npz"))
        # restored as they are made: a model not yet built, an optimizer not yet there
        late = KINDS[kind][0](keras)
        status = late.load_weights(prefix)
        late.compile(KINDS[kind][1](keras), "mse", metrics=["mae"])
        late(X)
        found = {"losses": np.array([float(late.train_on_batch(X, Y)[0]) for _ in range(3)])}
        status.assert_consumed()
        np.savez(os.path.join(folder, "found-late.npz"), **found)
    fresh = make(keras, kind)
    fresh.load_weights(os.path.join(folder, "weights.h5"))
    facts(fresh, os.path.join(folder, "found-weights.npz"))
    if not kind.startswith("subclassed"):
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            loaded = keras.models.load_model(os.path.join(folder, "model.h5"))
        facts(loaded, os.path.join(folder, "found-model.npz"))


def main():
    try:
        import tf_keras as keras
    except ImportError:
        from tensorflow import keras
    action, kinds, folder = sys.argv[1:]
    for kind in kinds.split(","):
        {"write": write, "read": read}[action](keras, kind, os.path.join(folder, kind))


if __name__ == "__main__":
    main()
