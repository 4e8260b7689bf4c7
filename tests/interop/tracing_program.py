"""Functions traced from the layers of ``cases/``: the reference writes them, TensorFlow runs them.

``python tracing_program.py PLAN``, the plan as in ``jobs.py``, its formats being ``batch`` and ``loose``. To ``write`` is to
build the model of each case, to trace its call in both modes with the size of the batch unknown (``loose``: all sizes but
the last), and to write down the library of functions, what they capture, and what the model gives for two batches. To
``read`` is to load that library as TensorFlow loads those of SavedModels, and to call it on the same batches.
"""

import json
import os
import sys

import layer_program
import numpy as np
from layer_program import attempt, data, dense, fill, listed, numbers

MODES = {"inference": False, "training": True}


def strings_as_bytes(arrays):
    return {key: value.astype("S") if value.dtype == object else value for key, value in arrays.items()}


# -- the reference ---------------------------------------------------------------------------------------------------


def write(keras, case, folder, results, formats):
    for form in formats:
        for mode, training in MODES.items():
            name = f"{form}-{mode}"

            def one(name=name, form=form, training=training):
                write_one(keras, case, form, training, os.path.join(folder, name), name.replace("-", "_"))

            attempt(os.path.join(folder, f"{name}.txt"), one)


def write_one(keras, case, form, training, path, name):
    from reference_impl.formats import messages
    from reference_impl.graph.emit import function_defs
    from reference_impl.graph.trace import Spec, trace
    from reference_impl.shapes import TensorShape
    from reference_impl.tensors import convert

    keras.backend.clear_session()
    model = case["model"](keras) if "model" in case else layer_program.build(keras, case)
    fill(model)
    inputs = [convert(value) for value in data(case)]
    traced = trace(lambda *x: called(model, case, x, training), specs_of(case, inputs, form, Spec, TensorShape), name)
    found = captured(traced.captures)
    start = [getattr(thing, "array", None) for thing in traced.captures]
    for batch, size in batches(case):
        for thing, array in zip(traced.captures, start):
            if array is not None:
                thing.assign(array)
        x = [convert(tensor.value[:size]) for tensor in inputs]
        found.update({f"{batch}-input-{i}": tensor.value for i, tensor in enumerate(x)})
        found.update(run_here(keras, model, case, x, training, traced.captures, batch))
    np.savez(path + ".npz", **strings_as_bytes(found))
    with open(path + ".pb", "wb") as file:
        file.write(messages.serialize(messages.FunctionDefLibrary(function=function_defs(traced))))


def batches(case):
    """The names and sizes of the batches; one, if the layer is for that size alone."""
    return (("three", 3),) if "one_batch" in case else (("three", 3), ("two", 2))


def specs_of(case, inputs, form, spec, shape):
    for i, x in enumerate(inputs):
        unknown = 0 if "one_batch" in case else 1 if form == "batch" else len(x.shape) - 1
        yield spec(shape((*(None,) * unknown, *x.shape[unknown:])), x.dtype, f"inputs_{i}")


def called(model, case, x, training):
    """The outputs, and with ``losses`` the losses."""
    outputs = listed(model(list(x) if len(x) > 1 else x[0], training=training))
    return [*outputs, *model.losses] if "losses" in case else outputs


def captured(captures):
    """The values of variables, and the keys, values and defaults of tables."""
    found = {}
    for i, thing in enumerate(captures):
        if hasattr(thing, "entries"):
            dtypes = [object if dtype == "string" else str(dtype) for dtype in (thing.key_dtype, thing.value_dtype)]
            found[f"table-{i:03d}-keys"] = np.array(list(thing.entries), dtypes[0])
            found[f"table-{i:03d}-values"] = np.array(list(thing.entries.values()), dtypes[1])
            found[f"table-{i:03d}-default"] = np.array([thing.default], dtypes[1])
        else:
            found[f"variable-{i:03d}"] = thing.array
    return found


def run_here(keras, model, case, x, training, captures, batch):
    from reference_impl.gradients import GradientTape

    with GradientTape() as tape:
        outputs = called(model, case, x, training)
        total = weighted(outputs, keras.tf.reduce_sum) if wants_gradients(case, training) else None
    if training and case.get("random"):
        return {f"{batch}-shape-{i}": np.array(output.shape) for i, output in enumerate(outputs)}
    found = {f"{batch}-output-{i}": output.value for i, output in enumerate(outputs)}
    variables = [(i, thing) for i, thing in enumerate(captures) if not hasattr(thing, "entries")]
    found.update({f"{batch}-after-{i:03d}": variable.array for i, variable in variables})
    if total is not None:
        chosen = [(i, v) for i, v in variables if v.trainable and v.dtype.is_floating]
        sources = x + [v for _, v in chosen]
        names = [f"input-{i}" for i in range(len(x))] + [f"variable-{i:03d}" for i, _ in chosen]
        for name, gradient, source in zip(names, tape.gradient(total, sources), sources):
            found[f"{batch}-gradient-{name}"] = dense(gradient, source)
    return found


def weighted(outputs, total_of):
    """The sum of the outputs times fixed numbers."""
    total = 0.0
    for output in outputs:
        total = total + total_of(output * numbers(int(np.prod(output.shape))).reshape([int(n) for n in output.shape]))
    return total


def wants_gradients(case, training):
    return case.get("gradients", True) and not training and "integers" not in case and "strings" not in case


# -- TensorFlow ------------------------------------------------------------------------------------------------------


def read(keras, case, folder, results, formats):
    for form in formats:
        for mode, training in MODES.items():
            name = f"{form}-{mode}"
            if not os.path.exists(os.path.join(folder, f"{name}.pb")):
                continue

            def one(name=name, training=training):
                found = run_there(os.path.join(folder, name), case, training)
                np.savez(os.path.join(results, f"{name}.npz"), **strings_as_bytes(found))

            attempt(os.path.join(results, f"{name}.txt"), one)


def run_there(path, case, training):
    import tensorflow as tf

    with np.load(path + ".npz") as file:
        stored = {key: file[key] for key in file.files}
    found = {}
    for batch, _ in batches(case):
        things = [captured_there(tf, stored, i) for i in range(counted(stored))]
        function = loaded(path + ".pb", things)
        x = [tensor_of(tf, stored[key]) for key in sorted(stored) if key.startswith(f"{batch}-input-")]
        with tf.GradientTape() as tape:
            for tensor in x:
                if tensor.dtype.is_floating:
                    tape.watch(tensor)
            outputs = function._call_flat(x, function.captured_inputs)
            total = weighted(outputs, tf.reduce_sum) if wants_gradients(case, training) else None
        found.update({f"{batch}-output-{i}": output.numpy() for i, output in enumerate(outputs)})
        variables = {i: v for i, v in enumerate(things) if isinstance(v, tf.Variable)}
        found.update({f"{batch}-after-{i:03d}": v.numpy() for i, v in variables.items()})
        if total is not None:
            names = [f"input-{i}" for i in range(len(x))]
            names += [f"variable-{i:03d}" for i in variables if f"{batch}-gradient-variable-{i:03d}" in stored]
            sources = x + [variables[int(name[-3:])] for name in names[len(x) :]]
            for source_name, gradient, source in zip(names, tape.gradient(total, sources), sources):
                found[f"{batch}-gradient-{source_name}"] = dense(gradient, source)
    return found


def tensor_of(tf, array):
    return tf.constant(array.astype(object)) if array.dtype.kind == "S" else tf.constant(array)


def counted(stored):
    numbers = [int(key.split("-")[1]) for key in stored if key.startswith(("variable-", "table-"))]
    return max(numbers, default=-1) + 1


def captured_there(tf, stored, i):
    if f"variable-{i:03d}" in stored:
        return tf.Variable(stored[f"variable-{i:03d}"])
    keys, values, default = (tensor_of(tf, stored[f"table-{i:03d}-{part}"]) for part in ("keys", "values", "default"))
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default[0])


def loaded(path, things):
    """The first function of a library, as TensorFlow's loader of SavedModels makes it."""
    from tensorflow.core.framework import function_pb2
    from tensorflow.python.saved_model import function_deserialization

    library = function_pb2.FunctionDefLibrary()
    with open(path, "rb") as file:
        library.ParseFromString(file.read())
    signature = library.function[0].signature
    name, count = signature.name, len(signature.input_arg) - len(things)
    try:
        from tensorflow.core.function.capture import restore_captures
    except ImportError:
        function = function_deserialization.load_function_def_library(library)[name]
        function._func_graph.structured_outputs = list(function.outputs)
        handles = [thing.handle if hasattr(thing, "handle") else thing.resource_handle for thing in things]
        function._func_graph.variables = [thing for thing in things if hasattr(thing, "handle")]
        function._captured_inputs = handles
        for handle, inner in zip(handles, function.inputs[count:]):
            function.graph.replace_capture(handle, inner)
            function.graph.capture(handle)
    else:
        structures = structures_of(name, signature, count)
        function = function_deserialization.load_function_def_library(library, structures)[name]
        restore_captures.restore_captures(function, things)
    return function


def structures_of(name, signature, count):
    """What a SavedModel says of the arguments and results of the function ``name``."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_object_graph_pb2
    from tensorflow.python.saved_model import nested_structure_coder

    graph = saved_object_graph_pb2.SavedObjectGraph()
    given = tuple(tf.TensorSpec(None, tf.as_dtype(arg.type), arg.name) for arg in signature.input_arg[:count])
    results = [tf.TensorSpec(None, tf.as_dtype(arg.type), arg.name) for arg in signature.output_arg]
    structures = graph.concrete_functions[name]
    encode = nested_structure_coder.encode_structure
    structures.canonicalized_input_signature.CopyFrom(encode((given, {})))
    structures.output_signature.CopyFrom(encode(results))
    return graph


def main():
    import tracing_cases
    from cases import all_cases

    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    layer_program.write, layer_program.read = write, read
    known = {**all_cases(), **tracing_cases.CASES}
    layer_program.run(layer_program.imported(plan["library"]), plan, {name: known[name] for name in plan["cases"]})


if __name__ == "__main__":
    main()
