"""Functions of graphs, run through the table of ops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference_impl import functions
from reference_impl.formats import messages
from reference_impl.gradients import gradients
from reference_impl.graph.attributes import FunctionName, array_of, message_of, tensor_message, value_of
from reference_impl.graph.call import Result, call
from reference_impl.graph.interpreter import Graph, run, run_graph
from reference_impl.graph.lists import TensorList
from reference_impl.ops.lookup import LookupTable
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, convert, recording, symbolic
from reference_impl.variables import Variable
from tests.reference import graphs
from tests.reference.graphs import const, function, library, node

X = np.arange(6, dtype=np.float32).reshape(2, 3)
FLOAT, INT, RESOURCE = "float32", "int32", "resource"


def values(found: list[Any]) -> list[Any]:
    return [tensor.value.tolist() for tensor in found]


# -- attributes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("float32", "type"),
        (TensorShape((None, 3)), "shape"),
        (None, "shape"),
        ("not \udcff utf-8", "string"),
        (FunctionName("f"), "func"),
        (1.5, "float"),
        (-3, "int"),
        (True, "bool"),
        ([], "list(int)"),
        (["int32", "string"], "list(type)"),
        ([TensorShape((1,)), None], "list(shape)"),
        ([FunctionName("f"), FunctionName("g")], "list(func)"),
    ],
)
def test_attributes_come_back(value: Any, kind: str) -> None:
    assert value_of(message_of(value, kind), kind) == value


@pytest.mark.parametrize(
    "array",
    [
        np.float32(1.5),
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.array([b"a", b"bc\xff"], object),
        np.array(True),
        np.zeros((0, 3), np.float64),
        np.array([1 + 2j], np.complex64),
        np.array(1.5, np.float16),
        np.array(200, np.uint8),
    ],
)
def test_tensors_come_back(array: Any) -> None:
    found = array_of(tensor_message(array))
    assert found.dtype == np.asarray(array).dtype
    np.testing.assert_array_equal(found, array)


def test_the_last_value_stands_for_the_rest() -> None:
    message = messages.TensorProto(dtype=3, int_val=[7, 8])
    message.tensor_shape.dim.add(size=5)
    assert array_of(message).tolist() == [7, 8, 8, 8, 8]


def test_no_value_stands_for_zeros() -> None:
    message = messages.TensorProto(dtype=7)
    message.tensor_shape.dim.add(size=2)
    assert array_of(message).tolist() == [b"", b""]


# -- functions ---------------------------------------------------------------------------------------------------


def test_only_what_is_reached_is_looked_at() -> None:
    made = function(
        "f",
        {"x": FLOAT},
        {"y": FLOAT},
        [node("never", "ReadFile", ["x"]), node("no", "NoSuchOp", kinds={}), node("n", "Neg", ["x"], T=FLOAT)],
        {"y": "n:y:0"},
    )
    assert values(run("f", library(made), [convert(X)])) == [(-X).tolist()]


def test_outputs_are_found_by_name_and_index() -> None:
    made = function(
        "f",
        {"x": FLOAT},
        {"a": FLOAT, "b": FLOAT},
        [const("axis", np.int32(1)), node("s", "Split", ["axis:output:0", "x"], num_split=3, T=FLOAT)],
        {"a": "s:output:2", "b": "s:output:0"},
    )
    assert values(run("f", library(made), [convert(X)])) == [X[:, 2:].tolist(), X[:, :1].tolist()]


def test_effects_happen_though_no_output_needs_them() -> None:
    made = function(
        "f",
        {"v": RESOURCE, "x": FLOAT},
        {"y": FLOAT},
        [
            node("old", "ReadVariableOp", ["v"], dtype=FLOAT),
            node("add", "AssignAddVariableOp", ["v", "x", "^old"], dtype=FLOAT),
            node("new", "ReadVariableOp", ["v", "^add"], dtype=FLOAT),
            node("late", "AssignSubVariableOp", ["v", "old:value:0", "^new"], dtype=FLOAT),
        ],
        {"y": "new:value:0"},
        {"late": "late"},
    )
    variable = Variable(np.float32(5))
    assert values(run("f", library(made), [variable, convert(np.float32(2))])) == [7.0]
    assert variable.array == 2.0


def loop() -> list[Any]:
    """x, doubled while the counter is below n, and a list of the steps."""
    arguments = {"i": INT, "n": INT, "x": FLOAT, "l": "variant"}
    condition = function("cond", arguments, {"c": "bool"}, [node("less", "Less", ["i", "n"], T=INT)], {"c": "less:z:0"})
    body = function(
        "body",
        arguments,
        {"i2": INT, "n2": INT, "x2": FLOAT, "l2": "variant"},
        [
            const("one", np.int32(1)),
            const("two", np.float32(2)),
            node("next", "AddV2", ["i", "one:output:0"], T=INT),
            node("double", "Mul", ["x", "two:output:0"], T=FLOAT),
            node("set", "TensorListSetItem", ["l", "i", "double:z:0"], element_dtype=FLOAT),
        ],
        {"i2": "next:z:0", "n2": "n", "x2": "double:z:0", "l2": "set:output_handle:0"},
    )
    types = [INT, INT, FLOAT, "variant"]
    main = function(
        "f",
        {"n": INT, "x": FLOAT},
        {"y": FLOAT, "steps": FLOAT},
        [
            const("zero", np.int32(0)),
            const("shape", np.array([3], np.int32)),
            node("list", "TensorListReserve", ["shape:output:0", "n"], element_dtype=FLOAT, shape_type=INT),
            node(
                "while",
                "StatelessWhile",
                ["zero:output:0", "n", "x", "list:handle:0"],
                T=types,
                cond=FunctionName("cond"),
                body=FunctionName("body"),
            ),
            node("stack", "TensorListStack", ["while:output:3", "shape:output:0"], element_dtype=FLOAT),
        ],
        {"y": "while:output:2", "steps": "stack:tensor:0"},
    )
    return [main, condition, body]


def test_a_loop_runs_and_is_differentiated() -> None:
    whole = library(*loop())
    x = convert(np.array([1, 2, 3], np.float32))
    assert values(run("f", whole, [convert(np.int32(3)), x])) == [[8, 16, 24], [[2, 4, 6], [4, 8, 12], [8, 16, 24]]]
    with recording():
        y, steps = run("f", whole, [convert(np.int32(3)), x])
        total = functions.reduce_sum(y) + functions.reduce_sum(steps)
    assert values([gradients(total, [x])[0]]) == [[22, 22, 22]]


def test_a_loop_that_is_not_entered_gives_an_empty_list() -> None:
    y, steps = run("f", library(*loop()), [convert(np.int32(0)), convert(np.ones(3, np.float32))])
    assert y.value.tolist() == [1, 1, 1]
    assert steps.shape == (0, 3)


@pytest.mark.parametrize(("flag", "expected"), [(True, 5.0), (False, -5.0)])
def test_branches(flag: bool, expected: float) -> None:
    same = function("same", {"x": FLOAT}, {"y": FLOAT}, [], {"y": "x"})
    other = graphs.one_node(node("n", "Neg", ["x"], T=FLOAT), {"x": FLOAT}, FLOAT, "n:y:0")
    main = function(
        "main",
        {"c": "bool", "x": FLOAT},
        {"y": FLOAT},
        [
            node(
                "if",
                "If",
                ["c", "x"],
                Tcond="bool",
                Tin=[FLOAT],
                Tout=[FLOAT],
                then_branch=FunctionName("same"),
                else_branch=FunctionName("f"),
            )
        ],
        {"y": "if:output:0"},
    )
    found = run("main", library(main, same, other), [convert(np.array(flag)), convert(np.float32(5))])
    assert values(found) == [expected]


def test_a_node_may_be_named_by_its_function() -> None:
    negative = graphs.one_node(node("n", "Neg", ["x"], T=FLOAT), {"x": FLOAT}, FLOAT, "n:y:0")
    called = messages.NodeDef(name="call", op="f", input=["x"])
    main = function("main", {"x": FLOAT}, {"y": FLOAT}, [called], {"y": "call:y:0"})
    assert values(run("main", library(main, negative), [convert(np.float32(5))])) == [-5.0]


def test_lists_grow_and_shrink() -> None:
    made = function(
        "f",
        {"x": FLOAT},
        {"last": FLOAT, "count": INT, "unset": FLOAT, "rest": "variant"},
        [
            const("any", np.int32(-1)),
            const("three", np.array([3], np.int32)),
            const("size", np.int32(4)),
            node("empty", "EmptyTensorList", ["three:output:0", "any:output:0"], element_dtype=FLOAT, shape_type=INT),
            node("push", "TensorListPushBack", ["empty:handle:0", "x"], element_dtype=FLOAT),
            node("again", "TensorListPushBack", ["push:output_handle:0", "x"], element_dtype=FLOAT),
            node("pop", "TensorListPopBack", ["again:output_handle:0", "three:output:0"], element_dtype=FLOAT),
            node("resize", "TensorListResize", ["again:output_handle:0", "size:output:0"]),
            const("place", np.int32(3)),
            node(
                "get",
                "TensorListGetItem",
                ["resize:output_handle:0", "place:output:0", "three:output:0"],
                element_dtype=FLOAT,
            ),
            node("length", "TensorListLength", ["resize:output_handle:0"]),
        ],
        {"last": "pop:tensor:0", "count": "length:length:0", "unset": "get:item:0", "rest": "pop:output_handle:0"},
    )
    last, count, unset, rest = run("f", library(made), [convert(X[0])])
    assert values([last, count, unset]) == [[0, 1, 2], 4, [0, 0, 0]]
    assert isinstance(rest, TensorList)
    assert values(list(rest.items)) == [[0, 1, 2]]


def table_nodes() -> list[Any]:
    return [
        const("keys", np.array([b"a", b"b"], object)),
        const("numbers", np.array([5, 6], np.int64)),
        const("default", np.int64(-1)),
        node("table", "HashTableV2", key_dtype="string", value_dtype="int64", shared_name="words"),
    ]


def test_tables_are_found_again_by_name() -> None:
    fill = function(
        "fill",
        {},
        {},
        [
            *table_nodes(),
            node(
                "init",
                "InitializeTableV2",
                ["table:table_handle:0", "keys:output:0", "numbers:output:0"],
                Tkey="string",
                Tval="int64",
            ),
        ],
        {},
        {"init": "init"},
    )
    find = function(
        "find",
        {"x": "string"},
        {"y": "int64", "t": RESOURCE},
        [
            *table_nodes(),
            node(
                "find",
                "LookupTableFindV2",
                ["table:table_handle:0", "x", "default:output:0"],
                Tin="string",
                Tout="int64",
            ),
        ],
        {"y": "find:values:0", "t": "table:table_handle:0"},
    )
    whole = library(fill, find)
    assert run("fill", whole, []) == []
    found, table = run("find", whole, [convert(np.array([b"b", b"?"], object))])
    assert found.value.tolist() == [6, -1]
    assert isinstance(table, LookupTable)


def test_tables_of_tensorflow_1() -> None:
    graph = main_graph(
        const("keys", np.array([b"a", b"b"], object)),
        const("numbers", np.array([5, 6], np.int64)),
        const("default", np.int64(-1)),
        node("table", "HashTable", key_dtype="string", value_dtype="int64", shared_name="words"),
        node("init", "InitializeTable", ["table", "keys", "numbers"], Tkey="string", Tval="int64"),
        node("x", "Placeholder", dtype="string"),
        node("find", "LookupTableFind", ["table", "x", "default"], Tin="string", Tout="int64"),
    )
    whole = Graph(graph)
    assert whole.run({}, ["^init"]) == []
    assert values(whole.run({"x:0": np.array([b"b", b"?"], object)}, ["find:0"])) == [[6, -1]]


def test_a_table_is_filled_from_an_asset_and_from_no_other_file() -> None:
    fill = function(
        "fill",
        {"path": "string"},
        {"t": RESOURCE},
        [
            node("table", "HashTableV2", key_dtype="string", value_dtype="int64", shared_name="words"),
            node(
                "init", "InitializeTableFromTextFileV2", ["table:table_handle:0", "path"], key_index=-2, value_index=-1
            ),
        ],
        {"t": "table:table_handle:0"},
        {"init": "init"},
    )
    whole = library(fill, assets={"words.txt": b"a\nb\n"})
    with pytest.raises(ValueError, match=r"node init .*'/etc/passwd' to be read, expected one of the assets"):
        run("fill", whole, [convert(np.array(b"/etc/passwd", object))])
    (table,) = run("fill", whole, [convert(np.array(b"words.txt", object))])
    assert table.entries == {b"a": 0, b"b": 1}


# -- from Python -------------------------------------------------------------------------------------------------


def test_a_call_on_symbolic_tensors_is_a_call() -> None:
    made = graphs.one_node(node("n", "Neg", ["x"], T=FLOAT), {"x": FLOAT}, FLOAT, "n:y:0")
    whole = library(made)
    (found,) = call("f", whole, [symbolic((None, 3))], [], [Result(TensorShape((None, 3)), convert(X).dtype)])
    assert found.symbolic
    assert found.shape == (None, 3)
    assert found.producer is not None
    assert found.producer.op.name == "PartitionedCall"
    assert found.producer.attrs["f"] is whole.function("f")
    assert values(call("f", whole, [convert(X)], [], [])) == [(-X).tolist()]


# -- main graphs -------------------------------------------------------------------------------------------------


def main_graph(*nodes: Any) -> Any:
    return messages.GraphDef(node=list(nodes))


def test_a_main_graph_is_fed_and_fetched() -> None:
    graph = main_graph(
        node("x", "Placeholder", dtype=FLOAT),
        node("w", "VariableV2", dtype=FLOAT, shape=TensorShape(())),
        node("y", "Mul", ["x", "w"], T=FLOAT),
        node("add", "AssignAdd", ["w", "y"], T=FLOAT),
    )
    weights = Variable(np.float32(3))
    found = run_graph(graph, {"x:0": np.float32(2)}, ["y:0", "x", "^add"], {"w": weights})
    assert values(found) == [6.0, 2.0]
    assert weights.array == 9.0


def test_any_tensor_may_be_fed() -> None:
    graph = main_graph(const("c", np.float32(1)), node("n", "Neg", ["c"], T=FLOAT), node("m", "Neg", ["n:0"], T=FLOAT))
    assert values(run_graph(graph, {"n:0": np.float32(5)}, ["m:0"])) == [-5.0]
    assert values(run_graph(graph, {}, ["m:0"])) == [1.0]


@pytest.mark.parametrize(("flag", "expected", "after"), [(True, -4.0, 1.0), (False, 7.0, 0.0)])
def test_conditionals_of_tensorflow_1(flag: bool, expected: float, after: float) -> None:
    graph = main_graph(
        node("p", "Placeholder", dtype="bool"),
        node("x", "Placeholder", dtype=FLOAT),
        node("count", "VariableV2", dtype=FLOAT, shape=TensorShape(())),
        node("switch", "Switch", ["p", "p"], T="bool"),
        node("no", "Identity", ["switch:0"], T="bool"),
        node("yes", "Identity", ["switch:1"], T="bool"),
        node("data", "Switch", ["x", "p"], T=FLOAT),
        node("n", "Neg", ["data:1"], T=FLOAT),
        const("one", np.float32(1)),
        node("add", "AssignAdd", ["count", "one", "^yes"], T=FLOAT),
        node("taken", "Identity", ["n", "^add"], T=FLOAT),
        const("seven", np.float32(7)),
        node("other", "Identity", ["seven", "^no"], T=FLOAT),
        node("merge", "Merge", ["other", "taken"], T=FLOAT, N=2),
    )
    count = Variable(np.float32(0))
    whole = Graph(graph, {"count": count})
    feeds = {"p:0": np.array(flag), "x:0": np.float32(4)}
    assert values(whole.run(feeds, ["merge:0", "merge:1"])) == [expected, int(flag)]
    assert count.array == after
    with pytest.raises(ValueError, match=r"no value of 'data:.': it is in a branch not taken"):
        whole.run(feeds, [f"data:{int(not flag)}"])


def test_results_remember_variables() -> None:
    made = function(
        "f",
        {"v": RESOURCE, "i": INT},
        {"y": FLOAT},
        [node("rows", "ResourceGather", ["v", "i"], dtype=FLOAT, Tindices=INT)],
        {"y": "rows:output:0"},
    )
    variable = Variable(X)
    with recording():
        (found,) = run("f", library(made), [variable, convert(np.array([1, 1], np.int32))])
        total = functions.reduce_sum(found)
    (gradient,) = gradients(total, [variable])
    assert gradient is not None
    assert gradient.value.tolist() == [[0, 0, 0], [2, 2, 2]]


def test_constants_cannot_be_written_into() -> None:
    made = function("f", {}, {"y": FLOAT}, [const("c", X)], {"y": "c:output:0"})
    whole = library(made)
    (first,) = run("f", whole, [])
    assert isinstance(first, Tensor)
    first.numpy()[0, 0] = 99
    assert values(run("f", whole, [])) == [X.tolist()]
