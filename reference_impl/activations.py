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
    """0.2 x + 0.5 between 0 and 1.

    Keras 3 has another function of this name, with the slope 1/6: here :func:`hard_sigmoid_3`.
    """
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


# -- of later generations ------------------------------------------------------------------------------------------


def hard_sigmoid_3(x: Any) -> Any:
    """x / 6 + 0.5 between 0 and 1: ``hard_sigmoid`` of Keras 3, not of Keras 2."""
    return relu6(x + 3.0) * (1 / 6)


def relu6(x: Any) -> Any:
    """x between 0 and 6."""
    return functions.minimum(functions.relu(x), 6.0)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    return functions.leaky_relu(x, alpha=negative_slope)


def mish(x: Any) -> Any:
    return x * functions.tanh(functions.softplus(x))


def hard_silu(x: Any) -> Any:
    """x · hard_sigmoid_3(x)."""
    return x * hard_sigmoid_3(x)


def hard_tanh(x: Any) -> Any:
    return functions.clip_by_value(x, -1.0, 1.0)


def celu(x: Any, alpha: float = 1.0) -> Any:
    return functions.maximum(x, 0.0) + functions.elu(functions.minimum(x, 0.0) / alpha) * alpha


def log_sigmoid(x: Any) -> Any:
    return functions.negative(functions.softplus(functions.negative(x)))


def log_softmax(x: Any, axis: int = -1) -> Any:
    return functions.log_softmax(x, axis=axis)


def tanh_shrink(x: Any) -> Any:
    return x - functions.tanh(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    return functions.relu(x - threshold) - functions.relu(-x - threshold)


def squareplus(x: Any, b: float = 4) -> Any:
    return (x + functions.sqrt(functions.square(x) + b)) * 0.5


_OF_2_4: tuple[Activation, ...] = (
    linear, relu, softmax, elu, selu, softplus, softsign, tanh, sigmoid, hard_sigmoid, exponential, swish, gelu,
)  # fmt: skip
_LATER: tuple[Activation, ...] = (
    hard_sigmoid_3, relu6, leaky_relu, mish, hard_silu, hard_tanh, celu, log_sigmoid, log_softmax, tanh_shrink,
    soft_shrink, squareplus,
)  # fmt: skip
BUILTIN: dict[str, Activation] = {
    **{function.__name__: function for function in (*_OF_2_4, *_LATER)},
    "silu": swish,
    "hard_swish": hard_silu,
}
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
