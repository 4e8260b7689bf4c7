"""Whole models as SavedModels, written by the reference and run by a library in all the ways there are.

The plan is described in ``jobs.py``; the ways of reading are those of ``savedmodel_writing_program.py``, and ``resumed``:
``load_model``, a step of training, the checkpoint of the SavedModel loaded into that, and three steps more.
"""

import json
import os
import sys

import numpy as np
from layer_program import array, attempt, fill, imported, keep, listed, run
from savedmodel_writing_program import READERS, SAVED, save, whole

X = np.sin(np.arange(32, dtype="float32") * 1.7).reshape(8, 4)
Y = np.cos(np.arange(24, dtype="float32") * 0.9).reshape(8, 3)
WORDS = np.array([[b"a"], [b"b"], [b"c"], [b"a"], [b"zz"], [b"b"], [b"c"], [b""]], dtype=object)
SEQUENCES = np.sin(np.arange(8 * 5 * 4, dtype="float32")).reshape(8, 5, 4)


def math(keras):
    if keras.__name__ == "reference_impl":
        return keras.tf
    import tensorflow

    return tensorflow


def sequential(keras):
    layers = keras.layers
    dense = layers.Dense(5, activation="tanh", kernel_regularizer="l2", name="first")
    return keras.Sequential([keras.Input((4,)), dense, layers.BatchNormalization(), layers.Dense(3)]), [X]


def deferred(keras):
    layers = keras.layers
    return keras.Sequential([layers.Dense(5, activation="relu"), layers.Dropout(0.0), layers.Dense(3)]), [X]


def nested(keras):
    layers = keras.layers
    inside = keras.Input((4,), name="inside")
    inner = keras.Model(inside, layers.Dense(4, name="g")(layers.Dense(4, name="h")(inside)), name="inner")
    chain = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="c")], name="chain")
    outside = keras.Input((4,), name="outside")
    shared = layers.Dense(4, name="shared")
    both = layers.Add(name="both")([shared(outside), shared(inner(outside)), chain(outside)])
    return keras.Model(outside, layers.Dense(3, name="head")(both), name="outer"), [X]


def several(keras):
    layers = keras.layers
    a, b = keras.Input((4,), name="zz"), keras.Input((4,), name="aa")
    both = layers.Concatenate()([a, layers.Dense(2)(b)])
    return keras.Model([a, b], [layers.Dense(3, name="out_b")(both), layers.Dense(3, name="out_a")(both)]), [X, X[::-1]]


def subclassed(keras):
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self, width):
            super().__init__(name="block")
            self.chain = [layers.Dense(width, activation="tanh", name="chain0"), layers.Dense(4, name="chain1")]
            self.table = {"a": layers.Dense(4, name="a"), "b": (layers.Dense(4, name="b"), 3)}
            self.drop = layers.Dropout(0.0)

        def build(self, shape):
            self.scale = self.add_weight("scale_weight", (4,), initializer="ones")
            self.offset = self.add_weight("offset", (4,), initializer="zeros", trainable=False)

        def call(self, x):
            for layer in self.chain:
                x = layer(x)
            return self.drop(self.table["b"][0](self.table["a"](x))) * self.scale + self.offset

    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.block = Block(4)
            self.head = layers.Dense(3, name="head")

        def call(self, x, training=None):
            return self.head(self.block(x))

    return Net(), [X]


def of_a_dict(keras):
    layers = keras.layers

    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.left, self.right = layers.Dense(3, name="left"), layers.Dense(3, name="right")

        def call(self, inputs):
            return self.left(inputs["a"]) + self.right(inputs["b"])

    return Net(), {"a": X, "b": X[::-1] + 1}


def losses(keras):
    """A layer of a class that is not there when it is loaded, with losses and a metric of its own."""
    layers, tf = keras.layers, math(keras)

    class Penalised(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight("kernel", (4, 4), regularizer=keras.regularizers.l2(0.1))

        def call(self, x):
            self.add_loss(tf.reduce_sum(tf.square(x)) * 0.01)
            self.add_metric(tf.reduce_mean(x), name="mean_x", aggregation="mean")
            return tf.matmul(x, self.kernel)

    inputs = keras.Input((4,))
    middle = Penalised(name="penalised", activity_regularizer=keras.regularizers.l2(0.02))(inputs)
    return keras.Model(inputs, layers.Dense(3, activity_regularizer="l1")(middle)), [X]


def configless(keras):
    """Layers with an argument and no config, in a graph and in a chain inside it."""
    layers, tf = keras.layers, math(keras)

    class Scaled(layers.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, shape):
            self.kernel = self.add_weight("kernel", (4, 4))

        def call(self, x):
            return tf.matmul(x, self.kernel) * self.factor

        def get_config(self):
            raise NotImplementedError

    inputs = keras.Input((4,))
    chain = keras.Sequential([keras.Input((4,)), Scaled(2.0, name="inner"), layers.Dense(4, name="c")], name="chain")
    return keras.Model(inputs, layers.Dense(3, name="head")(chain(Scaled(0.5, name="outer")(inputs)))), [X]


def mixed(keras):
    layers = keras.layers
    inputs = keras.Input((4,))
    hidden = layers.Dense(5, dtype="float64", name="wide")(inputs)
    return keras.Model(inputs, layers.Dense(3, name="narrow")(hidden)), [X]


def recurrent(keras):
    layers = keras.layers
    inputs = keras.Input((None, 4))
    steps = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Masking()(inputs))
    return keras.Model(inputs, layers.Dense(3)(layers.GRU(4)(steps))), [SEQUENCES]


def stateful(keras):
    layers = keras.layers
    inputs = keras.Input((5, 4), batch_size=8)
    return keras.Model(inputs, layers.Dense(3)(layers.LSTM(3, stateful=True)(inputs))), [SEQUENCES]


def words(keras):
    layers = keras.layers
    place = layers if hasattr(layers, "StringLookup") else layers.experimental.preprocessing
    inputs = keras.Input((1,), dtype="string")
    numbers = place.StringLookup(vocabulary=["a", "b", "c"])(inputs)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Embedding(6, 4)(numbers)))), [WORDS]


MODELS = {
    "sequential": sequential,
    "deferred": deferred,
    "nested": nested,
    "several": several,
    "subclassed": subclassed,
    "of_a_dict": of_a_dict,
    "losses": losses,
    "configless": configless,
    "mixed": mixed,
    "recurrent": recurrent,
    "stateful": stateful,
    "words": words,
}


def given(inputs, tensors=False):
    if isinstance(inputs, dict):
        return inputs
    return whole([tensor(value) for value in inputs] if tensors else inputs)


def tensor(value):
    if value.dtype != object:
        return value
    import tensorflow

    return tensorflow.constant(value)


def state(model, library):
    """The optimizer's variables, without its learning rate."""
    if library == "reference":
        from reference_impl import dialects
        from reference_impl.optimizers import layouts

        generation = {"keras-2.4": "keras-2.4"}.get(dialects.current(), "keras-2.11")
        variables = layouts.layout(model.optimizer, model.optimizer.built_for, generation)
        return [np.array(entry.read()) for entry in variables]
    found = model.optimizer.variables
    found = found() if callable(found) else found
    return [np.array(variable) for variable in found if "learning_rate" not in variable.name]


def steps(model, inputs, targets):
    """Three more steps: the losses, the weights, and what the layers report.

    Loaded from a configuration, metrics that were given as ``mae`` are called otherwise, by each generation in its way.
    """
    found = [model.train_on_batch(inputs, targets, return_dict=True) for _ in range(3)]
    found = [{key: step[key] for key in step if not key.endswith(("mae", "mean_absolute_error"))} for step in found]
    return {
        "losses": np.array([float(step["loss"]) for step in found]),
        "metrics": np.array([float(step[key]) for step in found for key in sorted(step)]),
        "after": np.concatenate([np.ravel(value) for value in model.get_weights() if value.dtype.kind == "f"]),
    }


def targets_of(model):
    return whole([Y] * max(1, len(model.output_names or [1])))


def write(keras, name, folder, results, formats):
    model, inputs = MODELS[name](keras)
    model(given(inputs))
    fill(model)
    model.compile("adam", "mse", metrics=["mae"])
    for _ in range(2):
        model.train_on_batch(given(inputs), targets_of(model))
    model.reset_states()
    found = {f"output-{i}": array(y) for i, y in enumerate(listed(model(given(inputs), training=False)))}
    model.reset_states()
    found.update({f"state-{i:03d}": value for i, value in enumerate(state(model, "reference"))})
    attempt(os.path.join(folder, "write-savedmodel.txt"), lambda: saved(keras, model, folder, inputs))
    found.update(steps(model, given(inputs), targets_of(model)))
    keep(os.path.join(folder, "truth.npz"), found)


def saved(keras, model, folder, inputs):
    save(keras, model, folder)
    if not model.input_names:
        names = sorted(inputs) if isinstance(inputs, dict) else [f"input_{i + 1}" for i in range(len(inputs))]
        with open(os.path.join(folder, "names.json"), "w", encoding="utf-8") as file:
            json.dump({"inputs": names, "outputs": model.output_names}, file)


def resumed(keras, name, folder):
    model = keras.models.load_model(os.path.join(folder, SAVED))
    _, inputs = MODELS[name](keras)
    inputs, targets = given(inputs, True), targets_of_outputs(model, given(inputs, True))
    model.train_on_batch(inputs, targets)
    model.load_weights(os.path.join(folder, SAVED, "variables", "variables"))
    model.reset_states()
    found = {f"state-{i:03d}": value for i, value in enumerate(state(model, "library"))}
    found.update(steps(model, inputs, targets))
    return found


def targets_of_outputs(model, inputs):
    return whole([Y] * len(listed(model(inputs, training=False))))


def read(keras, name, folder, results, formats):
    _, inputs = MODELS[name](keras)
    for form in formats:

        def one(form=form):
            keras.backend.clear_session()
            path = os.path.join(results, f"found-{form}.npz")
            if form == "resumed":
                keep(path, resumed(keras, name, folder))
                return
            values = [inputs[key] for key in sorted(inputs)] if isinstance(inputs, dict) else inputs
            values = [tensor(value) for value in values]
            if isinstance(inputs, dict) and form not in ("signature", "tf1"):
                values = [dict(zip(sorted(inputs), values))]
            outputs = READERS[form](keras, folder, values, results)
            keep(path, {f"output-{i}": array(value) for i, value in enumerate(outputs)})

        attempt(os.path.join(results, f"read-{form}.txt"), one)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    keras = imported(plan["library"])
    import layer_program

    layer_program.write, layer_program.read = write, read
    chosen = {name: name for name in plan["cases"]}
    if plan["dialect"]:
        with keras.dialect(plan["dialect"]):
            run(keras, plan, chosen)
    else:
        run(keras, plan, chosen)


if __name__ == "__main__":
    main()
