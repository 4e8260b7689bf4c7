"""Where in a file of weights each object's variables are.

The path of an object is the way to it by attributes, from the model down: ``one/dense``, ``layers/dense_1``,
``optimizer``. In a list, tuple or dict an object is called after its class in snake case, counted: never by its own
name. An object that two ways lead to is at the one that was gone first, so the order of the walk is part of the format:

==================  ===================================================================================================
keras-2.12          attributes in alphabetical order, ``_layer_checkpoint_dependencies`` of models with a graph among
                    them: the edges of a checkpoint, in which a layer with weights is twice and is counted twice
keras-2.15          attributes in reversed alphabetical order, ``layers`` of every model among them; of a container in
                    a container Keras stores nothing: here it comes after all else, as in keras-3, where Keras does not
                    look
keras-3             ``layers`` first, for models with a graph; then attributes in alphabetical order, private ones last;
                    a container in a container is ``container``, ``container_1``, …
==================  ===================================================================================================
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from reference_impl.layers.base import Layer
from reference_impl.layers.preprocessing import TextVectorization
from reference_impl.metrics import Metric
from reference_impl.optimizers import Optimizer
from reference_impl.optimizers.layouts import layout
from reference_impl.tracking import Array, layer_edges

Generation = Literal["keras-2.12", "keras-2.15", "keras-3"]

LAYERS = {"keras-2.12": "_layer_checkpoint_dependencies", "keras-2.15": "layers", "keras-3": "layers"}


@dataclass(frozen=True)
class Value:
    """A stored variable: its ``name`` for messages, its shape (None: any), and how to get and set it."""

    name: str
    shape: tuple[int, ...] | None
    read: Callable[[], Array]
    write: Callable[[Array], None]


@dataclass(frozen=True)
class Place:
    """An object: its path in the file, its name, its variables by their names there: ``0``, ``1``, … but for a few layers."""

    path: str
    name: str
    target: Any
    entries: Mapping[str, Value]


def places(model: Any, generation: Generation, optimizer: bool = True) -> list[Place]:
    """Every object of ``model`` in the order of the walk, those without variables too."""
    walk = _Walk(model, generation, optimizer)
    found = list(walk.of(model, ""))
    while walk.postponed:
        found += walk.of_container(*walk.postponed.pop(0))
    return found


def snake_case(name: str) -> str:
    """A class's name as paths have it: ``Conv2D`` is ``conv2d``, ``MyLayer`` is ``my_layer``."""
    spaced = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()


class _Walk:
    def __init__(self, model: Any, generation: Generation, optimizer: bool) -> None:
        self.model = model
        self.generation = generation
        self.optimizer = optimizer
        self.seen: set[int] = set()
        self.postponed: list[tuple[Any, str]] = []

    def of(self, target: Any, path: str) -> Iterator[Place]:
        """``target`` and all that is inside it, once each."""
        if id(target) in self.seen:
            return
        self.seen.add(id(target))
        yield Place(path, getattr(target, "name", type(target).__name__), target, self._entries(target))
        if isinstance(target, TextVectorization) and target.later is None:
            # The layers inside it are later one, which has the same.
            yield Place(f"{path}/_lookup_layer", target.lookup.name, target, self._entries(target))
            return
        for name, child in self._attributes(target):
            inner = f"{path}/{name}" if path else name
            if isinstance(child, list | tuple | Mapping):
                yield from self.of_container(cast("Any", child), inner)
            elif _is_saveable(child):
                yield from self.of(child, inner)

    def of_container(self, container: Any, path: str) -> Iterator[Place]:
        """What is in a list, tuple or dict that is at ``path``."""
        counts: dict[str, int] = {}

        def called(stem: str) -> str:
            count = counts.get(stem, 0)
            counts[stem] = count + 1
            return f"{path}/{stem}_{count}" if count else f"{path}/{stem}"

        items: list[Any] = list(cast("Any", container.values() if isinstance(container, Mapping) else container))
        for item in items:
            if _is_saveable(item):
                if self.generation == "keras-2.15" and id(item) in self.seen:
                    continue
                yield from self.of(item, called(snake_case(type(item).__name__)))
            elif isinstance(item, list | tuple | Mapping):
                inner = called("container")
                if self.generation != "keras-3":
                    self.postponed.append((cast("Any", item), inner))
                else:
                    yield from self.of_container(cast("Any", item), inner)

    def _attributes(self, target: Any) -> list[tuple[str, Any]]:
        found: dict[str, Any] = dict(target.__dict__.get("_tracked_edges", {}))
        is_model = hasattr(target, "layers")
        with_graph = is_model and getattr(target, "_graph", None) is not None
        if not self.optimizer or target is not self.model:
            found.pop("optimizer", None)
        if isinstance(target, Optimizer):
            return []
        if self.generation == "keras-2.12":
            if with_graph:
                found[LAYERS["keras-2.12"]] = layer_edges(target.layers)
            return sorted(found.items())
        if self.generation == "keras-2.15":
            if is_model:
                found["layers"] = list(target.layers)
            return sorted(found.items(), reverse=True)
        if type(target).__name__ == "MultiHeadAttention":
            # Keras 3 has public properties for these, which come first.
            found = {name.lstrip("_"): child for name, child in found.items()}
        rest = sorted(found.items(), key=lambda item: (item[0].startswith("_"), item[0]))
        return [("layers", list(target.layers)), *rest] if with_graph else rest

    def _entries(self, target: Any) -> dict[str, Value]:
        if isinstance(target, Optimizer):
            if not target.weights:
                return {}
            generation = "keras-3" if self.generation == "keras-3" else "keras-2.11"
            entries = layout(target, self.model.trainable_weights, generation)
            return _numbered([Value(entry.name, entry.shape, entry.read, entry.write) for entry in entries])
        if hasattr(target, "named_values"):
            named: dict[str, Value] = {key: Value(key, *value) for key, value in target.named_values().items()}
            return named
        if isinstance(target, Metric):
            return _numbered([_value(variable) for variable in target.variables])
        if isinstance(target, Layer):
            own = target._state.variables
            return _numbered(
                [_value(v) for v in (*(v for v in own if v.trainable), *(v for v in own if not v.trainable))]
            )
        return {}


def _is_saveable(value: Any) -> bool:
    return isinstance(value, Layer | Optimizer | Metric)


def _value(variable: Any) -> Value:
    return Value(variable.name, tuple(variable.shape), lambda: variable.array, variable.assign)


def _numbered(values: list[Value]) -> dict[str, Value]:
    return {str(number): value for number, value in enumerate(values)}
