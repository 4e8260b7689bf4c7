"""Configs of every Keras generation, looked at as data: the tree of layers, the names used, what is code.

A config says an object as ``{"class_name": …, "config": …}``; from 2.12 on with ``module`` and ``registered_name``
beside it. A model's config is a list of such (Sequential before 2.3) or has them under ``layers``; layers that wrap
others keep them under the keys of ``INNER``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, cast

from conformance.inspecting.model import LayerFact

Config: TypeAlias = dict[str, Any]

INNER = ("layer", "forward_layer", "backward_layer", "cell", "cells", "layers")

# Keys whose text names a function, if it is not one of Keras's own.
_FUNCTION_KEYS = ("activation", "recurrent_activation", "inner_activation", "loss", "metrics", "weighted_metrics")
_INITIALIZED = ("_initializer", "_regularizer", "_constraint")
_KERAS_MODULES = ("keras", "tensorflow.keras", "tf_keras", "tensorflow.python.keras", "tensorflow.python.trackable")


def objects(value: Any, place: str = "") -> Iterator[tuple[str, Config]]:
    """Every object that a config says, outer ones first, with its place."""
    if isinstance(value, dict):
        config = cast("Config", value)
        if isinstance(config.get("class_name"), str):
            yield place, config
        for key, item in config.items():
            yield from objects(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value)):
            yield from objects(item, f"{place}[{number}]")


def class_of(config: Config) -> str:
    """The class's name, with its package where it was registered in one that is not Keras's default."""
    registered = config.get("registered_name")
    name = registered if isinstance(registered, str) and ">" in registered else str(config["class_name"])
    return name.removeprefix("Custom>") if name.removeprefix("Custom>") in _builtins()["classes"] else name


def is_custom(config: Config) -> bool:
    """Whether the object's class is none of Keras's own. A function's name is its config."""
    name, module = class_of(config), config.get("module")
    if name == "function":
        return isinstance(config.get("config"), str) and config["config"] not in _builtins()["functions"]
    if name.startswith("__") or name in ("TensorShape", "TypeSpec", "CompositeTensor", "slice", "builtins"):
        return False
    if isinstance(module, str) and module and ">" not in name:
        return not module.startswith((*_KERAS_MODULES, "builtins"))
    if name in _builtins()["classes"]:
        return False
    # Names of functions have stood for objects since Keras 1; `>` alone is a registered one.
    return name not in _builtins()["functions"]


def in_keras_3(class_name: str) -> bool:
    """Whether Keras 3 has a class of that name."""
    return class_name not in _builtins()["keras_2"]


def in_keras_2(class_name: str) -> bool:
    """Whether Keras 2 has a class of that name."""
    return class_name not in _builtins()["keras_3"]


def custom_objects(*configs: Any) -> tuple[str, ...]:
    """The names of the classes and functions in ``configs`` that are not Keras's own, each once."""
    found: dict[str, None] = {}
    for config in configs:
        for _, item in objects(config):
            if is_custom(item):
                found[str(item["config"]) if class_of(item) == "function" else class_of(item)] = None
        found |= dict.fromkeys(_custom_functions(config))
    return tuple(found)


def _custom_functions(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        inner = cast("Config", value)
        named = key in ("loss", "metrics", "weighted_metrics")  # a dict of outputs
        for name, item in inner.items():
            if "class_name" not in inner:
                yield from _custom_functions(item, key if named else name)
            elif name in ("config", "compile_config", "inbound_nodes"):
                yield from _custom_functions(item, "")
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _custom_functions(item, key)
    elif isinstance(value, str) and (key in _FUNCTION_KEYS or key.endswith(_INITIALIZED)) and not _is_builtin(value):
        yield value


def _is_builtin(name: str) -> bool:
    return name in _builtins()["functions"] or name in _builtins()["classes"]


def layers_of(config: Any) -> list[Config]:
    """The layers right inside a model's or layer's config."""
    if isinstance(config, list):
        return [cast("Config", item) for item in cast("list[Any]", config) if _is_object(item)]
    found: list[Config] = []
    for key in INNER if isinstance(config, dict) else ():
        value: Any = cast("Config", config).get(key)
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        found += [cast("Config", item) for item in items if _is_object(item)]
    return found


def tree(config: Config, arrays: Mapping[str, int]) -> LayerFact:
    """The layer that ``config`` says, with those inside it; ``arrays`` counts the weights of the named ones."""
    inner = config.get("config")
    own = cast("Config", inner) if isinstance(inner, dict) else {}
    name = str(own.get("name") or config.get("name") or "")
    trainable = own.get("trainable")
    return LayerFact(
        name=name,
        class_name=class_of(config),
        custom=is_custom(config),
        trainable=trainable if isinstance(trainable, bool) else None,
        arrays=arrays.get(name),
        layers=tuple(tree(layer, {}) for layer in layers_of(inner)),
    )


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(cast("Config", value).get("class_name"), str)


@cache
def _builtins() -> dict[str, frozenset[str]]:
    names = tomllib.loads((Path(__file__).parent / "builtins.toml").read_text(encoding="utf-8"))
    sets = {key: frozenset(value) for key, value in names.items()}
    return {**sets, "classes": sets["both"] | sets["keras_2"] | sets["keras_3"]}
