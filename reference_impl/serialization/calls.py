"""How the calls of nested models are numbered in the config of a graph.

==================  ==========================  =================================
calls of            among the inbound nodes     among the outputs of the model
==================  ==========================  =================================
Keras 2             from 1, also Sequential     the same
Keras 3             from 0                      from 1; of Sequential ones from 0
==================  ==========================  =================================

In Keras 2 a model's own way from input to output is call 0. A Sequential model without an input shape has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

Config = dict[str, Any]


def is_of_keras_3(config: Mapping[str, Any]) -> bool:
    """Whether Keras 3 wrote the config of a graph: its inputs have a ``batch_shape``."""
    layers = cast("list[Mapping[str, Any]]", config.get("layers", ()))
    return any(layer.get("class_name") == "InputLayer" and "batch_shape" in layer["config"] for layer in layers)


def from_keras_3(config: Config) -> Config:
    """The config of a graph of Keras 3 with the numbers of Keras 2."""
    graphs, sequentials = _nested(config)
    inbound = dict.fromkeys(graphs | sequentials, 1)
    return _renumbered(config, inbound, dict.fromkeys(sequentials, 1))


def to_keras_3(config: Config) -> Config:
    """The config of a graph of Keras 2 with the numbers of Keras 3."""
    graphs, sequentials = _nested(config)
    places = [*_places(config["output_layers"]), *(p for layer in config["layers"] for p in _places(layer))]
    first = {name: min((call for other, call in places if other == name), default=0) for name in graphs | sequentials}
    inbound = {name: -call for name, call in first.items()}
    return _renumbered(config, inbound, {name: move + (name in graphs) for name, move in inbound.items()})


def _nested(config: Config) -> tuple[set[str], set[str]]:
    """The names of the layers that are models: graphs, and Sequential ones."""
    graphs, sequentials = set[str](), set[str]()
    for layer in cast("list[Mapping[str, Any]]", config["layers"]):
        inner: Any = layer.get("config")
        if isinstance(inner, Mapping) and "layers" in inner:
            known = cast("Mapping[str, Any]", inner)
            (graphs if "output_layers" in known else sequentials).add(layer.get("name", known.get("name")))
    return graphs, sequentials


def _renumbered(config: Config, inbound: Mapping[str, int], outputs: Mapping[str, int]) -> Config:
    """``config`` with calls of the layers named in ``inbound`` and ``outputs`` moved by so many."""
    layers = [
        {**layer, "inbound_nodes": _moved(layer["inbound_nodes"], inbound)} if "inbound_nodes" in layer else layer
        for layer in config["layers"]
    ]
    return {**config, "layers": layers, "output_layers": _moved(config["output_layers"], outputs)}


def _moved(value: Any, moves: Mapping[str, int]) -> Any:
    return _mapped(value, lambda name, call: call + moves.get(name, 0))


def _mapped(value: Any, number: Callable[[str, int], int]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mapped(item, number) for key, item in cast("Mapping[str, Any]", value).items()}
    if not isinstance(value, list | tuple):
        return value
    items: list[Any] = [_mapped(item, number) for item in cast("list[Any]", value)]
    if _is_place(items):
        items[1] = number(items[0], items[1])
    return tuple(items) if isinstance(value, tuple) else items


def _is_place(items: list[Any]) -> bool:
    """Whether this is ``[layer, call, output]``, at times with arguments."""
    return len(items) in (3, 4) and isinstance(items[0], str) and all(type(item) is int for item in items[1:3])


def _places(value: Any) -> Iterator[tuple[str, int]]:
    """Every layer and call named in the inbound nodes of a layer, or in a list of outputs."""
    found: list[tuple[str, int]] = []

    def note(name: str, call: int) -> int:
        found.append((name, call))
        return call

    _mapped(cast("Any", value).get("inbound_nodes", []) if isinstance(value, Mapping) else value, note)
    yield from found
