"""What the fuzzer found once: files that the readers did not refuse as they must."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError, tf
from reference_impl.formats import messages
from reference_impl.formats.hdf5 import heaps

L = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore:No training configuration")


def model() -> Any:
    return keras.Sequential([keras.Input((3,)), L.Dense(2, name="one"), L.Dense(2, name="two")])


def test_a_deflated_member_that_cannot_be_inflated(tmp_path: Path):
    path = tmp_path / "m.keras"
    with keras.dialect("keras-3"):
        model().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    harmless: list[tuple[int, int]] = []
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            start = archive.getinfo("config.json").header_offset + 30 + len("config.json")
        for place in range(12):
            damaged = bytearray(stream.getvalue())
            damaged[start + place] ^= 0x55
            path.write_bytes(damaged)
            with contextlib.suppress(LoadError):  # a few bytes of a stream's head mean nothing
                keras.models.load_model(path)
                harmless.append((method, place))
    assert len(harmless) < 12


def test_the_beginning_of_one_archive_before_the_end_of_another(tmp_path: Path):
    """All that is found by the directory at the end is of the other: only the header of a member tells."""
    path = tmp_path / "m.keras"
    saved: list[bytes] = []
    with keras.dialect("keras-3"):
        of_both = model()
        for _ in range(2):
            of_both.set_weights([weight + 1 for weight in of_both.get_weights()])
            of_both.save(path)
            saved.append(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            after_the_checksum = archive.getinfo("model.weights.h5").header_offset + 18
        path.write_bytes(saved[0][:after_the_checksum] + saved[1][after_the_checksum:])
        with pytest.raises(LoadError, match=r"found the checksum .* parts of two files"):
            keras.models.load_model(path)


def test_a_config_that_has_lost_its_layers(tmp_path: Path):
    """A model of an input alone, which is said to be built."""
    path = tmp_path / "m.keras"
    with keras.dialect("keras-2.15"):
        model().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["build_config"] = {"input_shape": [None, 3]}
    del config["config"]["layers"][1:]
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with (
        pytest.warns(UserWarning, match="could not be built|compiled"),
        pytest.raises(LoadError, match="no layers for"),
    ):
        keras.models.load_model(path)


@pytest.mark.parametrize(
    "value", [np.zeros((2, 2), [("a", "f4"), ("b", "i4")]), np.full((2, 2), b"text"), np.zeros((2, 2), "c8")]
)
def test_values_of_another_kind_leave_the_model_as_it_was(tmp_path: Path, value: Any):
    path = tmp_path / "w.weights.h5"
    with keras.dialect("keras-3"):
        model().save_weights(path)
    with h5py.File(path, "r+") as file:
        del file["layers/dense_1/vars/0"]
        file["layers/dense_1/vars/0"] = value
    target = model()
    before = target.get_weights()
    with pytest.raises(LoadError, match="layers/dense_1/vars/0: found values of"):
        target.load_weights(path)
    assert all(map(np.array_equal, before, target.get_weights()))


def test_a_text_that_claims_to_be_longer_than_the_file(tmp_path: Path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = "one"
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL\x01")
    at = content.index(struct.pack("<IQ", 3, heap))
    heaps.check(bytes(content), "w.h5")
    content[at : at + 4] = struct.pack("<I", 1 << 30)
    with pytest.raises(LoadError, match=f"byte {at}: found a text of 1073741824 bytes in a file of {len(content)}"):
        heaps.check(bytes(content), "w.h5")


def described_attribute(path: Path, name: bytes) -> tuple[bytearray, int, int]:
    """The content of an HDF5 file, and where the type and the value of the first attribute of that name are."""
    content = bytearray(path.read_bytes())
    start = content.index(name + b"\0")
    kind = start + -(-(len(name) + 1) // 8) * 8
    return content, kind, kind + 24 + 8


@pytest.mark.parametrize("more", [0, 65 << 20], ids=["small", "large"])
def test_a_text_whose_length_and_address_are_wrong(tmp_path: Path, more: int):
    """The library takes memory for the length before it looks at the address."""
    path = tmp_path / "m.h5"
    model().save(path)
    content, _, value = described_attribute(path, b"keras_version")
    assert int.from_bytes(content[value : value + 4], "little") == len("2.4.0")
    content[value : value + 12] = b"\xff" * 12
    path.write_bytes(content + bytes(more))
    with pytest.raises(LoadError, match=f"byte {value}: found a text of 4294967295 bytes in a file of"):
        keras.models.load_model(path)


def test_a_text_that_is_a_sequence_of_numbers(tmp_path: Path):
    """h5py reads one out of its memory, and the process ends."""
    path = tmp_path / "m.h5"
    model().save(path)
    content, kind, _ = described_attribute(path, b"keras_version")
    assert content[kind : kind + 2] == b"\x19\x01"
    content[kind + 1 : kind + 3] = b"\xff\xff"
    path.write_bytes(content)
    with pytest.raises(LoadError, match="attribute keras_version: found a value of type object, expected a text"):
        keras.models.load_model(path)


def test_a_virtual_dataset_refers_to_a_heap_without_a_length(tmp_path: Path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w", libver="latest") as file:
        layout = h5py.VirtualLayout((2,), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", (2,))
        file.create_virtual_dataset("x", layout)
    heaps.check_file(str(path))


def test_whatever_byte_at_the_beginning_of_an_hdf5_file_is_wrong(tmp_path: Path):
    """The superblock, the root's header and its attributes: also what h5py raises for asking for an attribute."""
    path = tmp_path / "m.h5"
    model().save(path)
    content = path.read_bytes()
    for at in range(0, 900, 7):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        with contextlib.suppress(LoadError):
            keras.models.load_model(path)


def test_a_table_whose_maker_wants_arguments(tmp_path: Path):
    words = keras.Sequential([keras.Input((1,), dtype="string"), L.StringLookup(vocabulary=["a", "b"])])
    with keras.dialect("keras-2.15"):
        words.save(tmp_path / "m")
    file = tmp_path / "m" / "saved_model.pb"
    message = messages.parse_guarded(messages.SavedModel, file.read_bytes())
    graph = message.meta_graphs[0].object_graph_def
    edges = [edge for node in graph.nodes for edge in node.children if edge.local_name == "_create_resource"]
    wanting = next(
        number
        for number, node in enumerate(graph.nodes)
        if node.WhichOneof("kind") == "function"
        and any(
            graph.concrete_functions[name].canonicalized_input_signature.ByteSize() > 30
            for name in node.function.concrete_functions
        )
    )
    assert edges
    for edge in edges:
        edge.node_id = wanting
    file.write_bytes(messages.serialize(message))
    with pytest.raises(LoadError):
        tf.saved_model.load(tmp_path / "m")


# -- the checksum of a SavedModel's messages -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model().save(tmp_path / "m")
    return tmp_path / "m"


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb"])
def test_every_changed_bit_of_a_message_is_noticed(folder: Path, name: str):
    expected = keras.models.load_model(folder).get_weights()
    content = (folder / name).read_bytes()
    for at in (*range(12), *range(12, len(content), len(content) // 40), len(content) - 1):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[at] ^= 1 << bit
            (folder / name).write_bytes(damaged)
            try:
                loaded = keras.models.load_model(folder)
            except LoadError:
                continue
            assert at < messages.GUARD_SIZE - 4, (
                f"bit {bit} of byte {at}"
            )  # the mark alone was hit, the content is whole
            assert all(map(np.array_equal, expected, loaded.get_weights()))


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb"])
def test_a_message_cut_between_two_fields_is_noticed(folder: Path, name: str):
    """Which is a whole message, as protobuf has it."""
    kind = messages.SavedModel if name == "saved_model.pb" else messages.KerasMetadata
    content = (folder / name).read_bytes()
    message = messages.parse(kind, content[messages.GUARD_SIZE :])
    del (message.meta_graphs if name == "saved_model.pb" else message.nodes)[-1:]
    less = content[: messages.GUARD_SIZE] + messages.serialize(message)
    assert messages.parse(kind, less) is not None
    (folder / name).write_bytes(less)
    with pytest.raises(LoadError, match="checksum"):
        keras.models.load_model(folder)


def test_the_metadata_of_another_save_are_noticed(folder: Path, tmp_path: Path):
    other = keras.Sequential([keras.Input((3,)), L.Dense(2, name="one", activation="relu"), L.Dense(2, name="two")])
    other.save(tmp_path / "other")
    (folder / "keras_metadata.pb").write_bytes((tmp_path / "other" / "keras_metadata.pb").read_bytes())
    with pytest.raises(LoadError, match="checksum"):
        keras.models.load_model(folder)


def test_who_rewrites_the_graphs_without_a_checksum_is_read(folder: Path):
    """A tool that parses and writes keeps no field that it does not know, or puts it elsewhere."""
    expected = keras.models.load_model(folder).get_weights()
    file = folder / "saved_model.pb"
    for message in (
        messages.parse_guarded(messages.SavedModel, file.read_bytes()),
        messages.parse(messages.SavedModel, file.read_bytes()),
    ):
        message.meta_graphs[0].meta_info_def.tensorflow_git_version = "by a tool"
        file.write_bytes(messages.serialize(message))
        assert all(map(np.array_equal, expected, keras.models.load_model(folder).get_weights()))


def test_equal_models_have_equal_bytes(tmp_path: Path):
    saved = model()
    for name in ("a", "b"):
        saved.save(tmp_path / name)
    for name in ("saved_model.pb", "keras_metadata.pb"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_optimizer_whose_name_is_no_text(tmp_path: Path):
    path = tmp_path / "m.h5"
    saved = model()
    saved.compile("adam", "mse")
    saved.save(path)
    with h5py.File(path, "r+") as file:
        told = json.loads(file.attrs["training_config"])
        told["optimizer_config"]["config"]["name"] = True
        file.attrs["training_config"] = json.dumps(told)
    with pytest.raises(LoadError, match="name of an optimizer must be a text, found True"):
        keras.models.load_model(path)


def test_compile_information_that_is_a_tuple(tmp_path: Path):
    path = tmp_path / "m.h5"
    saved = model()
    saved.compile("adam", "mse")
    saved.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["training_config"] = json.dumps({"class_name": "__tuple__", "items": []})
    with pytest.raises(LoadError, match=r"training_config.*: found a tuple, expected the arguments of compile\(\)"):
        keras.models.load_model(path)


def test_compile_information_of_an_archive_that_is_a_tuple(tmp_path: Path):
    path = tmp_path / "m.keras"
    with keras.dialect("keras-3"):
        saved = model()
        saved.compile("adam", "mse")
        saved.save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        config["compile_config"] = {"class_name": "__tuple__", "items": [], "optimizer": "adam"}
        members["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        with pytest.raises(LoadError, match="compile_config: found a config that its classes refuse"):
            keras.models.load_model(path)


def test_a_config_that_asks_for_larger_weights_than_the_file_can_hold(tmp_path: Path):
    path = tmp_path / "m.h5"
    keras.Sequential([keras.Input((8, 2)), L.Conv1D(2, 3, name="narrow")]).save(path)
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"]
        file.attrs["model_config"] = config.replace("[null, 8, 2]", "[null, 8, 2147483647]")
        assert file.attrs["model_config"] != config
    with pytest.raises(
        LoadError, match=r"narrow/kernel:0: .* shape \(3, 2147483647, 2\), and a new one has 51539607528 bytes"
    ):
        keras.models.load_model(path)


@pytest.mark.parametrize("name", ["Functional", "Model"])
def test_a_model_without_a_graph_and_without_code(name: str):
    with pytest.raises(LoadError, match=f"a {name} without code of its own: found the keys"):
        keras.models.model_from_json(json.dumps({"class_name": name, "config": {"name": "m"}}))


# -- the objects of a SavedModel that are not what they should be ----------------------------------------------------


class Twice(L.Layer):
    """Nobody registers it, so that it is revived from its functions."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.several = [L.Dense(3, name="a"), L.Dense(3, name="b")]

    def call(self, inputs: Any) -> Any:
        return self.several[1](self.several[0](inputs))


@pytest.fixture
def revived(tmp_path: Path) -> Path:
    keras.Sequential([keras.Input((3,)), Twice(name="twice")]).save(tmp_path / "m")
    return tmp_path / "m"


class Whole(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.several = [Twice(name="twice")]

    def call(self, inputs: Any) -> Any:
        return self.several[0](inputs)


@pytest.fixture
def revived_root(tmp_path: Path) -> Path:
    whole = Whole()
    whole(np.zeros((1, 3), "float32"))
    whole.save(tmp_path / "m")
    return tmp_path / "m"


def spoil(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the message of a SavedModel; its checksum fits."""
    file = folder / "saved_model.pb"
    message = messages.parse_guarded(messages.SavedModel, file.read_bytes())
    change(message.meta_graphs[0])
    file.write_bytes(messages.serialize(message))


def specs_of_functions(graph: Any) -> Iterator[Any]:
    for node in graph.object_graph_def.nodes:
        if node.WhichOneof("kind") == "function":
            yield node.function.function_spec.fullargspec.named_tuple_value


def value_of(named_tuple: Any, name: str) -> Any:
    return next(pair.value for pair in named_tuple.values if pair.key == name)


@pytest.mark.parametrize("name", ["args", "defaults", "kwonlyargs", "kwonlydefaults"])
def test_parameters_of_a_function_that_are_no_list(revived: Path, name: str):
    def change(graph: Any) -> None:
        for spec in specs_of_functions(graph):
            value_of(spec, name).Clear()
            value_of(spec, name).bool_value = True

    spoil(revived, change)
    with pytest.raises(LoadError, match=f"found True as the {name} of a function, expected a "):
        tf.saved_model.load(revived)


def test_two_parameters_of_one_name(revived_root: Path):
    def change(graph: Any) -> None:
        for spec in specs_of_functions(graph):
            for _ in range(2):
                value_of(spec, "args").list_value.values.add().string_value = "x"

    spoil(revived_root, change)
    with pytest.raises(LoadError, match="duplicate parameter name: 'x'"):
        keras.models.load_model(revived_root)


def test_a_list_inside_itself(revived_root: Path):
    def change(graph: Any) -> None:
        for number, node in enumerate(graph.object_graph_def.nodes):
            if node.user_object.identifier == "trackable_list_wrapper":
                for edge in node.children:
                    edge.node_id = number

    spoil(revived_root, change)
    with pytest.raises(LoadError, match="RecursionError"):
        keras.models.load_model(revived_root)


def test_a_signature_that_takes_something_else_than_its_keywords(folder: Path):
    def change(graph: Any) -> None:
        nodes = graph.object_graph_def.nodes
        (bare,) = {
            node.bare_concrete_function.concrete_function_name
            for node in nodes
            if node.WhichOneof("kind") == "bare_concrete_function"
        }
        inputs = graph.object_graph_def.concrete_functions[bare].canonicalized_input_signature
        inputs.tuple_value.values[1].dict_value.fields["training"].bool_value = True

    spoil(folder, change)
    with pytest.raises(LoadError, match=r"signature serving_default: found .*, expected tensors for"):
        tf.saved_model.load(folder)


def test_a_revived_layer_whose_functions_fit_no_call(revived: Path):
    def change(graph: Any) -> None:
        for name, function in graph.object_graph_def.concrete_functions.items():
            positional = function.canonicalized_input_signature.tuple_value.values[0].tuple_value.values
            if "twice" in name and positional:
                positional.add().bool_value = False

    spoil(revived, change)
    with pytest.raises(LoadError, match="could not find a matching function to call"):
        keras.models.load_model(revived)


def test_a_name_in_the_main_graph_that_is_no_text(folder: Path):
    def change(graph: Any) -> None:
        del graph.object_graph_def.nodes[:]  # a folder of TensorFlow 1 has none
        for node in graph.graph_def.node:
            if node.op == "VarHandleOp":
                node.attr["shared_name"].s = b"\x80"

    spoil(folder, change)
    with pytest.raises(LoadError, match="main graph: found nodes of variables that cannot be followed"):
        tf.saved_model.load(folder)


def test_a_model_of_the_class_that_calls_nothing(folder: Path):
    """The metadata say that a layer is a Model, whose own call there is none of."""
    file = folder / "keras_metadata.pb"
    beside = (folder / "saved_model.pb").read_bytes()
    message = messages.parse_guarded(messages.KerasMetadata, file.read_bytes(), beside)
    node = next(node for node in message.nodes if node.identifier == "_tf_keras_layer" and "Dense" in node.metadata)
    told = json.loads(node.metadata)
    told["class_name"], told["config"] = "Model", {"name": "one"}
    node.metadata = json.dumps(told)
    file.write_bytes(messages.serialize(message))
    with pytest.raises(LoadError):
        keras.models.load_model(folder)
