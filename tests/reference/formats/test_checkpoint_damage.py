"""Damaged checkpoints: either the right values or one typed error that names the place, and nothing restored."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_impl as keras
from reference_impl.checkpoint_api import load_checkpoint
from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.checkpoint import Bundle, object_graph, write_bundle
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY

X = np.sin(np.arange(8, dtype="float32")).reshape(2, 4)
FILES = ("c.index", "c.data-00000-of-00002", "c.data-00001-of-00002")


def model() -> Any:
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")])
    made.compile("adam", "mse")
    made.train_on_batch(X, X[:, :2])
    return made


def state(made: Any) -> list[bytes]:
    return [np.asarray(v.array).tobytes() for v in (*made.weights, *made.optimizer.weights)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes], Any, list[bytes]]:
    """A checkpoint in two shards, with a tensor in parts; what it holds; a live model, and what that holds."""
    folder = tmp_path_factory.mktemp("damage")
    made = model()
    kernel = "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    halves = [((0, 2), (0, -1)), ((2, 2), (0, -1))]
    write_bundle(folder / "c", object_graph.encode(made), shards=2, partitions={kernel: halves})
    live = model()
    live.set_weights([weight + 1 for weight in live.get_weights()])
    return folder, state(made), live, state(live)


def attempt(folder: Path, truth: list[bytes], live: Any, before: list[bytes]) -> bool:
    """Load; whether it was refused. The live model has its old values after that."""
    refusal = ""
    try:
        live.load_weights(folder / "c").assert_consumed()
    except LoadError as error:
        refusal = str(error)
    except AssertionError:
        pytest.fail("a damaged checkpoint that restores in part")
    if refusal:
        assert re.search(r"[\\/]c(\.index|\.data-0000.-of-0000.)?:? ", refusal), refusal
        assert "expected" in refusal, refusal
        assert state(live) == before
        return True
    assert state(live) == truth
    values = np.concatenate([np.frombuffer(value, np.uint8) for value in before])
    start = 0
    for variable in (*live.weights, *live.optimizer.weights):
        size = variable.array.nbytes
        variable.assign(values[start : start + size].view(variable.array.dtype).reshape(variable.array.shape))
        start += size
    return False


@pytest.mark.parametrize("name", FILES)
def test_every_byte(saved: tuple[Path, list[bytes], Any, list[bytes]], name: str) -> None:
    folder, *rest = saved
    path = folder / name
    original = path.read_bytes()
    harmless: list[int] = []
    try:
        for position in range(len(original)):
            damaged = bytearray(original)
            damaged[position] ^= 1 << position % 8
            path.write_bytes(damaged)
            if not attempt(folder, *rest):
                harmless.append(position)
    finally:
        path.write_bytes(original)
    # The unused metaindex block with its handle, and padding, all at the end of the index.
    assert len(harmless) < (60 if name == "c.index" else 1)
    assert all(position > len(original) - 120 for position in harmless)
    assert not attempt(folder, *rest)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_damage(saved: tuple[Path, list[bytes], Any, list[bytes]], data: st.DataObject) -> None:
    folder, *rest = saved
    path = folder / data.draw(st.sampled_from(FILES))
    original = path.read_bytes()
    damaged = bytearray(original)
    for position, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255)), max_size=4)
    ):
        damaged[position] = byte
    kept = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    try:
        path.write_bytes(bytes(damaged[:kept]) + data.draw(st.binary(max_size=20)))
        attempt(folder, *rest)
    finally:
        path.write_bytes(original)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(saved: tuple[Path, list[bytes], Any, list[bytes]], name: str) -> None:
    folder, _, live, before = saved
    hidden = (folder / name).rename(folder / "hidden")
    try:
        with pytest.raises(FileNotFoundError, match="no such file") as raised:
            live.load_weights(folder / "c")
        assert isinstance(raised.value, LoadError)
        assert state(live) == before
    finally:
        hidden.rename(folder / name)


# -- graphs that no writer makes, with right checksums -----------------------------------------------------


def _cycle(graph: Any) -> None:
    graph.nodes[1].children.add(node_id=0, local_name="up")
    graph.nodes[1].children.add(node_id=1, local_name="me")


def _dangling(graph: Any) -> None:
    graph.nodes[1].children.add(node_id=1 << 30, local_name="kernel")


def _many_nodes(graph: Any) -> None:
    for _ in range(100000):
        graph.nodes.add()


def _key_of_another(graph: Any) -> None:
    keys = [node.attributes[0].checkpoint_key for node in graph.nodes if node.attributes]
    for node in graph.nodes:
        if node.attributes:
            node.attributes[0].checkpoint_key = keys[0]


def _slot_of_itself(graph: Any) -> None:
    graph.nodes[0].slot_variables.add(original_variable_node_id=0, slot_name="m", slot_variable_node_id=0)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (_cycle, None),
        (_dangling, "edge to node"),
        (_many_nodes, None),
        (_key_of_another, "shape"),
        (_slot_of_itself, None),
    ],
)
def test_graphs(
    saved: tuple[Path, list[bytes], Any, list[bytes]],
    tmp_path: Path,
    change: Callable[[Any], None],
    refused: str | None,
) -> None:
    folder, _, live, before = saved
    with Bundle(folder / "c") as bundle:
        tensors = {key: bundle.tensor(key) for key in bundle.entries}
    graph = messages.parse(messages.ObjectGraph, tensors[GRAPH_KEY].item())
    change(graph)
    tensors[GRAPH_KEY][()] = messages.serialize(graph)
    write_bundle(tmp_path / "c", tensors.items())
    if refused is None:
        fresh = model()
        fresh.load_weights(tmp_path / "c").assert_existing_objects_matched()
        assert state(fresh) == saved[1]
        return
    with pytest.raises(LoadError, match=refused):
        live.load_weights(tmp_path / "c")
    assert state(live) == before


def test_what_a_foreign_function_saved_is_not_overlooked(tmp_path: Path) -> None:
    made = model()
    tensors = dict(object_graph.encode(made))
    graph = messages.parse(messages.ObjectGraph, tensors[GRAPH_KEY].item())
    graph.nodes[0].registered_saver.name = "their_saver"
    graph.nodes[0].attributes.add(name="maybe", checkpoint_key="not/there", optional_restore=True)
    tensors[GRAPH_KEY][()] = messages.serialize(graph)
    write_bundle(tmp_path / "c", tensors.items())
    status = made.load_weights(tmp_path / "c").assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="values written by their_saver"):
        status.assert_consumed()


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x0f", "no ObjectGraph message"),  # a node of 2**60 bytes
        (b"\xff" * 30, "no ObjectGraph message"),
        (b"", "no nodes"),
    ],
)
def test_graphs_that_are_none(tmp_path: Path, graph: bytes, found: str) -> None:
    value = np.empty((), object)
    value[()] = graph
    write_bundle(tmp_path / "c", [(GRAPH_KEY, value)])
    with pytest.raises(LoadError, match=found):
        model().load_weights(tmp_path / "c")


def test_a_key_that_is_not_there_names_those_near(saved: tuple[Path, list[bytes], Any, list[bytes]]) -> None:
    with pytest.raises(LoadError, match="layer_with_weights-0/kernel"):
        load_checkpoint(saved[0] / "c").get_tensor("layer_with_weights-0/kernle")
