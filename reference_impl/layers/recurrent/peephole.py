"""An LSTM whose gates see the carry: ``tf.keras.experimental.PeepholeLSTMCell``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_impl.layers.recurrent.lstm import LSTMCell


class PeepholeLSTMCell(LSTMCell):
    """As :class:`LSTMCell`, and the carry goes into the gates too: the one before into input and forget, the next into
    output, each element times a weight (units,) of each gate.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        *args: Any,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, *args, implementation=implementation, **kwargs)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.input_gate_peephole_weights = self._peephole("input")
        self.forget_gate_peephole_weights = self._peephole("forget")
        self.output_gate_peephole_weights = self._peephole("output")

    def _peephole(self, gate: str) -> Any:
        name = f"{gate}_gate_peephole_weights"
        return self.add_weight(name, shape=(self.units,), initializer=self.kernel_initializer)

    def through_gates(self, parts: Sequence[Any], carry: Any) -> tuple[Any, list[Any]]:
        into, forget, candidate, out = parts
        into = self.recurrent_activation(into + self.input_gate_peephole_weights * carry)
        forget = self.recurrent_activation(forget + self.forget_gate_peephole_weights * carry)
        after = forget * carry + into * self.activation(candidate)
        output = self.recurrent_activation(out + self.output_gate_peephole_weights * after) * self.activation(after)
        return output, [output, after]
