"""The graph of a Functional model: which calls of which layers lead from its inputs to its outputs.

Layers and calls are ordered by depth, the longest way to an output, deepest first. Among calls of one depth the
order is that of the search, which starts at the outputs. Files and weight lists depend on this order.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from reference_impl import functions, structure
from reference_impl.layers.base import Layer
from reference_impl.layers.input_layer import InputLayer
from reference_impl.layers.node import KerasTensor, Node
from reference_impl.tensors import Tensor, convert


class Graph:
    """The layers and calls between ``inputs`` and ``outputs``, both KerasTensors or structures of them.

    ``ValueError`` if an output needs an input that is not given, or if two layers have one name.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        # A list of one is that one.
        self.input_structure = only(inputs)
        self.output_structure = only(outputs)
        self.inputs: list[KerasTensor] = structure.flatten(self.input_structure)
        self.outputs: list[KerasTensor] = structure.flatten(self.output_structure)
        self._check_ends()
        self.nodes: list[Node] = []
        self.nodes_by_depth: list[list[Node]] = []
        self.layers: list[Layer] = []
        self._order()
        self._check_names()
        self.input_names = [tensor.history.layer.name for tensor in self.inputs]
        self.output_names = _uniquified([tensor.history.layer.name for tensor in self.outputs])

    def _check_ends(self) -> None:
        ends: list[Any] = [*self.inputs, *self.outputs]
        for tensor in ends:
            if not isinstance(tensor, KerasTensor):
                raise ValueError(f"inputs and outputs of a Model must come from `keras.Input`, found {tensor!r:.80}")
        for tensor in self.inputs:
            if not isinstance(tensor.history.layer, InputLayer):
                raise ValueError(f"Model inputs must come from `keras.Input`; {tensor!r} is the output of a layer")
        if len({id(tensor) for tensor in self.inputs}) < len(self.inputs):
            raise ValueError("The list of inputs passed to the model is redundant: all inputs must be unique")

    def _order(self) -> None:
        found, layer_order = _search(self.outputs)
        depth: dict[Node, int] = {}
        layer_depth: dict[Layer, int] = {}
        for node in reversed(found):
            own = max(depth.get(node, 0), layer_depth.get(node.layer, 0))
            depth[node] = layer_depth[node.layer] = own
            for parent in node.parents:
                depth[parent] = max(depth.get(parent, 0), own + 1)
        for tensor in self.inputs:
            if tensor.node not in depth:
                # Not on the way to any output.
                depth[tensor.node] = layer_depth[tensor.history.layer] = 0
                layer_order[tensor.history.layer] = -1
        place = {node: i for i, node in enumerate(found)}
        levels: dict[int, list[Node]] = {}
        for node in sorted(depth, key=lambda node: place.get(node, -1)):
            levels.setdefault(depth[node], []).append(node)
        self.nodes_by_depth = [levels[level] for level in sorted(levels, reverse=True)]
        self.nodes = [node for level in self.nodes_by_depth for node in level]
        self.layers = sorted(layer_depth, key=lambda layer: (-layer_depth[layer], layer_order[layer]))
        self._check_connected()

    def _check_connected(self) -> None:
        known = {id(tensor) for tensor in self.inputs}
        passed: list[str] = []
        for node in self.nodes:
            if isinstance(node.layer, InputLayer):
                if id(node.outputs) not in known:
                    consumer = next((n for n in self.nodes if node in n.parents), node)
                    raise ValueError(
                        f"Graph disconnected: cannot obtain value for tensor {node.outputs!r} at layer "
                        f'"{consumer.layer.name}". The following previous layers were accessed without issue: {passed}'
                    )
                continue
            passed.append(node.layer.name)

    def _check_names(self) -> None:
        for name, count in Counter(layer.name for layer in self.layers).items():
            if count > 1:
                raise ValueError(
                    f'The name "{name}" is used {count} times in the model. All layer names should be unique.'
                )

    def extend(self, tensors: Sequence[KerasTensor]) -> None:
        """Add what leads to ``tensors`` (losses, metrics) after all there is; the outputs stay."""
        found, _ = _search(tensors)
        for node in found:
            if node not in self.nodes:
                self.nodes.append(node)
                self.nodes_by_depth.append([node])
            if node.layer not in self.layers:
                self.layers.append(node.layer)
        self._check_connected()
        self._check_names()

    def run(self, inputs: Any) -> Any:
        """The outputs for ``inputs``: tensors in the structure of the model's inputs, or a dict by input names."""
        values = dict(zip(map(id, self.inputs), self._conformed(inputs), strict=True))
        for node in self.nodes:
            if isinstance(node.layer, InputLayer):
                continue

            def value_of(leaf: Any) -> Any:
                return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

            results = node.layer(
                *structure.map_leaves(value_of, node.args), **structure.map_leaves(value_of, node.kwargs)
            )
            for tensor, value in zip(structure.flatten(node.outputs), structure.flatten(results), strict=True):
                values[id(tensor)] = value
        return structure.map_leaves(lambda tensor: values[id(tensor)], self.output_structure)

    def _conformed(self, inputs: Any) -> list[Tensor]:
        """The inputs as a list, with the dtypes of the entrances."""
        if isinstance(inputs, dict) and not isinstance(self.input_structure, dict):
            named = cast("dict[str, Any]", inputs)
            missing = [name for name in self.input_names if name not in named]
            if missing:
                raise ValueError(f"Missing data for input {missing[0]!r}; the dict has {sorted(named)}")
            leaves: list[Any] = [named[name] for name in self.input_names]
        else:
            leaves = structure.flatten(inputs)
        if len(leaves) != len(self.inputs):
            raise ValueError(
                f"the model has {len(self.inputs)} input(s) {self.input_names}, it was given {len(leaves)}"
            )
        return [_conform(convert(leaf), tensor) for leaf, tensor in zip(leaves, self.inputs, strict=True)]


def _conform(value: Tensor, entrance: KerasTensor) -> Tensor:
    rank = len(entrance.shape)
    if len(value.shape) == rank + 1 and value.shape[-1] == 1:
        value = functions.squeeze(value, -1)
    elif len(value.shape) == rank - 1 and entrance.shape[-1] == 1:
        value = functions.expand_dims(value, -1)
    if len(value.shape) != rank or any(
        a is not None and b is not None and a != b for a, b in zip(value.shape[1:], entrance.shape[1:], strict=True)
    ):
        raise ValueError(
            f"Input {entrance.name!r} of the model has shape {tuple(entrance.shape)}; it was given {tuple(value.shape)}"
        )
    cast = functions.cast_to(value, entrance.dtype)
    if cast is not value:
        cast.mask = value.mask
    return cast


def _search(outputs: Sequence[KerasTensor]) -> tuple[list[Node], dict[Layer, int]]:
    """All calls that lead to ``outputs``, each after those it needs, and the order layers were first met in."""
    found: dict[Node, bool] = {}
    layer_order: dict[Layer, int] = {}
    done: list[Node] = []
    stack: list[tuple[Node, bool]] = []
    for output in outputs:
        stack.append((output.node, False))
        while stack:
            node, parents_done = stack.pop()
            if parents_done:
                done.append(node)
                continue
            if node in found:
                continue
            found[node] = True
            layer_order.setdefault(node.layer, len(layer_order))
            stack.append((node, True))
            stack.extend((parent, False) for parent in reversed(node.parents))
    return done, layer_order


def only(ends: Any) -> Any:
    """The single item of a list of one; anything else as it is."""
    listed: list[Any] = list(cast("Any", ends)) if isinstance(ends, list | tuple) else []
    return listed[0] if len(listed) == 1 else cast("Any", ends)


def _uniquified(names: Sequence[str]) -> list[str]:
    result: list[str] = []
    counts: dict[str, int] = {}
    for name in names:
        count = counts.get(name, 0)
        counts[name] = count + 1
        result.append(f"{name}_{count}" if count else name)
    return result
