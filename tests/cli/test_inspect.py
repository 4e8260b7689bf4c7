from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py  # pyright: ignore[reportMissingTypeStubs]
import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

import conformance.cli
import reference_impl as keras
from conformance.cli import cli
from conformance.inspecting import Inspection, inspect
from conformance.inspecting.model import json_schema
from conformance.witness import WitnessError

SCHEMA = json.loads((Path(conformance.cli.__file__).parent / "inspect.schema.json").read_text(encoding="utf-8"))
CODE = base64.b64encode(b"\xe3code").decode()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["inspect", *map(str, arguments)])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled model, trained once, in every format: files named by it."""
    folder = tmp_path_factory.mktemp("saved")
    model = keras.Sequential(
        [
            keras.layers.Dense(3, activation="relu", name="first", input_shape=(4,)),
            keras.layers.Dense(2, name="second", trainable=False),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    model.fit(np.ones((4, 4), "float32"), np.ones((4, 2), "float32"), verbose=0)
    for name in ("model.h5", "folder"):
        model.save(str(folder / name))
    with keras.dialect("keras-2.15"):
        model.save(str(folder / "model.keras"))
    for name in ("variables", "weights.h5"):
        model.save_weights(str(folder / name))
    (folder / "model.json").write_text(model.to_json(), encoding="utf-8")
    return folder


def names(found: Inspection) -> list[str]:
    return [layer.name for layer in found.layers if layer.class_name == "Dense"]


def loads(found: Inspection) -> dict[str, str]:
    return {it.implementation: it.loads for it in found.expectations}


def danger_kinds(found: Inspection) -> set[str]:
    return {danger.kind for danger in found.dangers}


def with_config(path: Path, config: dict[str, Any], **attributes: str) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for name, value in attributes.items():
            file.attrs[name] = value
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    return path


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def as_object(kind: str, /, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


INPUT = as_object("InputLayer", batch_input_shape=[None, 4], name="x")


def test_the_published_schema_is_the_one_of_the_code():
    assert json_schema() == SCHEMA


@pytest.mark.parametrize(
    ("name", "form", "holds"),
    [
        ("model.h5", "HDF5 model", "a whole model"),
        ("model.keras", "Keras v3 archive", "a whole model"),
        ("folder", "SavedModel", "a whole Keras model"),
        ("variables", "TensorFlow checkpoint", "weights only"),
        ("variables.index", "TensorFlow checkpoint", "weights only"),
        ("weights.h5", "HDF5 weights", "weights only"),
        ("model.json", "JSON config", "an architecture without weights"),
    ],
)
def test_the_format_is_known_by_the_content(saved: Path, name: str, form: str, holds: str):
    found = inspect(saved / name)
    assert (found.format, found.holds) == (form, holds)
    assert found.dangers == ()
    assert not found.damaged


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "folder"])
def test_a_whole_model_is_told_whole(saved: Path, name: str):
    found = inspect(saved / name)
    assert names(found) == ["first", "second"]
    assert next(layer for layer in found.layers if layer.name == "second").trainable is False
    shapes = sorted(weight.shape for weight in found.weights if weight.role == "weight")
    assert shapes == [(2,), (3,), (3, 2), (4, 3)]
    assert found.optimizer is not None
    assert found.optimizer.class_name == "Adam"
    assert found.optimizer.arrays >= 5
    assert {weight.role for weight in found.weights} <= {"weight", "optimizer", "metric"}
    assert "mean_squared_error" in str(found.training["loss"]) or "mse" in str(found.training["loss"])
    assert found.custom == ()
    assert loads(found)["reference"] == "yes"


def test_the_name_of_a_file_does_not_count(saved: Path, tmp_path: Path):
    other = tmp_path / "model.bin"
    other.write_bytes((saved / "model.keras").read_bytes())
    assert inspect(other).format == "Keras v3 archive"


def test_a_model_without_an_h5_layout_of_keras_is_refused(tmp_path: Path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["measurements"] = np.ones(3)
    with pytest.raises(WitnessError, match="no Keras file; its root has measurements"):
        inspect(tmp_path / "data.h5")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.h5", b"", "is empty"),
        ("text.h5", b"hello", "is no model"),
        ("model.pkl", b"\x80\x04\x95rest", "a pickle"),
        ("half.h5", b"\x89HDF\r\n\x1a\n", "h5py cannot read it"),
        ("half.keras", b"PK\x03\x04rest", "zip"),
        ("pointer.h5", b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        ("other.json", b'{"a": 1}', "no class_name; found a"),
        ("broken.json", b'{"a": ', "not JSON"),
        ("model.index", b"short", "table"),
    ],
)
def test_what_is_no_model_is_one_line_and_exit_2(tmp_path: Path, name: str, data: bytes, said: str):
    (tmp_path / name).write_bytes(data)
    done = run(tmp_path / name)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert name in line
    assert said in line


def test_a_dangling_link_and_a_missing_file_are_told(tmp_path: Path):
    (tmp_path / "link.h5").symlink_to("nowhere.h5")
    assert "a link to nowhere.h5" in run(tmp_path / "link.h5").stderr
    assert "is not there" in run(tmp_path / "missing.h5").stderr


def test_one_bad_file_among_good_ones_does_not_keep_them_from_being_told(saved: Path, tmp_path: Path):
    (tmp_path / "bad.h5").touch()
    done = run(saved / "model.h5", tmp_path / "bad.h5", saved / "folder", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert [found["format"] for found in document["files"]] == ["HDF5 model", "SavedModel"]
    assert len(document["errors"]) == 1


def test_a_damaged_checkpoint_is_told_with_the_tensor(saved: Path, tmp_path: Path):
    data = next(saved.glob("variables.data-*"))
    damaged = bytearray(data.read_bytes())
    damaged[10] ^= 1
    (tmp_path / data.name).write_bytes(damaged)
    (tmp_path / "variables.index").write_bytes((saved / "variables.index").read_bytes())
    found = inspect(tmp_path / "variables")
    assert found.damaged
    assert "offset 0" in found.checks[0].detail
    assert set(loads(found).values()) == {"no"}
    assert run(tmp_path / "variables").exit_code == 1


def test_a_damaged_archive_is_told_with_the_entry(saved: Path, tmp_path: Path):
    data = bytearray((saved / "model.keras").read_bytes())
    with zipfile.ZipFile(saved / "model.keras") as archive:
        entry = archive.getinfo("model.weights.h5")
    data[entry.header_offset + entry.file_size // 2] ^= 0xFF
    (tmp_path / "damaged.keras").write_bytes(data)
    found = inspect(tmp_path / "damaged.keras")
    assert found.damaged
    assert "model.weights.h5" in found.checks[0].detail


def test_compiled_code_of_a_lambda_is_found_wherever_it_stands(tmp_path: Path):
    old = as_object("Lambda", name="l", function=[CODE, None, None], function_type="lambda")
    new = as_object("Lambda", function={"class_name": "__lambda__", "config": {"code": CODE}})
    for number, layer in enumerate((old, as_object("TimeDistributed", layer=old), new)):
        found = inspect(with_config(tmp_path / f"{number}.h5", sequential(INPUT, layer)))
        assert danger_kinds(found) == {"code"}
        assert set(loads(found).values()) == {"no"}


def test_names_of_code_are_found(tmp_path: Path):
    config = {**as_object("function"), "module": "os", "config": "system", "registered_name": "function"}
    found = inspect(with_config(tmp_path / "m.h5", sequential(INPUT, as_object("Lambda", function=config))))
    assert [danger.what for danger in found.dangers] == ["names code to import: os.system"]


def test_a_vocabulary_that_is_a_path_is_found(tmp_path: Path):
    layer = as_object("StringLookup", vocabulary="/etc/passwd")
    found = inspect(with_config(tmp_path / "m.h5", sequential(INPUT, layer)))
    assert danger_kinds(found) == {"path"}


def test_links_and_external_bytes_of_hdf5_are_found_and_not_followed(tmp_path: Path):
    with_config(tmp_path / "m.h5", sequential(INPUT))
    (tmp_path / "secret").write_bytes(bytes(8))
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file["model_weights/away"] = h5py.ExternalLink("other.h5", "/x")
        file["model_weights/soft"] = h5py.SoftLink("/nowhere")
        file.create_dataset("bytes", (2,), "f4", external=[(str(tmp_path / "secret"), 0, 8)])
        file["zoo"] = file["model_weights"]  # a second way to the same group, which is no loop
    found = inspect(tmp_path / "m.h5")
    assert danger_kinds(found) == {"link", "external"}
    assert {danger.where for danger in found.dangers} == {"model_weights/away", "model_weights/soft", "bytes"}


def test_an_array_that_is_larger_than_its_bytes_is_found(tmp_path: Path):
    with_config(tmp_path / "m.h5", sequential(INPUT))
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file.create_dataset("huge", (1 << 40,), "f4", chunks=(1 << 10,))
    assert danger_kinds(inspect(tmp_path / "m.h5")) == {"size"}


def test_entries_that_leave_the_archive_and_pickles_are_found(saved: Path, tmp_path: Path):
    path = tmp_path / "m.keras"
    path.write_bytes((saved / "model.keras").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../out", b"x")
        archive.writestr("assets/state.pkl", b"x")
        archive.writestr("bomb", bytes(5_000_000), zipfile.ZIP_DEFLATED)
    assert danger_kinds(inspect(path)) == {"path", "pickle", "size"}


def test_custom_classes_and_functions_are_named_and_needed(tmp_path: Path):
    dense = as_object("Dense", name="d", activation="my_activation", kernel_initializer="zeros")
    found = inspect(with_config(tmp_path / "m.h5", sequential(INPUT, as_object("Mine"), dense)))
    assert set(found.custom) == {"Mine", "my_activation"}
    assert loads(found)["tf2.4"] == "custom"
    assert "Mine" in found.expectations[0].why[0]


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("1.2.2", "keras-1"),
        ("2.2.4-tf", "keras-2.4"),
        ("2.8.0", "keras-2.8"),
        ("2.15.0", "keras-2.15"),
        ("3.15.1", "keras-3"),
    ],
)
def test_the_writers_generation(tmp_path: Path, version: str, generation: str):
    found = inspect(with_config(tmp_path / "m.h5", sequential(INPUT), keras_version=version))
    assert (found.writer.keras, found.writer.generation) == (version, generation)


def test_a_listed_weight_that_is_not_there_is_damage(saved: Path, tmp_path: Path):
    path = tmp_path / "m.h5"
    path.write_bytes((saved / "model.h5").read_bytes())
    with h5py.File(path, "a") as file:
        group = file["model_weights/first"]
        name = group.attrs["weight_names"][0]
        del group[name]
    found = inspect(path)
    assert found.damaged
    assert "is listed and is not there" in next(check.detail for check in found.checks if check.ok is False)


def test_the_text_tells_each_part_and_how_to_see_the_rest(saved: Path):
    done = run(saved / "folder", saved / "model.h5")
    assert done.exit_code == 0
    for said in (
        "SavedModel",
        "first: Dense",
        "second: Dense (frozen",
        "who should load it",
        "checksums: ok",
        "none found",
    ):
        assert said in done.stdout


def test_what_a_model_was_compiled_with_decides_who_loads_it_compiled(tmp_path: Path):
    def compiled(**training: Any) -> str:
        config = sequential(INPUT, as_object("Dense", name="d", units=2))
        file = with_config(tmp_path / "m.h5", config, training_config=json.dumps({"metrics": [], **training}))
        return loads(inspect(file))["keras3"]

    adam = {"class_name": "Adam", "config": {"learning_rate": 0.1}}
    assert compiled(loss="huber", optimizer_config=adam) == "yes"
    assert compiled(loss="mse", optimizer_config=adam) == "uncompiled"
    assert compiled(loss="huber", optimizer_config={**adam, "config": {"lr": 0.1}}) == "uncompiled"


def test_a_saved_model_with_a_loss_of_its_writers_own_loads_uncompiled(tmp_path: Path):
    def mine(expected: Any, found: Any) -> Any:
        return keras.tf.reduce_mean(keras.tf.square(expected - found))

    for loss, answer in (("mse", "yes"), (mine, "uncompiled")):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile("adam", loss)
        model.save(str(tmp_path / answer))
        assert loads(inspect(tmp_path / answer))["tf2.15"] == answer
