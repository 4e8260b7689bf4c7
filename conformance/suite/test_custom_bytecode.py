"""Chapter custom: Python bytecode in files, configs and JSON is not run.

The files here are made by hand, as anybody could make them who wants somebody else's machine to run code.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import base64
import inspect
import io
import json
import marshal
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from conformance.blueprint import chain, layer
from conformance.protocol.session import Handle, Session
from conformance.suite.case import requirement
from conformance.suite.compare import assert_silent, assert_true
from conformance.suite.models import MODEL_FILES, save
from conformance.suite.refusals import attempted

SPOKEN = "python code from a file was run"


def speak(x: Any) -> Any:
    """What the hand-made files hold as bytecode; the named set's ``custom_speaker`` says the same."""
    print("python code from a file was run")
    return x


COMPILER = (
    inspect.getsource(speak)
    + """

import base64
import marshal
print(base64.b64encode(marshal.dumps(speak.__code__)).decode(), end="")
"""
)

# The two spellings of code in a Lambda's config: up to Keras 2.12, and since.
CODE_FORMS: Mapping[str, Callable[[str], Any]] = {
    "list": lambda code: [code, None, None],
    "dict": lambda code: {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}},
}


def bytecode(impl: Session, scratch: Path) -> str:
    """``speak`` marshalled, as base64: by the implementation's own interpreter if it lets us, since the bytecode of
    another Python would be refused for being that alone."""
    if "source" in impl.hello.capabilities:
        return impl.run_source(COMPILER, "compiler.py", scratch)
    return base64.b64encode(marshal.dumps(speak.__code__)).decode()


def lambda_layer(function: Any) -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": "l",
        "trainable": True,
        "dtype": "float32",
        "function": function,
        "function_type": "lambda",
        "module": "m",
        "output_shape": None,
        "output_shape_type": "raw",
        "output_shape_module": None,
        "arguments": {},
    }
    return {"class_name": "Lambda", "config": config}


def harmless_layer() -> dict[str, Any]:
    return {
        "class_name": "Activation",
        "config": {"name": "l", "trainable": True, "dtype": "float32", "activation": "linear"},
    }


def model_dicts(inner: Mapping[str, Any]) -> dict[str, Any]:
    """A Sequential of an input and the layer, serialised without and with modules."""
    entrance = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "dtype": "float32", "name": "x"}}
    layers = [entrance, dict(inner)]
    plain = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": layers},
        "keras_version": "2.4.0",
        "backend": "tensorflow",
    }
    placed = [{**part, "module": "keras.layers", "registered_name": None} for part in layers]
    return {
        "plain": plain,
        "with modules": {
            **plain,
            "config": {"name": "s", "layers": placed},
            "module": "keras",
            "registered_name": None,
        },
    }


def assert_not_run(impl: Session, make: Callable[[dict[str, Any]], Handle], code: str) -> None:
    """``make`` takes a serialised model; of each form that it knows, told by a harmless layer, it must not run code."""

    def loaded(model: dict[str, Any]) -> Handle | None:
        return attempted(lambda: make(model))

    accepted = [form for form, model in model_dicts(harmless_layer()).items() if loaded(model)]
    assert_true(bool(accepted), "a hand-made model without code", expected="is loaded", actual="refused in every form")
    for spelling in CODE_FORMS.values():
        models = model_dicts(lambda_layer(spelling(code)))
        for form in accepted:
            model = loaded(models[form])
            assert_silent(impl.messages, SPOKEN, "what is said while a file with code is loaded")
            if model is not None:
                attempted(partial(impl.predict, model, np.ones((1, 3), np.float32)))
                assert_silent(impl.messages, SPOKEN, "what is said while a model from a file with code is run")


@requirement("custom.no-bytecode-config")
def test_bytecode_in_json_is_not_run(impl: Session, scratch: Path):
    assert_not_run(impl, lambda model: impl.from_json(json.dumps(model)), bytecode(impl, scratch))


@requirement("custom.no-bytecode-config")
def test_bytecode_in_a_config_is_not_run(impl: Session, scratch: Path):
    assert_not_run(impl, lambda model: impl.from_config("Sequential", model["config"]).object, bytecode(impl, scratch))


@requirement("custom.no-bytecode", formats=("hdf5", "keras"))
def test_bytecode_in_a_file_is_not_run(impl: Session, format: str, scratch: Path):
    path = scratch / MODEL_FILES[format]

    def load(model: dict[str, Any]) -> Handle:
        WRITERS[format](path, model)
        return impl.load(path)

    assert_not_run(impl, load, bytecode(impl, scratch))


@requirement("custom.no-bytecode", formats=("savedmodel",))
def test_bytecode_in_a_savedmodel_is_not_run(impl: Session, format: str, scratch: Path):
    """The folder holds the graph too, so that it loads without the code: only the code must not run."""
    speaking = layer("Lambda", function={"$custom": "custom_speaker"}, name="l")
    original = impl.build(chain(speaking, shape=(3,)))
    inputs = np.ones((1, 3), np.float32)
    expected = impl.predict(original, inputs)
    path = save(impl, original, scratch, format)

    impl.reset(1)
    loaded = attempted(lambda: impl.load(path))
    assert_silent(impl.messages, SPOKEN, "what is said while a SavedModel with code is loaded")
    if loaded is not None:
        found = impl.predict(loaded, inputs)
        assert_silent(impl.messages, SPOKEN, "what is said while a model from a SavedModel with code is run")
        assert_true(
            bool((found[0] == expected[0]).all()), "predictions of the stored graph", expected="equal", actual="other"
        )


def write_hdf5(path: Path, model: dict[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        text = json.dumps({key: model[key] for key in model if key not in ("keras_version", "backend")})
        versions = {"keras_version": b"2.4.0", "backend": b"tensorflow"}
        group = file.create_group("model_weights")
        group.create_group("l").attrs["weight_names"] = np.array([], "S1")
        group.create_group("top_level_model_weights").attrs["weight_names"] = np.array([], "S1")
        for attributes, values in (
            (file.attrs, {"model_config": text.encode(), **versions}),
            (group.attrs, {"layer_names": np.array([b"l"]), **versions}),
        ):
            for name, value in values.items():
                attributes[name] = value


def write_keras(path: Path, model: dict[str, Any]) -> None:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for owner in ("", "layers/activation/", "layers/lambda/"):
            file.create_group(f"{owner}vars")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0", "date_saved": "2024-01-01@00:00:00"}))
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", weights.getvalue())


WRITERS: Mapping[str, Callable[[Path, dict[str, Any]], None]] = {"hdf5": write_hdf5, "keras": write_keras}
