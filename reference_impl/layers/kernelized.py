"""Random features that approximate a kernel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference_impl import functions, initializers
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.ops.randomness import generator


class RandomFourierFeatures(Layer):
    """cos(x · unscaled_kernel / kernel_scale + bias); (batch, inputs) to (batch, output_dim).

    ``kernel_initializer``: "gaussian", "laplacian" or an initializer. ``scale``: default √(inputs / 2) for gaussian,
    else 1. Only ``kernel_scale`` (1,) is trained, and only if ``trainable``.
    """

    def __init__(
        self,
        output_dim: int,
        kernel_initializer: Any = "gaussian",
        scale: float | None = None,
        trainable: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, **kwargs)
        if output_dim <= 0 or (scale is not None and scale <= 0):
            raise ValueError(f"{self.name}: output_dim and scale must be positive, found {output_dim} and {scale}")
        self.output_dim = output_dim
        self.kernel_initializer = kernel_initializer
        self.scale = scale

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2 or input_shape[1] is None:
            raise ValueError(f"{self.name}: expected inputs of shape (batch, size), found {tuple(input_shape)}")
        size = input_shape[1]
        self.input_spec = InputSpec(ndim=2, axes={1: size})
        self.unscaled_kernel = self.add_weight(
            "unscaled_kernel", shape=(size, self.output_dim), initializer=self._kernel(), trainable=False
        )
        self.bias = self.add_weight(
            "bias",
            shape=(self.output_dim,),
            initializer=initializers.RandomUniform(0.0, 2 * math.pi),
            trainable=False,
        )
        if self.scale is None:
            self.scale = math.sqrt(size / 2.0) if self.kernel_initializer == "gaussian" else 1.0
        self.kernel_scale = self.add_weight(
            "kernel_scale", shape=(1,), initializer=initializers.Constant(self.scale), constraint="non_neg"
        )
        self.built = True

    def _kernel(self) -> Any:
        if self.kernel_initializer == "laplacian":
            return _cauchy
        if self.kernel_initializer == "gaussian":
            return initializers.RandomNormal(stddev=1.0)
        return initializers.get(self.kernel_initializer)

    def call(self, inputs: Any) -> Any:
        kernel = (1.0 / self.kernel_scale) * self.unscaled_kernel
        return functions.cos(functions.bias_add(functions.matmul(inputs, kernel), self.bias))

    def get_config(self) -> dict[str, Any]:
        named = isinstance(self.kernel_initializer, str)
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "kernel_initializer": self.kernel_initializer if named else initializers.serialize(self.kernel_initializer),
            "scale": self.scale,
        }


def _cauchy(shape: Any, dtype: Any = None) -> Any:
    return generator().standard_cauchy(tuple(shape)).astype(np.float32)
