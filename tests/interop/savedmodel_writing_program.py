"""SavedModels of the cases of ``cases/``, written by the reference and run by a library in all the ways there are.

The plan is described in ``jobs.py``. To ``write`` is as in ``layer_program.py``, and the names of inputs and outputs are kept
(``names.json``). To ``read`` is, by format:

``load``       ``load_model``, and to call the model
``graph``      ``tf.saved_model.load``, and to call what it gives
``signature``  its signature ``serving_default``
``tf1``        the loader of TensorFlow 1, and the same signature in a session
``again``      ``load_model``, a step of training, to save, to load and to call that; ``truth-again.npz`` is from before saving
``again-of-firsts``  the same, of the first case of each family alone
"""

import json
import os
from functools import partial

import layer_program
import numpy as np
from layer_program import array, attempt, data, keep, listed, tensors

SAVED = "saved"


def save(keras, model, folder):
    model.save(os.path.join(folder, SAVED))
    with open(os.path.join(folder, "names.json"), "w", encoding="utf-8") as file:
        json.dump({"inputs": model.input_names, "outputs": model.output_names}, file)


def whole(inputs):
    return inputs if len(inputs) > 1 else inputs[0]


def load(keras, folder, inputs, results):
    model = keras.models.load_model(os.path.join(folder, SAVED))
    return listed(model(whole(inputs), training=False))


def graph(keras, folder, inputs, results):
    import tensorflow

    return listed(tensorflow.saved_model.load(os.path.join(folder, SAVED))(whole(inputs)))


def names_of(folder):
    with open(os.path.join(folder, "names.json"), encoding="utf-8") as file:
        return json.load(file)


def signature(keras, folder, inputs, results):
    import tensorflow

    names = names_of(folder)
    loaded = tensorflow.saved_model.load(os.path.join(folder, SAVED))  # which has the variables, must live
    given = {name: tensorflow.constant(value) for name, value in zip(names["inputs"], inputs)}
    found = loaded.signatures["serving_default"](**given)
    return [found[name] for name in names["outputs"]]


def tf1(keras, folder, inputs, results):
    import tensorflow

    names, v1 = names_of(folder), tensorflow.compat.v1
    with tensorflow.Graph().as_default(), v1.Session() as session:
        meta = v1.saved_model.load(session, ["serve"], os.path.join(folder, SAVED))
        form = meta.signature_def["serving_default"]
        fed = {form.inputs[name].name: array(value) for name, value in zip(names["inputs"], inputs)}
        return session.run([form.outputs[name].name for name in names["outputs"]], fed)


def again(keras, folder, inputs, results, form="again"):
    model = keras.models.load_model(os.path.join(folder, SAVED))
    outputs = listed(model(whole(inputs), training=False))
    if model.trainable_weights:
        model.compile("sgd", "mse")
        model.train_on_batch(whole(inputs), whole([np.zeros_like(array(output)) for output in outputs]))
        outputs = listed(model(whole(inputs), training=False))
    keep(os.path.join(results, f"truth-{form}.npz"), {f"output-{i}": array(value) for i, value in enumerate(outputs)})
    path = os.path.join(results, SAVED)
    model.save(path, save_format="tf")
    return listed(keras.models.load_model(path)(whole(inputs), training=False))


FIRSTS = "again-of-firsts"
READERS = {
    "load": load,
    "graph": graph,
    "signature": signature,
    "tf1": tf1,
    "again": again,
    FIRSTS: partial(again, form=FIRSTS),
}


_SEEN = set()
"""The families (folders) of which a case was read."""


def read(keras, case, folder, results, formats):
    inputs = tensors(keras, data(case))
    for form in formats:
        if form == FIRSTS and os.path.dirname(folder) in _SEEN:
            continue
        if form == FIRSTS:
            _SEEN.add(os.path.dirname(folder))

        def one(form=form):
            keras.backend.clear_session()
            outputs = READERS[form](keras, folder, inputs, results)
            keep(os.path.join(results, f"found-{form}.npz"), {f"output-{i}": array(v) for i, v in enumerate(outputs)})

        attempt(os.path.join(results, f"read-{form}.txt"), one)


def main():
    layer_program.WRITERS = {"savedmodel": save}
    layer_program.read = read
    layer_program.main()


if __name__ == "__main__":
    main()
