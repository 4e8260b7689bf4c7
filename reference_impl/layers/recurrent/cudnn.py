"""The layers of Keras 2.1 to TensorFlow 1.15 that ran on GPUs alone, with cuDNN's arithmetic.

They have two biases one after the other, for the inputs and for the state, where :class:`LSTM` has their sum.
"""

from __future__ import annotations

from typing import Any, cast

from reference_impl import functions
from reference_impl.functions.recurrent import cut
from reference_impl.layers.recurrent.gru import GRUCell
from reference_impl.layers.recurrent.layer import CellLayer
from reference_impl.layers.recurrent.lstm import LSTMCell, forgetting

_FIXED = (
    "activation", "recurrent_activation", "use_bias", "dropout", "recurrent_dropout", "implementation", "reset_after",
    "unroll",
)  # fmt: skip


class _CuDNNLSTMCell(LSTMCell):
    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (8 * self.units,)

    def add_gates(self, name: str, shape: tuple[int, ...], prefix: str | None = None) -> Any:
        if name != "bias" or not self.unit_forget_bias:
            return super().add_gates(name, shape, prefix)
        # The ones are in the second bias.
        second = forgetting(self.bias_initializer, self.units)

        def both(_: Any, dtype: Any = "float32") -> Any:
            first = cast("Any", self.bias_initializer)((4 * self.units,), dtype=dtype)
            return functions.concat([first, second((4 * self.units,), dtype=dtype)], axis=0)

        return self.add_weight(
            name, shape=shape, initializer=both, regularizer=self.bias_regularizer, constraint=self.bias_constraint
        )

    def project(self, inputs: Any, training: Any, time_axis: int | None = None) -> Any:
        first, second = _halves(self.bias)
        return functions.bias_add(self.project_inputs(inputs, training, time_axis), first + second)


class _CuDNNGRUCell(GRUCell):
    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (6 * self.units,)

    def bias_of_inputs(self) -> Any:
        return _halves(self.bias)[0]

    def bias_of_state(self) -> Any:
        return _halves(self.bias)[1]


def _halves(bias: Any) -> tuple[Any, Any]:
    whole = functions.identity(bias)
    size = whole.shape[0] or 0
    return cut(whole, 0, 0, size // 2), cut(whole, 0, size // 2, size)


class _CuDNN(CellLayer):
    @property
    def cell_scope(self) -> str:
        return ""

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key not in _FIXED}


class CuDNNLSTM(_CuDNN):
    """An LSTM whose bias is (8 · units,)."""

    cell_class = _CuDNNLSTMCell


class CuDNNGRU(_CuDNN):
    """A GRU with ``reset_after`` whose bias is (6 · units,)."""

    cell_class = _CuDNNGRUCell
