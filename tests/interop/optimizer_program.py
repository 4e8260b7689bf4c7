"""What a library does with the optimizers of ``cases/optimizers.py``; the same text runs in the reference.

A case is ``VARIANT/NAME``: ``legacy`` are the optimizers that keep their state as Keras before 2.11 kept it, ``new`` those
of 2.11 and later, ``keras3`` Keras 3's. To ``write`` is to train a small model two steps, to save it in every format, and to write down weights,
state, and how three more steps go (``truth.npz``); to ``read`` is to load it and to write down the same. The plan is described in
``jobs.py``.
"""

import json
import os
import sys
from contextlib import nullcontext
from functools import partial

import numpy as np

X = np.sin(np.arange(32, dtype="float32") * 1.7).reshape(8, 4)
Y = np.cos(np.arange(24, dtype="float32") * 0.9).reshape(8, 3)
IDS = np.arange(16, dtype="int32").reshape(8, 2) * 3 % 11  # of twelve rows some are never looked up


class Places:
    """The first of some namespaces that has a name."""

    def __init__(self, *places):
        self.places = places

    def __getattr__(self, name):
        for place in self.places:
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(name)


class Later:
    """The reference's optimizers, as Keras 2.11 (or, with its keys, 3) computes and configures them."""

    def __init__(self, optimizers, keys):
        self.optimizers, self.keys, self.schedules = optimizers, keys, optimizers.schedules

    def __getattr__(self, name):
        made = getattr(self.optimizers, name).from_config
        return lambda rate, **arguments: made(dict({"learning_rate": rate}, **dict(self.keys, **arguments)))


def namespace(keras, variant):
    if keras.__name__ == "reference_impl":
        keys = {"legacy": None, "new": {"jit_compile": False}, "keras3": {"loss_scale_factor": None}}[variant]
        return keras.optimizers if keys is None else Later(keras.optimizers, keys)
    legacy = [keras.optimizers.legacy] if variant == "legacy" and hasattr(keras.optimizers, "legacy") else []
    return Places(*legacy, keras.optimizers)


def build(keras):
    layers = keras.layers
    numbers, ids = keras.Input((4,), name="numbers"), keras.Input((2,), dtype="int32", name="ids")
    rows = layers.Flatten(name="flat")(layers.Embedding(12, 3, name="rows")(ids))
    hidden = layers.Dense(5, activation="tanh", name="first")(layers.Concatenate(name="both")([numbers, rows]))
    made = keras.Model([numbers, ids], layers.Dense(3, name="second")(hidden), name="model")
    values, start = [], 0
    for weight in made.get_weights():
        values.append((np.sin(np.arange(start, start + weight.size) * 1.3) * 0.5).reshape(weight.shape))
        start += weight.size
    made.set_weights(values)
    return made


def compiled(keras, case, variant):
    made = build(keras)
    # The losses of a compiled function are the same, and it takes a second to compile.
    eagerly = {} if keras.__name__ == "reference_impl" else {"run_eagerly": True}
    made.compile(case["optimizer"](namespace(keras, variant)), "mse", **eagerly)
    return made


def step(model):
    loss = model.train_on_batch([X, IDS], Y)
    return float(loss[0] if isinstance(loss, (list, tuple)) else loss)


def state(keras, model, variant):
    """The step count, then the slots in the order of the variant."""
    optimizer = model.optimizer
    if keras.__name__ == "reference_impl":
        from reference_impl.optimizers.layouts import layout

        generation = {"legacy": "keras-2.4", "new": "keras-2.11", "keras3": "keras-3"}[variant]
        found = [(entry.name, entry.read()) for entry in layout(optimizer, model.trainable_weights, generation)]
    else:
        variables = optimizer.weights if variant == "legacy" else optimizer.variables
        variables = variables() if callable(variables) else variables
        found = [(variable.name, variable.numpy()) for variable in variables]
    found = [np.array(value) for name, value in found if "learning_rate" not in name]
    # The slots SGD has in 2.11 are not looked at without momentum.
    unused = variant == "new" and type(optimizer).__name__ == "SGD" and not float(optimizer.momentum)
    return found[:1] if unused else found


def facts(keras, model, variant):
    found = {f"weight-{i:03d}": np.array(value) for i, value in enumerate(model.get_weights())}
    found.update((f"state-{i:03d}", value) for i, value in enumerate(state(keras, model, variant)))
    found["losses"] = np.array([step(model) for _ in range(3)])
    found.update((f"after-{i:03d}", np.array(value)) for i, value in enumerate(model.get_weights()))
    return found


def write(keras, case, variant, folder, results, formats):
    from layer_program import WRITERS, attempt, keep

    model = compiled(keras, case, variant)
    step(model)
    step(model)
    for form in formats:
        attempt(os.path.join(folder, f"write-{form}.txt"), lambda form=form: WRITERS[form](keras, model, folder))
    keep(os.path.join(folder, "truth.npz"), facts(keras, model, variant))


def read(keras, case, variant, folder, results, formats):
    from layer_program import READERS, attempt, keep

    def fresh():
        model = compiled(keras, case, variant)
        step(model)  # a checkpoint of weights finds the optimizer's variables
        return model

    for form in formats:
        if os.path.exists(os.path.join(folder, f"write-{form}.txt")):
            continue

        def one(form=form):
            model = READERS[form](keras, fresh, folder)
            model.run_eagerly = True
            keep(os.path.join(results, f"found-{form}.npz"), facts(keras, model, variant))

        attempt(os.path.join(results, f"read-{form}.txt"), one)


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from cases.optimizers import OPTIMIZERS
    from layer_program import attempt, imported

    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    keras = imported(plan["library"])
    work = {"write": write, "read": read}[plan["action"]]
    for case in plan["cases"]:
        variant, name = case.split("/")
        folder, results = (os.path.join(plan[key], case) for key in ("folder", "results"))
        os.makedirs(results, exist_ok=True)
        keras.backend.clear_session()
        action = partial(work, keras, OPTIMIZERS[name], variant, folder, results, plan["formats"])
        with keras.dialect(plan["dialect"]) if plan["dialect"] else nullcontext():
            attempt(os.path.join(results, "failed.txt"), action)


if __name__ == "__main__":
    main()
