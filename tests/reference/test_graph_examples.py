"""Serialized ``tf.Example`` messages, read by a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.graph.interpreter import Graph
from reference_impl.ops.strings import strings
from reference_impl.shapes import TensorShape
from tests.reference.graphs import const, node

FIELDS = {float: "float_list", int: "int64_list", bytes: "bytes_list"}


def example(**features: list[Any]) -> bytes:
    message = messages.Example()
    for name, values in features.items():
        getattr(message.features.feature[name], FIELDS[type(values[0])]).value.extend(values)
    return messages.serialize(message)


FIRST, SECOND = example(a=[1.0, 2.0], b=[b"x", b"y"], c=[3]), example(a=[3.0, 4.0], c=[5, 6])


def parsed(serialized: Any, default: Any = ()) -> list[Any]:
    """``a`` dense, ``b`` sparse, ``c`` ragged: indices, values and shape of b; a; values and row splits of c."""
    nodes = [
        node("s", "Placeholder", dtype="string"),
        const("none", strings([], (0,))),
        *(const(name, strings([name.encode()], (1,))) for name in "abc"),
        const("default", np.array(default, np.float32)),
        node(
            "n",
            "ParseExampleV2",
            ["s", "none", "b", "a", "c", "default"],
            Tdense=["float32"],
            num_sparse=1,
            sparse_types=["string"],
            ragged_value_types=["int64"],
            ragged_split_types=["int32"],
            dense_shapes=[TensorShape((2,))],
        ),
    ]
    graph = Graph(messages.GraphDef(node=nodes), place="folder")
    return [found.value.tolist() for found in graph.run({"s:0": serialized}, [f"n:{place}" for place in range(6)])]


def test_a_batch_of_examples() -> None:
    assert parsed(strings([FIRST, SECOND], (2,))) == [
        [[0, 0], [0, 1]],
        [b"x", b"y"],
        [2, 2],
        [[1, 2], [3, 4]],
        [3, 5, 6],
        [0, 1, 3],
    ]


def test_a_single_example_has_no_axis_of_the_batch() -> None:
    assert parsed(strings([FIRST], ())) == [[[0], [1]], [b"x", b"y"], [2], [1, 2], [3], []]


def test_a_default_stands_for_what_is_missing() -> None:
    assert parsed(strings([example(c=[1])], (1,)), [7.0, 8.0])[3] == [[7, 8]]


@pytest.mark.parametrize(
    ("serialized", "message"),
    [
        (example(c=[1]), r"feature b'a': found an example without it, and no default"),
        (example(a=[1]), r"feature 'a': found a int64_list, expected values of dtype float32"),
        (example(a=[1.0, 2.0, 3.0]), r"feature b'a': found 3 values, expected a tensor of shape \[2\]"),
        (b"\xff\xff", r"found a string that is no tf.Example"),
    ],
)
def test_an_example_that_does_not_fit_is_refused(serialized: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=r"folder: function \(main graph\): node n \(ParseExampleV2\): " + message):
        parsed(strings([serialized], (1,)))
