"""What a library does with the cases of ``cases/``; the same text runs in the real libraries and in the reference.

The plan is described in ``jobs.py``. To ``write`` is to build the model of each case, to give it weights that are all
different, to write down what it computes (``truth.npz``), and to save it in every format. To ``read`` is to load what was
saved, and to write down what comes of it (``found-….npz``). A case that fails leaves its traceback (``….txt``), and the
others go on.
"""

import json
import os
import sys
import traceback
import warnings
from functools import partial
from typing import Any, Dict, List

import numpy as np

BATCH = 3

WRITERS = {
    "hdf5": lambda keras, model, folder: model.save(os.path.join(folder, "model.h5")),
    "hdf5-weights": lambda keras, model, folder: model.save_weights(os.path.join(folder, "some.h5")),
    "checkpoint": lambda keras, model, folder: model.save_weights(os.path.join(folder, "checkpoint-of-weights")),
    "json": lambda keras, model, folder: write_json(model, os.path.join(folder, "model.json")),
    "keras": lambda keras, model, folder: model.save(os.path.join(folder, "model.keras")),
    "weights-h5": lambda keras, model, folder: model.save_weights(os.path.join(folder, "model.weights.h5")),
}
"""How a model is saved, by format."""


def write_json(model, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(model.to_json())
    np.savez(path + ".npz", *model.get_weights())


def read_json(keras, fresh, folder):
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as file:
        model = keras.models.model_from_json(file.read())
    with np.load(os.path.join(folder, "model.json.npz"), allow_pickle=True) as stored:
        model.set_weights([stored[f"arr_{i}"] for i in range(len(stored.files))])
    return model


def loaded_into(name):
    def read(keras, fresh, folder):
        model = fresh()
        model.load_weights(os.path.join(folder, name))
        return model

    return read


READERS = {
    "hdf5": lambda keras, fresh, folder: keras.models.load_model(os.path.join(folder, "model.h5")),
    "hdf5-weights": loaded_into("some.h5"),
    "checkpoint": loaded_into("checkpoint-of-weights"),
    "json": read_json,
    "keras": lambda keras, fresh, folder: keras.models.load_model(os.path.join(folder, "model.keras")),
    "weights-h5": loaded_into("model.weights.h5"),
}


class Namespace:
    """The layers of a library, those that were experimental included."""

    def __init__(self, layers):
        self.places = [layers, getattr(layers, "experimental", None)]
        self.places.append(getattr(self.places[1], "preprocessing", None))

    def __getattr__(self, name):
        for place in self.places:
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(name)


def numbers(size, start=0):
    """``size`` different numbers between -1 and 1, beginning with number ``start``."""
    return np.sin(np.arange(start, start + size, dtype="float64") * 1.7 + 0.3).astype("float32")


def data(case: Dict[str, Any]) -> List[Any]:
    """The inputs: arrays of different numbers, with masked steps where the case has a mask."""
    found = []
    for place, shape in enumerate(case["inputs"]):
        size = BATCH * int(np.prod(shape))
        if "strings" in case:
            words = [case["strings"][i % len(case["strings"])] for i in range(size)]
            values = np.array(words, dtype=object)
        elif "integers" in case:
            values = (np.arange(size) * 7 + place) % case["integers"]
            values = values.astype("int32")
        else:
            values = numbers(size, 100 * place)
        values = values.reshape((BATCH, *shape))
        if case.get("mask"):
            values[0, -1:] = 0
            values[1, :1] = 0
            values[1, -2:] = 0
        found.append(values)
    return found


def build(keras, case):
    layers = Namespace(keras.layers)
    dtype = "string" if "strings" in case else "int32" if "integers" in case else "float32"
    inputs = [keras.Input(tuple(shape), dtype=dtype) for shape in case["inputs"]]
    between = [layers.Masking()(tensor) for tensor in inputs] if case.get("mask") else inputs
    made = case["layer"](layers)
    outputs = made(between if len(between) > 1 else between[0])
    return keras.Model(inputs, outputs)


def fill(model):
    """Give every weight values of its own; variances are positive, counts are as they are."""
    values, start = [], 0
    for weight, value in zip(model.weights, model.get_weights()):
        if value.dtype.kind != "f":
            values.append(value)
            continue
        fresh = numbers(value.size, start).reshape(value.shape) * 0.5
        start += value.size
        values.append((np.abs(fresh) + 0.3 if "variance" in weight.name else fresh).astype(value.dtype))
    model.set_weights(values)


def listed(structure):
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in listed(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in listed(item)]
    return [structure]


def array(tensor):
    found = tensor.numpy() if hasattr(tensor, "numpy") else np.asarray(tensor)
    return np.array(found)


def mask_of(tensor):
    found = getattr(tensor, "_keras_mask", getattr(tensor, "mask", None))
    return None if found is None else array(found)


def arithmetic(keras):
    """A tape, the sum of a tensor, and a tensor of an array."""
    if keras.__name__ == "reference_impl":
        from reference_impl.gradients import GradientTape
        from reference_impl.tensors import convert

        return GradientTape, keras.tf.reduce_sum, convert
    import tensorflow

    return tensorflow.GradientTape, tensorflow.reduce_sum, tensorflow.constant


def gradients(keras, model, inputs):
    """Of the sum of the outputs times fixed numbers, for the inputs and the trainable weights."""
    tape_class, total_of, convert = arithmetic(keras)
    x = [convert(value) for value in inputs]
    with tape_class() as tape:
        for tensor in x:
            tape.watch(tensor)
        total = 0.0
        for output in outputs_of(model, x, False):
            factor = numbers(int(np.prod(output.shape))).reshape([int(n) for n in output.shape])
            total = total + total_of(output * factor)
    # A variable of Keras 3 holds TensorFlow's.
    sources = x + [v.value if keras.__name__ == "keras" else v for v in model.trainable_weights]
    found = tape.gradient(total, sources)
    return [dense(gradient, source) for gradient, source in zip(found, sources)]


def dense(gradient, source):
    if gradient is None:
        return np.zeros([int(n) for n in source.shape], "float32")
    if hasattr(gradient, "indices"):
        import tensorflow

        gradient = tensorflow.convert_to_tensor(gradient)
    return array(gradient)


def outputs_of(model, inputs, training):
    return listed(model(inputs if len(inputs) > 1 else inputs[0], training=training))


def tensors(keras, inputs):
    """Strings and lists need to be tensors for some libraries."""
    if inputs[0].dtype != object or keras.__name__ == "reference_impl":
        return inputs
    import tensorflow

    return [tensorflow.constant(value) for value in inputs]


def facts(keras, case, model, everything):
    inputs = tensors(keras, data(case))
    found = {}
    for i, output in enumerate(outputs_of(model, inputs, False)):
        found[f"output-{i}"] = array(output)
        mask = mask_of(output)
        if mask is not None:
            found[f"mask-{i}"] = mask
    for i, value in enumerate(model.get_weights()):
        found[f"weight-{i:03d}"] = np.array(value)
    if everything:
        if case.get("gradients", True):
            for i, gradient in enumerate(gradients(keras, model, inputs)):
                found[f"gradient-{i}"] = gradient
        if not case.get("random"):
            for i, output in enumerate(outputs_of(model, inputs, True)):
                found[f"training-{i}"] = array(output)
            for i, value in enumerate(model.get_weights()):
                found[f"after-{i:03d}"] = np.array(value)
    return found


def keep(path, found):
    np.savez(path, **{key: value.astype("S") if value.dtype == object else value for key, value in found.items()})


def write(keras, case, folder, results, formats):
    model = build(keras, case)
    fill(model)
    for form in formats:
        attempt(os.path.join(folder, f"write-{form}.txt"), lambda form=form: WRITERS[form](keras, model, folder))
    keep(os.path.join(folder, "truth.npz"), facts(keras, case, model, True))


def read(keras, case, folder, results, formats):
    built = []

    def fresh():
        """A model with other weights, the same for all formats."""
        built[:] = built or [build(keras, case)]
        values = built[0].get_weights()
        built[0].set_weights([np.ones_like(value) if value.dtype.kind == "f" else value for value in values])
        return built[0]

    for form in formats:
        if os.path.exists(os.path.join(folder, f"write-{form}.txt")):
            continue

        def one(form=form):
            model = READERS[form](keras, fresh, folder)
            keep(os.path.join(results, f"found-{form}.npz"), facts(keras, case, model, False))

        attempt(os.path.join(results, f"read-{form}.txt"), one)


def attempt(path, action):
    """Do ``action``; its failure goes into ``path``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            action()
    except Exception:
        with open(path, "w", encoding="utf-8") as file:
            file.write(traceback.format_exc())


def run(keras, plan, cases):
    """Do the plan's action with ``cases`` (by name), a folder each."""
    work = {"write": write, "read": read}[plan["action"]]
    for name, case in cases.items():
        folder, results = (os.path.join(plan[key], name) for key in ("folder", "results"))
        os.makedirs(results, exist_ok=True)
        keras.backend.clear_session()  # names begin anew
        attempt(os.path.join(results, "failed.txt"), partial(work, keras, case, folder, results, plan["formats"]))


def imported(library):
    """Keras, as the library is called where this runs."""
    if library == "reference":
        import reference_impl as keras
    elif library.startswith("keras3"):
        import keras
    else:
        try:
            import tf_keras as keras
        except ImportError:
            from tensorflow import keras
    return keras


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from cases import all_cases

    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    keras = imported(plan["library"])
    known = all_cases()
    chosen = {name: known[name] for name in plan["cases"]}
    if plan["dialect"]:
        with keras.dialect(plan["dialect"]):
            run(keras, plan, chosen)
    else:
        run(keras, plan, chosen)


if __name__ == "__main__":
    main()
