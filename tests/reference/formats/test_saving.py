"""Which format a path means, and saves that are whole or not at all."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras
from reference_impl import LoadError


def mlp() -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a")])


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5", "m.keras", "m.H5", "m.HDF5", "M.Keras"])
def test_suffixes_in_any_case_select_hdf5(tmp_path: Path, name: str) -> None:
    mlp().save(tmp_path / "new" / "folder" / name)
    mlp().save_weights(str(tmp_path / "weights" / name))
    for path in (tmp_path / "new" / "folder" / name, tmp_path / "weights" / name):
        assert h5py.is_hdf5(path)
        assert os.listdir(path.parent) == [name]


def test_the_argument_selects(tmp_path: Path) -> None:
    mlp().save(tmp_path / "m", save_format="h5")
    mlp().save_weights(tmp_path / "w", save_format="hdf5")
    mlp().save_weights(tmp_path / "c", save_format="tf")
    mlp().save_weights(tmp_path / "d.ckpt")
    assert h5py.is_hdf5(tmp_path / "m")
    assert h5py.is_hdf5(tmp_path / "w")
    assert (tmp_path / "c.index").exists()
    assert (tmp_path / "d.ckpt.index").exists()
    assert (tmp_path / "checkpoint").read_text().startswith('model_checkpoint_path: "d.ckpt"\n')


@pytest.mark.parametrize("save", ["save", "save_weights"])
@pytest.mark.parametrize(
    ("name", "save_format", "found"),
    [
        ("m.h5", "tf", "contradicts"),
        ("m.keras", "tf", "contradicts"),
        ("m", "bogus", "Unknown format 'bogus'"),
        ("m.h5/", None, "names no file"),
        ("", None, "names no file"),
        (".h5", None, "names no file"),
        ("d/.KERAS", None, "names no file"),
    ],
)
def test_paths_and_formats_that_cannot_be(tmp_path: Path, save: str, name: str, save_format: Any, found: str) -> None:
    with pytest.raises(ValueError, match=found):
        getattr(mlp(), save)(f"{tmp_path}/{name}", save_format=save_format)
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_refused() -> None:
    for action in (mlp().save, mlp().save_weights, mlp().load_weights, keras.models.load_model):
        with pytest.raises(TypeError, match="bytes"):
            action(b"m.h5")


def test_an_open_file_serves_both_ways(tmp_path: Path) -> None:
    model = mlp()
    with h5py.File(tmp_path / "m.h5", "w") as file:
        model.save(file)
        with pytest.raises(ValueError, match="contradicts"):
            model.save(file, save_format="tf")
    with h5py.File(tmp_path / "m.h5") as file:
        loaded = keras.models.load_model(file, compile=False)
        mlp().load_weights(file)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_loading_goes_by_content(tmp_path: Path) -> None:
    model = mlp()
    model.save(tmp_path / "m.h5")
    os.rename(tmp_path / "m.h5", tmp_path / "m.txt")
    keras.models.load_model(tmp_path / "m.txt", compile=False)
    model.save_weights(tmp_path / "c.h5.tmp")
    for end in (".index", ".data-00000-of-00001"):
        os.rename(tmp_path / f"c.h5.tmp{end}", tmp_path / f"c.h5{end}")
    mlp().load_weights(tmp_path / "c.h5").assert_consumed()


def test_what_is_there_is_said(tmp_path: Path) -> None:
    model = mlp()
    model.save_weights(tmp_path / "w.h5")
    model.save_weights(tmp_path / "c")
    (tmp_path / "t.h5").write_text("hello, this is text")
    (tmp_path / "folder").mkdir()
    for name, found in [
        ("w.h5", "a file of weights.*load_weights"),
        ("c", "a TensorFlow checkpoint.*load_weights"),
        ("t.h5", "b'hello, t'"),
        ("folder", "a folder without"),
    ]:
        with pytest.raises(LoadError, match=found):
            keras.models.load_model(tmp_path / name)
    for action in (keras.models.load_model, model.load_weights):
        with pytest.raises(FileNotFoundError, match="nothing there") as caught:
            action(tmp_path / "nothing there.h5")
        assert isinstance(caught.value, LoadError)


def test_a_subclassed_model_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    model = Subclassed()
    model(np.ones((2, 4), "float32"))
    (tmp_path / "m.h5").write_bytes(b"old")
    with pytest.raises(NotImplementedError, match="Subclassed"):
        model.save(tmp_path / "m.h5")
    assert (tmp_path / "m.h5").read_bytes() == b"old"


def test_overwriting(tmp_path: Path) -> None:
    first, second = mlp(), mlp()
    for save, name in [("save", "m.h5"), ("save_weights", "w.h5"), ("save_weights", "c")]:
        getattr(first, save)(tmp_path / name)
        with pytest.raises(FileExistsError, match=name):
            getattr(second, save)(tmp_path / name, overwrite=False)
        getattr(second, save)(tmp_path / name)
        third = mlp()
        third.load_weights(tmp_path / name)
        np.testing.assert_array_equal(third.get_weights()[0], second.get_weights()[0])


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    mlp().save(tmp_path / "m.h5")
    before = (tmp_path / "m.h5").read_bytes()
    bad = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a//b")])
    for save in (bad.save, bad.save_weights):
        with pytest.raises(ValueError, match="rename"):
            save(tmp_path / "m.h5")
    assert os.listdir(tmp_path) == ["m.h5"]
    assert (tmp_path / "m.h5").read_bytes() == before


def test_saving_changes_nothing_and_is_repeatable(tmp_path: Path) -> None:
    model = mlp()
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"))
    for name in ("a.h5", "b.h5"):
        model.save(tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_an_unbuilt_model_is_refused(tmp_path: Path) -> None:
    for name in ("m.h5", "c"):
        with pytest.raises(ValueError, match="not yet been created"):
            Subclassed().save_weights(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_by_name_is_not_for_checkpoints(tmp_path: Path) -> None:
    mlp().save_weights(tmp_path / "c")
    with pytest.raises(LoadError, match="by_name"):
        mlp().load_weights(tmp_path / "c", by_name=True)


@pytest.mark.parametrize("room", [0, 300, 2_000, 20_000])
@pytest.mark.parametrize("name", ["m.h5", "m.weights.h5", "m.keras", "m"])
def test_a_save_without_room_leaves_the_old_file(tmp_path: Path, name: str, room: int) -> None:
    """No file may grow beyond ``room`` bytes: what a full disk looks like. The HDF5 library must outlive it."""
    path = tmp_path / name
    with keras.dialect("keras-2.15"):
        model = keras.Sequential([keras.layers.Dense(90, input_shape=(90,))])
        save = model.save_weights if "weights" in name else model.save
        save(str(path))
        files = {file: file.read_bytes() for file in sorted(tmp_path.rglob("*")) if file.is_file()}
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                save(str(path))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
    assert {file: file.read_bytes() for file in sorted(tmp_path.rglob("*")) if file.is_file()} == files
