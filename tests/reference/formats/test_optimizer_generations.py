"""Optimizers were rewritten twice: what was made in a dialect computes as that dialect does, and so does what is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras

X = np.sin(np.arange(12, dtype="float32")).reshape(3, 4)
Y = np.cos(np.arange(6, dtype="float32")).reshape(3, 2)
SUFFIXES = {"keras-2.4": ("h5", "tf"), "keras-2.15": ("keras", "h5", "tf"), "keras-3": ("keras", "h5")}
GENERATIONS = {"keras-2.4": "keras-2.4", "keras-2.15": "keras-2.11", "keras-3": "keras-3"}
PLACES = [(dialect, suffix) for dialect, suffixes in SUFFIXES.items() for suffix in suffixes]


def trained(optimizer: Any) -> Any:
    model = keras.Sequential([keras.layers.Dense(3, activation="tanh", input_shape=(4,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse")
    for _ in range(3):
        model.train_on_batch(X, Y)
    return model


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("name", ["Nadam", "RMSprop", "Adagrad"])
@pytest.mark.parametrize(("dialect", "suffix"), PLACES)
def test_training_goes_on_by_the_rule_of_the_dialect(
    dialect: str, suffix: str, name: str, by_name: bool, tmp_path: Path
) -> None:
    with keras.dialect(dialect):
        model = trained(name.lower() if by_name else getattr(keras.optimizers, name)(0.05))
        model.save(tmp_path / f"m.{suffix}", **({"save_format": "tf"} if suffix == "tf" else {}))
    loaded = keras.models.load_model(tmp_path / f"m.{suffix}")
    assert loaded.optimizer.generation == model.optimizer.generation == GENERATIONS[dialect]
    for one in (model, loaded):
        one.train_on_batch(X, Y)
    for expected, found in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_rules_differ() -> None:
    """Without that, the test above shows nothing."""
    ends: dict[str, list[Any]] = {"Nadam": [], "RMSprop": []}
    for name, found in ends.items():
        for dialect in ("keras-2.4", "keras-2.15"):
            with keras.dialect(dialect):
                model = keras.Sequential([keras.layers.Dense(2, kernel_initializer="ones", input_shape=(4,))])
                model.compile(getattr(keras.optimizers, name)(0.05), "mse")
                model.train_on_batch(X, Y)
                found.append(model.get_weights()[0])
    assert all(np.abs(old - new).max() > 0 for old, new in ends.values())


def test_hdf5_of_2_15_has_the_form_and_the_list_of_2_15(tmp_path: Path) -> None:
    """As TensorFlow 2.15.1 writes them: looked at with h5py."""
    with keras.dialect("keras-2.15"):
        trained(keras.optimizers.Nadam(0.05)).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        told = json.loads(file.attrs["training_config"])["optimizer_config"]
        names = [name.decode() for name in file["optimizer_weights"].attrs["weight_names"]]
    assert told["class_name"] == "Custom>Nadam"
    assert told["config"] == {
        "name": "Nadam", "weight_decay": None, "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
        "jit_compile": False, "is_legacy_optimizer": False, "learning_rate": float(np.float32(0.05)), "beta_1": 0.9,
        "beta_2": 0.999, "epsilon": 1e-07,
    }  # fmt: skip
    assert [name.partition("/")[2].partition("/")[0] for name in names] == ["", *"mvmv" * 2]
    assert names[0] == "iteration:0"


@pytest.mark.parametrize("dialect", ["keras-2.15", "keras-3"])
def test_nadam_of_2_4_has_no_place_in_an_archive(dialect: str, tmp_path: Path) -> None:
    model = trained(keras.optimizers.Nadam(0.05))
    with keras.dialect(dialect), pytest.raises(ValueError, match=f"make the optimizer inside .*{dialect}"):
        model.save(tmp_path / "m.keras")
    with keras.dialect(dialect):
        assert keras.optimizers.Nadam(schedule_decay=0.01).generation == "keras-2.4"
    assert not (tmp_path / "m.keras").exists()


def test_a_config_that_tells_no_generation_is_of_the_present_one() -> None:
    old = keras.optimizers.RMSprop(0.05).get_config()
    with keras.dialect("keras-3"):
        assert keras.optimizers.get("rmsprop").generation == "keras-3"
        assert keras.optimizers.deserialize({"class_name": "RMSprop", "config": old}).generation == "keras-2.4"
