"""A Discretization that learned its boundaries: in TensorFlow 2.15 a weight, ``summary``, of a shape that hangs on the data.

The ``.keras`` of Keras 2.15 itself loses them (it stores the summary, and loads no boundaries); Keras 3 has them in
the config. The expected boundaries are those of TensorFlow 2.15.1 and of Keras 3.15.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import reference_impl as keras

L = keras.layers
DATA = np.linspace(0, 1, 40).astype("float32").reshape(-1, 1) ** 2
BOUNDARIES = [0.05325443670153618, 0.23734384775161743, 0.552925705909729]
X = np.array([[0.05], [0.3], [0.5], [0.9]], "float32")


def learned() -> Any:
    layer = L.Discretization(num_bins=4, name="bins")
    layer.adapt(DATA)
    x = keras.Input((1,))
    return keras.Model(x, layer(x))


@pytest.mark.parametrize(
    ("dialect", "file"),
    [(dialect, file) for dialect in ("keras-2.15", "keras-3") for file in ("m.h5", "m.keras")] + [("keras-2.15", "m")],
)
def test_what_was_learned_is_loaded(dialect: str, file: str, tmp_path: Path) -> None:
    with keras.dialect(dialect):
        model = learned()
        assert model.layers[1].bin_boundaries == BOUNDARIES
        model.save(tmp_path / file)
    loaded = keras.models.load_model(tmp_path / file, compile=False)
    assert loaded.layers[1].bin_boundaries == BOUNDARIES
    assert loaded.predict(X).ravel().tolist() == [0, 2, 2, 3]


def test_the_summary_is_a_weight_of_any_length(tmp_path: Path) -> None:
    model = learned()
    assert [weight.name for weight in model.weights] == ["summary:0"]
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["model_weights/bins/summary:0"].shape == (2, 40)
    other = learned()
    other.layers[1].adapt(DATA[:10])
    assert other.layers[1].bin_boundaries != BOUNDARIES
    other.load_weights(tmp_path / "m.h5")
    assert other.layers[1].bin_boundaries == BOUNDARIES
    with pytest.raises(ValueError, match="not compatible"):
        other.set_weights([np.zeros((3, 40), "float32")])
    assert other.layers[1].bin_boundaries == BOUNDARIES


def test_keras_3_has_no_weight_and_no_dtype_that_would_make_its_inputs_integers() -> None:
    with keras.dialect("keras-3"):
        model = learned()
        assert model.weights == []
        config = model.layers[1].get_config()
    assert config["bin_boundaries"] == BOUNDARIES
    assert config["dtype"] == "float32"
