"""Long short-term memory over images: convolutions where :class:`LSTMCell` has products of matrices.

Inputs are (batch, time, \\*space, channels), or (batch, time, channels, \\*space) with ``channels_first``.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from reference_impl import activations, functions
from reference_impl.functions.recurrent import cut
from reference_impl.layers.convolution import format_of, numbers, padding_of
from reference_impl.layers.recurrent.cell import Cell
from reference_impl.layers.recurrent.layer import CellLayer
from reference_impl.layers.recurrent.lstm import forgetting, remember
from reference_impl.shapes import TensorShape
from reference_impl.tensors import symbolic


class ConvLSTMCell(Cell):
    """kernel: (\\*window, channels, 4 · filters), recurrent_kernel: (\\*window, filters, 4 · filters).

    The inputs are convolved with ``strides``, ``padding`` and ``dilation_rate``; the state with none of these, so that
    it keeps its size.
    """

    gates = 4
    rank: ClassVar[int] = 2
    implementation = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **kwargs
        )
        self.filters = self.units
        self.kernel_size = numbers(kernel_size, self.rank, "kernel_size")
        self.strides = numbers(strides, self.rank, "strides")
        self.padding = padding_of(padding)
        self.data_format = format_of(data_format)
        self.dilation_rate = numbers(dilation_rate, self.rank, "dilation_rate")
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    @property
    def state_size(self) -> Any:
        return (self.filters, self.filters)

    @property
    def feature_axis(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return 1 if self.data_format == "channels_first" else -1

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self.feature_axis]
        if channels is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the channel dimension of the inputs must be defined"
            )
        columns = 4 * self.filters
        self.kernel = self.add_gates("kernel", (*self.kernel_size, channels, columns))
        self.recurrent_kernel = self.add_gates(
            "recurrent_kernel", (*self.kernel_size, self.filters, columns), "recurrent"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                shape=(columns,),
                initializer=forgetting(self.bias_initializer, self.filters)
                if self.unit_forget_bias
                else self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def initial_zeros(self, inputs: Any) -> list[Any]:
        """Zeros for both states of what comes of ``inputs`` (of one time)."""
        zeros = functions.zeros_like(self._convolved(functions.zeros_like(inputs), self._columns(self.kernel)[0]))
        return [zeros, zeros]

    def state_shape(self, step: TensorShape) -> TensorShape:
        """The shape of a state for inputs of the shape ``step``."""
        kernel = symbolic((*self.kernel_size, step[self.feature_axis], self.filters))
        return self._convolved(symbolic(step), kernel).shape

    def project(self, inputs: Any, training: Any, time_axis: int | None = None) -> Any:
        dropped = self.dropped_inputs(inputs, training, time_axis)
        if len(dropped) == 1:
            projected = self._over_time(dropped[0], self.kernel, time_axis)
        else:
            kernels = self._columns(self.kernel)
            parts = [self._over_time(x, w, time_axis) for x, w in zip(dropped, kernels, strict=True)]
            projected = functions.concat(
                parts, axis=-1 if self.feature_axis == -1 else len(parts[0].shape) - 1 - self.rank
            )
        return projected

    def _over_time(self, inputs: Any, kernel: Any, time_axis: int | None) -> Any:
        """The convolution plus this kernel's bias; with time the times are further examples."""
        if time_axis is None:
            return self._convolved(inputs, kernel)
        sizes = functions.shape(inputs)
        flat = functions.reshape(inputs, functions.concat([np.array([-1], np.int32), sizes[2:]], axis=0))
        known = inputs.shape[2:]
        if None not in known:
            flat = functions.reshape(inputs, [-1, *known])
        found = self._convolved(flat, kernel)
        return functions.reshape(found, functions.concat([sizes[:2], functions.shape(found)[1:]], axis=0))

    def _convolved(self, inputs: Any, kernel: Any) -> Any:
        return functions.convolution(inputs, kernel, self.strides, self.padding, self._layout, self.dilation_rate)

    @property
    def _layout(self) -> str:
        return "NCHW" if self.feature_axis == 1 else "NHWC"

    def _columns(self, weight: Any) -> list[Any]:
        whole = functions.identity(weight)
        last = len(whole.shape) - 1
        return [cut(whole, last, self.filters * gate, self.filters * (gate + 1)) for gate in range(4)]

    def advance(self, projected: Any, states: list[Any], training: Any) -> tuple[Any, list[Any]]:
        dropped = self.dropped_state(states[0], training)
        axis = self.feature_axis % (self.rank + 2)
        biased = projected
        if self.bias is not None:
            biased = functions.bias_add(projected, self.bias, data_format=self._layout)
        if len(dropped) == 1:
            inner = functions.convolution(dropped[0], self.recurrent_kernel, 1, "same", self._layout)
        else:
            kernels = self._columns(self.recurrent_kernel)
            inner = functions.concat(
                [functions.convolution(h, w, 1, "same", self._layout) for h, w in zip(dropped, kernels, strict=True)],
                axis=axis,
            )
        whole = biased + inner
        parts = [cut(whole, axis, self.filters * gate, self.filters * (gate + 1)) for gate in range(4)]
        return remember(parts, states[1], self.activation, self.recurrent_activation)

    def shape_config(self) -> dict[str, Any]:
        return {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "use_bias": self.use_bias,
            "unit_forget_bias": self.unit_forget_bias,
        }


class ConvLSTM1DCell(ConvLSTMCell):
    rank = 1


class ConvLSTM2DCell(ConvLSTMCell):
    pass


class ConvLSTM3DCell(ConvLSTMCell):
    rank = 3


class _ConvLSTM(CellLayer):
    """The loop around a :class:`ConvLSTMCell`; the cell's name is not in the names of its weights."""

    cell_class = ConvLSTM2DCell

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("unroll"):
            raise TypeError("Unrolling isn't possible with convolutional RNNs.")
        super().__init__(*args, **kwargs)

    @property
    def cell_scope(self) -> str:
        return ""

    def get_initial_state(self, inputs: Any) -> list[Any]:
        first = functions.squeeze(cut(inputs, 1, 0, 1), 1)
        return self.cell.initial_zeros(first)

    def _state_shapes(self, batch_size: int) -> list[tuple[int, ...]]:
        shape = self.cell.state_shape(self.__dict__["_step_shape"])
        if None in shape:
            raise ValueError(f"{self.name!r}: a stateful layer needs to know the sizes of its inputs, found {shape}")
        return [tuple(shape)] * 2


class ConvLSTM1D(_ConvLSTM):
    """:class:`ConvLSTMCell` over (batch, time, steps, channels). (Later than TensorFlow 2.4.)"""

    cell_class = ConvLSTM1DCell


class ConvLSTM2D(_ConvLSTM):
    """:class:`ConvLSTMCell` over (batch, time, rows, columns, channels)."""

    cell_class = ConvLSTM2DCell


class ConvLSTM3D(_ConvLSTM):
    """:class:`ConvLSTMCell` over (batch, time, three axes, channels). (Later than TensorFlow 2.4.)"""

    cell_class = ConvLSTM3DCell
