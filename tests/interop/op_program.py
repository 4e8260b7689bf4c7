"""Lets TensorFlow make a function of each call of ``op_calls.py`` and of each program below.

``python op_program.py FOLDER`` writes the functions (``library.pb``), their names (``names.json``), and what TensorFlow
computes (``truth.npz``): for each call its inputs, outputs and gradients. A call that this TensorFlow cannot make leaves the
reason in ``names.json`` instead of a name.
"""

import json
import os
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from op_calls import CALLS, numbers
from tensorflow.core.framework import function_pb2

X = numbers(3, 4)


def loop(x):
    array = tf.TensorArray(tf.float32, size=3)

    def body(i, state, array):
        state = tf.tanh(state * 1.5 + tf.cast(i, tf.float32))
        return i + 1, state, array.write(i, state)

    _, state, array = tf.while_loop(lambda i, state, array: i < 3, body, [tf.constant(0), x, array])
    return state, array.stack()


def branch(x, flag):
    return tf.cond(flag, lambda: x * 2.0, lambda: tf.sin(x))


def branches(x, index):
    return tf.switch_case(index, [lambda: x, lambda: x * x, lambda: -x])


def mapped(x):
    return tf.map_fn(lambda row: tf.cumsum(row) * row[0], x)


def scanned(x):
    return tf.scan(lambda state, row: state * 0.5 + row, x)


def rows(x):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False)
    for i in tf.range(3):
        array = array.write(i, x[i : i + 1] * tf.cast(i, tf.float32))
    return array.concat()


inner = tf.function(lambda x: tf.nn.relu(x) + 1.0)


def nested(x):
    return inner(inner(x) - 2.0)


def inner_gradients(x):
    """The gradient of a loop, as a graph."""
    state = loop(x)[0]
    return tf.gradients(tf.reduce_sum(state * state), [x])[0]


def checked(x):
    with tf.control_dependencies([tf.debugging.assert_less(x, 5.0)]):
        return tf.identity(x) + 1.0


VARIABLE = tf.Variable(numbers(3, 4, start=2.0))
COUNT = tf.Variable(np.float32(1.0))


def counted(x):
    before = COUNT.read_value()
    COUNT.assign_add(2.0)
    after = COUNT.read_value()
    COUNT.assign_sub(0.5)
    return x * VARIABLE * before + after


GENERATOR = tf.random.Generator.from_seed(7)


def drawn(x):
    """Twice from one generator, whose state goes on."""
    first = GENERATOR.uniform((3,), 0, 100, dtype=tf.int32)
    return first, x + GENERATOR.uniform((3, 4)), GENERATOR.normal((2, 2))


def gathered(indices):
    return tf.nn.embedding_lookup(VARIABLE, indices)


PROGRAMS = {
    "loop": (loop, [X], True),
    "branch-taken": (branch, [X, np.array(True)], True),
    "branch-not-taken": (branch, [X, np.array(False)], True),
    "branches": (branches, [X, np.int32(1)], True),
    "branches-beyond": (branches, [X, np.int32(9)], True),
    "mapped": (mapped, [X], True),
    "scanned": (scanned, [X], True),
    "rows": (rows, [X], True),
    "nested": (nested, [X], True),
    "inner-gradients": (inner_gradients, [X], False),
    "checked": (checked, [X], True),
    "counted": (counted, [X], True),
    "drawn": (drawn, [X], False),
    "gathered": (gathered, [np.array([[2, 0], [1, 1]], "int32")], False),
}


def of_call(op, inputs, attrs):
    """A function of the flat inputs, and these."""
    flat = [item for value in inputs.values() for item in (value if isinstance(value, list) else [value])]

    def function(*tensors):
        rest = iter(tensors)
        given = {
            name: [next(rest) for _ in value] if isinstance(value, list) else next(rest)
            for name, value in inputs.items()
        }
        return tf.nest.flatten(getattr(tf.raw_ops, op)(**given, **attrs))

    return function, flat


def array(tensor):
    found = tensor.numpy()
    return np.asarray(found)


def keep(value):
    value = np.asarray(value)
    if value.dtype != object:
        return value
    items = [item.encode() if isinstance(item, str) else item for item in value.ravel().tolist()]
    return np.array(json.dumps([value.shape, [item.hex() for item in items]]))


def gradients(function, tensors, wanted, count):
    with tf.GradientTape() as tape:
        for tensor in wanted:
            tape.watch(tensor)
        total = 0.0
        for output in tf.nest.flatten(function(*tensors))[:count]:
            if output.dtype.is_floating:
                total += tf.reduce_sum(output * numbers(*output.shape).astype(output.dtype.as_numpy_dtype))
    found = tape.gradient(total, wanted)
    return [tf.convert_to_tensor(g) if g is not None else tf.zeros_like(w) for g, w in zip(found, wanted)]


def main():
    folder = sys.argv[1]
    library = function_pb2.FunctionDefLibrary()
    names, truth, known = {}, {}, set()
    named = {"matrix": VARIABLE, "count": COUNT, "state": GENERATOR.state}
    handles = {id(variable.handle): key for key, variable in named.items()}
    truth.update({key: variable.numpy() for key, variable in named.items()})

    def restart():
        for key, variable in named.items():
            variable.assign(truth[key])

    def record(name, function, flat, wanted, count=None):
        tensors = [tf.constant(value) for value in flat]
        made = tf.function(function)
        concrete = made.get_concrete_function(*[tf.TensorSpec(t.shape, t.dtype) for t in tensors])
        restart()
        outputs = tf.nest.flatten(made(*tensors))[:count]
        for definition in [concrete.function_def, *concrete.graph.as_graph_def().library.function]:
            if definition.signature.name not in known:
                known.add(definition.signature.name)
                library.function.add().CopyFrom(definition)
        captures = [handles[id(external)] for external, _ in concrete.graph.captures]
        for i, value in enumerate(flat):
            truth["%s|in|%02d" % (name, i)] = keep(value)
        for i, output in enumerate(outputs):
            truth["%s|out|%02d" % (name, i)] = keep(array(output))
        for key, variable in named.items():
            truth["%s|after|%s" % (name, key)] = variable.numpy()
        restart()
        found = gradients(made, tensors, [tensors[i] for i in wanted], count) if wanted else []
        for i, gradient in zip(wanted, found):
            truth["%s|gradient|%02d" % (name, i)] = array(gradient)
        names[name] = {"function": concrete.function_def.signature.name, "captures": captures}

    for name, (op, inputs, attrs, more) in CALLS.items():
        function, flat = of_call(op, inputs, attrs)
        places = list(inputs)
        wanted = [places.index(key) for key in more.get("gradients", [])]
        try:
            record(name, function, flat, wanted, more.get("outputs"))
        except Exception as error:  # an op that this TensorFlow does not have, or that has no gradient there
            names[name] = {"failed": "%s: %s" % (type(error).__name__, str(error)[:300])}
    for name, (function, flat, differentiated) in PROGRAMS.items():
        record(name, function, flat, [0] if differentiated else [])
    with open(os.path.join(folder, "library.pb"), "wb") as file:
        file.write(library.SerializeToString())
    with open(os.path.join(folder, "names.json"), "w", encoding="utf-8") as file:
        json.dump(names, file)
    np.savez(os.path.join(folder, "truth.npz"), **truth)


if __name__ == "__main__":
    main()
