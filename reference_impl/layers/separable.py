"""Convolutions of each channel by itself, alone or followed by a mixture of the channels."""

from __future__ import annotations

from typing import Any

from reference_impl import constraints, functions, initializers, regularizers
from reference_impl.layers.convolution import Convolution
from reference_impl.tensors import Tensor


class _Depthwise(Convolution):
    """A kernel (\\*window, channels, depth_multiplier) called ``depthwise_kernel``."""

    depthwise_kernel: Any

    def take(
        self, depth_multiplier: int, depthwise_initializer: Any, depthwise_regularizer: Any, depthwise_constraint: Any
    ) -> None:
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def by_channel(self, inputs: Tensor, padding: str) -> Tensor:
        """Each channel with its own filters; one dimension is done as two."""
        strides, dilations, kernel = self.strides, self.dilation_rate, self.depthwise_kernel
        if self.rank == 2:
            return functions.depthwise_conv2d(inputs, kernel, strides, padding, self.layout, dilations)
        axis = 2 if self.data_format == "channels_first" else 1
        wide = functions.depthwise_conv2d(
            functions.expand_dims(inputs, axis),
            functions.expand_dims(kernel, 0),
            # TensorFlow's kernel knows one stride for both axes; the first has size 1.
            [strides[0], strides[0]],
            padding,
            self.layout,
            [1, dilations[0]],
        )
        return functions.squeeze(wide, axis)

    def depthwise_config(self) -> dict[str, Any]:
        return {
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
        }


class DepthwiseConv2D(_Depthwise):
    """``depth_multiplier`` outputs for each channel. Weights: depthwise_kernel, bias."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            None,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.take(depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        self.depthwise_kernel = self.add_kernel(
            (*self.kernel_size, channels, self.depth_multiplier), "depthwise_kernel", "depthwise"
        )
        self.add_bias(channels * self.depth_multiplier)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.finish(self.by_channel(inputs, self.padding))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"):
            del config[name]
        return {**config, **self.depthwise_config()}


class DepthwiseConv1D(DepthwiseConv2D):
    """The same over (batch, steps, channels); since TensorFlow 2.6."""

    rank = 1


class _Separable(_Depthwise):
    """A depthwise convolution, then one with windows of size 1. Weights: depthwise_kernel, pointwise_kernel, bias."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.take(depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        inner = channels * self.depth_multiplier
        self.depthwise_kernel = self.add_kernel(
            (*self.kernel_size, channels, self.depth_multiplier), "depthwise_kernel", "depthwise"
        )
        self.pointwise_kernel = self.add_kernel(
            (1,) * self.rank + (inner, self.filters), "pointwise_kernel", "pointwise"
        )
        self.add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        inputs, padding = self.causal(inputs)
        apart = self.by_channel(inputs, padding)
        return self.finish(functions.convolution(apart, self.pointwise_kernel, 1, "valid", self.layout))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.depthwise_config(),
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }


class SeparableConv1D(_Separable):
    """Over (batch, steps, channels)."""

    rank = 1
    paddings = ("valid", "same", "causal")


class SeparableConv2D(_Separable):
    """Over (batch, rows, columns, channels)."""
