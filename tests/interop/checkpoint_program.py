"""What a library does in ``test_checkpoint_api``: objects, containers, element types, optimizers, shards and parts.

``python checkpoint_program.py write FOLDER`` writes checkpoints and what they hold; ``… read FOLDER`` reads those that
the reference wrote, and writes down what it found.
"""

import collections
import os
import sys

import numpy as np

X = np.sin(np.arange(32, dtype="float32") * 1.7).reshape(8, 4)
Y = np.cos(np.arange(24, dtype="float32") * 0.9).reshape(8, 3)
OPTIMIZERS = {
    "SGD": {},
    "SGD-momentum": {"momentum": 0.9},
    "Adam": {},
    "Adam-amsgrad": {"amsgrad": True},
    "RMSprop": {},
    "RMSprop-centered": {"centered": True, "momentum": 0.5},
    "Adagrad": {},
    "Adadelta": {},
    "Adamax": {},
    "Nadam": {},
    "Ftrl": {},
    "LossScale": {"momentum": 0.9},
}
DTYPES = [
    *("float16", "float32", "float64", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
]
Pair = collections.namedtuple("Pair", ["second", "first"])


def model(keras):
    layers = keras.layers
    inside = keras.Input((4,), name="inside")
    hidden = layers.BatchNormalization(name="norm")(layers.Dense(5, activation="tanh", name="first")(inside))
    made = keras.Model(inside, layers.Dense(3, name="second")(hidden), name="model")
    start = 0
    for weight in made.weights:
        shape = [int(n) for n in weight.shape]
        size = int(np.prod(shape))
        weight.assign(np.cos(np.arange(start, start + size, dtype="float32")).reshape(shape) * 0.4 + 0.5)
        start += size
    return made


def optimizer(keras, name):
    if name == "LossScale":
        where = keras.mixed_precision if hasattr(keras.mixed_precision, "LossScaleOptimizer") else keras.optimizers
        return where.LossScaleOptimizer(keras.optimizers.SGD(0.01, **OPTIMIZERS[name]))
    return getattr(keras.optimizers, name.partition("-")[0])(0.01, **OPTIMIZERS[name])


def compiled(keras, name):
    made = model(keras)
    made.compile(optimizer(keras, name), "mse")
    return made


def objects(tf, factor):
    """A root with every container; the values are 1, 2, … times ``factor``."""
    numbers = iter(range(1, 100))

    def variable():
        return tf.Variable(float(next(numbers)) * factor, name="v")

    root = tf.train.Checkpoint(b=variable(), a=variable())
    root.pair = Pair(variable(), variable())
    root.list = [variable(), 3, [variable()], {"z": variable(), "a.b/c": variable()}]
    root.tuple = (1, variable(), (variable(),))
    root.ordered = collections.OrderedDict([("z", variable()), ("a", [variable()])])
    root.empty = {}
    root.shared = root.a
    return root


def typed(tf, values):
    return tf.train.Checkpoint(**{name: tf.Variable(value) for name, value in values.items()})


def values():
    found = {name: np.arange(6).reshape(2, 3).astype(name) for name in DTYPES}
    found["string"] = np.array([b"", b"one", b"x" * 300], object)
    return found


def continued(made):
    losses = [float(made.train_on_batch(X, Y)) for _ in range(3)]
    return np.concatenate([losses, *(np.array(weight).reshape(-1) for weight in made.weights)])


def write(tf, keras, folder):
    objects(tf, 1.0).write(os.path.join(folder, "objects"))
    tf.train.Checkpoint(model(keras), extra=tf.Variable(2.0)).save(os.path.join(folder, "rooted"))
    kinds = values()
    kinds["bfloat16"] = tf.cast(np.arange(6, dtype="float32"), tf.bfloat16)
    typed(tf, kinds).write(os.path.join(folder, "typed"))
    model(keras).save_weights(os.path.join(folder, "untrained"))
    compiled(keras, "Adam").save_weights(os.path.join(folder, "compiled"))
    for name in OPTIMIZERS:
        made = compiled(keras, name)
        made.train_on_batch(X, Y)
        made.train_on_batch(X, Y)
        made.save_weights(os.path.join(folder, name))
        np.save(os.path.join(folder, name + ".npy"), continued(made))
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("first/kernel", initializer=np.arange(20, dtype="float32").reshape(4, 5))
        v1.get_variable(
            "parts",
            initializer=lambda shape, **_: tf.ones(shape) * 2.0,
            shape=(10, 3),
            partitioner=v1.fixed_size_partitioner(4),
        )
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, os.path.join(folder, "named"))


def read(tf, keras, folder):
    other = objects(tf, 0.0)
    other.read(os.path.join(folder, "objects")).assert_consumed()
    found = [other.a, other.b, *other.pair, other.list[0], other.list[2][0], other.list[3]["z"], other.list[3]["a.b/c"]]
    found += [other.tuple[1], other.tuple[2][0], other.ordered["z"], other.ordered["a"][0]]
    np.save(os.path.join(folder, "objects.npy"), [float(value) for value in found])
    for prefix in ("typed", "spread"):
        reader = tf.train.load_checkpoint(os.path.join(folder, prefix))
        numbers = {}
        for key in reader.get_variable_to_shape_map():
            if key.endswith("VARIABLE_VALUE"):
                value = reader.get_tensor(key)
                wanted = (
                    value.astype("float32")
                    if value.dtype.name == "bfloat16"
                    else value.astype("S")
                    if value.dtype == object
                    else value
                )
                numbers[key.partition("/")[0]] = wanted
        np.savez(os.path.join(folder, prefix + ".npz"), **numbers)
    for name in OPTIMIZERS:
        if not os.path.exists(os.path.join(folder, name + ".index")):
            continue
        made = compiled(keras, name)
        made.train_on_batch(X, Y)
        made.load_weights(os.path.join(folder, name)).assert_consumed()
        np.save(os.path.join(folder, name + "-found.npy"), continued(made))


def main():
    import tensorflow as tf

    try:
        import tf_keras as keras
    except ImportError:
        from tensorflow import keras
    action, folder = sys.argv[1:]
    {"write": write, "read": read}[action](tf, keras, folder)


if __name__ == "__main__":
    main()
