"""Weights and whole models in HDF5."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError
from reference_impl.formats.hdf5 import weights

X = np.sin(np.arange(32, dtype="float32")).reshape(8, 4)
Y = np.cos(np.arange(32, dtype="float32")).reshape(8, 4)


class Nested(keras.layers.Layer):
    """The guide's layer whose weights change places when a part of it is frozen."""

    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.dense_1 = keras.layers.Dense(units, name="dense_1")
        self.dense_2 = keras.layers.Dense(units, name="dense_2")

    def call(self, x: Any) -> Any:
        return self.dense_2(self.dense_1(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def nested(frozen: bool = False) -> Any:
    model = keras.Sequential([keras.Input((4,)), Nested(name="nested")])
    model.get_layer("nested").dense_1.trainable = not frozen
    return model


def mlp(*names: str | None, **compiled: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4, name=name) for name in names)])
    if compiled:
        model.compile(**compiled)
    return model


def by_name(model: Any) -> dict[str, Any]:
    return {weight.name: weight.numpy() for weight in model.weights}


def assert_equal(first: Any, second: Any) -> None:
    assert len(first.weights) == len(second.weights)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- weights -----------------------------------------------------------------------------------------------


def test_the_layout(tmp_path: Path) -> None:
    nested(frozen=True).save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert list(file.attrs["layer_names"]) == [b"nested"]
        assert list(file["nested"].attrs["weight_names"]) == [
            b"nested/dense_2/kernel:0",
            b"nested/dense_2/bias:0",
            b"nested/dense_1/kernel:0",
            b"nested/dense_1/bias:0",
        ]
        dataset = file["nested/nested/dense_2/kernel:0"]
        assert (dataset.shape, dataset.dtype, dataset.chunks, dataset.compression) == ((4, 4), "<f4", None, None)


@pytest.mark.parametrize("frozen", [False, True])
def test_other_flags_swap_nothing(tmp_path: Path, frozen: bool) -> None:
    saved, loaded = nested(frozen), nested(not frozen)
    saved.save_weights(tmp_path / "w.h5")
    loaded.load_weights(tmp_path / "w.h5")
    before, after = by_name(saved), by_name(loaded)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)


def test_what_cannot_be_known_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    saved, loaded = nested(), nested()
    saved.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "r+") as file:
        group = file["nested"]
        names = [
            name.replace(b"dense_1", b"left").replace(b"dense_2", b"right") for name in group.attrs["weight_names"]
        ]
        group.attrs["weight_names"] = names
        group.move("nested/dense_1", "nested/left")
        group.move("nested/dense_2", "nested/right")
    before = loaded.get_weights()
    with pytest.raises(LoadError, match="could change places"):
        loaded.load_weights(tmp_path / "w.h5")
    for a, b in zip(before, loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_unnamed_weights_get_names_of_their_own(tmp_path: Path) -> None:
    class Unnamed(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(shape=(4, 4))
            self.b = self.add_weight(shape=(4,))
            self.c = self.add_weight(shape=(4,), trainable=False)

    first, second = (keras.Sequential([keras.Input((4,)), Unnamed()]) for _ in range(2))
    first.save_weights(tmp_path / "w.h5")
    second.load_weights(tmp_path / "w.h5")
    assert_equal(first, second)


def test_names_that_clash_are_made_distinct() -> None:
    named = [keras.tf.Variable(1.0, name=name) for name in ("w", "w", "w/v", "w")]
    assert weights.distinct_names(named) == ["w:0", "w_1:0", "w/v:0", "w_2:0"]


def test_weights_of_the_model_itself_are_kept(tmp_path: Path) -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scale = keras.tf.Variable([2.0, 3.0], name="scale")
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x) * self.scale

    saved, loaded = Own(), Own()
    saved(X), loaded(X)
    loaded.scale.assign([0.0, 0.0])
    saved.save_weights(tmp_path / "w.h5")
    loaded.load_weights(tmp_path / "w.h5")
    assert loaded.scale.numpy().tolist() == [2.0, 3.0]
    assert_equal(saved, loaded)


def test_counts_and_shapes_are_compared_before_anything_changes(tmp_path: Path) -> None:
    mlp("a", "b").save_weights(tmp_path / "w.h5")
    with pytest.raises(LoadError, match=r"2 layers with weights \('a', 'b'\), expected 1"):
        mlp("a").load_weights(tmp_path / "w.h5")
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(3, name="b")])
    before = other.get_weights()
    with pytest.raises(LoadError, match=r"b/b/kernel:0: found shape \(4, 4\), expected \(4, 3\)"):
        other.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(other.get_weights()[0], before[0])


def test_other_layer_names_load_with_a_warning_and_other_counters_without(tmp_path: Path) -> None:
    mlp("a", "b").save_weights(tmp_path / "named.h5")
    mlp(None, None).save_weights(tmp_path / "automatic.h5")
    with pytest.warns(UserWarning, match="their names differ"):
        mlp("a", "c").load_weights(tmp_path / "named.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlp(None, None).load_weights(tmp_path / "automatic.h5")


def test_by_name(tmp_path: Path) -> None:
    saved = mlp("a", "b")
    saved.save_weights(tmp_path / "w.h5")
    loaded = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="b"), keras.layers.Dense(3, name="a")])
    with pytest.raises(LoadError, match="shape"):
        loaded.load_weights(tmp_path / "w.h5", by_name=True)
    with pytest.warns(UserWarning, match="skipping layer 'a'"):
        loaded.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(loaded.get_weights()[0], saved.get_weights()[2])
    with pytest.raises(ValueError, match="by_name is True"):
        loaded.load_weights(tmp_path / "w.h5", skip_mismatch=True)


def test_hdf5_needs_a_built_model_on_both_sides(tmp_path: Path) -> None:
    mlp("a").save_weights(tmp_path / "w.h5")
    unbuilt = keras.Sequential([keras.layers.Dense(4, name="a")])
    with pytest.raises(ValueError, match="build"):
        unbuilt.load_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="not yet been created"):
        unbuilt.save_weights(tmp_path / "v.h5")
    assert not (tmp_path / "v.h5").exists()


@pytest.mark.parametrize("name", ["with space", "größe", "a/b", "lambda", "x" * 200])
def test_odd_layer_names_survive(tmp_path: Path, name: str) -> None:
    saved, loaded = mlp(name, "a"), mlp(name, "a")
    saved.save_weights(tmp_path / "w.h5")
    loaded.load_weights(tmp_path / "w.h5")
    assert_equal(saved, loaded)


@pytest.mark.parametrize("name", ["/a", "a//b", "./a"])
def test_names_that_are_no_paths_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="rename it"):
        mlp(name).save_weights(tmp_path / "w.h5")
    assert list(tmp_path.iterdir()) == []


# -- whole models ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [lambda: keras.optimizers.Adam(0.03), lambda: keras.optimizers.SGD(0.1, 0.9)])
def test_training_goes_on_exactly(tmp_path: Path, optimizer: Callable[[], Any]) -> None:
    model = mlp("a", "b", optimizer=optimizer(), loss="mse", metrics=["mae"])
    for _ in range(3):
        model.train_on_batch(X, Y)
    model.save(tmp_path / "m.h5")
    loaded = keras.models.load_model(tmp_path / "m.h5")
    assert int(loaded.optimizer.iterations) == 3
    for _ in range(3):
        assert model.train_on_batch(X, Y) == loaded.train_on_batch(X, Y)
    assert_equal(model, loaded)


def test_a_frozen_part_of_a_custom_layer_swaps_nothing(tmp_path: Path) -> None:
    model = nested(frozen=True)
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match="begin anew"):  # the flag is in no config
        loaded = keras.models.load_model(tmp_path / "m.h5", custom_objects={"Nested": Nested})
    np.testing.assert_array_equal(model(X).numpy(), loaded(X).numpy())


def test_never_trained_compiled_and_uncompiled(tmp_path: Path) -> None:
    mlp("a", optimizer="adam", loss="mse").save(tmp_path / "compiled.h5")
    loaded = keras.models.load_model(tmp_path / "compiled.h5")
    assert int(loaded.optimizer.iterations) == 0
    mlp("a").save(tmp_path / "plain.h5")
    expected = "No training configuration found in the save file, so the model was *not* compiled. Compile it manually."
    with pytest.warns(UserWarning, match="No training configuration") as caught:
        keras.models.load_model(tmp_path / "plain.h5")
    assert [str(warning.message) for warning in caught] == [expected]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.models.load_model(tmp_path / "plain.h5", compile=False)


def test_without_the_optimizer_s_state(tmp_path: Path) -> None:
    model = mlp("a", optimizer="adam", loss="mse")
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.h5", include_optimizer=False)
    loaded = keras.models.load_model(tmp_path / "m.h5")
    assert int(loaded.optimizer.iterations) == 0
    assert float(np.ravel(loaded.evaluate(X, Y, verbose=0))[0]) == pytest.approx(
        float(np.ravel(model.evaluate(X, Y, verbose=0))[0])
    )


def test_missing_custom_objects_are_named(tmp_path: Path) -> None:
    nested().save(tmp_path / "m.h5")
    with pytest.raises(LoadError, match=r"Unknown layer: Nested.*model_config"):
        keras.models.load_model(tmp_path / "m.h5")


def test_losses_that_are_functions_are_lost_with_a_warning(tmp_path: Path) -> None:
    model = mlp("a", optimizer="adam", loss="mse")
    model.add_loss(lambda: keras.tf.reduce_sum(model.weights[0]))
    with pytest.warns(UserWarning, match="add them again"):
        model.save(tmp_path / "m.h5")


def test_symbolic_losses_of_a_sequential_model_are_lost_with_a_warning(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))], name="chain")
    model.add_loss(keras.tf.reduce_sum(model.outputs[0]))
    with pytest.warns(UserWarning, match="a loss added with add_loss of 'chain'; add them again"):
        model.save(tmp_path / "m.h5")


def _delete_config(file: h5py.File) -> None:
    del file.attrs["model_config"]


def _bad_json(file: h5py.File) -> None:
    file.attrs["model_config"] = b"{"


def _a_list(file: h5py.File) -> None:
    file.attrs["model_config"] = b"[]"


def _other_class(file: h5py.File) -> None:
    config = json.loads(file.attrs["model_config"])
    config["class_name"] = "Nothing"
    file.attrs["model_config"] = json.dumps(config).encode()


def _bad_units(file: h5py.File) -> None:
    file.attrs["model_config"] = file.attrs["model_config"].replace('"units": 4', '"units": "many"').encode()


def _no_weights(file: h5py.File) -> None:
    del file["model_weights"]


def _no_dataset(file: h5py.File) -> None:
    del file["model_weights/a/a/bias:0"]


def _no_layer(file: h5py.File) -> None:
    del file["model_weights/a"]


def _huge(file: h5py.File) -> None:
    del file["model_weights/a/a/bias:0"]
    file["model_weights/a/a"].create_dataset("bias:0", (1 << 50,), "f4", chunks=(1024,))


def _texts(file: h5py.File) -> None:
    del file["model_weights/a/a/bias:0"]
    file["model_weights/a/a"].create_dataset("bias:0", data=[b"a"] * 4)


def _no_slots(file: h5py.File) -> None:
    del file["optimizer_weights/Adam/iter:0"]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (_delete_config, "without a model|no attribute model_config"),
        (_bad_json, "not JSON"),
        (_a_list, "a list"),
        (_other_class, "Nothing"),
        (_bad_units, "model_config"),
        (_no_weights, "no group model_weights"),
        (_no_dataset, "no dataset a/bias:0"),
        (_no_layer, "model_weights: a: found no group"),
        (_huge, r"shape \(1125899906842624,\), which is \d+ bytes, in 0 bytes of the file"),
        (_texts, "values of"),
        (_no_slots, "no dataset Adam/iter:0"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, damage: Callable[[h5py.File], None], found: str) -> None:
    model = mlp("a", optimizer="adam", loss="mse")
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        damage(file)
    with pytest.raises(LoadError, match=found) as caught:
        keras.models.load_model(tmp_path / "m.h5")
    assert "m.h5" in str(caught.value)


def test_cut_files_are_refused(tmp_path: Path) -> None:
    model = mlp("a", optimizer="adam", loss="mse")
    model.save(tmp_path / "m.h5")
    content = (tmp_path / "m.h5").read_bytes()
    for length in (0, 7, 8, 100, len(content) // 2, len(content) - 1):
        (tmp_path / "cut.h5").write_bytes(content[:length])
        with pytest.raises(LoadError, match=r"cut\.h5"):
            keras.models.load_model(tmp_path / "cut.h5")


# -- what a file refers to, and what it claims -------------------------------------------------------------------


def _external_link(file: h5py.File, other: str) -> None:
    del file["model_weights/a/a/kernel:0"]
    file["model_weights/a/a/kernel:0"] = h5py.ExternalLink(other, "/kernel")


def _external_group(file: h5py.File, other: str) -> None:
    del file["model_weights/a"]
    file["model_weights/a"] = h5py.ExternalLink(other, "/")


def _soft_link(file: h5py.File, other: str) -> None:
    file.move("model_weights/a/a/kernel:0", "elsewhere")
    file["model_weights/a/a/kernel:0"] = h5py.SoftLink("/elsewhere")


def _external_storage(file: h5py.File, other: str) -> None:
    del file["model_weights/a/a/kernel:0"]
    file["model_weights/a/a"].create_dataset("kernel:0", (4, 4), "f4", external=[(other, 0, 64)])


def _virtual(file: h5py.File, other: str) -> None:
    del file["model_weights/a/a/kernel:0"]
    layout = h5py.VirtualLayout((4, 4), "f4")
    layout[:] = h5py.VirtualSource(other, "kernel", shape=(4, 4))
    file["model_weights/a/a"].create_virtual_dataset("kernel:0", layout)


@pytest.mark.parametrize("refer", [_external_link, _external_group, _soft_link, _external_storage, _virtual])
def test_what_is_elsewhere_is_not_read(tmp_path: Path, refer: Callable[[h5py.File, str], None]) -> None:
    other = str(tmp_path / "other")
    with h5py.File(other, "w") as file:
        file["kernel"] = np.ones((4, 4), "float32")
    mlp("a").save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        refer(file, other)
    with pytest.raises(LoadError, match=r"m\.h5: model_weights: .*(only refers to|other files)"):
        keras.models.load_model(str(tmp_path / "m.h5"))


def test_weights_that_are_elsewhere_are_not_read(tmp_path: Path) -> None:
    model = mlp("a")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "m.h5"), "/model_weights")
    with pytest.raises(LoadError, match=r"link\.h5: found a ExternalLink model_weights, .*only refers to"):
        model.load_weights(str(tmp_path / "link.h5"))


def test_datasets_as_others_write_them(tmp_path: Path) -> None:
    """Chunked, compressed, float64 and float16; the sum of what is in them is what was put there."""
    model = mlp("a")
    model.save(tmp_path / "m.h5")
    value = np.arange(16, dtype="float64").reshape(4, 4)
    for dtype, options in (("f8", {"chunks": (2, 2)}), ("f2", {"compression": "gzip", "shuffle": True}), ("i2", {})):
        with h5py.File(tmp_path / "m.h5", "r+") as file:
            del file["model_weights/a/a/kernel:0"]
            file["model_weights/a/a"].create_dataset("kernel:0", data=value.astype(dtype), **options)
        loaded = keras.models.load_model(str(tmp_path / "m.h5"), compile=False)
        np.testing.assert_array_equal(loaded.layers[0].get_weights()[0], value.astype("float32"))


def test_damage_is_found_or_harmless(tmp_path: Path) -> None:
    """Bytes turned over, and files cut short: ``LoadError``, or the model as it was."""
    model = mlp("a", optimizer="adam", loss="mse")
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.h5")
    whole = (tmp_path / "m.h5").read_bytes()
    expected = [weight.tobytes() for weight in model.get_weights()]
    path, random, refused = tmp_path / "d.h5", np.random.RandomState(0), 0
    for attempt in range(150):
        damaged = bytearray(whole)
        if attempt % 3:
            for place in random.randint(len(whole), size=1 + attempt % 4):
                damaged[place] ^= 1 << random.randint(8)
        else:
            del damaged[random.randint(len(whole)) :]
        path.write_bytes(damaged)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = keras.models.load_model(str(path))
        except LoadError as error:
            assert "d.h5" in str(error)  # noqa: PT017 (most attempts raise nothing)
            refused += 1
        else:
            assert [weight.nbytes for weight in found.get_weights()] == [len(data) for data in expected]
    assert refused >= 50  # the cut ones


@pytest.mark.parametrize(
    ("dialect", "version"),
    [("keras-2.4", "2.4.0"), ("keras-2.8", "2.8.0"), ("keras-2.15", "2.15.0"), ("keras-3", "3.15.1")],
)
def test_a_file_names_the_keras_that_it_is_for(tmp_path, dialect, version):
    with keras.dialect(dialect):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        model.save(str(tmp_path / "m.h5"))
        assert json.loads(model.to_json())["keras_version"] == version
    with h5py.File(tmp_path / "m.h5") as file:
        assert (file.attrs["keras_version"], file["model_weights"].attrs["keras_version"]) == (version, version)
    read = keras.models.load_model(str(tmp_path / "m.h5"), compile=False)
    np.testing.assert_array_equal(read.get_weights()[0], model.get_weights()[0])
