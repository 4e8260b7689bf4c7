"""Configurations as Keras 2.5 and later write them, told in the terms of 2.4.

* Objects have ``module``, ``registered_name`` and ``build_config`` beside ``class_name`` and ``config``. A module is
  never imported: what counts is the class's name, or its registered name ``package>name`` where it has one.
* Values that JSON has no form for are objects of a class with underscores: ``__tuple__``, ``__tensor__``, ….
  ``__lambda__`` is Python code and refused.
* The calls of Keras 3 are ``{"args", "kwargs"}`` with symbolic tensors as ``__keras_tensor__``; here a tensor is its place
  ``[layer, call, output]``.
* An ``InputLayer`` has ``batch_shape`` (Keras 3) and ``optional`` (tf_keras 2.19 and later).
* The optimizers rewritten in 2.11 are registered as ``Custom>Adam`` in HDF5 files.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import UnknownObjectError
from reference_impl.serialization import calls
from reference_impl.serialization.later_arguments import arguments

_PREFIX = "Custom>"
Form = Mapping[str, Any]


def model_config(config: Any) -> Any:
    """A model's or layer's configuration, and all that is inside it. ``LoadError`` for Python code."""
    if isinstance(config, list | tuple):
        items = [model_config(item) for item in cast("list[Any]", config)]
        return tuple(items) if isinstance(config, tuple) else items
    if not isinstance(config, Mapping):
        return config
    form = cast("Form", config)
    name = form.get("class_name")
    if isinstance(name, str) and name in _VALUES:
        return _VALUES[name](form)
    if isinstance(name, str) and "config" in form:
        return _object(name, form)
    return {key: model_config(value) for key, value in form.items()}


def _object(name: str, form: Form) -> dict[str, Any]:
    registered = form.get("registered_name")
    known = registered if isinstance(registered, str) and ">" in registered else name
    if name == "Functional" or (name == "Model" and "config" in form):
        form = _without_mask_ops(form)
    told = {key: model_config(value) for key, value in form.items() if key not in _BESIDE}
    told["class_name"] = known
    if known == name and _is_of_keras(form):
        # It decides whose class of that name is meant.
        told["module"] = "keras"
    inner = told["config"]
    if isinstance(inner, dict) and "output_layers" in inner and calls.is_of_keras_3(form["config"]):
        inner = told["config"] = calls.from_keras_3(cast("dict[str, Any]", inner))
    if isinstance(inner, dict):
        told["config"] = arguments(known, cast("dict[str, Any]", inner), _may_be_of_keras(form), _is_keras_3(form))
    return told


def _without_mask_ops(form: Form) -> Form:
    """Keras 3 puts what computes a mask into the graph, and names the mask in calls; here layers hand masks on."""
    config = form.get("config")
    if not isinstance(config, Mapping) or "layers" not in config:
        return form
    graph = cast("Form", config)
    layers = cast("list[dict[str, Any]]", copy.deepcopy(graph["layers"]))
    masks = {entry["name"] for entry in layers if entry.get("class_name") in _MASK_OPS and _is_op(entry)}
    calls: list[Any] = [node for entry in layers for node in entry.get("inbound_nodes", ())]
    for node in calls:
        kwargs: dict[str, Any] = cast("dict[str, Any]", node).get("kwargs", {}) if isinstance(node, dict) else {}
        # The mode is that of the model's own call.
        kwargs.pop("training", None)
        if _sources(kwargs.get("mask")) <= masks:
            kwargs.pop("mask", None)
    while unused := masks - _sources([e.get("inbound_nodes") for e in layers]) - _sources(graph.get("output_layers")):
        layers = [entry for entry in layers if entry["name"] not in unused]
        masks -= unused
    return {**form, "config": {**graph, "layers": layers}}


_MASK_OPS = ("NotEqual", "Any", "All", "LogicalAnd", "ExpandDims")


def _is_op(entry: Form) -> bool:
    # In HDF5 files Keras 3 writes no modules.
    return str(entry.get("module") or "keras.src.ops").startswith("keras.src.ops")


def _sources(value: Any) -> set[str]:
    """The names of the layers whose tensors are in ``value``."""
    if isinstance(value, Mapping):
        form = cast("Form", value)
        if form.get("class_name") == "__keras_tensor__":
            return {form["config"]["keras_history"][0]}
        return {name for item in form.values() for name in _sources(item)}
    if isinstance(value, list | tuple):
        listed = cast("list[Any]", value)
        if len(listed) == 3 and isinstance(listed[0], str):
            return {listed[0]}
        return {name for item in listed for name in _sources(item)}
    return set()


_BESIDE = ("module", "registered_name", "build_config", "shared_object_id", "compile_config")


def _is_of_keras(form: Form) -> bool:
    """Whether the class is one of Keras's own, which those who write modules say."""
    module = form.get("module")
    return isinstance(module, str) and module.split(".")[0] in ("keras", "tf_keras")


def _may_be_of_keras(form: Form) -> bool:
    """The same, or nothing is said."""
    return form.get("module") is None or _is_of_keras(form)


def _is_keras_3(form: Form) -> bool:
    """Whether Keras 3 wrote this: it alone gives a policy of dtypes as an object, and inputs as ``batch_shape``."""
    config = form.get("config")
    if not isinstance(config, Mapping):
        return False
    inner = cast("Form", config)
    return isinstance(inner.get("dtype"), Mapping) or "batch_shape" in inner


def _tensor(form: Form) -> Any:
    config = cast("Form", form.get("config", form))
    return np.array(config["value"], numpy_dtype(str(config.get("dtype", "float32"))))


def _code(form: Form) -> Any:
    raise UnknownObjectError(
        "a config holds a Python function as bytecode (__lambda__), which is never run from a file; expected a named "
        "function; give it a name and register it, then save again"
    )


def _function(form: Form) -> Any:
    registered, config = form.get("registered_name"), form.get("config")
    if isinstance(registered, str) and ">" in registered:
        return registered
    return cast("Form", config).get("name") if isinstance(config, Mapping) else config


_VALUES: dict[str, Callable[[Form], Any]] = {
    "__tuple__": lambda form: tuple(model_config(item) for item in form.get("items", form.get("config", ()))),
    "__keras_tensor__": lambda form: list(form["config"]["keras_history"]),
    "__tensor__": _tensor,
    "__numpy__": _tensor,
    "__lambda__": _code,
    "function": _function,
}
"""Values in the guise of objects."""


def training_config(config: Form, is_custom: bool) -> dict[str, Any]:
    """Compile information; ``is_custom``: the user has an optimizer of that name, which is then left alone.

    ``ValueError`` for a config that stands for something else.
    """
    found: Any = model_config(dict(config))
    if not isinstance(found, dict):
        raise ValueError(f"found a {type(found).__name__}, expected the arguments of compile()")
    known = cast("dict[str, Any]", found)
    optimizer = known.get("optimizer_config")
    if is_custom or not isinstance(optimizer, dict):
        return known
    form = cast("dict[str, Any]", optimizer)
    name = form.get("class_name")
    if isinstance(name, str) and name.startswith(_PREFIX):
        known["optimizer_config"] = {**form, "class_name": name.removeprefix(_PREFIX)}
    return known


def optimizer_name(config: Form) -> str:
    """The class name in the compile information; empty if there is none."""
    optimizer = config.get("optimizer_config")
    name: Any = cast("dict[str, Any]", optimizer).get("class_name") if isinstance(optimizer, dict) else None
    return name if isinstance(name, str) else ""
