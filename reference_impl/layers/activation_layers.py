"""Activations that have arguments, or weights, of their own."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from reference_impl import activations, constraints, functions, initializers, regularizers
from reference_impl.layers.base import Layer


def _single(value: Any) -> float:
    """``value`` as float32 holds it, which is what TensorFlow writes into configs."""
    return float(np.float32(value))


class ReLU(Layer):
    """x above ``threshold``, ``negative_slope · (x - threshold)`` below, at most ``max_value``.

    Alone among its kind it drops masks, as in TensorFlow 2.4.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0, threshold: float = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(f"max_value of a ReLU layer cannot be negative: {max_value}")
        if negative_slope < 0:
            raise ValueError(f"negative_slope of a ReLU layer cannot be negative: {negative_slope}")
        self.max_value = None if max_value is None else _single(max_value)
        self.negative_slope = _single(negative_slope)
        self.threshold = _single(threshold)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """x, or alpha · x where x is negative. Keras 3 calls it ``negative_slope``."""

    supports_masking = True

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        alpha = kwargs.pop("negative_slope", alpha)
        super().__init__(**kwargs)
        self.alpha = _single(alpha)

    def call(self, inputs: Any) -> Any:
        return functions.leaky_relu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class ELU(Layer):
    """x, or alpha · (exp(x) - 1) where x is negative."""

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = _single(alpha)

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class ThresholdedReLU(Layer):
    """x where x > theta, else 0."""

    supports_masking = True

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = _single(theta)

    def call(self, inputs: Any) -> Any:
        return inputs * functions.cast_to(functions.greater(inputs, self.theta), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}


class Softmax(Layer):
    """exp(x) divided by its sum along ``axis`` (one, or several together).

    ``mask`` (True: counts) is broadcast against the inputs; what does not count gets next to nothing.
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is not None:
            lowest = -65504.0 if inputs.dtype == "float16" else -1e9
            inputs = inputs + (1.0 - functions.cast_to(mask, inputs.dtype)) * lowest
        axes: list[int] = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        if len(axes) == 1:
            return functions.softmax(inputs, axis=axes[0])
        highest = functions.stop_gradient(functions.reduce_max(inputs, axis=axes, keepdims=True))
        total = functions.reduce_sum(functions.exp(inputs - highest), axis=axes, keepdims=True)
        return functions.exp(inputs - (functions.log(total) + highest))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": copy.copy(self.axis)}


class PReLU(Layer):
    """x, or alpha · x where x is negative; alpha is learned, one for all along ``shared_axes`` (the batch is 0)."""

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes: list[int] | None = None if axes is None else list(axes)

    def build(self, input_shape: Any) -> None:
        sizes = list(input_shape[1:])
        for axis in self.shared_axes or ():
            sizes[axis - 1] = 1
        self.alpha = self.add_weight(
            "alpha",
            shape=sizes,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return functions.relu(inputs) - self.alpha * functions.relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": None if self.shared_axes is None else list(self.shared_axes),
        }
