"""Graphs that cannot be run: each is refused with an error that names the function and the node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.graph.attributes import FunctionName
from reference_impl.graph.function import Library
from reference_impl.graph.interpreter import Graph, run
from reference_impl.tensors import convert
from reference_impl.variables import Variable
from tests.reference.graphs import call, const, function, library, node, one_node

FLOAT, INT = "float32", "int32"
X = {"x": FLOAT}


def neg(name: str, given: str = "x", **more: Any) -> Any:
    return node(name, "Neg", [given], T=FLOAT, **more)


def single(*nodes: Any, output: str = "n:y:0", dtype: str = FLOAT) -> Library:
    return library(function("f", X, {"y": dtype}, list(nodes), {"y": output}))


def large_constant() -> Any:
    made = const("n", np.float32(1))
    for _ in range(3):
        made.attr["value"].tensor.tensor_shape.dim.add(size=1 << 20)
    return made


def without(made: Any, attribute: str) -> Any:
    del made.attr[attribute]
    return made


def with_input(made: Any, *inputs: str) -> Any:
    made.input[:] = inputs
    return made


def unknown_op() -> Any:
    return messages.NodeDef(name="n", op="Frobnicate", input=["x"])


def wrong_kind() -> Any:
    made = neg("n")
    made.attr["T"].i = 3
    return made


def strange_dtype() -> Any:
    made = neg("n")
    made.attr["T"].type = 77
    return made


def short_bytes() -> Any:
    made = const("n", np.zeros(4, np.float32))
    made.attr["value"].tensor.tensor_content = b"123"
    return made


def deep() -> Library:
    chain = [
        function(f"f{i}", X, {"y": FLOAT}, [call("n", ["x"], [FLOAT], [FLOAT], f"f{i + 1}")], {"y": "n:output:0"})
        for i in range(300)
    ]
    return library(
        function("f", X, {"y": FLOAT}, [call("n", ["x"], [FLOAT], [FLOAT], "f0")], {"y": "n:output:0"}), *chain
    )


def doubling() -> Library:
    """Each function calls the next one twice: few bytes, many nodes."""
    steps = [
        function(
            "f" if i == 0 else f"f{i}",
            X,
            {"y": FLOAT},
            [
                call("a", ["x"], [FLOAT], [FLOAT], f"f{i + 1}"),
                call("b", ["a:output:0"], [FLOAT], [FLOAT], f"f{i + 1}"),
            ],
            {"y": "b:output:0"},
        )
        for i in range(60)
    ]
    return library(*steps, function("f60", X, {"y": FLOAT}, [neg("n")], {"y": "n:y:0"}))


def recursive(*names: str) -> Library:
    return library(
        *(
            function(name, X, {"y": FLOAT}, [call("n", ["x"], [FLOAT], [FLOAT], following)], {"y": "n:output:0"})
            for name, following in zip(names, (*names[1:], names[0]), strict=True)
        )
    )


def called_with(given: list[str], wanted: list[str]) -> Library:
    inner = function("g", X, {"y": FLOAT}, [], {"y": "x"})
    outer = call("n", ["x"] * len(given), given, wanted, "g")
    return library(function("f", X, {"y": FLOAT}, [outer], {"y": "n:output:0"}), inner)


def branches(then: str) -> Library:
    chosen: dict[str, Any] = {"then_branch": FunctionName(then), "else_branch": FunctionName("same")}
    made = node("n", "If", ["x", "x"], Tcond=FLOAT, Tin=[FLOAT], Tout=[FLOAT], **chosen)
    same = function("same", X, {"y": FLOAT}, [], {"y": "x"})
    reading = function(
        "reading",
        X,
        {"y": FLOAT},
        [const("p", np.array(b"/etc/passwd", object)), node("read", "ReadFile", ["p:output:0"]), neg("m", "x")],
        {"y": "m:y:0"},
        {"read": "read"},
    )
    return library(function("f", X, {"y": FLOAT}, [made], {"y": "n:output:0"}), same, reading)


PLANNED: dict[str, tuple[Callable[[], Library], str]] = {
    "unknown op": (lambda: single(unknown_op()), r"function f: node n \(Frobnicate\): Frobnicate is no op"),
    "op that reads files": (
        lambda: single(
            node("n", "ReadFile", ["p:output:0"]),
            const("p", np.array(b"x", object)),
            output="n:contents:0",
            dtype="string",
        ),
        r"function f: node n \(ReadFile\): found an op that reads or writes files",
    ),
    "op that runs Python": (
        lambda: single(
            node("n", "EagerPyFunc", ["x"], token="pyfunc_0", Tin=[FLOAT], Tout=[FLOAT]), output="n:output:0"
        ),
        r"node n \(EagerPyFunc\): found an op that runs Python",
    ),
    "a branch that reads files": (lambda: branches("reading"), r"function reading: node read \(ReadFile\)"),
    "missing function": (lambda: branches("absent"), r"function absent: found no such function"),
    "input of nothing": (lambda: single(neg("n", "absent:y:0")), r"node n \(Neg\): found the input 'absent:y:0'"),
    "input of no output": (
        lambda: single(neg("n", "m:z:0"), neg("m")),
        r"node n \(Neg\): found the input 'm:z:0', of a node that has no such output",
    ),
    "input that is no name": (
        lambda: single(neg("n", "a:b:c:d")),
        r"node n \(Neg\): found the input 'a:b:c:d', expected",
    ),
    "too few inputs": (lambda: single(with_input(neg("n"))), r"node n \(Neg\): found 0 inputs, expected 1"),
    "another dtype": (
        lambda: single(node("n", "Neg", ["x"], T=INT), dtype=INT),
        r"node n \(Neg\): found the input 'x' of dtype float32, expected int32",
    ),
    "attribute missing": (lambda: single(without(neg("n"), "T")), r"node n \(Neg\): found no attribute T"),
    "attribute of another kind": (
        lambda: single(wrong_kind()),
        r"node n \(Neg\): attribute T: found an attribute that holds",
    ),
    "attribute that is none": (
        lambda: single(neg("n", kinds={"extra": "int"}, extra=1)),
        r"node n \(Neg\): found the attribute extra",
    ),
    "dtype that is none": (lambda: single(strange_dtype()), r"node n \(Neg\): attribute T: found dtype number 77"),
    "constant too large": (
        lambda: single(large_constant(), output="n:output:0"),
        r"node n \(Const\): attribute value: found a tensor of shape \[1048576, 1048576, 1048576\]",
    ),
    "constant of too few bytes": (
        lambda: single(short_bytes(), output="n:output:0"),
        r"node n \(Const\): attribute value: found 3 bytes for 4 elements",
    ),
    "node that needs itself": (
        lambda: single(neg("n", "m:y:0"), neg("m", "n:y:0")),
        r"function f: node . \(Neg\): found a node that needs its own result",
    ),
    "function that calls itself": (
        lambda: recursive("f"),
        r"function f: found a function that calls itself \(f -> f\)",
    ),
    "functions that call each other": (lambda: recursive("f", "g", "h"), r"calls itself \(f -> g -> h -> f\)"),
    "functions too deep": (deep, r"more than 100 deep"),
    "call that never ends": (doubling, r"found a call that runs \d+ nodes"),
    "call with too many arguments": (
        lambda: called_with([FLOAT, FLOAT], [FLOAT]),
        r"node n \(PartitionedCall\): f=g: found 1 arguments \(float32\), expected 2",
    ),
    "call with other outputs": (lambda: called_with([FLOAT], [FLOAT, INT]), r"f=g: found 1 outputs .*, expected 2"),
    "output of another dtype": (
        lambda: library(one_node(neg("n"), X, INT, "n:y:0")),
        r"function f: found the output 'y' of dtype float32, expected int32",
    ),
    "output of nothing": (lambda: single(neg("n"), output="m:y:0"), r"function f: found the input 'm:y:0'"),
    "output not said": (
        lambda: library(function("f", X, {"y": FLOAT}, [neg("n")], {})),
        r"function f: found no tensor for the output 'y'",
    ),
    "two nodes of a name": (lambda: single(neg("n"), neg("n")), r"function f: found two nodes named 'n'"),
    "loop of TensorFlow 1": (
        lambda: single(node("n", "Enter", ["x"], T=FLOAT, frame_name="loop"), output="n:output:0"),
        r"node n \(Enter\): found an op that is part of a loop of TensorFlow 1",
    ),
}


@pytest.mark.parametrize("name", PLANNED)
def test_refused_before_anything_runs(name: str) -> None:
    made, expected = PLANNED[name]
    with pytest.raises(LoadError, match=expected):
        run("f", made(), [convert(np.float32(1))])


def huge(op: str, inputs: dict[str, Any], output: str, **attrs: Any) -> Library:
    constants = [const(name, value) for name, value in inputs.items()]
    made = node("n", op, [f"{name}:output:0" for name in inputs], **attrs)
    return single(*constants, made, output=f"n:{output}:0")


ONE, TENS = np.float32(1), np.array([1 << 20, 1 << 20], np.int32)
HUGE: dict[str, Callable[[], Library]] = {
    "Fill": lambda: huge("Fill", {"d": TENS, "v": ONE}, "output", T=FLOAT),
    "BroadcastTo": lambda: huge("BroadcastTo", {"v": ONE, "d": TENS}, "output", T=FLOAT),
    "Tile": lambda: huge("Tile", {"v": np.ones((1, 1), np.float32), "m": TENS}, "output", T=FLOAT),
    "Range": lambda: huge("Range", {"a": ONE, "b": np.float32(1e30), "c": ONE}, "output", Tidx=FLOAT),
    "Pad": lambda: huge(
        "Pad", {"v": np.ones(1, np.float32), "p": np.array([[0, 1 << 30]], np.int32)}, "output", T=FLOAT
    ),
    "RandomUniform": lambda: huge("RandomUniform", {"d": TENS}, "output", T=INT, dtype=FLOAT),
    "TensorListReserve": lambda: library(
        function(
            "f",
            X,
            {"y": "variant"},
            [
                const("s", np.array([1], np.int32)),
                const("c", np.int32(1 << 30)),
                node("n", "TensorListReserve", ["s:output:0", "c:output:0"], element_dtype=FLOAT, shape_type=INT),
            ],
            {"y": "n:handle:0"},
        )
    ),
}


@pytest.mark.parametrize("op", HUGE)
def test_absurd_sizes_are_refused(op: str) -> None:
    with pytest.raises(LoadError, match=rf"function f: node n \({op}\): found a (tensor|list) of"):
        run("f", HUGE[op](), [convert(np.float32(1))])


def test_values_that_do_not_fit_name_the_node() -> None:
    made = one_node(node("n", "MatMul", ["x", "x"], T=FLOAT), X, FLOAT, "n:product:0")
    with pytest.raises(LoadError, match=r"folder: function f: node n \(MatMul\)"):
        run("f", library(made, place="folder"), [convert(np.ones((2, 3), np.float32))])


@pytest.mark.parametrize(("indices", "batch_dims"), [([0, -1], 0), ([0, 2], 0), ([[0, -1]], 1), ([[0, 3]], 1)])
def test_places_outside_of_a_tensor_are_refused(indices: Any, batch_dims: int) -> None:
    """As TensorFlow on a CPU does; NumPy would count negative ones from the end."""
    params = np.zeros((1, 3) if batch_dims else (2, 3), np.float32)
    made = node("n", "GatherV2", ["p:output:0", "i:output:0", "a:output:0"], Tparams=FLOAT, Tindices=INT, Taxis=INT, batch_dims=batch_dims)  # fmt: skip
    constants = [const("p", params), const("i", np.array(indices, np.int32)), const("a", np.int32(batch_dims))]
    with pytest.raises(LoadError, match=r"function f: node n \(GatherV2\): .*ind"):
        run("f", single(*constants, made, output="n:output:0"), [convert(np.float32(1))])


def test_assertions_say_what_the_graph_says() -> None:
    made = function(
        "f",
        {"ok": "bool"},
        {"y": "bool"},
        [const("text", np.array(b"x must be", object)), node("a", "Assert", ["ok", "text:output:0"], T=["string"])],
        {"y": "ok"},
        {"a": "a"},
    )
    assert run("f", library(made), [convert(np.array(True))])[0].value
    with pytest.raises(LoadError, match=r"node a \(Assert\): assertion failed: x must be"):
        run("f", library(made), [convert(np.array(False))])


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], r"function f: found 0 arguments, expected 1: captures included"),
        ([convert(np.int32(1))], r"function f: found the argument 'x' of dtype int32, expected float32"),
        ([Variable(np.float32(1))], r"function f: found the argument 'x' of dtype resource, expected float32"),
    ],
)
def test_arguments_must_fit(args: list[Any], expected: str) -> None:
    with pytest.raises(LoadError, match=expected):
        run("f", single(neg("n")), args)


def test_a_variable_of_another_dtype_is_refused() -> None:
    made = one_node(node("n", "ReadVariableOp", ["v"], dtype=FLOAT), {"v": "resource"}, FLOAT, "n:value:0")
    with pytest.raises(
        LoadError, match=r"node n \(ReadVariableOp\): found the variable .* of dtype int32, expected float32"
    ):
        run("f", library(made), [Variable(np.int32(1))])


def test_a_placeholder_must_be_fed_and_a_variable_known() -> None:
    graph = Graph(
        messages.GraphDef(
            node=[
                node("x", "Placeholder", dtype=FLOAT),
                node("v", "VarHandleOp", dtype=FLOAT, shape=None, shared_name="w"),
            ]
        )
    )
    with pytest.raises(LoadError, match=r"\(main graph\): node x \(Placeholder\): .* expected it to be fed"):
        graph.run({}, ["x:0"])
    with pytest.raises(LoadError, match=r"node v \(VarHandleOp\): found no value for the variable 'w'"):
        graph.run({}, ["v:0"])


def test_two_functions_of_a_name_are_refused() -> None:
    made = function("f", X, {"y": FLOAT}, [], {"y": "x"})
    with pytest.raises(LoadError, match="found two functions of this name"):
        library(made, made)
