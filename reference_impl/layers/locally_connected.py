"""Convolutions whose kernel is another one at each place.

``implementation`` says how the kernel is kept, and so its shape in files: 1 as (places, window · channels, filters); 2 as
a dense array from all inputs to all outputs, of which only the connected elements count; 3 as the connected elements
alone, in the order of outputs and then inputs.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl import functions
from reference_impl.layers.convolution import Convolution
from reference_impl.ops.convolution import output_size
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


class _LocallyConnected(Convolution):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            1,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
        if padding.lower() != "valid" and implementation == 1:
            raise ValueError(f'Invalid border mode for {type(self).__name__} (only "valid" is supported): {padding}')
        if implementation not in (1, 2, 3):
            raise ValueError(f"Unrecognized implementation mode: {implementation}; expected 1, 2 or 3")
        self.implementation = implementation

    def build(self, input_shape: Any) -> None:
        first = self.data_format == "channels_first"
        channels = self.channels(input_shape)
        space = tuple(input_shape[2:] if first else input_shape[1:-1])
        if None in space:
            raise ValueError(f"{self.name!r}: the space of the inputs must be fully defined, found {space}")
        places = tuple(
            int(output_size(n, k, s, self.padding.upper()) or 0)
            for n, k, s in zip(space, self.kernel_size, self.strides, strict=True)
        )
        self.__dict__["_places"] = places
        self.__dict__["_space"] = space
        inside, outside = self._with_channels(space, channels), self._with_channels(places, self.filters)
        connected = self._connected(space, places, channels) if self.implementation > 1 else np.zeros((0, 2), np.int64)
        shapes = {
            1: (math.prod(places), math.prod(self.kernel_size) * channels, self.filters),
            2: (*inside, *outside),
            3: (len(connected),),
        }
        self.kernel = self.add_kernel(shapes[self.implementation])
        self.__dict__["_indices"] = connected
        self.__dict__["_sizes"] = (math.prod(outside), math.prod(inside))
        self.bias = self.add_kernel((*places, self.filters), "bias", "bias") if self.use_bias else None
        self.built = True

    def _with_channels(self, space: tuple[int, ...], channels: int) -> tuple[int, ...]:
        return (channels, *space) if self.data_format == "channels_first" else (*space, channels)

    def _connected(self, space: tuple[int, ...], places: tuple[int, ...], channels: int) -> Array:
        """(flat output, flat input) of every connection, outputs first, then inputs."""
        filters = int(self.filters)
        outside: Array = np.arange(math.prod(places) * filters).reshape(self._with_channels(places, filters))
        inside: Array = np.arange(math.prod(space) * channels).reshape(self._with_channels(space, channels))
        if self.data_format == "channels_first":
            outside, inside = np.moveaxis(outside, 0, -1), np.moveaxis(inside, 0, -1)
        pairs: list[tuple[int, int]] = []
        for place in itertools.product(*map(range, places)):
            window: list[slice] = []
            for at, k, s, n in zip(place, self.kernel_size, self.strides, space, strict=True):
                centre = at * s + (k // 2 if self.padding == "valid" else 0)
                window.append(slice(max(0, centre - k // 2), min(n, centre + k - k // 2)))
            sources = inside[tuple(window)].ravel()
            pairs += [(int(o), int(i)) for o in outside[place] for i in sources]
        return np.array(sorted(pairs), np.int64)

    def _windows(self, inputs: Tensor) -> Tensor:
        """(batch, places, window · channels), a window's elements in row-major order, channels last."""
        first = self.data_format == "channels_first"
        x = functions.transpose(inputs, [0, *range(2, self.rank + 2), 1]) if first else inputs
        size = math.prod(self.kernel_size) * (x.shape[-1] or 0)
        windows: list[Tensor] = []
        for place in itertools.product(*map(range, self.__dict__["_places"])):
            cut = tuple(
                slice(at * s, at * s + k) for at, s, k in zip(place, self.strides, self.kernel_size, strict=True)
            )
            window = x[(slice(None), *cut)]
            if first and self.rank == 2:
                # TensorFlow flattens channels-first windows channel by channel.
                window = functions.transpose(window, [0, 3, 1, 2])
            windows.append(functions.reshape(window, [-1, size]))
        return functions.stack(windows, axis=1)

    def _dense(self) -> Tensor:
        """The whole matrix (outputs, inputs), zeros where nothing is connected."""
        outputs, inputs = self.__dict__["_sizes"]
        flat = self.__dict__["_indices"] @ np.array([inputs, 1])
        if self.implementation == 3:
            count = convert(np.array(outputs * inputs, np.int32))
            dense = apply("UnsortedSegmentSum", convert(self.kernel), convert(flat), count)
            return functions.reshape(dense, [outputs, inputs])
        mask = np.zeros(outputs * inputs, np.float32)
        mask[flat] = 1
        whole = functions.transpose(functions.reshape(self.kernel, [inputs, outputs]))
        return whole * functions.cast_to(mask.reshape(outputs, inputs), whole.dtype)

    def call(self, inputs: Any) -> Any:
        places, first = self.__dict__["_places"], self.data_format == "channels_first"
        if self.implementation == 1:
            # (places, batch, window) · (places, window, filters)
            products = functions.matmul(functions.transpose(self._windows(inputs), [1, 0, 2]), self.kernel)
            outputs = functions.reshape(functions.transpose(products, [1, 0, 2]), [-1, *places, self.filters])
            outputs = functions.transpose(outputs, [0, self.rank + 1, *range(1, self.rank + 1)]) if first else outputs
        else:
            flat = functions.reshape(inputs, [-1, self.__dict__["_sizes"][1]])
            outputs = functions.reshape(
                functions.matmul(flat, self._dense(), transpose_b=True),
                [-1, *self._with_channels(places, self.filters)],
            )
        if self.bias is not None:
            # Keras takes the same numbers in another shape; it does not turn the axes round.
            places = self.bias.shape[:-1]
            bias = functions.reshape(self.bias, [self.filters, *places]) if first else self.bias
            outputs = outputs + bias
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["dilation_rate"], config["groups"]
        return {**config, "implementation": self.implementation}


class LocallyConnected1D(_LocallyConnected):
    """Over (batch, steps, channels)."""

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """Over (batch, rows, columns, channels)."""
