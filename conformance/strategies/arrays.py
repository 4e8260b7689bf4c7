"""Weights, inputs and targets: NumPy arrays that a seed alone decides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from conformance.blueprint import Blueprint, Call, Functional, Input, Layer, NestedModel, Sequential, output_shapes

Array: TypeAlias = npt.NDArray[Any]
Batch: TypeAlias = tuple[list[Array], list[Array]]

# What a dimension of any size (None) is in inputs made here.
FREE_SIZE = 3


def distinct_weights(shapes_dtypes: Iterable[tuple[Sequence[int], npt.DTypeLike]], seed: int) -> list[Array]:
    """Values for weights of these shapes and dtypes, every element different from every other of the whole model.

    A vector or scalar is positive throughout (it may be a variance); a matrix has both signs. The magnitudes shrink
    with the widest layer, so that training a few steps neither saturates nor diverges. Magnitudes are distinct in
    float32 up to about a million elements; a narrower dtype rounds them. Integers count up from 1 in a shuffled order.
    """
    wanted = [(tuple(shape), np.dtype(dtype)) for shape, dtype in shapes_dtypes]
    sizes = [math.prod(shape) for shape, _ in wanted]
    total = sum(sizes)
    rng = np.random.default_rng([seed, 1])
    ranks = rng.permutation(total) + 1
    fan_in = max([math.prod(shape[:-1]) for shape, _ in wanted], default=1)
    magnitudes = (0.4 + 0.6 * ranks / max(total, 1)) / math.sqrt(max(fan_in, 1))
    signs = rng.choice([-1.0, 1.0], size=total)

    result: list[Array] = []
    start = 0
    for (shape, dtype), size in zip(wanted, sizes, strict=True):
        part = slice(start, start + size)
        start += size
        floats = magnitudes[part] * (signs[part] if len(shape) > 1 else 1.0)
        values = ranks[part] if dtype.kind in "iub" else floats
        result.append(values.reshape(shape).astype(dtype))
    return result


def inputs_for(blueprint: Blueprint, seed: int, batch: int = 4) -> list[Array]:
    """One array an input, in order, with ``batch`` rows: floats in [-1, 1), integers that an Embedding accepts.

    Raises ValueError for a model without a declared input.
    """
    if not blueprint.inputs:
        raise ValueError("inputs_for: the blueprint declares no input, so its shape is not known")
    rng = np.random.default_rng([seed, 2])
    return [_input(item, blueprint, rng, batch) for item in blueprint.inputs]


def targets_for(blueprint: Blueprint, seed: int, batch: int = 4) -> list[Array]:
    """One array an output, in order, as its loss wants it: class indices, distributions, else floats in [0, 1).

    Raises UnknownShapeError where the shape of an output is not known.
    """
    rng = np.random.default_rng([seed, 3])
    shapes = output_shapes(blueprint)
    losses = _losses(blueprint, len(shapes))
    return [_target(loss, shape, rng, batch) for loss, shape in zip(losses, shapes, strict=True)]


def batches(blueprint: Blueprint, seed: int, steps: int, batch: int = 4) -> list[Batch]:
    """``steps`` different training batches, each (inputs, targets)."""
    return [
        (inputs_for(blueprint, seed * 1000 + step, batch), targets_for(blueprint, seed * 1000 + step, batch))
        for step in range(steps)
    ]


def _input(item: Input, blueprint: Blueprint, rng: np.random.Generator, batch: int) -> Array:
    shape = (batch, *(FREE_SIZE if size is None else size for size in item.shape))
    if np.dtype(item.dtype).kind in "iu":
        return rng.integers(0, _vocabulary(item.name, blueprint), size=shape).astype(item.dtype)
    return rng.uniform(-1.0, 1.0, size=shape).astype(item.dtype)


def _vocabulary(tensor: str, blueprint: Blueprint) -> int:
    """The smallest ``input_dim`` of the Embeddings that ``tensor`` goes into; 2 where there is none."""
    sizes = [node.args["input_dim"] if node.cls == "Embedding" else 2 for node in _readers(tensor, blueprint)]
    return min(sizes, default=2)


def _readers(tensor: str, blueprint: Blueprint) -> list[Layer]:
    """The layers that a tensor goes into; for a nested model the layers its input goes into."""
    nodes = {node.id: node for node in blueprint.nodes}
    if isinstance(blueprint, Sequential):
        called = [(node, 0) for node in blueprint.layers[:1]]
    elif isinstance(blueprint, Functional):
        called = [(nodes[c.layer], c.inputs.index(tensor)) for c in blueprint.calls if tensor in c.inputs]
    else:
        called = []
    found: list[Layer] = []
    for node, place in called:
        if isinstance(node, NestedModel):
            found += _readers(node.model.inputs[place].name if node.model.inputs else "", node.model)
        else:
            found.append(node)
    return found


def _losses(blueprint: Blueprint, outputs: int) -> list[Any]:
    loss: Any = None if blueprint.compile is None else blueprint.compile.loss
    if isinstance(loss, list):
        return cast("list[Any]", loss)
    if isinstance(loss, Mapping) and not {"class", "custom"} & set(cast("Mapping[str, Any]", loss)):
        by_name = cast("Mapping[str, Any]", loss)
        return [by_name.get(name or "") for name in output_names(blueprint)]
    return [loss] * outputs


def output_names(blueprint: Blueprint) -> list[str | None]:
    """For each output the name of the layer that makes it, None where the library chooses it."""
    if not isinstance(blueprint, Functional):
        return [blueprint.nodes[-1].name] if blueprint.nodes else [None]
    nodes = {node.id: node for node in blueprint.nodes}
    makers: dict[str, Call] = {call.output: call for call in blueprint.calls}
    return [nodes[makers[tensor].layer].name if tensor in makers else tensor for tensor in blueprint.outputs]


def _target(loss: Any, shape: tuple[int, ...], rng: np.random.Generator, batch: int) -> Array:
    raw = cast("Mapping[str, Any]", loss if isinstance(loss, Mapping) else {"class": loss})
    plain = str(raw.get("class")).replace("_", "").lower()
    values = rng.uniform(0.0, 1.0, size=(batch, *shape))
    if plain == "sparsecategoricalcrossentropy":
        return np.argmax(values, axis=-1)[..., np.newaxis].astype("float32")
    if plain in ("categoricalcrossentropy", "kldivergence"):
        return (values / values.sum(axis=-1, keepdims=True)).astype("float32")
    return values.astype("float32")
