"""The simplest recurrence: h' = activation(x · kernel + h · recurrent_kernel + bias)."""

from __future__ import annotations

from typing import Any

from reference_impl import functions
from reference_impl.layers.recurrent.cell import Cell
from reference_impl.layers.recurrent.layer import CellLayer


class SimpleRNNCell(Cell):
    """One state, which is the output."""

    def project(self, inputs: Any, training: Any, time_axis: int | None = None) -> Any:
        projected = self.project_inputs(inputs, training, time_axis)
        return projected if self.bias is None else functions.bias_add(projected, self.bias)

    def advance(self, projected: Any, states: list[Any], training: Any) -> tuple[Any, list[Any]]:
        (before,) = self.dropped_state(states[0], training)
        output = self.activation(projected + functions.matmul(before, self.recurrent_kernel))
        return output, [output]


class SimpleRNN(CellLayer):
    """:class:`SimpleRNNCell` over (batch, time, inputs)."""

    cell_class = SimpleRNNCell
