"""Model files made by hand, as anybody could make them: configs and containers, without a library.

A test of safety makes two that differ in one thing alone: the harmless one must load, or the test would prove nothing.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]

# How a model is serialised: without and with modules (since Keras 2.12).
FORMS = ("plain", "with modules")

_SPACES = b" " * (1 << 20)


def part(class_name: str, name: str, **config: Any) -> Config:
    """A layer's config as it stands in a model's."""
    return {"class_name": class_name, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}


def identity(name: str = "l") -> Config:
    """A layer that does nothing, and needs no weights."""
    return part("Activation", name, activation="linear")


def sequential(*layers: Config, form: str = "plain", inputs: Sequence[int] = (3,), dtype: str = "float32") -> Config:
    """A Sequential of an input of that shape (without the batch) and the layers."""
    entrance: Config = {
        "class_name": "InputLayer",
        "config": {"batch_input_shape": [None, *inputs], "dtype": dtype, "name": "x"},
    }
    model: Config = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [entrance, *layers]},
        "keras_version": "2.4.0",
        "backend": "tensorflow",
    }
    return in_form(model, form)


def in_form(layer: Config, form: str) -> Config:
    """A layer or model, and the layers in it, in one of the :data:`FORMS`."""
    if form == "plain":
        return layer
    config: Config = dict(layer["config"])
    if "layer" in config:
        config["layer"] = in_form(config["layer"], form)
    if "layers" in config:
        config["layers"] = [in_form(each, form) for each in config["layers"]]
    home = "keras" if layer["class_name"] == "Sequential" else "keras.layers"
    return {"module": home, "registered_name": None, **layer, "config": config}


def layers_of(model: Config) -> list[Config]:
    """Those after the input; a config that is no model's has none."""
    config: Any = model["config"]
    if isinstance(config, str):
        return []
    layers: list[Config] = config["layers"]
    return layers[1:]


def write_hdf5(path: Path, model: Config) -> None:
    """A whole model in HDF5; none of its layers has weights."""
    with h5py.File(path, "w") as file:
        text = json.dumps({key: model[key] for key in model if key not in ("keras_version", "backend")})
        versions = {"keras_version": b"2.4.0", "backend": b"tensorflow"}
        group = file.create_group("model_weights")
        names = [layer["config"].get("name", "l") for layer in layers_of(model)]
        for name in [*names, "top_level_model_weights"]:
            group.create_group(name).attrs["weight_names"] = np.array([], "S1")
        for attributes, values in (
            (file.attrs, {"model_config": text.encode(), **versions}),
            (group.attrs, {"layer_names": np.array([name.encode() for name in names]), **versions}),
        ):
            for name, value in values.items():
                attributes[name] = value


def text_attribute(content: bytes | bytearray, name: str) -> tuple[int, int]:
    """Where the type, and where the value, of the first attribute of that name in an HDF5 file is: a text of variable
    length, as every Keras writes them."""
    start = content.index(name.encode() + b"\0")
    sizes = struct.unpack("<HHH", content[start - 6 : start])
    assert content[start - 8] == 1, "an attribute of another version than 1"
    name_size, type_size, extents_size = (-(-size // 8) * 8 for size in sizes)
    kind = start + name_size
    assert content[kind : kind + 2] == b"\x19\x01", "an attribute of another type than a text of variable length"
    return kind, kind + type_size + extents_size


def write_keras(path: Path, model: Config, extra: Mapping[str, bytes] | None = None, padding: int = 0) -> None:
    """A whole model in a v3 archive, with ``extra`` members; none of its layers has weights.

    ``extra`` may replace the members that are always there. ``padding`` MiB of spaces follow the config's text: they
    are written piece by piece, so that a bomb takes no memory of those who make it.
    """
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for owner in ("", *(f"layers/{layer['class_name'].lower()}/" for layer in layers_of(model))):
            file.require_group(f"{owner}vars")
    members = {
        "metadata.json": json.dumps({"keras_version": "3.0.0", "date_saved": "2024-01-01@00:00:00"}).encode(),
        "config.json": json.dumps(model).encode(),
        "model.weights.h5": weights.getvalue(),
        **(extra or {}),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            with archive.open(name, "w") as member:
                member.write(content)
                if name == "config.json":
                    for _ in range(padding):
                        member.write(_SPACES)


WRITERS: Mapping[str, Callable[[Path, Config], None]] = {"hdf5": write_hdf5, "keras": write_keras}
