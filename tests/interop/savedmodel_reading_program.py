"""SavedModel folders of the cases of ``cases/``: written by a real library, read by the reference.

The plan is described in ``jobs.py``, models and data in ``layer_program.py``. To ``write`` is to save the model of each
case, and to write down what it computes. To ``read`` is to load it twice: revived from its config, and as functions that
nothing but the graph defines.

Where there are masks, what the library itself computes from the stored functions is written down too (``functions.npz``):
TensorFlow 2.4 stores functions that have lost the masks of a ``Masking`` layer.
"""

import json
import os
import sys
from functools import partial

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import layer_program
from layer_program import array, attempt, data, facts, imported, keep, listed, tensors

FORMATS = ("config", "functions")


def write(keras, case, folder, results, formats):
    model = layer_program.build(keras, case)
    layer_program.fill(model)
    path = os.path.join(folder, "saved")

    def save():
        model.save(path, save_format="tf")
        if case.get("mask"):
            from tensorflow import saved_model

            keep(os.path.join(folder, "functions.npz"), functions_give(keras, case, saved_model.load(path)))

    attempt(os.path.join(folder, "write.txt"), save)
    keep(os.path.join(folder, "truth.npz"), facts(keras, case, model, True))


def functions_give(keras, case, graph):
    found = {}
    # The statistics of a layer change when it is called in training: outputs in inference come first.
    for word, training in (("output", False), ("training", True)):
        if training and case.get("random"):
            continue
        inputs = tensors(keras, data(case))
        outputs = graph(inputs if len(inputs) > 1 else inputs[0], training=training)
        found.update({"%s-%d" % (word, i): array(output) for i, output in enumerate(listed(outputs))})
    return found


def read(keras, case, folder, results, formats):
    path = os.path.join(folder, "saved")
    if os.path.exists(os.path.join(folder, "write.txt")):
        return

    def from_config():
        keep(os.path.join(results, "found-config.npz"), facts(keras, case, keras.models.load_model(path), False))

    def from_functions():
        found = functions_give(keras, case, keras.tf.saved_model.load(path))
        keep(os.path.join(results, "found-functions.npz"), found)

    attempt(os.path.join(results, "read-config.txt"), from_config)
    attempt(os.path.join(results, "read-functions.txt"), from_functions)


def main():
    from cases import all_cases

    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    keras = imported(plan["library"])
    work = {"write": write, "read": read}[plan["action"]]
    known = all_cases()
    for name in plan["cases"]:
        folder, results = (os.path.join(plan[key], name) for key in ("folder", "results"))
        os.makedirs(results, exist_ok=True)
        keras.backend.clear_session()
        action = partial(work, keras, known[name], folder, results, plan["formats"])
        attempt(os.path.join(results, "failed.txt"), action)


if __name__ == "__main__":
    main()
