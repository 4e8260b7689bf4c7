"""The config of a graph of layers, and the graph of a config.

``layers`` is a list of ``{"class_name", "config", "name", "inbound_nodes"}``; each inbound node is one call:
``[[layer name, call number, output number, keyword arguments], …]``, an entry for each tensor of the first argument.
Symbolic tensors among the keyword arguments are ``[layer name, call number, output number]``. A function layer keeps
the structure of its first argument, and has ``["_CONSTANT_VALUE", -1, value, keyword arguments]`` for a constant.

Calls are numbered within the model that is saved. A nested model's own way from input to output counts as call 0.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, cast

import numpy as np

from reference_impl import structure
from reference_impl.errors import LoadError
from reference_impl.layers import deserialize, serialize
from reference_impl.layers.base import Layer
from reference_impl.layers.node import KerasTensor, Node, parameter_names
from reference_impl.layers.op_layer import TFOpLambda
from reference_impl.models.graph import Graph, only
from reference_impl.tensors import Tensor

_CONSTANT = "_CONSTANT_VALUE"
LayerMaker = Callable[[Mapping[str, Any]], Layer]


def own_flag(model: Layer) -> dict[str, Any]:
    """What a model's config says of its own ``trainable``: nothing unless it is frozen.

    TensorFlow 2.4 writes no flag and its nested models thaw; versions that write one always write this key.
    """
    return {} if model.trainable else {"trainable": False}


def graph_config(graph: Graph, name: str, form_of: Callable[[Layer], Mapping[str, Any]] = serialize) -> dict[str, Any]:
    """The config of a Functional model of this graph; ``form_of`` gives the config form of each layer."""
    number = {
        node: count
        for layer in graph.layers
        for count, node in enumerate((n for n in layer.inbound_nodes if n in graph.nodes), _first_call(layer))
    }

    def place(tensor: KerasTensor) -> list[Any]:
        return [tensor.history.layer.name, number.get(tensor.node, 0), tensor.history.tensor_index]

    layers: list[dict[str, Any]] = []
    for layer in graph.layers:
        nodes = [node for node in layer.inbound_nodes if node in graph.nodes and node.inputs]
        layers.append(
            {**form_of(layer), "name": layer.name, "inbound_nodes": [_node_config(node, place) for node in nodes]}
        )
    return {
        "name": name,
        "layers": layers,
        "input_layers": _ends_config(graph.input_structure, place),
        "output_layers": _ends_config(graph.output_structure, place),
    }


def _ends_config(ends: Any, place: Callable[[KerasTensor], list[Any]]) -> Any:
    placed = structure.map_leaves(place, ends)
    return [placed] if isinstance(ends, KerasTensor) else placed


def _first_call(layer: Layer) -> int:
    """1 for a model that has a graph: its first node is its own."""
    return 1 if getattr(layer, "_graph", None) is not None else 0


def _node_config(node: Node, place: Callable[[KerasTensor], list[Any]]) -> Any:
    arguments = node.arguments
    (_, first), *rest = arguments.items()

    def plain(leaf: Any) -> Any:
        if isinstance(leaf, KerasTensor):
            return place(leaf)
        if isinstance(leaf, Tensor | np.ndarray):
            return np.asarray(cast("Any", leaf)).tolist()
        if isinstance(leaf, slice):
            leaf = cast("Any", leaf)
            return {"start": leaf.start, "stop": leaf.stop, "step": leaf.step}
        if leaf is Ellipsis:
            return {"class_name": "__ellipsis__"}
        return leaf

    kwargs = {key: _lists(structure.map_leaves(plain, value)) for key, value in rest}

    def entry(leaf: Any) -> list[Any]:
        if isinstance(leaf, KerasTensor):
            return [*place(leaf), dict(kwargs)]
        return [_CONSTANT, -1, plain(leaf), dict(kwargs)]

    entries = structure.map_leaves(entry, list(cast("Any", first)) if isinstance(first, tuple) else first)
    nested = isinstance(first, list | tuple | Mapping)
    return entries if nested or isinstance(node.layer, TFOpLambda) else [entries]


def _lists(value: Any) -> Any:
    """``value`` with lists for tuples, as it comes back from JSON."""
    if isinstance(value, Mapping):
        return {key: _lists(item) for key, item in cast("Mapping[str, Any]", value).items()}
    return [_lists(item) for item in cast("list[Any]", value)] if isinstance(value, list | tuple) else value


# -- back --------------------------------------------------------------------------------------------------------


def graph_from_config(config: Mapping[str, Any], make: LayerMaker = deserialize) -> tuple[Any, Any, list[KerasTensor]]:
    """Rebuild the layers and call them as ``config`` says.

    Returns the model's inputs, its outputs, and the outputs of layers that lead to neither (added losses and
    metrics). ``make`` gives the layer for an entry of ``layers``. ``LoadError`` if a call cannot be made.
    """
    layers: dict[str, Layer] = {}
    calls: dict[str, list[Any]] = {}
    for entry in config["layers"]:
        layer = make(entry)
        name = entry.get("name", layer.name)
        layers[name] = layer
        calls[name] = list(entry.get("inbound_nodes", []))
    while any(calls.values()):
        before = sum(map(len, calls.values()))
        for name, pending in calls.items():
            while pending and _call(layers, layers[name], pending[0]):
                pending.pop(0)
        if sum(map(len, calls.values())) == before:
            stuck = next(name for name, pending in calls.items() if pending)
            raise LoadError(
                f"layer {stuck!r} cannot be connected: its inbound node {calls[stuck][0]!r:.200} names a tensor that "
                f"no layer of the model gives; the layers are {list(layers)}"
            )

    def tensor(place: Any) -> KerasTensor:
        found = _tensor(layers, place)
        if found is None:
            raise LoadError(f"the model's input or output {place!r} names no tensor; the layers are {list(layers)}")
        return found

    inputs, outputs = (_map_places(tensor, config[key]) for key in ("input_layers", "output_layers"))
    used = set(Graph(inputs, outputs).layers)
    ancillary = [
        leaf
        for layer in layers.values()
        if layer not in used
        for node in layer.inbound_nodes
        for leaf in structure.flatten(node.outputs)
    ]
    return inputs, outputs, ancillary


def _is_place(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(cast("list[Any]", value)) >= 3 and isinstance(value[0], str) and (
        isinstance(value[1], int) and not isinstance(value[1], bool)
    )  # fmt: skip


def _map_places(function: Callable[[Any], Any], places: Any) -> Any:
    if _is_place(places):
        return function(places)
    if isinstance(places, Mapping):
        return {key: _map_places(function, place) for key, place in cast("Mapping[str, Any]", places).items()}
    return [_map_places(function, place) for place in places]


def _tensor(layers: Mapping[str, Layer], place: Any) -> KerasTensor | None:
    """The tensor a place names; None while it does not exist."""
    name, call, output = place[:3]
    layer = layers.get(name)
    if layer is None or call >= len(layer.inbound_nodes):
        return None
    leaves = structure.flatten(layer.inbound_nodes[int(call)].outputs)
    return leaves[output] if output < len(leaves) else None


class _NotYetError(Exception):
    """A tensor of a call does not exist yet."""


def _call(layers: Mapping[str, Layer], layer: Layer, entries: Any) -> bool:
    """Make the call ``entries`` describe; False while one of its tensors does not exist."""
    if isinstance(entries, Mapping):
        return _call_with_arguments(layers, layer, cast("Mapping[str, Any]", entries))
    kwargs: dict[str, Any] = {}

    def known(place: Any) -> KerasTensor:
        tensor = _tensor(layers, place)
        if tensor is None:
            raise _NotYetError
        return tensor

    def argument(entry: Any) -> Any:
        if len(entry) > 3:
            kwargs.update({key: value_of(value) for key, value in entry[3].items()})
        return entry[2] if entry[0] == _CONSTANT else known(entry)

    def value_of(value: Any) -> Any:
        if _is_place(value) and value[0] in layers:
            return known(value)
        if isinstance(value, Mapping):
            mapping = cast("Mapping[str, Any]", value)
            if mapping.get("class_name") == "__ellipsis__":
                return Ellipsis
            if set(mapping) == {"start", "stop", "step"}:
                return slice(mapping["start"], mapping["stop"], mapping["step"])
            return {key: value_of(item) for key, item in mapping.items()}
        if isinstance(value, list | tuple):
            return [value_of(item) for item in cast("list[Any]", value)]
        return value

    try:
        first = _map_places(argument, entries)
    except _NotYetError:
        return False
    layer(first if isinstance(layer, TFOpLambda) else only(first), **_named(layer, kwargs))
    return True


def _call_with_arguments(layers: Mapping[str, Layer], layer: Layer, node: Mapping[str, Any]) -> bool:
    """As :func:`_call`, for a node ``{"args", "kwargs"}`` as Keras 3 has them."""

    def value_of(value: Any) -> Any:
        if _is_place(value) and value[0] in layers:
            tensor = _tensor(layers, value)
            if tensor is None:
                raise _NotYetError
            return tensor
        if isinstance(value, Mapping):
            return {key: value_of(item) for key, item in cast("Mapping[str, Any]", value).items()}
        if isinstance(value, list | tuple):
            return [value_of(item) for item in cast("list[Any]", value)]
        return value

    try:
        args = [value_of(value) for value in node.get("args", ())]
        kwargs = {key: value_of(value) for key, value in node.get("kwargs", {}).items()}
    except _NotYetError:
        return False
    layer(*args, **{key: value for key, value in kwargs.items() if value is not None})
    return True


def _named(layer: Layer, kwargs: dict[str, Any]) -> dict[str, Any]:
    """TensorFlow 2.4 names positional arguments one parameter too early: ``call(a, b)`` is saved with ``a`` for b."""
    parameters = parameter_names(type(layer).call)[1:]
    if isinstance(layer, TFOpLambda) or not parameters or parameters[0] not in kwargs:
        return kwargs
    shifted = dict(kwargs)
    moved: dict[str, Any] = {}
    for early, right in pairwise(parameters):
        if early not in kwargs:
            break
        moved[right] = shifted.pop(early)
    return {**shifted, **moved}
