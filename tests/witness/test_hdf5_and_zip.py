"""HDF5 and zip files made here: long lists, string types, and every fault with its place."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest

from conformance import witness
from conformance.witness import WitnessError

h5py: Any = _h5py


def write(path: Path, layers: list[str]) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential"}).encode()
        weights = file.create_group("model_weights")
        half = len(layers) // 2
        for i, part in enumerate((layers[:half], layers[half:])):
            weights.attrs[f"layer_names{i}"] = np.array([name.encode() for name in part], "S")
        for number, name in enumerate(layers):
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode()]
            group[f"{name}/kernel:0"] = np.full((2,), number, "float16")


def test_a_list_in_several_attributes_is_one_list(tmp_path: Path):
    write(tmp_path / "m.h5", ["b", "a", "c", "d"])
    facts = witness.hdf5.read(tmp_path / "m.h5")
    assert [group.name for group in facts.weight_groups] == ["b", "a", "c", "d"]
    assert [group.weights[0].value.tolist() for group in facts.weight_groups] == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert facts.weight_groups[1].weights[0].path == "model_weights/a/a/kernel:0"
    assert facts.attributes["model_weights"]["layer_names0"].type == "fixed ascii"
    assert set(facts.groups) >= {"model_weights", "model_weights/a"}
    assert facts.training_config == {}
    assert facts.optimizer_weights == ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"text", "vlen ascii"),
        ("text", "vlen utf-8"),
        (np.bytes_(b"text"), "fixed ascii"),
        (np.array([b"text"], "S6"), "fixed ascii"),
    ],
)
def test_string_types_are_told_apart(tmp_path: Path, value: Any, kind: str):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        if kind == "vlen ascii":
            file.attrs.create("a", value, dtype=h5py.string_dtype("ascii"))
        else:
            file.attrs["a"] = value
        file.attrs["n"] = np.zeros(0)
    root = witness.hdf5.read(tmp_path / "a.h5").root
    assert root["a"].type == kind
    assert root["a"].value in ("text", ["text"])
    assert root["n"].type == "float64"


def test_faults_of_hdf5_are_named_with_their_place(tmp_path: Path):
    path = tmp_path / "m.h5"
    with pytest.raises(WitnessError, match="h5py cannot read it"):
        witness.hdf5.read(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(WitnessError, match=r"m\.h5: file: h5py cannot read it"):
        witness.hdf5.read(path)
    write(path, ["a", "b"])
    with h5py.File(path, "a") as file:
        del file["model_weights/a/a/kernel:0"]
    with pytest.raises(WitnessError, match=r"m\.h5: model_weights/a/a/kernel:0: the dataset is listed"):
        witness.hdf5.read(path)
    with h5py.File(path, "a") as file:
        del file["model_weights/a"]
    with pytest.raises(WitnessError, match=r"m\.h5: model_weights/a: the group is listed"):
        witness.hdf5.read(path)
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = b"{"
    with pytest.raises(WitnessError, match=r"m\.h5: attribute model_config: not JSON"):
        witness.hdf5.read(path)


def test_faults_of_a_zip_are_named_with_their_place(tmp_path: Path):
    path = tmp_path / "m.keras"
    with pytest.raises(WitnessError, match=r"m\.keras: file: cannot be read"):
        witness.keras_zip.read(path)
    path.write_bytes(b"PK but no zip")
    with pytest.raises(WitnessError, match=r"m\.keras: zip: "):
        witness.keras_zip.read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(WitnessError, match=r"m\.keras: zip: no entry config\.json; found \['metadata\.json'\]"):
        witness.keras_zip.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "[]")
        archive.writestr("config.json", "{}")
    with pytest.raises(WitnessError, match=r"m\.keras: metadata\.json: found list, expected a JSON object"):
        witness.keras_zip.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
    facts = witness.keras_zip.read(path)
    assert facts.weights is None
    assert [entry.stored for entry in facts.entries] == [False, False]


def field(number: int, value: bytes | str) -> bytes:
    """A field of a protocol buffer that is a message or a text of fewer than 128 bytes."""
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2, len(data)]) + data


def meta_graph(node: str, *tags: str) -> bytes:
    info = b"".join(field(4, tag) for tag in tags) + field(5, "1.15.0")
    return field(2, field(1, info) + field(2, field(1, field(1, node) + field(2, "NoOp"))))


@pytest.mark.parametrize(
    ("graphs", "tags", "node"),
    [
        ([("training", ("train",)), ("serving", ("serve", "gpu"))], ("serve", "gpu"), "serving"),
        ([("training", ("train",)), ("evaluating", ("eval",))], ("train",), "training"),
        ([("only", ())], (), "only"),
    ],
)
def test_of_several_meta_graphs_the_one_for_serving_is_told(
    tmp_path: Path, graphs: list[tuple[str, tuple[str, ...]]], tags: tuple[str, ...], node: str
):
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01" + b"".join(meta_graph(name, *its) for name, its in graphs))
    facts = witness.savedmodel.read(tmp_path)
    assert (facts.tags, [one.name for one in facts.graph]) == (tags, [node])
    assert facts.meta_graphs == tuple(its for _, its in graphs)


def test_faults_of_a_savedmodel_are_named_with_their_place(tmp_path: Path):
    with pytest.raises(WitnessError, match=r"saved_model\.pb: file: cannot be read"):
        witness.savedmodel.read(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(WitnessError, match=r"saved_model\.pb: message: "):
        witness.savedmodel.read(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(WitnessError, match=r"saved_model\.pb: meta graphs: found 0, expected 1"):
        witness.savedmodel.read(tmp_path)
