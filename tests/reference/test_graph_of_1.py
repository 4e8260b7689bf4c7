"""Loops, arrays and stacks as graphs of TensorFlow 1 have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.graph.interpreter import Graph, run
from reference_impl.tensors import convert
from tests.reference.graphs import const, function, library, node

FLOAT, INT, BOOL = "float32", "int32", "bool"


def enter(name: str, given: str, dtype: str, frame: str = "loop", constant: bool = False) -> Any:
    return node(name, "Enter", [given], T=dtype, frame_name=frame, is_constant=constant)


def variable(name: str, dtype: str, first: str, following: str, test: str, frame: str = "loop") -> list[Any]:
    """The nodes of a loop's variable: ``name_in`` is its value in the body, ``name_out`` behind the loop."""
    return [
        enter(f"{name}_first", first, dtype, frame),
        node(name, "Merge", [f"{name}_first", f"{name}_next"], T=dtype, N=2),
        node(f"{name}_switch", "Switch", [name, test], T=dtype),
        node(f"{name}_out", "Exit", [f"{name}_switch"], T=dtype),
        node(f"{name}_in", "Identity", [f"{name}_switch:1"], T=dtype),
        node(f"{name}_next", "NextIteration", [following], T=dtype),
    ]


def counted(most: int, body: Sequence[Any], following: str, frame: str = "loop", prefix: str = "") -> list[Any]:
    """``y`` from ``x``, ``most`` times: ``body`` makes ``following`` of ``y_in`` and the number ``i_in``."""
    p = prefix
    return [
        const(f"{p}zero", np.int32(0)),
        const(f"{p}most", np.int32(most)),
        const(f"{p}one", np.int32(1)),
        enter(f"{p}most_in", f"{p}most", INT, frame, constant=True),
        enter(f"{p}one_in", f"{p}one", INT, frame, constant=True),
        *variable(f"{p}i", INT, f"{p}zero", f"{p}i_more", f"{p}test", frame),
        node(f"{p}i_more", "AddV2", [f"{p}i_in", f"{p}one_in"], T=INT),
        node(f"{p}less", "Less", [f"{p}i", f"{p}most_in"], T=INT),
        node(f"{p}test", "LoopCond", [f"{p}less"]),
        *body,
        *variable(f"{p}y", FLOAT, following if p else "x", following, f"{p}test", frame),
    ]


def doubling(most: int) -> list[Any]:
    body = [node("twice", "AddV2", ["y_in", "y_in"], T=FLOAT)]
    return [node("x", "Placeholder", dtype=FLOAT), *counted(most, body, "twice")]


def given(nodes: Sequence[Any], *fetches: str, **feeds: Any) -> list[Any]:
    graph = Graph(messages.GraphDef(node=list(nodes)), place="folder")
    return [found.value.tolist() for found in graph.run({f"{key}:0": value for key, value in feeds.items()}, fetches)]


@pytest.mark.parametrize("times", [0, 1, 5])
def test_a_loop_runs_as_often_as_its_condition_says(times: int) -> None:
    assert given(doubling(times), "y_out:0", "i_out:0", x=np.float32(3)) == [3.0 * 2**times, times]


def test_a_loop_in_a_loop() -> None:
    """The inner one adds the outer one's number three times, so that after four rounds it is 3 * (0 + 1 + 2 + 3)."""
    inner = [
        node("j", "Cast", ["i_in"], SrcT=INT, DstT=FLOAT),
        const("b_zero", np.int32(0)),
        const("b_most", np.int32(3)),
        const("b_one", np.int32(1)),
        enter("b_most_in", "b_most", INT, "inner", constant=True),
        enter("b_one_in", "b_one", INT, "inner", constant=True),
        enter("j_in", "j", FLOAT, "inner", constant=True),
        *variable("b_i", INT, "b_zero", "b_i_more", "b_test", "inner"),
        node("b_i_more", "AddV2", ["b_i_in", "b_one_in"], T=INT),
        node("b_less", "Less", ["b_i", "b_most_in"], T=INT),
        node("b_test", "LoopCond", ["b_less"]),
        *variable("b_y", FLOAT, "y_in", "b_more", "b_test", "inner"),
        node("b_more", "AddV2", ["b_y_in", "j_in"], T=FLOAT),
    ]
    nodes = [node("x", "Placeholder", dtype=FLOAT), *counted(4, inner, "b_y_out")]
    assert given(nodes, "y_out:0", x=np.float32(0.5)) == [18.5]


def test_a_loop_in_a_branch_that_is_not_taken_does_not_run() -> None:
    loop = [*doubling(3)[1:]]
    for made in loop:
        made.input[:] = ["taken:1" if name == "x" else name for name in made.input]
    nodes = [
        node("x", "Placeholder", dtype=FLOAT),
        node("p", "Placeholder", dtype=BOOL),
        node("taken", "Switch", ["x", "p"], T=FLOAT),
        *loop,
        node("joined", "Merge", ["taken", "y_out"], T=FLOAT, N=2),
    ]
    assert given(nodes, "joined:0", x=np.float32(1), p=np.array(True)) == [8.0]
    assert given(nodes, "joined:0", x=np.float32(1), p=np.array(False)) == [1.0]


def test_a_loop_in_a_function() -> None:
    """There tensors are named by the outputs of nodes."""
    nodes = doubling(2)[1:]
    outputs = {"Switch": {"": "output_false:0", "1": "output_true:0"}, "Less": {"": "z:0"}, "AddV2": {"": "z:0"}}
    ops = {made.name: made.op for made in nodes}

    def named(text: str) -> str:
        name, _, index = text.partition(":")
        return text if name not in ops else f"{name}:{outputs.get(ops[name], {}).get(index, 'output:0')}"

    for made in nodes:
        made.input[:] = [named(text) for text in made.input]
    whole = function("f", {"x": FLOAT}, {"y": FLOAT}, nodes, {"y": "y_out:output:0"})
    assert run("f", library(whole), [convert(np.float32(3))])[0].value == 12


def test_what_goes_wrong_in_the_body_is_said_of_its_node() -> None:
    body = [
        node("checked", "CheckNumerics", ["y_in"], T=FLOAT, message="y"),
        node("twice", "AddV2", ["checked", "checked"], T=FLOAT),
    ]
    nodes = [node("x", "Placeholder", dtype=FLOAT), *counted(200, body, "twice")]
    with pytest.raises(LoadError, match=r"folder: function \(main graph\)/loop/body: node checked \(CheckNumerics\)"):
        given(nodes, "y_out:0", x=np.float32(1))


@pytest.mark.parametrize("missing", ["test", "y_next", "y_switch"])
def test_a_loop_that_lacks_a_part_is_refused(missing: str) -> None:
    nodes = [made for made in doubling(2) if made.name != missing]
    with pytest.raises(LoadError, match=r"function \(main graph\).*(part of a loop of TensorFlow 1|found the input)"):
        given(nodes, "y_out:0", x=np.float32(1))


def test_a_loop_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_impl.graph import control_flow

    monkeypatch.setattr(control_flow, "MOST_STEPS", 100)
    with pytest.raises(LoadError, match=r"node loop \(loop\) \(While\): found a loop of more than 100 steps"):
        given(doubling(1 << 30), "y_out:0", x=np.float32(0))


# -- arrays and stacks -------------------------------------------------------------------------------------------


def arrays(*nodes: Any, size: int = 3, **attrs: Any) -> list[Any]:
    return [
        node("x", "Placeholder", dtype=FLOAT),
        const("size", np.int32(size)),
        *(const(f"i{i}", np.int32(i)) for i in range(5)),
        const("all", np.arange(size, dtype=np.int32)),
        node("array", "TensorArrayV3", ["size"], dtype=FLOAT, **attrs),
        *nodes,
    ]


def written(place: int, flow: str = "array:1", name: str = "w") -> Any:
    return node(name, "TensorArrayWriteV3", ["array", f"i{place}", "x", flow], T=FLOAT)


X = np.array([1, 2], np.float32)


def test_an_array_gives_what_was_written() -> None:
    nodes = arrays(
        written(1),
        node("read", "TensorArrayReadV3", ["array", "i1", "w"], dtype=FLOAT),
        node("whole", "TensorArrayGatherV3", ["array", "all", "w"], dtype=FLOAT),
        node("count", "TensorArraySizeV3", ["array", "w"]),
        element_shape=(2,),
    )
    assert given(nodes, "read:0", "whole:0", "count:0", x=X) == [[1, 2], [[0, 0], [1, 2], [0, 0]], 3]


def test_an_array_grows_where_it_may() -> None:
    count = node("count", "TensorArraySizeV3", ["array", "w"])
    assert given(arrays(written(4), count, dynamic_size=True), "count:0", x=X) == [5]
    with pytest.raises(LoadError, match=r"node w \(TensorArrayWriteV3\): found the index 4 into an array of 3 tensors"):
        given(arrays(written(4), count), "count:0", x=X)


def test_a_tensor_is_split_and_joined() -> None:
    nodes = arrays(
        const("lengths", np.array([1, 0, 1], np.int64)),
        node("w", "TensorArraySplitV3", ["array", "x", "lengths", "array:1"], T=FLOAT),
        node("joined", "TensorArrayConcatV3", ["array", "w"], dtype=FLOAT),
    )
    assert given(nodes, "joined:0", "joined:1", x=X) == [[1, 2], [1, 0, 1]]


def test_gradients_that_are_written_twice_are_added() -> None:
    nodes = arrays(
        written(0),
        node("of", "TensorArrayGradV3", ["array", "w"], source="g"),
        node("g1", "TensorArrayWriteV3", ["of", "i0", "x", "of:1"], T=FLOAT),
        node("g2", "TensorArrayWriteV3", ["of", "i0", "x", "g1"], T=FLOAT),
        node("read", "TensorArrayReadV3", ["of", "i0", "g2"], dtype=FLOAT),
    )
    assert given(nodes, "read:0", x=X) == [[2, 4]]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            [written(0), node("n", "TensorArrayWriteV3", ["array", "i0", "x", "w"], T=FLOAT)],
            r"node n \(TensorArrayWriteV3\): found a second value for the tensor 0",
        ),
        (
            [node("n", "TensorArrayReadV3", ["array", "i0", "array:1"], dtype=FLOAT)],
            r"node n \(TensorArrayReadV3\): found nothing in place 0",
        ),
        (
            [node("n", "TensorArrayReadV3", ["array", "i4", "array:1"], dtype=FLOAT)],
            r"node n \(TensorArrayReadV3\): found the index 4",
        ),
    ],
)
def test_what_an_array_has_not_is_not_read(made: list[Any], message: str) -> None:
    with pytest.raises(LoadError, match=message):
        given(arrays(*made), "n:0", x=X)


def test_an_array_of_an_absurd_size_is_refused() -> None:
    nodes = [const("size", np.int32(1 << 30)), node("array", "TensorArrayV3", ["size"], dtype=FLOAT)]
    with pytest.raises(LoadError, match=r"node array \(TensorArrayV3\): found an array of 1073741824 tensors"):
        given(nodes, "array:1")


def test_a_stack_gives_the_last_first() -> None:
    nodes = [
        node("x", "Placeholder", dtype=FLOAT),
        const("size", np.int32(-1)),
        node("stack", "StackV2", ["size"], elem_type=FLOAT),
        node("a", "StackPushV2", ["stack", "x"], T=FLOAT),
        node("twice", "AddV2", ["a", "a"], T=FLOAT),
        node("b", "StackPushV2", ["stack", "twice"], T=FLOAT),
        node("first", "StackPopV2", ["stack", "^b"], elem_type=FLOAT),
        node("second", "StackPopV2", ["stack", "^first"], elem_type=FLOAT),
        node("third", "StackPopV2", ["stack", "^second"], elem_type=FLOAT),
    ]
    assert given(nodes, "first:0", "second:0", x=X) == [[2, 4], [1, 2]]
    with pytest.raises(LoadError, match=r"node third \(StackPopV2\): found an empty stack"):
        given(nodes, "third:0", x=X)
