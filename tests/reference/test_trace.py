"""Functions traced from layers: run by the interpreter they give what the layers give, and do what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import functions, structure
from reference_impl.formats import messages
from reference_impl.graph import interpreter
from reference_impl.graph.call import Result, call
from reference_impl.graph.emit import function_defs
from reference_impl.graph.function import Library
from reference_impl.graph.trace import Spec, Traced, trace
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, convert
from reference_impl.variables import Variable
from tests.interop import layer_program, tracing_cases
from tests.interop.cases import all_cases

CASES = {**all_cases(), **tracing_cases.CASES}


def spec(shape: Sequence[int | None], dtype: Any = "float32", name: str = "x") -> Spec:
    return Spec(TensorShape(shape), convert(np.zeros(0, dtype)).dtype if dtype != "string" else dtype, name)


def library(traced: Traced) -> Library:
    defs = function_defs(traced)
    stored = messages.serialize(messages.FunctionDefLibrary(function=defs))
    return Library(messages.parse(messages.FunctionDefLibrary, stored))


def run(traced: Traced, *inputs: Any) -> list[Any]:
    return interpreter.run(traced.name, library(traced), [*map(convert, inputs), *traced.captures])


def ops_of(traced: Traced) -> list[str]:
    return [node.op for message in function_defs(traced) for node in message.node_def]


# -- every layer ---------------------------------------------------------------------------------------------------


def build(case: dict[str, Any]) -> Any:
    keras.backend.clear_session()
    model = case["model"](keras) if "model" in case else layer_program.build(keras, case)
    layer_program.fill(model)
    return model


def traced_call(model: Any, case: dict[str, Any], inputs: list[Tensor], training: bool) -> Traced:
    unknown = 0 if "one_batch" in case else 1
    specs = [
        Spec(TensorShape((*(None,) * unknown, *x.shape[unknown:])), x.dtype, f"x{i}") for i, x in enumerate(inputs)
    ]
    return trace(lambda *x: outputs_of(model, case, list(x), training), specs, "call")


def outputs_of(model: Any, case: dict[str, Any], x: list[Any], training: bool) -> list[Any]:
    outputs = structure.flatten(model(x if len(x) > 1 else x[0], training=training))
    return [*outputs, *model.losses] if "losses" in case else outputs


def assert_close(found: Any, expected: Any) -> None:
    assert found.shape == expected.shape
    if expected.dtype.kind == "f":
        bound = 1e-6 * max(1.0, float(np.max(np.abs(expected), initial=0)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("name", CASES)
def test_a_traced_layer_computes_what_the_layer_computes(name: str, training: bool) -> None:
    case = CASES[name]
    model = build(case)
    inputs = [convert(value) for value in layer_program.data(case)]
    traced = traced_call(model, case, inputs, training)
    variables = [thing for thing in traced.captures if isinstance(thing, Variable)]
    start = [variable.array for variable in variables]
    for size in (3,) if "one_batch" in case else (3, 2):
        x = [convert(tensor.value[:size]) for tensor in inputs]
        found: list[list[Any]] = []
        for compute in (lambda x=x: outputs_of(model, case, x, training), lambda x=x: run(traced, *x)):
            for variable, array in zip(variables, start, strict=True):
                variable.assign(array)
            found.append([output.value for output in compute()] + [variable.array for variable in variables])
        assert len(found[0]) == len(found[1])
        if not (training and case.get("random")):
            for expected, array in zip(*found, strict=True):
                assert_close(array, expected)


DRAWN = [name for name, case in CASES.items() if case.get("random") and "batch-norm" not in name]


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_random_is_drawn_in_each_call(name: str) -> None:
    case = CASES[name]
    model = build(case)
    inputs = [convert(value) for value in layer_program.data(case)]
    traced = traced_call(model, case, inputs, training=True)
    assert any(op.startswith("Random") for op in ops_of(traced)), ops_of(traced)
    assert not any(op.startswith("Random") for op in ops_of(traced_call(model, case, inputs, training=False)))


# -- one and the same ----------------------------------------------------------------------------------------------

_BYTES = """
import sys
import reference_impl as keras
from reference_impl.formats import messages
from reference_impl.graph.emit import function_defs
from reference_impl.graph.trace import Spec, trace
from reference_impl.shapes import TensorShape
layers = keras.layers
model = keras.Sequential([
    keras.Input((4, 3)), layers.Dropout(0.5), layers.Bidirectional(layers.LSTM(2)), layers.BatchNormalization(),
])
traced = trace(lambda x: model(x, training=True), [Spec(TensorShape((None, 4, 3)), keras.tf.float32, "x")], "call")
sys.stdout.buffer.write(messages.serialize(messages.FunctionDefLibrary(function=function_defs(traced))))
"""


def test_the_bytes_are_the_same_in_every_process() -> None:
    found = [
        subprocess.run(
            [sys.executable, "-c", _BYTES], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0]
    assert found[0] == found[1]


def test_a_second_trace_is_the_same() -> None:
    model = build(CASES["recurrent/lstm-masked"])
    first, second = (
        [messages.serialize(message) for message in function_defs(traced)]
        for traced in (trace(model, [spec((None, 6, 3))], "call") for _ in range(2))
    )
    assert first == second


# -- variables -----------------------------------------------------------------------------------------------------


def test_reads_and_assignments_keep_their_order() -> None:
    variable = Variable(np.float32(1.0))

    def function(x: Tensor) -> list[Any]:
        before = variable.as_tensor()
        variable.assign(variable * x)
        between = variable.as_tensor()
        variable.assign_add(1.0)
        return [before, between, variable.as_tensor()]

    traced = trace(function, [spec(())], "f")
    assert [tensor.value for tensor in run(traced, np.float32(5.0))] == [1.0, 5.0, 6.0]
    assert variable.array == 6.0
    assert len(traced.effects) == 2
    (message,) = function_defs(traced)
    assert len(message.control_ret) == len(message.signature.control_output) == 2


def test_a_trace_assigns_nothing() -> None:
    variable = Variable(np.float32(1.0))
    trace(lambda x: variable.assign(x).as_tensor(), [spec(())], "f")
    trace(lambda _: variable.assign(7.0).as_tensor(), [spec(())], "f")
    assert variable.array == 1.0


def test_a_read_that_nothing_needs_is_no_node_and_no_capture() -> None:
    unused, used = Variable(np.float32(1.0)), Variable(np.float32(2.0))

    def function(x: Tensor) -> Any:
        unused.as_tensor()
        return x * used

    traced = trace(function, [spec(())], "f")
    assert traced.captures == [used]
    assert ops_of(traced) == ["ReadVariableOp", "Mul"]


def test_layers_are_built_outside_of_the_trace() -> None:
    layer = keras.layers.Dense(2)
    traced = trace(layer, [spec((None, 3))], "f")
    assert np.any(layer.kernel.array)
    assert not any(op.startswith("Random") for op in ops_of(traced))


def test_after_a_trace_layers_compute_as_before() -> None:
    model = build(CASES["recurrent/lstm-dropout"])
    x = layer_program.data(CASES["recurrent/lstm-dropout"])[0]
    trace(lambda x: model(x, training=True), [spec((None, *x.shape[1:]))], "f")
    assert model(x, training=True).array is not None


def test_statistics_of_images_know_the_batch() -> None:
    layer = keras.layers.BatchNormalization(momentum=0.0)
    x = np.sin(np.arange(24, dtype=np.float32)).reshape(2, 2, 3, 2)
    traced = trace(lambda x: layer(x, training=True), [spec((None, 2, 3, 2))], "f")
    run(traced, x)
    np.testing.assert_allclose(layer.moving_variance.array, np.var(x, (0, 1, 2), ddof=1), rtol=1e-5)


# -- loops ---------------------------------------------------------------------------------------------------------


def test_a_loop_without_state_is_stateless() -> None:
    traced = traced_call(build(CASES["recurrent/lstm"]), CASES["recurrent/lstm"], _data("recurrent/lstm"), False)
    assert "StatelessWhile" in ops_of(traced)
    assert "While" not in ops_of(traced)
    (loop,) = (node for node in function_defs(traced)[0].node_def if node.op == "StatelessWhile")
    assert loop.attr["output_shapes"].list.shape
    assert len(loop.attr["T"].list.type) == len(loop.attr["output_shapes"].list.shape) == len(loop.input)


def test_a_loop_that_assigns_has_state() -> None:
    name = "models/assigning-cell"
    assert "While" in ops_of(traced_call(build(CASES[name]), CASES[name], _data(name), True))
    assert "While" not in ops_of(traced_call(build(CASES[name]), CASES[name], _data(name), False))


def test_a_loop_goes_as_often_as_there_are_times() -> None:
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.GRU(3, return_sequences=True)])
    traced = trace(model, [spec((None, None, 2))], "f")
    for shape in ((2, 1, 2), (1, 7, 2)):
        x = np.sin(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)
        assert_close(run(traced, x)[0].value, model(x).value)


def _data(name: str) -> list[Tensor]:
    return [convert(value) for value in layer_program.data(CASES[name])]


# -- functions of files --------------------------------------------------------------------------------------------


def doubled(name: str, factor: float) -> tuple[Traced, Library]:
    traced = trace(lambda x: x * factor, [spec((None,))], name)
    return traced, library(traced)


def test_a_function_of_a_file_is_called_and_emitted() -> None:
    inner, source = doubled("inner", 2.0)
    results = [Result(TensorShape((None,)), inner.outputs[0].dtype)]
    outer = trace(lambda x: call("inner", source, [x], [], results)[0] + 1.0, [spec((None,))], "outer")
    assert [message.signature.name for message in function_defs(outer)] == ["outer", "inner"]
    np.testing.assert_array_equal(run(outer, np.float32([3.0]))[0].value, [7.0])


def test_functions_of_two_files_with_one_name_stay_apart() -> None:
    sources = [doubled("inner", factor)[1] for factor in (2.0, 10.0)]
    results = [Result(TensorShape((None,)), convert(0.0).dtype)]

    def both(x: Tensor) -> Any:
        return functions.add(*(call("inner", source, [x], [], results)[0] for source in sources))

    outer = trace(both, [spec((None,))], "outer")
    assert [message.signature.name for message in function_defs(outer)] == ["outer", "inner", "inner_1"]
    np.testing.assert_array_equal(run(outer, np.float32([3.0]))[0].value, [36.0])
    known = {message.signature.name: message for message in function_defs(doubled("inner", 5.0)[0])}
    assert [message.signature.name for message in function_defs(outer, known)] == ["outer", "inner_1", "inner_2"]


def test_effects_of_a_function_of_a_file_are_effects() -> None:
    variable = Variable(np.float32(1.0))
    inner = trace(lambda x: (variable.assign_add(x), x)[1], [spec(())], "inner")
    source, results = library(inner), [Result(TensorShape(()), inner.outputs[0].dtype)]

    def function(x: Tensor) -> Any:
        call("inner", source, [x], inner.captures, results)
        return [variable.as_tensor()]

    outer = trace(function, [spec(())], "outer")
    assert [float(tensor) for tensor in run(outer, np.float32(4.0))] == [5.0]
    assert len(outer.effects) == 1


# -- what cannot be ------------------------------------------------------------------------------------------------


def test_tensors_of_another_trace_are_refused() -> None:
    kept: list[Any] = []
    trace(lambda x: kept.append(x * 2.0), [spec(())], "first")
    with pytest.raises(ValueError, match=r"second: a tensor of another graph is used, .*must not keep tensors"):
        trace(lambda x: x + kept[0], [spec(())], "second")


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda x: float(x) + 1.0, TypeError, "is symbolic"),
        (lambda x: x if x > 0.0 else -x, TypeError, "is symbolic"),
    ],
    ids=["number", "condition"],
)
def test_python_cannot_see_values(function: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        trace(function, [spec(())], "f")


def test_names_of_arguments_are_made_fit() -> None:
    traced = trace(lambda *x: list(x), [spec((), name="Größe 1"), spec((), name="x"), spec((), name="X")], "f")
    (message,) = function_defs(traced)
    names = [argument.name for argument in message.signature.input_arg]
    assert len(set(names)) == 3
    assert all(name.isascii() and name[0].islower() and name.replace("_", "").isalnum() for name in names)
    assert [float(tensor) for tensor in run(traced, *np.float32([1, 2, 3]))] == [1.0, 2.0, 3.0]
