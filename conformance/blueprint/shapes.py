"""Output shapes and weights of the layers the strategies draw, worked out without any library.

One table: a layer's class to its rule. Shapes leave out the batch. What is not in the table is an
:class:`UnknownShapeError`: strategies only ask about what they draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from conformance.blueprint.model import (
    Blueprint,
    Functional,
    Layer,
    NestedModel,
    Node,
    Sequential,
    Subclassed,
)

Shape: TypeAlias = tuple[int, ...]
Args: TypeAlias = Mapping[str, Any]


class UnknownShapeError(LookupError):
    """The rule of a class is not in the table, or a size is not known."""


@dataclass(frozen=True)
class Weight:
    """One weight of a layer: its attribute, its shape, whether it is trained when the layer is."""

    name: str
    shape: Shape
    trainable: bool = True


def _same(args: Args, shapes: Sequence[Shape]) -> Shape:
    return shapes[0]


def _units(args: Args, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0][:-1], args["units"])


def _flat(args: Args, shapes: Sequence[Shape]) -> Shape:
    return (math.prod(shapes[0]),)


def _reshaped(args: Args, shapes: Sequence[Shape]) -> Shape:
    return tuple(_items(args["target_shape"]))


def _joined(args: Args, shapes: Sequence[Shape]) -> Shape:
    axis: int = args.get("axis", -1)
    place = axis if axis < 0 else axis - 1
    joined = list(shapes[0])
    joined[place] = sum(shape[place] for shape in shapes)
    return tuple(joined)


def _embedded(args: Args, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0], args["output_dim"])


def _no_weights(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    return []


def _dense(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    kernel = Weight("kernel", (shapes[0][-1], args["units"]))
    return [kernel, Weight("bias", (args["units"],))] if args.get("use_bias", True) else [kernel]


def _batch_normalization(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    size = shapes[0][-1:]
    weights = [Weight("gamma", size)] if args.get("scale", True) else []
    weights += [Weight("beta", size)] if args.get("center", True) else []
    return [*weights, Weight("moving_mean", size, False), Weight("moving_variance", size, False)]


def _layer_normalization(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    size = shapes[0][-1:]
    weights = [Weight("gamma", size)] if args.get("scale", True) else []
    return [*weights, Weight("beta", size)] if args.get("center", True) else weights


def _embedding(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    return [Weight("embeddings", (args["input_dim"], args["output_dim"]))]


def _items(value: Any) -> list[int]:
    return cast("list[int]", value["$tuple"] if isinstance(value, dict) else value)


@dataclass(frozen=True)
class Rule:
    """How one class of layer turns its arguments and input shapes into an output shape and weights."""

    output: Callable[[Args, Sequence[Shape]], Shape] = _same
    weights: Callable[[Args, Sequence[Shape]], list[Weight]] = _no_weights


_SAME_SHAPE = (
    "Activation ActivityRegularization Add Average Dropout ELU GaussianDropout GaussianNoise LeakyReLU "
    "Masking Maximum Minimum Multiply ReLU Softmax Subtract"
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_SAME_SHAPE.split(), Rule()),
    "Dense": Rule(_units, _dense),
    "Flatten": Rule(_flat),
    "Reshape": Rule(_reshaped),
    "Concatenate": Rule(_joined),
    "BatchNormalization": Rule(weights=_batch_normalization),
    "LayerNormalization": Rule(weights=_layer_normalization),
    "Embedding": Rule(_embedded, _embedding),
}


def _custom_layer(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    units = args.get("units", 32)
    return [Weight("w", (shapes[0][-1], units)), Weight("b", (units,))]


def _one_weight(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    return [Weight("w", (shapes[0][-1], args.get("units", 4)))]


def _two_dense(args: Args, shapes: Sequence[Shape]) -> list[Weight]:
    return _dense(args, shapes) + _dense(args, [_units(args, shapes)])


def _units_or(default: int) -> Callable[[Args, Sequence[Shape]], Shape]:
    return lambda args, shapes: (*shapes[0][:-1], args.get("units", default))


CUSTOM_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("LossyLayer", "ValueLayer", "FailingConfig", "MarkedCall:1", "MarkedCall:2"), Rule()),
    **dict.fromkeys(("Foo:A", "Foo:B", "Foo:C", "NoConfigLayer"), Rule(_units_or(4), _one_weight)),
    **dict.fromkeys(("NestedDenseLayer", "FrozenInner"), Rule(_units, _two_dense)),
    "CustomLayer:units": Rule(_units_or(32), _custom_layer),
    "Dense:mine": Rule(_units, _dense),
}

# A subclassed model's dense layers, one after the other.
MODEL_UNITS: Mapping[str, Callable[[Args], list[int]]] = {
    "CustomModel": lambda args: _items(args["hidden_units"]),
    "SubclassedModel": lambda args: [64, 64, args["output_dim"]],
    "ContrivedModel": lambda args: [64, 10],
    "ScaledModel": lambda args: [4],
}


def rule_of(layer: Layer) -> Rule:
    """The rule of a layer's class. Raises UnknownShapeError when the table has none."""
    table, key = (RULES, layer.cls) if isinstance(layer.cls, str) else (CUSTOM_RULES, layer.cls.id)
    if key not in table:
        raise UnknownShapeError(f"no shape rule for the class {key!r}")
    return table[key]


def node_output(node: Node, shapes: Sequence[Shape]) -> Shape:
    """The shape a layer or nested model gives for inputs of these ``shapes``."""
    if isinstance(node, NestedModel):
        return _run(node.model, shapes)[0][0]
    return rule_of(node).output(node.args, shapes)


def output_shapes(blueprint: Blueprint) -> tuple[Shape, ...]:
    """The shape of each output. Raises UnknownShapeError for an unknown class or an indefinite input."""
    return _run(blueprint, _input_shapes(blueprint))[0]


def weight_shapes(blueprint: Blueprint) -> tuple[Weight, ...]:
    """The weights in the order ``model.weights`` has them: layer after layer, a shared layer once.

    Raises UnknownShapeError as :func:`output_shapes` does. The layers are taken in the order of their first
    call; a library may list the layers of parallel branches otherwise.
    """
    return _run(blueprint, _input_shapes(blueprint))[1]


def _input_shapes(blueprint: Blueprint) -> tuple[Shape, ...]:
    shapes = [item.shape for item in blueprint.inputs]
    if not shapes or any(size is None for shape in shapes for size in shape):
        raise UnknownShapeError(f"no definite input shapes: {shapes}")
    return cast("tuple[Shape, ...]", tuple(shapes))


def _run(blueprint: Blueprint, shapes: Sequence[Shape]) -> tuple[tuple[Shape, ...], tuple[Weight, ...]]:
    if isinstance(blueprint, Subclassed):
        return _run_subclassed(blueprint, shapes[0])
    if isinstance(blueprint, Sequential):
        return _run_sequential(blueprint, shapes[0])
    if isinstance(blueprint, Functional):
        return _run_functional(blueprint, shapes)
    raise TypeError(f"not a blueprint: {blueprint!r}")


def _node_weights(node: Node, shapes: Sequence[Shape]) -> tuple[Weight, ...]:
    if isinstance(node, NestedModel):
        return _run(node.model, shapes)[1]
    return tuple(rule_of(node).weights(node.args, shapes))


def _run_sequential(blueprint: Sequential, shape: Shape) -> tuple[tuple[Shape, ...], tuple[Weight, ...]]:
    weights: tuple[Weight, ...] = ()
    for node in blueprint.layers:
        weights += _node_weights(node, [shape])
        shape = node_output(node, [shape])
    return (shape,), weights


def _run_functional(blueprint: Functional, shapes: Sequence[Shape]) -> tuple[tuple[Shape, ...], tuple[Weight, ...]]:
    nodes = {node.id: node for node in blueprint.layers}
    tensors = {item.name: shape for item, shape in zip(blueprint.inputs, shapes, strict=True)}
    weights: dict[str, tuple[Weight, ...]] = {}
    for call in blueprint.calls:
        node, given = nodes[call.layer], [tensors[name] for name in call.inputs]
        tensors[call.output] = node_output(node, given)
        weights.setdefault(call.layer, _node_weights(node, given))
    outputs = tuple(tensors[name] for name in blueprint.outputs)
    return outputs, tuple(weight for group in weights.values() for weight in group)


def _run_subclassed(blueprint: Subclassed, shape: Shape) -> tuple[tuple[Shape, ...], tuple[Weight, ...]]:
    if blueprint.cls.id not in MODEL_UNITS:
        raise UnknownShapeError(f"no shape rule for the model {blueprint.cls.id!r}")
    weights: list[Weight] = []
    for units in MODEL_UNITS[blueprint.cls.id](blueprint.args):
        weights += _dense({"units": units}, [shape])
        shape = (*shape[:-1], units)
    return (shape,), tuple(weights)
