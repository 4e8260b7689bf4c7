"""How a function joins the table of functions, and how its arguments become tensors.

Called on the symbolic inputs of a Functional model (:class:`~reference_impl.layers.node.KerasTensor`) a function
becomes a layer of class ``TFOpLambda`` that remembers it under its TensorFlow name (``math.multiply``):
:data:`FUNCTIONS` finds it again.
"""

# Importing the ops fills their table.
# ruff: noqa: F401
# pyright: reportUnusedImport=false

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from reference_impl.ops import (
    arrays,
    blocks,
    boxes,
    buckets,
    colors,
    convolution,
    counting,
    diagonals,
    drawing,
    einsum,
    elementary,
    elementwise,
    fingerprints,
    fused,
    images,
    lookup,
    matrix,
    philox,
    places,
    pooling,
    quantized,
    ragged,
    randomness,
    reductions,
    scans,
    selecting,
    sparse,
    spectra,
    splitting,
    strings,
    text,
    transforms,
)
from reference_impl.tensors import Tensor, convert

FUNCTIONS: dict[str, Callable[..., Any]] = {}


class KerasSymbol:
    """Base of what stands for a tensor while a Functional model is put together."""

    __slots__ = ()


def api(symbol: str, *aliases: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def dispatch(*args: Any, **kwargs: Any) -> Any:
            if holds_keras_symbol(args) or (kwargs and holds_keras_symbol(list(kwargs.values()))):
                from reference_impl.layers.op_layer import call_as_layer

                return call_as_layer(symbol, args, kwargs)
            return function(*args, **kwargs)

        for key in (symbol, *aliases):
            FUNCTIONS[key] = dispatch
        return dispatch

    return register


def holds_keras_symbol(values: Sequence[Any]) -> bool:
    """Whether a Functional model's symbolic tensor is among ``values``, lists and tuples looked into."""
    for value in values:
        if isinstance(value, KerasSymbol):
            return True
        if isinstance(value, (list, tuple)) and holds_keras_symbol(cast("Sequence[Any]", value)):
            return True
    return False


def pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of one dtype; what is not a tensor takes the other's dtype."""
    if is_tensor(x):
        first = convert(x)
        second = convert(y, hint=first.dtype)
    else:
        second = convert(y)
        first = convert(x, hint=second.dtype if is_tensor(y) else None)
    if first.dtype != second.dtype:
        raise TypeError(
            f"operands of dtype {first.dtype.name} and {second.dtype.name}; both must be of one dtype; cast one"
        )
    return first, second


def is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(value, "as_tensor")


def ints(values: Any) -> Tensor:
    return convert(np.array(values, np.int32))


def axes(x: Tensor, axis: Any) -> Tensor:
    if axis is None:
        return ints(range(len(x.shape)))
    return ints([int(axis)] if np.ndim(axis) == 0 else list(axis))
