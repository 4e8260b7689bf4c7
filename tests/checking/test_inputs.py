"""Generated inputs and targets: the right shapes, dtypes and ranges, and the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.checking.evidence import Evidence
from conformance.checking.inputs import InputsError, candidates, given_inputs, read_inputs, targets
from conformance.protocol.results import TensorInfo


def inputs(*tensors: tuple[Any, str], config: dict[str, Any] | None = None) -> list[list[np.ndarray]]:
    named = [TensorInfo(f"x{i}", shape, dtype) for i, (shape, dtype) in enumerate(tensors)]
    return candidates(named, Evidence("load.hdf5", config=config or {}))


def embedding(size: int, *inbound: Any) -> dict[str, Any]:
    return {"class_name": "Embedding", "config": {"input_dim": size}, "inbound_nodes": list(inbound)}


def test_known_sizes_are_kept_and_the_batch_is_two() -> None:
    ((array,),) = inputs(((None, 3, 5), "float32"))
    assert (array.shape, array.dtype.name) == ((2, 3, 5), "float32")
    assert -1 <= array.min() < 0 < array.max() <= 1
    assert inputs(((7, 3), "float32"))[0][0].shape == (7, 3)  # a stateful model's own batch


def test_unknown_sizes_are_tried_in_turn() -> None:
    assert [each[0].shape for each in inputs(((None, None, 3), "float32"))] == [(2, 8, 3), (2, 32, 3), (2, 128, 3)]
    assert inputs((None, "float32")) == []
    assert inputs() == []


def test_the_same_numbers_every_time_and_others_for_each_input() -> None:
    first, again = (inputs(((None, 4), "float32"), ((None, 4), "float32"))[0] for _ in range(2))
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32", "uint8", "bool", "float64"])
def test_dtypes(dtype: str) -> None:
    assert inputs(((None, 50), dtype))[0][0].dtype.name == dtype


def test_strings() -> None:
    ((array,),) = inputs(((None, 50), "string"))
    assert {type(text) for text in array.ravel()} == {bytes}


@pytest.mark.parametrize(
    ("dtype", "config"),
    [
        ("float32", {"config": {"layers": [{"class_name": "InputLayer"}, embedding(5)]}}),
        (
            "int32",
            {"config": {"layers": [embedding(9), {"class_name": "Model", "config": {"layers": [embedding(5)]}}]}},
        ),
        ("float32", {"config": {"layers": [embedding(5, [["x0", 0, 0, {}]])]}}),
        ("float32", {"config": {"layers": [embedding(5, {"args": [{"keras_history": ["x0", 0, 0]}]})]}}),
    ],
)
def test_what_an_embedding_looks_up_is_within_it(dtype: str, config: dict[str, Any]) -> None:
    ((array,),) = inputs(((None, 100), dtype), config=config)
    assert set(np.unique(array)) == {0, 1, 2, 3, 4}


def test_an_input_beside_an_embedding_is_not_bound_by_it() -> None:
    config = {"config": {"layers": [embedding(5, [["x1", 0, 0, {}]])]}}
    ((free, bound),) = inputs(((None, 100), "float32"), ((None, 100), "float32"), config=config)
    assert len(np.unique(free)) > 100
    assert len(np.unique(bound)) == 5


def test_given_inputs_go_by_name_or_else_by_order(tmp_path: Path) -> None:
    file = tmp_path / "x.npz"
    np.savez(file, b=np.ones(1), a=np.zeros(1))
    given = read_inputs(file)
    tensors = [TensorInfo(name, (None, 1), "float32") for name in "ab"]
    assert [array.item() for array in given_inputs(given, tensors)] == [0, 1]
    assert [array.item() for array in given_inputs(given, [])] == [1, 0]


def test_text_among_given_inputs_becomes_bytes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", text=np.array([["é", "b"]]))
    assert read_inputs(tmp_path / "x.npz")["text"].tolist() == [["é".encode(), b"b"]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("text", "cannot be read as .npz"),
        ("array", "is one array"),
        ("pickle", "cannot be read"),
        ("none", "no arrays"),
    ],
)
def test_bad_inputs_are_refused(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "x.npz"
    with file.open("wb") as stream:
        {
            "text": lambda: stream.write(b"text"),
            "array": lambda: np.save(stream, np.ones(2)),
            "pickle": lambda: np.savez(stream, a=np.array([object()], object)),
            "none": lambda: np.savez(stream),
        }[content]()
    with pytest.raises(InputsError, match=problem) as caught:
        read_inputs(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "shape", "dtype", "values"),
    [
        ("sparse_categorical_crossentropy", (2,), "int32", {0, 1, 2}),
        ({"class_name": "SparseCategoricalCrossentropy"}, (2,), "int32", {0, 1, 2}),
        ("categorical_crossentropy", (2, 3), "float32", {0, 1}),
        (["binary_crossentropy"], (2, 3), "float32", {0, 1}),
        ("mse", (2, 3), "float32", None),
        (None, (2, 3), "float32", None),
    ],
)
def test_targets_are_such_as_the_loss_takes(loss: Any, shape: tuple[int, ...], dtype: str, values: set[int]) -> None:
    evidence = Evidence("load.hdf5", training={"loss": loss})
    steps = targets([np.zeros((2, 3), "float32")], evidence, 2)
    for (array,) in steps:
        assert (array.shape, array.dtype.name) == (shape, dtype)
        assert values is None or set(np.unique(array)) <= values
    assert not np.array_equal(steps[0][0], steps[1][0]) or values is not None
