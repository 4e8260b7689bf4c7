"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from reference_impl import functions
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects

Activation = Callable[..., Any]


def linear(x: Any) -> Any:
    return x


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0) -> Any:
    """max(x, 0); with arguments: x above ``threshold``, ``alpha * (x - threshold)`` below, at most ``max_value``."""
    if threshold == 0:
        positive = functions.leaky_relu(x, alpha=alpha) if alpha else functions.relu(x)
    else:
        positive = functions.where(functions.greater(x, threshold), x, (x - threshold) * alpha)
    return positive if max_value is None else functions.minimum(positive, max_value)


def softmax(x: Any, axis: int = -1) -> Any:
    return functions.softmax(x, axis=axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    return (
        functions.elu(x)
        if alpha == 1
        else functions.where(functions.greater(x, 0), functions.elu(x), functions.elu(x) * alpha)
    )


def selu(x: Any) -> Any:
    return functions.selu(x)


def softplus(x: Any) -> Any:
    return functions.softplus(x)


def softsign(x: Any) -> Any:
    return functions.softsign(x)


def tanh(x: Any) -> Any:
    return functions.tanh(x)


def sigmoid(x: Any) -> Any:
    return functions.sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """0.2 x + 0.5 between 0 and 1 (the slope Keras 2 uses; Keras 3 has 1/6)."""
    return functions.clip_by_value(x * 0.2 + 0.5, 0.0, 1.0)


def exponential(x: Any) -> Any:
    return functions.exp(x)


def swish(x: Any) -> Any:
    return x * functions.sigmoid(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """x · Φ(x); ``approximate`` uses the tanh formula."""
    if approximate:
        return x * 0.5 * (1.0 + functions.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * functions.pow(x, 3))))
    return x * 0.5 * (1.0 + functions.erf(x / math.sqrt(2)))


BUILTIN: dict[str, Activation] = {
    function.__name__: function
    for function in (
        linear, relu, softmax, elu, selu, softplus, softsign, tanh, sigmoid, hard_sigmoid, exponential, swish, gelu
    )
}  # fmt: skip
KIND = generic.Kind("activation function", lambda: {**BUILTIN, **_layers()})


def _layers() -> Objects:
    from reference_impl import layers

    return layers.BUILTIN


def serialize(activation: Any) -> Any:
    """The name of a function, the config form of a layer."""
    return generic.serialize(activation)


def deserialize(name: Any, custom_objects: Objects | None = None) -> Activation:
    """``LoadError`` ("Unknown activation function: …") if it is known nowhere."""
    return generic.deserialize(KIND, name, custom_objects)


def get(identifier: Any) -> Activation:
    """The function for a name, a config form, a function (itself) or None (linear)."""
    if identifier is None:
        return linear
    return identifier if callable(identifier) else deserialize(identifier)
