"""Which implementations should load a file: rules, as data, over what it has.

A rule names features; where all of them are there (``*`` stands for anything) it answers for its readers. Features are
``format:…``, ``generation:…``, ``class:…`` of every object in a config, ``argument:CLASS.KEY`` of every key it is made
with, ``op:…`` of a SavedModel, and the names that ``_structure`` gives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from conformance.inspecting.configs import Config, in_keras_2, in_keras_3, is_custom, layers_of, objects
from conformance.inspecting.dangers import has_code
from conformance.inspecting.model import Expectation, Inspection

Answer = Literal["yes", "uncompiled", "custom", "no"]

# From the best to the worst.
_ORDER: tuple[Answer, ...] = ("yes", "uncompiled", "custom", "no")


@dataclass(frozen=True)
class Found:
    """What a reader found: the facts to show, and the configs behind them, with features of the format."""

    inspection: Inspection
    model: Any
    compiled: Any
    features: frozenset[str] = frozenset()
    others: tuple[Any, ...] = field(default=())


@dataclass(frozen=True)
class Rule:
    """Readers of which ``answer`` is true where the file has all of ``when`` and none of ``unless``."""

    readers: tuple[str, ...]
    when: tuple[str, ...]
    unless: tuple[str, ...]
    answer: Answer
    why: str


def expectations(found: Found) -> tuple[Expectation, ...]:
    """What each implementation should do with the file."""
    features = _Features(frozenset(_features(found)))
    return tuple(_expectation(reader, features, found) for reader in readers())


def _expectation(reader: str, features: _Features, found: Found) -> Expectation:
    answers: list[tuple[Answer, str]] = [
        (rule.answer, rule.why.replace("{names}", ", ".join(found.inspection.custom[:6])))
        for rule in _rules()
        if reader in rule.readers
        and all(features.has(pattern) for pattern in rule.when)
        and not any(features.has(pattern) for pattern in rule.unless)
    ]
    worst: Answer = "yes"
    for answer, _ in answers:
        if _ORDER.index(answer) > _ORDER.index(worst):
            worst = answer
    return Expectation(reader, worst, tuple(dict.fromkeys(why for answer, why in answers if answer == worst)))


def readers() -> tuple[str, ...]:
    """The implementations that the rules are about."""
    return tuple(_data()["readers"])


class _Features:
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._asked: dict[str, bool] = {}

    def has(self, pattern: str) -> bool:
        """Whether there is a feature of that name, in which ``*`` stands for anything."""
        if "*" not in pattern:
            return pattern in self._names
        if pattern not in self._asked:
            self._asked[pattern] = any(fnmatchcase(name, pattern) for name in self._names)
        return self._asked[pattern]


def _features(found: Found) -> Iterator[str]:
    inspection = found.inspection
    yield f"format:{inspection.format}"
    yield f"generation:{inspection.writer.generation}"
    if inspection.writer.keras:
        yield f"keras:{inspection.writer.keras}"
    if any("_layer_checkpoint_dependencies" in weight.name.split("/") for weight in inspection.weights):
        yield "layers-as-dependencies"
    yield from found.features
    if inspection.damaged:
        yield "damaged"
    if inspection.custom:
        yield "custom"
    yield from (f"danger:{danger.kind}" for danger in inspection.dangers)
    if found.compiled:
        yield "compiled"
        yield from _compiled(found.compiled)
        if set(_names(cast("Config", found.compiled).get("loss"))) & set(inspection.custom):
            yield "custom-loss"
    for config in (found.model, *found.others):
        yield from _of_config(config)
    if found.model:
        yield from _structure(found.model)


def _of_config(config: Any) -> Iterator[str]:
    for _, item in objects(config):
        name = str(item["class_name"])
        yield f"class:{name}"
        if not is_custom(item):
            if not in_keras_3(name):
                yield "class-not-in-keras-3"
            if not in_keras_2(name):
                yield "class-not-in-keras-2"
        if has_code(item):
            yield "lambda-code"
        inner = item.get("config")
        if isinstance(inner, dict):
            for key, value in cast("Config", inner).items():
                yield f"argument:{name}.{key}"
                if isinstance(value, list) and len(cast("list[Any]", value)) > 1 and key == "axis":
                    yield f"axes:{name}"


def _compiled(compiled: Any) -> Iterator[str]:
    said = cast("Config", compiled)
    optimizer = said.get("optimizer_config")
    arguments = cast("Config", optimizer).get("config") if isinstance(optimizer, dict) else None
    yield from (f"optimizer-argument:{key}" for key in cast("Config", arguments or {}))
    for key in ("loss", "metrics", "optimizer", "optimizer_config"):
        value = said.get(key)
        if isinstance(value, str):
            yield f"{key}:{value}"
        elif isinstance(value, dict):
            name = cast("Config", value).get("class_name")
            yield f"{key}:{name or 'several'}"
            if name:
                yield f"{key}-config"
        elif value:
            yield f"{key}:several"
    for name in _names(said.get("loss")):
        yield f"loss:{name}"


def _names(loss: Any) -> Iterator[str]:
    """The losses that are given by name alone."""
    if isinstance(loss, str):
        yield loss
    elif isinstance(loss, dict | list):
        members = cast("list[Any]", list(cast("Config", loss).values()) if isinstance(loss, dict) else loss)
        for member in members:
            yield from _names(member)


def _structure(model: Config) -> Iterator[str]:
    """How the config of a model, or of one inside it, is built."""
    for _, item in [("", model), *objects(model.get("config"))]:
        inner: Any = item.get("config")
        name = item.get("class_name")
        if name == "Sequential":
            listed: Any = (
                cast("Any", inner) if isinstance(inner, list) else cast("Config", inner or {}).get("layers", [])
            )
            first = next(iter(cast("Iterable[Any]", listed)), None)
            if isinstance(inner, list):
                yield "sequential-list"
            if isinstance(first, dict) and cast("Config", first).get("class_name") != "InputLayer":
                yield "sequential-without-input"
                yield f"first:{cast('Config', first).get('class_name')}"
            if item is not model:
                yield "nested-sequential"
        elif name == "Functional":
            yield "functional" if item is model else "nested-functional"
        elif name in ("Bidirectional", "TimeDistributed", "RNN") and any(
            "module" not in layer for layer in layers_of(inner)
        ):
            yield "wraps-by-name"
        if name != "InputLayer" and isinstance(inner, dict) and "batch_input_shape" in inner:
            yield "input-shape-of-layer"


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "loading.toml").read_text(encoding="utf-8"))


@cache
def _rules() -> tuple[Rule, ...]:
    groups: dict[str, list[str]] = {**_data()["groups"], "all": list(readers())}
    return tuple(
        Rule(
            tuple(name for reader in rule["readers"] for name in groups.get(reader, [reader])),
            tuple(rule["when"]),
            tuple(rule.get("unless", ())),
            rule["answer"],
            rule["why"],
        )
        for rule in _data()["rule"]
    )
