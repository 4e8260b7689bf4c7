"""Normalisation over the batch, or over each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl import constraints, functions, initializers, regularizers
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.tensors import Tensor
from reference_impl.variables import Variable


class _Affine(Layer):
    """gamma and beta, which scale and move what is normalised."""

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.__dict__["axis"] = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    axis: Any

    def axes(self) -> list[int]:
        """The axis, or the axes, as a list."""
        return [self.axis] if isinstance(self.axis, int) else self.axis

    def add_affine(self, sizes: tuple[int, ...]) -> None:
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if self.scale:
            self.gamma = self.add_weight(
                "gamma",
                shape=sizes,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                "beta",
                shape=sizes,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def affine(self, x: Tensor, mean: Any, variance: Any, broadcast: list[int]) -> Tensor:
        """(x - mean) / √(variance + ε) · gamma + beta, in TensorFlow's order of operations."""
        factor = functions.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * functions.reshape(self.gamma, broadcast)
        offset = -mean * factor
        if self.beta is not None:
            offset = functions.reshape(self.beta, broadcast) - mean * factor
        return x * factor + offset

    def affine_config(self) -> dict[str, Any]:
        return {
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
        }

    def penalty_config(self) -> dict[str, Any]:
        return {
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


class BatchNormalization(_Affine):
    """Normalises along ``axis`` with the batch's mean and variance in training, the moving ones otherwise.

    In training the moving ones go ``1 - momentum`` of the way to the batch's.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs)
        self.momentum = momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        given = self.axes()
        # TensorFlow replaces the axis by its positive form, in a list, and writes that into configs.
        self.__dict__["axis"] = axes = [axis % rank for axis in given]
        if len(axes) != 1:
            raise ValueError(f"BatchNormalization {self.name!r}: only one axis is supported, found {axes}")
        size = input_shape[axes[0]]
        if size is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer "
                f"{self.name!r} received an input with shape {tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=rank, axes={axes[0]: size})
        self.add_affine((size,))
        self.moving_mean = self.add_weight(
            "moving_mean", shape=(size,), initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            "moving_variance", shape=(size,), initializer=self.moving_variance_initializer, trainable=False
        )
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        rank = len(inputs.shape)
        axis = self.axes()[0]
        broadcast = [1] * rank
        broadcast[axis] = -1
        # A frozen layer normalises as in inference.
        if not training or not self.trainable:
            mean, variance = (
                functions.reshape(self.moving_mean, broadcast),
                functions.reshape(self.moving_variance, broadcast),
            )
            return self.affine(inputs, mean, variance, broadcast)
        others = [other for other in range(rank) if other != axis]
        mean = functions.reduce_mean(inputs, others, keepdims=True)
        variance = functions.reduce_mean(
            functions.squared_difference(inputs, functions.stop_gradient(mean)), others, keepdims=True
        )
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * self._correction(inputs, axis))
        return self.affine(inputs, mean, variance, broadcast)

    def _correction(self, inputs: Tensor, axis: int) -> float:
        """TensorFlow's fused kernel, used for rank 4, moves towards the unbiased variance n / (n - 1)."""
        count = inputs.shape.num_elements()
        if len(inputs.shape) != 4 or count is None:
            return 1.0
        n = count // inputs.shape[axis]
        return n / max(n - 1, 1)

    def _move(self, variable: Variable, target: Any) -> None:
        flat = functions.reshape(target, [-1])
        variable.assign_sub((variable - flat) * np.float32(1.0 - self.momentum))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis if isinstance(self.axis, int) else list(self.axis),
            "momentum": self.momentum,
            **self.affine_config(),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            **self.penalty_config(),
        }


class LayerNormalization(_Affine):
    """Normalises each sample along ``axis`` (one, or a list)."""

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        given = self.axes()
        self.__dict__["axis"] = [axis % rank for axis in given]
        sizes = tuple(input_shape[axis] for axis in self.axes())
        self.add_affine(sizes)
        self.built = True

    def call(self, inputs: Any) -> Any:
        mean = functions.reduce_mean(inputs, self.axis, keepdims=True)
        variance = functions.reduce_mean(
            functions.squared_difference(inputs, functions.stop_gradient(mean)), self.axis, keepdims=True
        )
        broadcast = [inputs.shape[axis] if axis in self.axis else 1 for axis in range(len(inputs.shape))]
        return self.affine(inputs, mean, variance, broadcast)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis if isinstance(self.axis, int) else list(self.axis),
            **self.affine_config(),
            **self.penalty_config(),
        }
