"""The Keras v3 format: what stands where in a file, and what becomes of one that is not right."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError

L = keras.layers
X = np.sin(np.arange(12, dtype="float32")).reshape(3, 4)
Y = np.cos(np.arange(6, dtype="float32")).reshape(3, 2)
DIALECTS = ("keras-2.15", "keras-3")


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Iterator[str]:
    with keras.dialect(request.param):
        yield request.param


def functional() -> Any:
    inside = keras.Input((4,), name="inside")
    inner = keras.Model(inside, L.Dense(4, name="own")(inside), name="inner")
    outside = keras.Input((4,), name="outside")
    hidden = L.BatchNormalization(name="norm")(L.Dense(4, activation="tanh", name="second")(inner(outside)))
    return keras.Model(outside, L.Dense(2, name="head")(hidden), name="outer")


def trained() -> Any:
    model = functional()
    for number, weight in enumerate(model.weights):
        values = np.sin(np.arange(weight.array.size) + 10 * number).reshape(weight.shape).astype("float32")
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    return model


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, **changed: bytes | None) -> None:
    """The archive with members replaced (``config_json``), or left out (None)."""
    found = {name: changed.get(name.replace(".", "_"), content) for name, content in members(path).items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in found.items():
            if content is not None:
                archive.writestr(name, content)


def test_a_model_comes_back_with_its_optimizer(dialect: str, tmp_path: Path) -> None:
    model = trained()
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    for found, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.optimizer.iterations.numpy() == 1
    assert loaded.train_on_batch(X, Y) == model.train_on_batch(X, Y)


def test_weights_go_into_a_live_model_from_both_kinds_of_file(dialect: str, tmp_path: Path) -> None:
    model = trained()
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    for name in ("m.keras", "m.weights.h5"):
        other = functional()
        other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_groups_are_called_after_classes_and_counted(dialect: str, tmp_path: Path) -> None:
    model = trained()
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        np.testing.assert_array_equal(file["layers/dense/vars/0"], model.get_layer("second").kernel.numpy())
        np.testing.assert_array_equal(file["layers/dense_1/vars/1"], model.get_layer("head").bias.numpy())
        np.testing.assert_array_equal(file["layers/batch_normalization/vars/2"], model.get_layer("norm").moving_mean)
        assert "layers/functional/layers/dense/vars/0" in file
        name = file["layers/dense_1/vars"].attrs.get("name")
        assert name == ("head" if dialect == "keras-3" else None)


def test_an_archive_that_was_packed_anew_is_read(tmp_path: Path) -> None:
    with keras.dialect("keras-2.15"):
        model = keras.Sequential([keras.layers.Dense(64, input_shape=(64,), kernel_initializer="ones")])
        model.save(str(tmp_path / "m.keras"))
    content = members(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "packed.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    assert (tmp_path / "packed.keras").stat().st_size < len(content["model.weights.h5"])
    loaded = keras.models.load_model(str(tmp_path / "packed.keras"))
    np.testing.assert_array_equal(loaded.get_weights()[0], np.ones((64, 64), np.float32))


def test_the_members_are_stored_without_compression(dialect: str, tmp_path: Path) -> None:
    trained().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert [info.filename for info in archive.infolist()] == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_equal_models_give_equal_bytes(dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    model = trained()
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    assert json.loads(members(tmp_path / "a.keras")["metadata.json"])["date_saved"] == "2023-11-14@22:13:20"


class Nested(L.Layer):
    """Layers in a list in a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = [[L.Dense(4)], L.Dense(4)]

    def call(self, inputs: Any) -> Any:
        return self.parts[1](self.parts[0][0](inputs))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


def test_containers_in_containers(dialect: str, tmp_path: Path) -> None:
    model = keras.Sequential([Nested(input_shape=(4,), name="nested")])
    model.save(tmp_path / "m.keras")
    with h5py.File(io.BytesIO(members(tmp_path / "m.keras")["model.weights.h5"])) as file:
        assert "layers/nested/parts/container/dense/vars/0" in file
    loaded = keras.models.load_model(tmp_path / "m.keras", {"Nested": Nested}, compile=False)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_file_of_before_they_were_stored_names_what_stays_fresh(tmp_path: Path) -> None:
    model = keras.Sequential([Nested(input_shape=(4,), name="nested")])
    with keras.dialect("keras-3"):
        model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        del file["layers/nested/parts/container"]
    with pytest.warns(UserWarning, match=r"parts/container/dense.*stays fresh"):
        model.load_weights(tmp_path / "m.weights.h5")


def test_a_model_that_was_not_compiled_says_so(dialect: str, tmp_path: Path) -> None:
    functional().save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="No training configuration"):
        assert keras.models.load_model(tmp_path / "m.keras").optimizer is None


def test_a_save_that_fails_leaves_the_old_file(dialect: str, tmp_path: Path) -> None:
    trained().save(tmp_path / "m.keras")
    before = (tmp_path / "m.keras").read_bytes()
    with pytest.raises(NotImplementedError):
        keras.Sequential([L.Lambda(lambda x: x, input_shape=(4,))]).save(tmp_path / "m.keras")
    assert (tmp_path / "m.keras").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_weights_that_do_not_fit_change_nothing(dialect: str, tmp_path: Path) -> None:
    trained().save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        del file["layers/dense_1/vars/1"]
    model = functional()
    before = model.get_weights()
    with pytest.raises(LoadError, match=r"layers/dense_1/vars: found 1 variables, expected 2, as 'head' has"):
        model.load_weights(tmp_path / "m.weights.h5")
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("path", ["layers/dense/vars/0", "layers/dense/vars", "layers"])
def test_what_is_elsewhere_is_not_read(dialect: str, tmp_path: Path, path: str) -> None:
    model = keras.Sequential([L.Dense(2, input_shape=(4,))])
    model.save_weights(tmp_path / "m.weights.h5")
    model.save_weights(tmp_path / "other.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        del file[path]
        file[path] = h5py.ExternalLink(str(tmp_path / "other.weights.h5"), f"/{path}")
    with pytest.raises(LoadError, match=r"m\.weights\.h5: .*ExternalLink .*only refers to is not read"):
        model.load_weights(tmp_path / "m.weights.h5")


def test_unknown_classes_and_code_are_refused_by_name(tmp_path: Path) -> None:
    with keras.dialect("keras-3"):
        keras.Sequential([Nested(input_shape=(4,))]).save(tmp_path / "m.keras")
        with pytest.raises(LoadError, match="Unknown layer: Nested"):
            keras.models.load_model(tmp_path / "m.keras")
        trained().save(tmp_path / "m.keras")
    config = json.loads(members(tmp_path / "m.keras")["config.json"])
    code = {"class_name": "__lambda__", "config": {"value": "bytes"}}
    config["config"]["layers"][1]["config"]["activation"] = code
    rewritten(tmp_path / "m.keras", config_json=json.dumps(config).encode())
    with pytest.raises(LoadError, match="never run from a file"):
        keras.models.load_model(tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"config_json": b"{"}, "config.json: found text that is not JSON"),
        ({"config_json": b"[" * 100000}, "config.json: found text that is not JSON"),
        ({"config_json": b"[]"}, "config.json: found a list, expected a JSON object"),
        ({"config_json": None}, "config.json: found no member"),
        ({"model_weights_h5": None}, "found no model.weights.h5"),
        ({"model_weights_h5": b"no file"}, "model.weights.h5: found an HDF5 file that is damaged"),
    ],
)
def test_members_that_are_wrong_are_named(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    with keras.dialect("keras-3"):
        trained().save(tmp_path / "m.keras")
    rewritten(tmp_path / "m.keras", **changed)
    with pytest.raises(LoadError, match=told):
        keras.models.load_model(tmp_path / "m.keras")


def test_a_damaged_archive_is_refused_or_right(tmp_path: Path) -> None:
    with keras.dialect("keras-3"):
        model = keras.Sequential([L.Dense(2, input_shape=(4,))])
        model.save(tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    refused = 0
    for place in range(0, len(whole), 61):
        (tmp_path / "d.keras").write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            loaded = keras.models.load_model(tmp_path / "d.keras", compile=False)
        except LoadError:
            refused += 1
            continue
        np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert refused > len(whole) // 61 // 2
    for length in range(4, len(whole), 997):
        (tmp_path / "d.keras").write_bytes(whole[:length])
        with pytest.raises(LoadError):
            keras.models.load_model(tmp_path / "d.keras", compile=False)


def test_json_in_the_form_of_keras_3() -> None:
    model = functional()
    with keras.dialect("keras-3"):
        text = model.to_json()
    form = json.loads(text)
    assert form["config"]["layers"][0]["config"]["batch_shape"] == [None, 4]
    assert {layer["module"] for layer in form["config"]["layers"]} == {"keras.layers", "keras.src.models.functional"}
    again = keras.models.model_from_json(text)
    assert again.get_config() == model.get_config()


# -- what lookup layers keep ---------------------------------------------------------------------------------------


def lookup(make: Any, data: Any) -> Any:
    inputs = keras.Input(np.shape(data)[1:], dtype="string" if isinstance(data[0][0], str) else "float32")
    layer = make()
    layer.adapt(np.array(data))
    return keras.Model(inputs, layer(inputs))


WORDS = [["a", "b"], ["a", "c"]]


@pytest.mark.parametrize(
    ("make", "data", "assets"),
    [
        (lambda: L.StringLookup(output_mode="int", mask_token=None), WORDS, {"string_lookup": b"[UNK]\na\nc\nb"}),
        (lambda: L.StringLookup(), WORDS, {"string_lookup": b"\n[UNK]\na\nc\nb"}),
        (lambda: L.StringLookup(output_mode="tf_idf"), WORDS, {"string_lookup": b"[UNK]\na\nc\nb"}),
        (
            lambda: L.TextVectorization(encoding="utf-8"),
            [["a b"], ["a c"]],
            dict.fromkeys(("text_vectorization", "text_vectorization/_lookup_layer"), b"\n[UNK]\na\nc\nb"),
        ),
        (
            lambda: L.TextVectorization(output_mode="tf-idf", pad_to_max_tokens=False),
            [["a b"], ["a c"]],
            dict.fromkeys(("text_vectorization", "text_vectorization/_lookup_layer"), b"[UNK]\na\nc\nb"),
        ),
    ],
)
def test_a_vocabulary_that_was_learned_is_an_asset(
    dialect: str, make: Any, data: Any, assets: dict[str, bytes], tmp_path: Path
) -> None:
    model = lookup(make, data)
    model.save(tmp_path / "m.keras")
    found = {name: content for name, content in members(tmp_path / "m.keras").items() if name.startswith("assets/")}
    assert found == {f"assets/layers/{path}/vocabulary.txt": content for path, content in assets.items()}
    loaded = keras.models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(loaded(np.array(data)), model(np.array(data)))


def test_a_vocabulary_that_was_given_is_in_the_config_alone(dialect: str, tmp_path: Path) -> None:
    inputs = keras.Input((2,), dtype="string")
    model = keras.Model(inputs, L.StringLookup(vocabulary=["b", "a"], output_mode="int")(inputs))
    model.save(tmp_path / "m.keras")
    assert len(members(tmp_path / "m.keras")) == 3
    loaded = keras.models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(loaded(np.array(WORDS)), model(np.array(WORDS)))


def test_weights_of_tokens_are_a_dataset_of_their_own(dialect: str, tmp_path: Path) -> None:
    model = lookup(lambda: L.StringLookup(output_mode="tf_idf"), WORDS)
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        group = file["layers/string_lookup/vars"]
        assert list(group) == ["idf_weights"]
        np.testing.assert_array_equal(group["idf_weights"], model.layers[1].idf_weights)
        group["idf_weights"][...] = [4, 3, 2, 1]
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(model.layers[1].idf_weights, [4, 3, 2, 1])
    assert len(model.weights) == (0 if dialect == "keras-3" else 1)
    other = lookup(lambda: L.StringLookup(output_mode="tf_idf"), [["a", "b", "c", "d"]])
    with pytest.raises(LoadError, match=r"idf_weights: found shape \(4,\), expected \(5,\)"):
        other.load_weights(tmp_path / "m.weights.h5")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "vocabulary.txt: found no member"),
        (b"[UNK]\na\na", "assets/layers/string_lookup: .*repeated term"),
        (b"\xff", "assets/layers/string_lookup: .*utf-8"),
    ],
)
def test_a_vocabulary_that_is_wrong_is_named(content: bytes | None, told: str, tmp_path: Path) -> None:
    with keras.dialect("keras-3"):
        lookup(lambda: L.StringLookup(output_mode="int", mask_token=None), WORDS).save(tmp_path / "m.keras")
    rewritten(tmp_path / "m.keras", **{"assets/layers/string_lookup/vocabulary_txt": content})
    with pytest.raises(LoadError, match=told):
        keras.models.load_model(tmp_path / "m.keras", compile=False)


def test_boundaries_that_were_learned(dialect: str, tmp_path: Path) -> None:
    data = np.array([[0.125, 0.25], [0.5, 0.75]], "float32")
    model = lookup(lambda: L.Discretization(num_bins=3), data)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", compile=False)
    assert loaded.layers[1].bin_boundaries == model.layers[1].bin_boundaries
    assert len(loaded.layers[1].bin_boundaries) == 2
    with h5py.File(io.BytesIO(members(tmp_path / "m.keras")["model.weights.h5"])) as file:
        assert list(file["layers/discretization/vars"]) == ([] if dialect == "keras-3" else ["0"])


# -- other stores --------------------------------------------------------------------------------------------------


def sharded(folder: Path) -> tuple[Any, Path]:
    """Weights of a model in two files, ``head``'s bias in another than its kernel."""
    model = trained()
    with keras.dialect("keras-3"):
        model.save_weights(folder / "m_00000.weights.h5")
    with h5py.File(folder / "m_00000.weights.h5", "r+") as one, h5py.File(folder / "m_00001.weights.h5", "w") as two:
        one.copy("layers/dense_1/vars/1", two.create_group("layers/dense_1/vars"))
        del one["layers/dense_1/vars/1"]
    names = ["m_00000.weights.h5", "m_00001.weights.h5"]
    table = {
        "metadata": {"total_size": 9},
        "weight_map": {"/layers/dense/vars": names[0], "/layers/dense_1/vars": names},
    }
    (folder / "m.weights.json").write_text(json.dumps(table), encoding="utf-8")
    return model, folder / "m.weights.json"


def test_weights_in_several_files(tmp_path: Path) -> None:
    model, path = sharded(tmp_path)
    other = functional()
    other.load_weights(path)
    for found, expected in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "no 'weight_map'"),
        ('{"weight_map": {"/vars": "../m_00000.weights.h5"}}', "expected the name of a file in this folder"),
        ('{"weight_map": {"/vars": 3}}', "expected the name of a file in this folder"),
        ('{"weight_map": {"/vars": "other.weights.h5"}}', "found no such file beside it"),
        ('{"weight_map": {"/vars": "m_00000.weights.h5"}}', "found 1 variables, expected 2, as 'head' has"),
    ],
)
def test_a_table_of_files_that_is_wrong_changes_nothing(text: str, told: str, tmp_path: Path) -> None:
    model, path = sharded(tmp_path)
    path.write_text(text, encoding="utf-8")
    before = model.get_weights()
    with pytest.raises(LoadError, match=told):
        model.load_weights(path)
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_store_that_needs_pickle_is_refused(tmp_path: Path) -> None:
    with keras.dialect("keras-3"):
        trained().save(tmp_path / "m.keras")
    content = members(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name in ("metadata.json", "config.json"):
            archive.writestr(name, content[name])
        archive.writestr("model.weights.npz", b"")
    with pytest.raises(LoadError, match="holds Python objects, which are never loaded"):
        keras.models.load_model(tmp_path / "m.keras")
