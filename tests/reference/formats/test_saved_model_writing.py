"""SavedModel folders as they are written: what is in them, and when they take the place of older ones.

What TensorFlow makes of them is in ``tests/interop/test_savedmodel_writing.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl as keras
from reference_impl import functions
from reference_impl.formats import files, messages
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.object_graph import GRAPH_KEY
from reference_impl.formats.savedmodel.write import folder as folder_module
from reference_impl.variables import Variable

X = np.sin(np.arange(12, dtype=np.float32)).reshape(4, 3)


def small(trained: bool = False) -> Any:
    keras.backend.clear_session()
    layers = [keras.Input((3,)), keras.layers.Dense(4, kernel_regularizer="l2"), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dense(2)], name="small")
    if trained:
        model.compile("adam", "mse", metrics=["mae"])
        model.train_on_batch(X, np.ones((4, 2), np.float32))
    return model


def stored(path: Path) -> Any:
    """The only MetaGraph of the SavedModel."""
    (meta_graph,) = messages.parse(messages.SavedModel, (path / "saved_model.pb").read_bytes()).meta_graphs
    return meta_graph


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


# -- what is in it -------------------------------------------------------------------------------------------------


def test_the_folder_has_the_files_of_a_saved_model(tmp_path: Path) -> None:
    small().save(tmp_path / "saved")
    assert sorted(os.listdir(tmp_path / "saved")) == ["assets", "keras_metadata.pb", "saved_model.pb", "variables"]
    assert sorted(os.listdir(tmp_path / "saved" / "variables")) == ["variables.data-00000-of-00001", "variables.index"]
    assert list(stored(tmp_path / "saved").meta_info_def.tags) == ["serve"]


def test_the_checkpoint_is_of_the_same_objects_with_the_same_numbers(tmp_path: Path) -> None:
    small(trained=True).save(tmp_path / "saved")
    with Bundle(tmp_path / "saved" / "variables" / "variables") as bundle:
        checkpoint = messages.parse(messages.ObjectGraph, bytes(bundle.tensor(GRAPH_KEY)[()]))
    objects = stored(tmp_path / "saved").object_graph_def.nodes
    assert len(checkpoint.nodes) == len(objects)
    for node, saved in zip(checkpoint.nodes, objects, strict=True):
        assert [(c.local_name, c.node_id) for c in node.children] == [(c.local_name, c.node_id) for c in saved.children]
        assert bool(node.attributes) == (saved.WhichOneof("kind") == "variable")
        slots = [(s.slot_name, s.original_variable_node_id, s.slot_variable_node_id) for s in saved.slot_variables]
        assert slots == [
            (s.slot_name, s.original_variable_node_id, s.slot_variable_node_id) for s in node.slot_variables
        ]
    (optimizer,) = (saved for saved in objects if saved.user_object.identifier == "optimizer")
    assert [slot.slot_name for slot in optimizer.slot_variables] == ["m"] * 6 + ["v"] * 6


def test_the_metadata_of_keras_is_in_both_places(tmp_path: Path) -> None:
    small(trained=True).save(tmp_path / "saved")
    apart = messages.parse(messages.KerasMetadata, (tmp_path / "saved" / "keras_metadata.pb").read_bytes()).nodes
    objects = stored(tmp_path / "saved").object_graph_def.nodes
    assert {node.node_id: node.metadata for node in apart} == {
        number: node.user_object.metadata for number, node in enumerate(objects) if node.user_object.metadata
    }
    root = json.loads(apart[0].metadata)
    assert root["class_name"] == "Sequential"
    assert root["training_config"]["loss"] == "mse"
    layers = [json.loads(node.metadata) for node in apart if node.identifier == "_tf_keras_layer"]
    assert [layer["build_input_shape"]["items"] for layer in layers] == [[None, 3], [None, 4], [None, 4]]


def test_without_the_optimizer_its_state_is_left_out_and_losses_and_metrics_stay(tmp_path: Path) -> None:
    small(trained=True).save(tmp_path / "saved", include_optimizer=False)
    nodes = stored(tmp_path / "saved").object_graph_def.nodes
    assert json.loads(nodes[0].user_object.metadata)["training_config"]["metrics"] == ["mae"]
    assert all(node.user_object.identifier != "optimizer" and "Adam" not in node.variable.name for node in nodes)


def test_outputs_by_name_come_in_the_order_of_the_names(tmp_path: Path) -> None:
    keras.backend.clear_session()
    inputs = keras.Input((3,), name="x")
    outputs = [keras.layers.Dense(1, name="b")(inputs), keras.layers.Dense(2, name="a")(inputs)]
    keras.Model(inputs, outputs).save(tmp_path / "saved")
    meta_graph = stored(tmp_path / "saved")
    signature = meta_graph.signature_def["serving_default"]
    assert {key: [dim.size for dim in info.tensor_shape.dim] for key, info in signature.outputs.items()} == {
        "a": [-1, 2],
        "b": [-1, 1],
    }
    assert {key: info.name for key, info in signature.outputs.items()} == {
        "a": "StatefulPartitionedCall:0",
        "b": "StatefulPartitionedCall:1",
    }


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from tests.reference.formats.test_saved_model_writing import small\n"
        "import reference_impl as keras\n"
        "model = small()\n"
        "for weight in model.weights: weight.assign(np.ones(tuple(weight.shape), 'float32'))\n"
        "model.compile('adam', 'mse'); model.save(sys.argv[1])\n"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])}
        subprocess.run([sys.executable, "-c", program, tmp_path / seed], env=environment, check=True)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_second_save_writes_the_same_bytes(tmp_path: Path) -> None:
    model = small(trained=True)
    model.save(tmp_path / "one")
    model.save(tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_saving_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model = small(trained=True)
    before = [weight.copy() for weight in model.get_weights()]
    losses = [float(loss) for loss in model.losses]
    model.save(tmp_path / "saved")
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert [float(loss) for loss in model.losses] == losses
    assert all("call" not in layer.__dict__ for layer in model.layers)


# -- what comes back -----------------------------------------------------------------------------------------------


def test_a_model_revived_from_functions_is_saved_again(tmp_path: Path) -> None:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.dense = keras.layers.Dense(2)

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return functions.tanh(self.dense(inputs))

    model = Net()
    expected = model(X).numpy()
    model.save(tmp_path / "first")
    once = keras.models.load_model(tmp_path / "first", compile=False)
    assert type(once) is not Net
    once.save(tmp_path / "second")
    twice = keras.models.load_model(tmp_path / "second", compile=False)
    np.testing.assert_allclose(twice(X).numpy(), expected, atol=1e-6)


def test_layers_inside_a_revived_model_keep_their_functions(tmp_path: Path) -> None:
    class Twice(keras.layers.Layer):
        def __init__(self, factor: Any) -> None:
            super().__init__(name="twice")
            self.factor = factor

        def call(self, inputs: Any) -> Any:
            return inputs * 2

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.inner = Twice(object())

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return self.inner(inputs)

    model = Net()
    model(X)
    model.save(tmp_path / "0")
    for place in range(3):
        model = keras.models.load_model(tmp_path / str(place), compile=False)
        np.testing.assert_array_equal(model.inner(X).numpy(), X * 2)
        model.save(tmp_path / str(place + 1))


def test_a_call_that_cannot_be_traced_is_an_error_that_names_the_layer(tmp_path: Path) -> None:
    class Peeks(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * float(functions.reduce_sum(inputs).value) if self.built and peeking else inputs

    peeking = False
    inputs = keras.Input((3,))
    model = keras.Model(inputs, Peeks(name="peeks")(inputs))
    peeking = True
    with pytest.raises(TypeError, match="symbolic") as caught:
        model.save(tmp_path / "saved")
    assert "'peeks'" in caught.value.__notes__[0]
    assert os.listdir(tmp_path) == []


# -- where it goes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [str, Path], ids=["str", "Path"])
def test_parent_folders_are_made(tmp_path: Path, form: Any) -> None:
    small().save(form(tmp_path / "some" / "ordner ü" / "模型"))
    assert os.listdir(tmp_path / "some" / "ordner ü") == ["模型"]


@pytest.mark.parametrize("place", ["write_bundle", "MainGraph", "_keep_other_files"])
@pytest.mark.parametrize("error", [OSError("no space"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_an_interrupted_save_leaves_the_old_folder_and_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: BaseException
) -> None:
    small().save(tmp_path / "saved")
    before = contents(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(folder_module, place, fail)
    with pytest.raises(type(error)):
        small(trained=True).save(tmp_path / "saved")
    assert contents(tmp_path) == before
    assert os.listdir(tmp_path) == ["saved"]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small().save(tmp_path / "saved")
    before = contents(tmp_path)
    rename = os.rename

    def fail(source: Path, target: Path) -> None:
        if str(source).endswith(".tmp"):
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(files, "exchange", lambda first, second: False)
    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="no"):
        small(trained=True).save(tmp_path / "saved")
    assert contents(tmp_path) == before


def test_there_is_a_folder_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old and new change places in one step, without a rename that leaves a gap."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    if not files.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("not run: this system or file system cannot exchange two folders")
    small(trained=True).save(tmp_path / "saved")

    def gap(source: Any, target: Any) -> None:
        raise AssertionError(f"{source} was renamed to {target}")

    monkeypatch.setattr(os, "rename", gap)
    small().save(tmp_path / "saved")
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "saved"]
    assert len(keras.models.load_model(tmp_path / "saved", compile=False).layers) == 3


def test_an_old_folder_is_replaced_whole_and_other_files_in_it_stay(tmp_path: Path) -> None:
    small(trained=True).save(tmp_path / "saved")
    (tmp_path / "saved" / "notes.txt").write_text("mine")
    (tmp_path / "saved" / "assets.extra").mkdir()
    (tmp_path / "saved" / "assets.extra" / "more").write_text("mine too")
    (tmp_path / "saved" / "variables" / "left.over").write_text("of an older version")
    small().save(tmp_path / "saved")
    assert (tmp_path / "saved" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "saved" / "assets.extra" / "more").read_text() == "mine too"
    assert not (tmp_path / "saved" / "variables" / "left.over").exists()
    assert os.listdir(tmp_path) == ["saved"]


def test_not_overwriting_is_a_refusal(tmp_path: Path) -> None:
    small().save(tmp_path / "saved")
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match=r"saved.*overwrite is False"):
        small(trained=True).save(tmp_path / "saved", overwrite=False)
    assert contents(tmp_path) == before


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "saved").write_text("a file")
    with pytest.raises(FileExistsError, match="found a file, expected a folder"):
        small().save(tmp_path / "saved")


@pytest.mark.parametrize(
    ("dialect", "given", "counted"),
    [("keras-2.4", True, 2), ("keras-2.15", True, 1), ("keras-2.15", False, 2)],
)
def test_a_table_counts_as_a_weight_where_tensorflow_counts_it(
    tmp_path: Path, dialect: str, given: bool, counted: int
) -> None:
    """By these numbers TensorFlow finds the weights behind a lookup. Measured on 2.4.4 and 2.15.1."""
    with keras.dialect(dialect):
        words = keras.layers.StringLookup(vocabulary=["a", "b"] if given else None)
        inputs = keras.Input((1,), dtype="string")
        keras.Model(inputs, keras.layers.Embedding(6, 2)(words(inputs))).save(tmp_path / "saved")
    found = stored(tmp_path / "saved").object_graph_def.nodes[0].children
    edges = {child.local_name: child.node_id for child in found}
    assert sum(name.startswith("layer_with_weights-") for name in edges) == counted
    assert edges[f"layer_with_weights-{counted - 1}"] == edges["layer-2"]


# -- what cannot be saved ------------------------------------------------------------------------------------------


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the input shapes have not been set"):
        keras.Sequential([keras.layers.Dense(2)]).save(tmp_path / "saved")
    assert os.listdir(tmp_path) == []


def test_a_variable_that_is_no_attribute_is_refused(tmp_path: Path) -> None:
    lost = Variable(np.ones(3, np.float32), name="lost")

    class Uses(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * lost

    inputs = keras.Input((3,))
    with pytest.raises(ValueError, match=r"lost.*assign it to an attribute"):
        keras.Model(inputs, Uses()(inputs)).save(tmp_path / "saved")
    assert os.listdir(tmp_path) == []
