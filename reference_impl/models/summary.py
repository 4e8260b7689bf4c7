"""The table that ``model.summary()`` prints."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reference_impl.layers.base import Layer
from reference_impl.models.graph import Graph
from reference_impl.models.sequential import Sequential

_HEADERS = ["Layer (type)", "Output Shape", "Param #", "Connected to"]


def print_summary(
    model: Any, line_length: int | None, positions: Sequence[float] | None, write: Callable[..., Any]
) -> None:
    """Print ``model``; a graph that is no chain gets a column for the connections."""
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or calling `fit()` with "
            "some data, or specify an `input_shape` argument in the first layer(s) for automatic build."
        )
    graph: Graph | None = model._graph
    chain = graph is None or isinstance(model, Sequential) or _is_chain(graph)
    width = line_length or (65 if chain else 98)
    shares = positions or ([0.45, 0.85, 1.0] if chain else [0.33, 0.55, 0.67, 1.0])
    columns = [int(width * share) if share <= 1 else int(share) for share in shares]

    def row(fields: Sequence[Any]) -> None:
        line = ""
        for place, (text, column) in enumerate(zip(fields, columns, strict=True)):
            if place:
                line = line[:-1] + " "
            line = (line + str(text))[:column].ljust(column)
        write(line)

    write(f'Model: "{model.name}"')
    write("_" * width)
    row(_HEADERS[: len(columns)])
    write("=" * width)
    layers: list[Layer] = model.layers
    for place, layer in enumerate(layers):
        fields = [f"{layer.name} ({type(layer).__name__})", _output_shape(layer), layer.count_params()]
        if chain or graph is None:
            row(fields)
        else:
            connections = _connections(layer, graph)
            row([*fields, connections[0] if connections else ""])
            for connection in connections[1:]:
                row(["", "", "", connection])
        write(("=" if place == len(layers) - 1 else "_") * width)
    trainable = sum(variable.array.size for variable in model.trainable_weights)
    other = sum(variable.array.size for variable in model.non_trainable_weights)
    write(f"Total params: {trainable + other:,}")
    write(f"Trainable params: {trainable:,}")
    write(f"Non-trainable params: {other:,}")
    write("_" * width)


def _is_chain(graph: Graph) -> bool:
    """No two calls of one depth, no call with several inputs, no tensor used twice, no layer called twice."""
    if any(len(level) > 1 or len(level[0].inputs) > 1 for level in graph.nodes_by_depth):
        return False
    used = [id(tensor) for node in graph.nodes for tensor in node.inputs]
    if len(set(used)) < len(used):
        return False
    calls = [sum(node in graph.nodes for node in layer.inbound_nodes) for layer in graph.layers]
    return int(np.max(calls, initial=0)) <= 1


def _output_shape(layer: Layer) -> Any:
    try:
        return layer.output_shape
    except AttributeError:
        return "multiple"


def _connections(layer: Layer, graph: Graph) -> list[str]:
    return [
        f"{tensor.history.layer.name}[{tensor.history.node_index}][{tensor.history.tensor_index}]"
        for node in layer.inbound_nodes
        if node in graph.nodes
        for tensor in node.inputs
    ]
