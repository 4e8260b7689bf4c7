"""``tf.train`` exchanged with the real libraries: objects, containers, element types, shards, parts, optimizers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import reference_impl as keras
from reference_impl import naming, tf
from reference_impl.formats import messages
from reference_impl.formats.checkpoint import Bundle, object_graph, write_bundle
from tests.interop import checkpoint_program as program
from tests.interop import libraries

PROGRAM = Path(program.__file__)
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": "",
}
DIALECTS = {"tf2.4": "keras-2.4", "tf2.15": "keras-2.15", "tf-keras": "keras-2.15"}
SUFFIXES = (".index", ".data-00000-of-00001")
VALUE = object_graph.VALUE_SUFFIX


def run(library: str, action: str, folder: Path) -> None:
    done = subprocess.run(
        [libraries.interpreter(library), PROGRAM, action, folder],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{library} could not {action}:\n{done.stderr[-4000:]}"


@pytest.fixture(scope="module")
def written(library: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the library."""
    folder = tmp_path_factory.mktemp(f"written-by-{library}")
    run(library, "write", folder)
    return folder


@pytest.fixture(scope="module")
def found(library: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by the reference, and what the library found in it."""
    folder = tmp_path_factory.mktemp(f"read-by-{library}")
    naming.reset()
    program.objects(tf, 1.0).write(folder / "objects")
    tensors = object_graph.encode(typed())
    write_bundle(folder / "typed", tensors)
    halves = [((0, 1), (0, 3)), ((1, 1), (0, 1)), ((1, 1), (1, 2))]
    write_bundle(folder / "spread", tensors, shards=3, partitions={f"float32{VALUE}": halves})
    with keras.dialect(DIALECTS[library]):
        for name in program.OPTIMIZERS:
            made = trained(library, name)
            made.save_weights(folder / name)
            np.save(folder / f"{name}.npy", program.continued(made))
    run(library, "read", folder)
    return folder


def typed() -> Any:
    values = {**program.values(), "bfloat16": np.arange(6).astype(ml_dtypes.bfloat16)}
    return program.typed(tf, values)


def compiled(library: str, name: str) -> Any:
    """Compiled with an optimizer that computes what the library's does."""
    naming.reset()
    made = program.compiled(keras, name)
    generation = "keras-2.4" if library == "tf2.4" else "keras-2.11"
    getattr(made.optimizer, "inner_optimizer", made.optimizer).generation = generation
    return made


def trained(library: str, name: str) -> Any:
    made = compiled(library, name)
    made.train_on_batch(program.X, program.Y)
    made.train_on_batch(program.X, program.Y)
    return made


def fresh(library: str, name: str) -> Any:
    made = compiled(library, name)
    made.train_on_batch(program.X, program.Y)
    return made


def graph(bundle: Bundle) -> Any:
    return messages.parse(messages.ObjectGraph, bundle.tensor(object_graph.GRAPH_KEY).item())


def without_functions(found: Any) -> Any:
    """The graph without the nodes of functions, the others numbered anew."""
    functions = {child.node_id for child in found.nodes[0].children if child.local_name.endswith("_function")}
    kept = [number for number in range(len(found.nodes)) if number not in functions]
    numbers = {old: new for new, old in enumerate(kept)}
    stripped = messages.ObjectGraph()
    for number in kept:
        node = stripped.nodes.add()
        node.CopyFrom(found.nodes[number])
        del node.children[:]
        for child in found.nodes[number].children:
            if child.node_id in numbers:
                node.children.add(node_id=numbers[child.node_id], local_name=child.local_name)
    return stripped


def assert_same_files(one: Path, other: Path) -> None:
    for suffix in SUFFIXES:
        assert Path(f"{one}{suffix}").read_bytes() == Path(f"{other}{suffix}").read_bytes(), suffix


# -- they write, the reference reads -----------------------------------------------------------------------


def test_objects_and_containers(written: Path, tmp_path: Path) -> None:
    found = program.objects(tf, 0.0)
    found.read(written / "objects").assert_consumed()
    expected = program.objects(tf, 1.0)
    for node, other in zip(object_graph.walk(found), object_graph.walk(expected), strict=True):
        for saved, truth in zip(
            node.trackable._checkpoint_values().values(), other.trackable._checkpoint_values().values(), strict=True
        ):
            assert saved.value == truth.value


def test_a_root_and_more(written: Path) -> None:
    made = program.model(keras)
    truth = made.get_weights()
    made.set_weights([np.zeros_like(weight) for weight in truth])
    extra = tf.Variable(0.0)
    status = tf.train.Checkpoint(made, extra=extra).restore(written / "rooted-1")
    status.assert_consumed()
    assert extra.numpy() == 2.0
    for value, wanted in zip(made.get_weights(), truth, strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_every_element_type(written: Path) -> None:
    with Bundle(written / "typed") as bundle:
        for name, value in {**program.values(), "bfloat16": np.arange(6).astype(ml_dtypes.bfloat16)}.items():
            read = bundle.tensor(f"{name}{VALUE}")
            assert (read.dtype, read.tolist()) == (value.dtype, value.tolist())
            view = bundle.tensor(f"{name}{VALUE}", copy=False)
            assert view.tolist() == value.tolist()


def test_names_and_parts(written: Path) -> None:
    with Bundle(written / "named") as bundle:
        np.testing.assert_array_equal(bundle.tensor("parts"), np.full((10, 3), 2, "f4"))
        assert bundle.entries["parts"].slices
    naming.reset()
    made = program.model(keras)
    status = made.load_weights(written / "named")
    assert made.get_weights()[0].tolist() == np.arange(20).reshape(4, 5).tolist()
    with pytest.raises(AssertionError, match="second/kernel"):
        status.assert_existing_objects_matched()


@pytest.mark.parametrize("name", program.OPTIMIZERS)
@pytest.mark.parametrize("built", [True, False])
def test_training_goes_on(library: str, written: Path, name: str, built: bool) -> None:
    made = fresh(library, name) if built else compiled(library, name)
    status = made.load_weights(written / name)
    if built:
        status.assert_consumed()
    np.testing.assert_allclose(program.continued(made), np.load(written / f"{name}.npy"), rtol=0, atol=1e-5)
    status.assert_existing_objects_matched()


# -- bytes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["untrained", "compiled", "objects", "rooted-1"])
def test_equal_values_give_their_bytes(library: str, written: Path, tmp_path: Path, prefix: str) -> None:
    naming.reset()
    with keras.dialect(DIALECTS[library]):
        if prefix == "untrained":
            program.model(keras).save_weights(tmp_path / prefix)
        elif prefix == "compiled":
            program.compiled(keras, "Adam").save_weights(tmp_path / prefix)
        elif prefix == "objects":
            program.objects(tf, 1.0).write(tmp_path / prefix)
        else:
            tf.train.Checkpoint(program.model(keras), extra=tf.Variable(2.0)).save(tmp_path / "rooted")
    assert_same_files(tmp_path / prefix, written / prefix)


@pytest.mark.parametrize("name", program.OPTIMIZERS)
def test_equal_optimizers_give_their_bytes(library: str, written: Path, tmp_path: Path, name: str) -> None:
    made = fresh(library, name)
    made.load_weights(written / name).assert_consumed()
    with keras.dialect(DIALECTS[library]):
        made.save_weights(tmp_path / name)
    if library == "tf2.4" and name != "LossScale":
        assert_same_files(tmp_path / name, written / name)
        return
    # In later versions the functions that a training step was compiled into are nodes too, without values; with a loss
    # scale 2.4 made the variables inside a conditional, after which they are named.
    with Bundle(tmp_path / name) as ours, Bundle(written / name) as theirs:
        assert list(ours.entries) == list(theirs.entries)
        for key in ours.entries:
            unused = name == "SGD" and "_variables" in key  # what SGD keeps there without momentum, nobody reads
            if key == object_graph.GRAPH_KEY and library != "tf2.4":
                assert graph(ours) == without_functions(graph(theirs))
            elif key != object_graph.GRAPH_KEY and not unused:
                assert ours.tensor(key).tobytes() == theirs.tensor(key).tobytes(), key
                assert ours.entries[key].offset == theirs.entries[key].offset


# -- the reference writes, they read -----------------------------------------------------------------------


def test_they_find_objects_and_containers(found: Path) -> None:
    written = program.objects(tf, 1.0)
    numbers = [written.a, written.b, *written.pair, written.list[0], written.list[2][0], written.list[3]["z"]]
    numbers += [written.list[3]["a.b/c"], written.tuple[1], written.tuple[2][0]]
    numbers += [written.ordered["z"], written.ordered["a"][0]]
    assert np.load(found / "objects.npy").tolist() == [float(number) for number in numbers]


@pytest.mark.parametrize("prefix", ["typed", "spread"])
def test_they_find_every_element_type(found: Path, prefix: str) -> None:
    expected = {**program.values(), "bfloat16": np.arange(6, dtype="float32")}
    with np.load(found / f"{prefix}.npz") as file:
        assert set(file.files) == set(expected)
        for name, value in expected.items():
            assert file[name].tolist() == value.tolist(), name


@pytest.mark.parametrize("name", program.OPTIMIZERS)
def test_their_training_goes_on(found: Path, name: str) -> None:
    np.testing.assert_allclose(np.load(found / f"{name}-found.npy"), np.load(found / f"{name}.npy"), rtol=0, atol=1e-5)
