"""Pooling over windows, and over the whole space. Inputs as in ``convolution``; there are no weights."""

from __future__ import annotations

from typing import Any

from reference_impl import functions
from reference_impl.layers.base import Layer
from reference_impl.layers.convolution import format_of, numbers, padding_of
from reference_impl.layers.input_spec import InputSpec


class _Pooling(Layer):
    rank = 2
    function: Any = staticmethod(functions.max_pool)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = numbers(pool_size, self.rank, "pool_size")
        self.strides = numbers(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = padding_of(padding)
        self.data_format = format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        layout = "NCHW" if self.data_format == "channels_first" else "NHWC"
        return self.function(inputs, self.pool_size, self.strides, self.padding, layout)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            # TensorFlow keeps these of one dimension as they are made there: strides and size as tuples of one.
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPooling1D(_Pooling):
    """The largest of each window of steps."""

    rank = 1


class MaxPooling2D(_Pooling):
    """The largest of each window of rows and columns."""


class MaxPooling3D(_Pooling):
    """The largest of each window of three axes."""

    rank = 3


class AveragePooling1D(_Pooling):
    """The mean of each window of steps."""

    rank = 1
    function = staticmethod(functions.avg_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window of rows and columns."""

    function = staticmethod(functions.avg_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window of three axes."""

    rank = 3
    function = staticmethod(functions.avg_pool)


class _Global(Layer):
    """Over the whole space: (batch, channels), or with ``keepdims`` sizes of 1 between."""

    rank = 2
    function: Any = staticmethod(functions.reduce_max)

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = format_of(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def axes(self) -> list[int]:
        """The axes of the space."""
        start = 2 if self.data_format == "channels_first" else 1
        return list(range(start, start + self.rank))

    def call(self, inputs: Any) -> Any:
        return self.function(inputs, self.axes(), keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        # ``keepdims`` is younger than 2.4, which would refuse it.
        extra = {"keepdims": True} if self.keepdims else {}
        return {**super().get_config(), "data_format": self.data_format, **extra}


class GlobalMaxPooling1D(_Global):
    """The largest over all steps."""

    rank = 1


class GlobalMaxPooling2D(_Global):
    """The largest over all rows and columns."""


class GlobalMaxPooling3D(_Global):
    """The largest over three axes."""

    rank = 3


class GlobalAveragePooling1D(_Global):
    """The mean over all steps, or over those that the mask lets count."""

    rank = 1
    function = staticmethod(functions.reduce_mean)
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        axis = self.axes()[0]
        counted = functions.expand_dims(functions.cast_to(mask, inputs.dtype), 2 if axis == 1 else 1)
        total = functions.reduce_sum(inputs * counted, axis, keepdims=self.keepdims)
        return total / functions.reduce_sum(counted, axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(_Global):
    """The mean over all rows and columns."""

    function = staticmethod(functions.reduce_mean)


class GlobalAveragePooling3D(_Global):
    """The mean over three axes."""

    rank = 3
    function = staticmethod(functions.reduce_mean)
