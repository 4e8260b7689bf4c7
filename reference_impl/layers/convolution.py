"""Convolution layers in one, two and three dimensions.

Inputs are (batch, \\*space, channels), or (batch, channels, \\*space) with ``data_format="channels_first"``. A kernel is
(\\*window, channels / groups, filters), a bias (filters,).
"""

from __future__ import annotations

from typing import Any

from reference_impl import activations, constraints, functions, initializers, regularizers
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.tensors import Tensor


def numbers(value: Any, rank: int, what: str) -> tuple[int, ...]:
    """``value`` for each axis of the space; ``ValueError`` if it has another count."""
    found = (int(value),) * rank if isinstance(value, int) else tuple(int(item) for item in value)
    if len(found) != rank:
        raise ValueError(f"The `{what}` argument must be a tuple of {rank} integers. Received: {value}")
    return found


def padding_of(value: str, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """``value`` in lower case; ``ValueError`` for a padding there is not."""
    if value.lower() not in allowed:
        raise ValueError(f"The `padding` argument must be one of {', '.join(allowed)}. Received: {value}")
    return value.lower()


def format_of(value: str | None) -> str:
    """``channels_last`` by default; ``ValueError`` for an order there is not."""
    found = (value or "channels_last").lower()
    if found not in ("channels_first", "channels_last"):
        raise ValueError(f"The `data_format` argument must be channels_first or channels_last. Received: {value}")
    return found


class Convolution(Layer):
    """What the convolutions have in common; ``rank`` is the number of the space's axes."""

    rank = 2
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        filters: Any,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        # None for layers whose filters follow from their inputs.
        self.filters: Any = filters if filters is None else int(filters)
        self.groups = groups or 1
        if self.filters is not None and self.filters % self.groups:
            raise ValueError(f"The number of filters {filters} must be a multiple of the groups {groups}")
        self.kernel_size = numbers(kernel_size, self.rank, "kernel_size")
        self.strides = numbers(strides, self.rank, "strides")
        self.padding = padding_of(padding, self.paddings)
        self.data_format = format_of(data_format)
        self.dilation_rate = numbers(dilation_rate, self.rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    @property
    def channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    @property
    def layout(self) -> str:
        """The data format as ops have it."""
        return "NCHW" if self.data_format == "channels_first" else "NHWC"

    def channels(self, input_shape: Any) -> int:
        """The channels of the inputs, which must be known; from here on inputs of others are refused."""
        found = input_shape[self.channel_axis]
        if found is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the channel dimension of the inputs must be defined, found None"
            )
        if found % self.groups:
            raise ValueError(f"{self.name!r}: {found} channels cannot be split into {self.groups} groups")
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self.channel_axis: found})
        return found

    def add_kernel(self, shape: tuple[int, ...], name: str = "kernel", prefix: str = "kernel") -> Any:
        """A weight with the initializer, regularizer and constraint called ``prefix``."""
        return self.add_weight(
            name,
            shape=shape,
            initializer=getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )

    def add_bias(self, size: int) -> None:
        self.bias = self.add_kernel((size,), "bias", "bias") if self.use_bias else None

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self.add_bias(self.filters)
        self.built = True

    def finish(self, outputs: Tensor) -> Any:
        """Bias and activation."""
        if self.bias is not None:
            outputs = functions.bias_add(outputs, self.bias, data_format=self.layout)
        return self.activation(outputs)

    def causal(self, inputs: Any) -> tuple[Any, str]:
        """The inputs, and how they are to be padded; for ``causal`` they are padded before their first step."""
        if self.padding != "causal":
            return inputs, self.padding
        before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        step, channel = [before, 0], [0, 0]
        pairs = [channel, step] if self.data_format == "channels_first" else [step, channel]
        return functions.pad(inputs, [[0, 0], *pairs]), "valid"

    def call(self, inputs: Any) -> Any:
        inputs, padding = self.causal(inputs)
        return self.finish(
            functions.convolution(inputs, self.kernel, self.strides, padding, self.layout, self.dilation_rate)
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(getattr(self, "activity_regularizer", None)),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Conv1D(Convolution):
    """Over (batch, steps, channels). ``padding`` may be ``causal``: no output sees later steps."""

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Convolution):
    """Over (batch, rows, columns, channels)."""


class Conv3D(Convolution):
    """Over (batch, three axes, channels)."""

    rank = 3


class Transposed(Convolution):
    """What the transposed convolutions have in common: they go from outputs of a convolution to its inputs.

    A kernel is (\\*window, filters, channels). ``output_padding`` makes the result that much longer.
    """

    def __init__(
        self,
        filters: Any,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, **kwargs)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = numbers(output_padding, self.rank, "output_padding")
            for stride, extra in zip(self.strides, self.output_padding, strict=True):
                if extra >= stride:
                    raise ValueError(f"Stride {self.strides} must be greater than output padding {self.output_padding}")

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        self.kernel = self.add_kernel((*self.kernel_size, self.filters, channels))
        self.add_bias(self.filters)
        self.built = True

    def _length(self, size: Any, axis: int) -> Any:
        stride, dilation = self.strides[axis], self.dilation_rate[axis]
        window = (self.kernel_size[axis] - 1) * dilation + 1
        if self.output_padding is None:
            return size * stride + (max(window - stride, 0) if self.padding == "valid" else 0)
        pad = window // 2 if self.padding == "same" else 0
        return (size - 1) * stride + window - 2 * pad + self.output_padding[axis]

    def call(self, inputs: Any) -> Any:
        sizes = functions.shape(inputs)
        first = self.data_format == "channels_first"
        offset = 2 if first else 1
        space = [
            self._length(sizes[offset + i] if inputs.shape[offset + i] is None else inputs.shape[offset + i], i)
            for i in range(self.rank)
        ]
        batch = sizes[0] if inputs.shape[0] is None else inputs.shape[0]
        shape = [batch, self.filters, *space] if first else [batch, *space, self.filters]
        return self.finish(
            functions.conv_transpose(
                inputs, self.kernel, shape, self.strides, self.padding, self.layout, self.dilation_rate
            )
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_padding": self.output_padding}


class Conv1DTranspose(Transposed):
    """From (batch, steps, channels) to more steps."""

    rank = 1


class Conv2DTranspose(Transposed):
    """From (batch, rows, columns, channels) to more rows and columns."""


class Conv3DTranspose(Transposed):
    """From (batch, three axes, channels) to larger ones."""

    rank = 3
