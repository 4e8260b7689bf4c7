"""Long short-term memory. The columns of its weights are the gates input, forget, candidate, output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reference_impl import activations, functions, initializers
from reference_impl.functions.recurrent import split
from reference_impl.layers.recurrent.cell import Cell
from reference_impl.layers.recurrent.layer import CellLayer


class LSTMCell(Cell):
    """c' = f · c + i · activation(candidate), h' = o · activation(c'); the states are [h, c], the output h'.

    ``unit_forget_bias``: the forget gate's bias begins with ones. ``recurrent_dropout`` makes the implementation 1.
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **kwargs
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.implementation = 1 if self.recurrent_dropout else implementation

    @property
    def state_size(self) -> Any:
        return [self.units, self.units]

    def add_gates(self, name: str, shape: tuple[int, ...], prefix: str | None = None) -> Any:
        if name != "bias" or not self.unit_forget_bias:
            return super().add_gates(name, shape, prefix)
        return self.add_weight(
            name,
            shape=shape,
            initializer=forgetting(self.bias_initializer, self.units),
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def project(self, inputs: Any, training: Any, time_axis: int | None = None) -> Any:
        projected = self.project_inputs(inputs, training, time_axis)
        return projected if self.bias is None else functions.bias_add(projected, self.bias)

    def advance(self, projected: Any, states: list[Any], training: Any) -> tuple[Any, list[Any]]:
        dropped = self.dropped_state(states[0], training)
        if len(dropped) == 1:
            parts = split(projected + functions.matmul(dropped[0], self.recurrent_kernel), 4)
        else:
            kernels = self.columns(self.recurrent_kernel)
            parts = [x + functions.matmul(h, w) for x, h, w in zip(split(projected, 4), dropped, kernels, strict=True)]
        return self.through_gates(parts, states[1])

    def through_gates(self, parts: Sequence[Any], carry: Any) -> tuple[Any, list[Any]]:
        """The output and the next states from what goes into the four gates."""
        return remember(parts, carry, self.activation, self.recurrent_activation)

    def shape_config(self) -> dict[str, Any]:
        return {
            **super().shape_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "implementation": self.implementation}


class LSTM(CellLayer):
    """:class:`LSTMCell` over (batch, time, inputs)."""

    cell_class = LSTMCell


def remember(
    parts: Sequence[Any], carry: Any, activation: Callable[[Any], Any], recurrent_activation: Callable[[Any], Any]
) -> tuple[Any, list[Any]]:
    """The output and the next states from what goes into the four gates."""
    into, forget, candidate, out = parts
    after = recurrent_activation(forget) * carry + recurrent_activation(into) * activation(candidate)
    output = recurrent_activation(out) * activation(after)
    return output, [output, after]


def forgetting(bias_initializer: Any, units: int) -> Callable[..., Any]:
    """An initializer of the biases of the four gates: ones for the forget gate."""

    def make(shape: Any, dtype: Any = "float32") -> Any:
        return functions.concat(
            [
                bias_initializer((units,), dtype=dtype),
                initializers.Ones()((units,), dtype=dtype),
                bias_initializer((units * 2,), dtype=dtype),
            ],
            axis=0,
        )

    return make
