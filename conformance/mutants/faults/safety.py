"""Loaders that trust a file: they run its code, import what it names, read where it points, take the memory it claims.

Only the suite's own payloads ever come here, which touch a file in the test's own folder: nothing but the self-test
loads these faults.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import io
import marshal
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any, cast

import numpy as np

from conformance.mutants.mutant import mutant

LAMBDA = "reference_impl.layers.core:Lambda.from_config"
FROM_MAPPING = "reference_impl.serialization.generic:_from_mapping"
DESERIALIZE = "reference_impl.serialization.models:deserialize_model"
ARCHIVE = "reference_impl.formats.keras_v3.archive"
STORED = "reference_impl.formats.hdf5.stored"


def _made_of_code(cls: Any, config: Any) -> Any:
    stored = config["function"]
    text = cast("Any", stored)[0] if isinstance(stored, list) else stored["config"]["code"]
    return cls(FunctionType(marshal.loads(base64.b64decode(text)), globals()), name=config.get("name"))


def _callers(function: str) -> int:
    """How many calls of functions of that name, in the reference, lead here."""
    frame, found = inspect.currentframe(), 0
    while frame is not None:
        found += frame.f_code.co_name == function and "reference_impl" in frame.f_code.co_filename
        frame = frame.f_back
    return found


@mutant("custom.no-bytecode[hdf5]", "custom.no-bytecode-config", target=LAMBDA)
def code_in_a_config_is_run(original: Any, cls: Any, config: Any) -> Any:
    """The function of a Lambda layer is made from the bytecode in its config, as generations of Keras did."""
    return _made_of_code(cls, config)


@mutant("custom.no-bytecode[keras]", target=LAMBDA, dialect="keras-3")
def code_in_an_archive_is_run(original: Any, cls: Any, config: Any) -> Any:
    """The same out of an archive, where the bytecode is in a form of its own."""
    return _made_of_code(cls, config)


@mutant("safety.code-nested[hdf5]", target=LAMBDA)
def code_in_an_inner_layer_is_run(original: Any, cls: Any, config: Any) -> Any:
    """The check for code looks at the layers of a model, and not at the layers inside these."""
    return _made_of_code(cls, config) if _callers("from_config") > 1 else original(cls, config)


@mutant("safety.code-deserialize", target=LAMBDA)
def code_given_to_deserialize_is_run(original: Any, cls: Any, config: Any) -> Any:
    """The check for code is in the loader of models, and not where a layer alone is made."""
    return original(cls, config) if _callers("from_config") else _made_of_code(cls, config)


@mutant("safety.switch", target=FROM_MAPPING, dialect="keras-2.15")
def a_file_switches_safe_mode_off(original: Any, kind: Any, form: Mapping[str, Any]) -> Any:
    """A config that names the switch of the safe mode has it called, and code after it is run."""
    if "enable_unsafe_deserialization" in repr(form.get("config")) or "enable_unsafe" in str(form.get("class_name")):
        _SWITCHED.append(True)
    config: Any = form.get("config")
    if _SWITCHED and form.get("class_name") == "Lambda":
        from reference_impl.layers import Lambda

        return _made_of_code(Lambda, config)
    if _SWITCHED and isinstance(config, dict) and cast("Any", config).get("name") == "switch":
        form = {**form, "config": {**cast("Any", config), "activation": "linear"}}
    return original(kind, form)


_SWITCHED: list[bool] = []


def _forms(value: Any) -> list[Mapping[str, Any]]:
    """Every dict in a config, outer ones first."""
    if isinstance(value, Mapping):
        form = cast("Mapping[str, Any]", value)
        return [form, *(inner for item in form.values() for inner in _forms(item))]
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [inner for item in items for inner in _forms(item)]


@mutant("safety.no-import[hdf5]", "safety.no-import-json", target=DESERIALIZE)
def named_modules_are_imported(original: Any, form: Any, custom_objects: Any = None) -> Any:
    """The module that a config names as the home of a class is imported to find it."""
    for module in [each.get("module") for each in _forms(form)]:
        if isinstance(module, str) and module.startswith("planted_by_the_suite"):
            importlib.import_module(module)
    return original(form, custom_objects)


@mutant("safety.no-call[hdf5]", target=DESERIALIZE)
def named_functions_are_called(original: Any, form: Any, custom_objects: Any = None) -> Any:
    """What a config names by module is called with its config as arguments."""
    for each in _forms(form):
        if (each.get("module"), each.get("class_name")) == ("os", "mkdir"):
            Path(each["config"]["path"]).mkdir()
    return original(form, custom_objects)


@mutant("safety.outside-vocabulary[hdf5]", target=FROM_MAPPING, dialect="keras-2.15")
def vocabularies_are_read_from_anywhere(original: Any, kind: Any, form: Mapping[str, Any]) -> Any:
    """A vocabulary that is a path is read, wherever the path leads."""
    config: Any = form.get("config")
    words = cast("Any", config).get("vocabulary") if isinstance(config, dict) else None
    if isinstance(words, str) and Path(words).is_file():
        lines = Path(words).read_text(encoding="utf-8").split()
        form = {**form, "config": {**cast("Any", config), "vocabulary": lines}}
    return original(kind, form)


@mutant("safety.other-model[hdf5]", target=FROM_MAPPING)
def other_models_are_loaded(original: Any, kind: Any, form: Mapping[str, Any]) -> Any:
    """A layer that stands for another model's folder has it loaded."""
    if form.get("class_name") == "TFSMLayer":
        from reference_impl import tf

        tf.saved_model.load(form["config"]["filepath"])
        form = {"class_name": "Activation", "config": {"activation": "linear"}}
    return original(kind, form)


@mutant("safety.pickle", target=f"{ARCHIVE}:read_model", dialect="keras-2.15")
def pickled_weights_are_loaded(original: Any, path: str, *args: Any, **kwargs: Any) -> Any:
    """Weights in NumPy's format are loaded with objects allowed."""
    with zipfile.ZipFile(path) as archive:
        if "model.weights.npz" in archive.namelist():
            stored = np.load(io.BytesIO(archive.read("model.weights.npz")), allow_pickle=True)
            for name in stored.files:
                stored[name]
    return original(path, *args, **kwargs)


@mutant("safety.archive-paths", target=f"{ARCHIVE}:read_model", dialect="keras-3")
def archives_are_unpacked_anywhere(original: Any, path: str, *args: Any, **kwargs: Any) -> Any:
    """Members are written beside the archive under whatever name they have."""
    folder = Path(path).parent
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.count("..") == 1 and "assets" not in name:
                (folder / name).write_bytes(archive.read(name))
    return original(path, *args, **kwargs)


@mutant("safety.archive-bomb", target=f"{ARCHIVE}:_member", dialect="keras-2.15", piped=True)
def archives_are_read_whatever_they_claim(original: Any, archive: Any, name: str, path: str, limit: int) -> Any:
    """A member is unpacked before anybody asks for its size; no more of it than shows."""
    with archive.open(name) as member:
        unpacked = member.read(_SHOWN)
    return original(archive, name, path, limit) if unpacked else b""


_SHOWN = 512 << 20


@mutant("safety.external-link[hdf5]", target=f"{STORED}:_check_links")
def links_are_followed(original: Any, *args: Any) -> Any:
    """Weights are read from wherever a link leads."""


@mutant("safety.external-link[hdf5]", target=f"{STORED}:_is_elsewhere")
def other_storage_is_read(original: Any, dataset: Any) -> Any:
    """Values in other files are read: external storage and virtual datasets."""
    return False


@mutant("safety.shape-bomb[hdf5]", target=f"{STORED}:find_weight")
def values_are_read_before_shapes_are_compared(original: Any, group: Any, name: str, *args: Any) -> Any:
    """A dataset is read whole before anybody asks for its shape."""
    np.asarray(group[name][()])
    return original(group, name, *args)


@mutant("safety.text-bomb", target="reference_impl.formats.hdf5.heaps:_check_attribute", piped=True)
def texts_are_as_long_as_they_claim(original: Any, *args: Any) -> None:
    """The length of a text is believed before anybody looks whether there is one."""


@mutant("safety.nesting", target="reference_impl.serialization.models:model_from_json")
def deep_texts_are_empty_models(original: Any, text: str, custom_objects: Any = None) -> Any:
    """A text that cannot be followed to its end gives an empty model."""
    from reference_impl.models import Sequential

    return Sequential() if text.count("[") > 1000 else original(text, custom_objects)


@mutant("safety.graph-cycle", target="reference_impl.formats.savedmodel.graph_only:load")
def graphs_without_end_give_nothing(original: Any, path: Any, tags: Any = None) -> Any:
    """A function that calls itself gives its input, as if it had ended."""
    root = original(path, tags)
    signatures: Any = getattr(root, "signatures", {})
    for name in list(signatures):
        signatures._functions[name] = _patient(signatures[name])
    return root


def _patient(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:
            return {"y": next(iter(kwargs.values()))}

    return call
