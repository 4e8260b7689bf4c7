"""The witness on files that real libraries write, held against what the library itself says is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import witness
from conformance.witness import WitnessError
from tests.environments import LIBRARIES, Library

WRITE = """
import importlib, sys
import numpy as np
keras = importlib.import_module(sys.argv[1])
dialect = sys.argv[2]
model = keras.Sequential([
    keras.Input((4,), name="x"), keras.layers.Dense(3, name="first"), keras.layers.BatchNormalization(name="norm"),
    keras.layers.Dense(2, name="second", trainable=False)], name="m")
model.compile(keras.optimizers.Adam(0.01), "mean_squared_error", metrics=["mae"])
for step in range(2):
    model.train_on_batch(np.ones((4, 4), "float32") * step, np.zeros((4, 2), "float32"))
np.savez("weights.npz", *model.get_weights())
model.save("model.h5")
if dialect != "keras-2.4":
    model.save("model.keras")
    model.save_weights("model.weights.h5")
if dialect != "keras-3":
    import tensorflow as tf
    model.save("model", save_format="tf")
    model.save_weights("checkpoint_of_weights", save_format="tf")
    model.save_weights("weights.h5")
    tf.train.Checkpoint(text=tf.Variable(["a", "", "long" * 100]), number=tf.Variable(3, dtype="int64"),
        half=tf.Variable([1.5, -2.0], dtype="bfloat16"), flag=tf.Variable(True)).write("mixed")
"""
KERAS_2 = [library for library in LIBRARIES if library.keras != "keras"]
WITH_ZIP = [library for library in LIBRARIES if library.dialect != "keras-2.4"]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function from a library to the folder with its files, written once."""
    folders: dict[str, Path] = {}

    def folder(library: Library) -> Path:
        if library.name not in folders:
            library.python()
            made = tmp_path_factory.mktemp(library.name)
            library.run(WRITE, library.keras, library.dialect, cwd=made)
            folders[library.name] = made
        return folders[library.name]

    return folder


def expected(folder: Path) -> list[np.ndarray[Any, Any]]:
    with np.load(folder / "weights.npz") as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


def equal(actual: list[Any], wanted: list[Any]) -> bool:
    return len(actual) == len(wanted) and all(
        a.dtype == b.dtype and a.shape == b.shape and (a == b).all() for a, b in zip(actual, wanted, strict=True)
    )


def each(choice: list[Library] | tuple[Library, ...]) -> Any:
    return pytest.mark.parametrize("library", choice, ids=lambda library: library.name)


@each(LIBRARIES)
def test_a_whole_model_in_hdf5(library: Library, written: Any):
    folder = written(library)
    facts = witness.hdf5.read(folder / "model.h5")
    assert [group.name for group in facts.weight_groups if group.weights] == ["first", "norm", "second"]
    assert equal([weight.value for group in facts.weight_groups for weight in group.weights], expected(folder))
    assert facts.model_config["class_name"] == "Sequential"
    assert facts.training_config["optimizer_config"]["class_name"].rpartition(">")[2] == "Adam"
    iterations = facts.optimizer_weights[0].value
    assert iterations == 2
    fixed = "fixed ascii" if library.dialect == "keras-2.4" else "vlen ascii"
    assert facts.attributes["model_weights"]["layer_names"].type == fixed
    assert facts.root["model_config"].type == "vlen ascii"
    assert facts.root["backend"].type == "vlen utf-8"
    assert facts.root["backend"].value == ("jax" if library.name == "keras3-jax" else "tensorflow")


@each(KERAS_2)
def test_a_weights_file(library: Library, written: Any):
    folder = written(library)
    facts = witness.hdf5.read(folder / "weights.h5")
    assert equal([weight.value for group in facts.weight_groups for weight in group.weights], expected(folder))
    assert [weight.name for weight in facts.weight_groups[0].weights] == ["first/kernel:0", "first/bias:0"]
    assert facts.weight_groups[0].weights[0].path == "first/first/kernel:0"
    assert facts.model_config == {}
    assert facts.training_config == {}


@each(WITH_ZIP)
def test_a_keras_file(library: Library, written: Any):
    folder = written(library)
    facts = witness.keras_zip.read(folder / "model.keras")
    assert {entry.name for entry in facts.entries} == {"metadata.json", "config.json", "model.weights.h5"}
    assert all(entry.stored for entry in facts.entries)
    assert facts.config["class_name"] == "Sequential"
    assert set(facts.metadata) >= {"keras_version", "date_saved"}
    assert facts.weights is not None
    alone = witness.hdf5.read(folder / "model.weights.h5")
    for datasets in (facts.weights.datasets, alone.datasets):
        stored = [
            datasets[f"layers/{group}/vars/{i}"]
            for group, i in [
                ("dense", 0),
                ("dense", 1),
                *(("batch_normalization", i) for i in range(4)),
                ("dense_1", 0),
                ("dense_1", 1),
            ]
        ]
        assert equal(stored, expected(folder))


@each(KERAS_2)
def test_a_checkpoint(library: Library, written: Any):
    folder = written(library)
    facts = witness.checkpoint.read(folder / "checkpoint_of_weights")
    first, norm, second = (facts.node_at(f"layer_with_weights-{i}") for i in range(3))
    nodes = [first.children["kernel"], first.children["bias"]]
    nodes += [norm.children[name] for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    nodes += [second.children["kernel"], second.children["bias"]]
    keys = [facts.nodes[node].attributes["VARIABLE_VALUE"] for node in nodes]
    assert keys[0] == "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    assert equal([facts.values[key] for key in keys], expected(folder))
    assert facts.shapes[keys[0]] == (4, 3)
    assert facts.dtypes["_CHECKPOINTABLE_OBJECT_GRAPH"] == "string"
    if library.dialect == "keras-2.4":
        slots = {slot.name for slot in facts.node_at("optimizer").slots}
        assert slots == {"m", "v"}


@each(KERAS_2)
def test_dtypes_of_a_checkpoint(library: Library, written: Any):
    facts = witness.checkpoint.read(written(library) / "mixed")
    values = {key.split("/")[0]: value for key, value in facts.values.items()}
    assert values["text"].tolist() == [b"a", b"", b"long" * 100]
    assert values["number"].dtype == np.int64
    assert values["number"] == 3
    assert values["half"].astype("float32").tolist() == [1.5, -2.0]
    assert bool(values["flag"]) is True


@each(KERAS_2)
def test_a_savedmodel(library: Library, written: Any):
    folder = written(library)
    facts = witness.savedmodel.read(folder / "model")
    assert facts.schema_version == 1
    assert facts.tags == ("serve",)
    assert set(facts.files) >= {"saved_model.pb", "variables/variables.index"}
    assert "serving_default" in facts.signatures
    assert {"VarHandleOp", "StatefulPartitionedCall"} <= {node.op for node in facts.graph}
    assert any("MatMul" in ops for ops in facts.functions.values())
    in_pb = library.dialect == "keras-2.4"
    assert bool(facts.object_metadata) is in_pb
    assert bool(facts.keras_metadata) is not in_pb
    names = {data["class_name"] for data in facts.metadata.values()}
    assert names >= {"Sequential", "Dense", "BatchNormalization"}
    assert facts.children_of_layer("Dense") >= {"kernel", "bias", "__call__"}
    values = witness.checkpoint.read(folder / "model" / "variables" / "variables").values
    assert equal(
        [values[f"layer_with_weights-0/{name}/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("kernel", "bias")],
        expected(folder)[:2],
    )


@each(KERAS_2[:1])
def test_a_damaged_checkpoint_is_named_with_its_place(library: Library, written: Any, tmp_path: Path):
    source = written(library)
    for name in ("mixed.index", "mixed.data-00000-of-00001"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    data = tmp_path / "mixed.data-00000-of-00001"
    whole = data.read_bytes()
    for offset in range(0, len(whole), 7):
        data.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0xFF]) + whole[offset + 1 :])
        with pytest.raises(WitnessError, match=r"mixed\.data-00000-of-00001: key '.*', offset"):
            witness.checkpoint.read(tmp_path / "mixed")
    data.write_bytes(whole[:-1])
    with pytest.raises(WitnessError, match="bytes expected, the file has"):
        witness.checkpoint.read(tmp_path / "mixed")
    data.unlink()
    with pytest.raises(WitnessError, match="cannot be read"):
        witness.checkpoint.read(tmp_path / "mixed")
