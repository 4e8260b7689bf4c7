"""The gated recurrent unit. The columns of its weights are the gates update, reset, candidate."""

from __future__ import annotations

from typing import Any, Self, cast

from reference_impl import activations, functions
from reference_impl.functions.recurrent import cut, split
from reference_impl.layers.recurrent.cell import Cell
from reference_impl.layers.recurrent.layer import CellLayer


class GRUCell(Cell):
    """h' = z · h + (1 - z) · activation(candidate); one state, which is the output.

    ``reset_after``: the reset gate multiplies h · recurrent_kernel, else h itself; the bias is then (2, 3 · units), for
    the inputs and for the state. ``recurrent_dropout`` makes the implementation 1.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        implementation: int = 2,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **kwargs
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after
        self.implementation = 1 if self.recurrent_dropout else implementation

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, inputs: Any, training: Any, time_axis: int | None = None) -> Any:
        projected = self.project_inputs(inputs, training, time_axis)
        if self.bias is None:
            return projected
        return functions.bias_add(projected, self.bias_of_inputs())

    def bias_of_inputs(self) -> Any:
        bias: Any = self.bias
        return bias[0] if self.reset_after else bias

    def bias_of_state(self) -> Any:
        """Only with ``reset_after``."""
        return cast("Any", self.bias)[1]

    def advance(self, projected: Any, states: list[Any], training: Any) -> tuple[Any, list[Any]]:
        before = states[0]
        dropped = self.dropped_state(before, training)
        x_z, x_r, x_h = split(projected, 3)
        inner = self._times_recurrent(dropped)
        z = self.recurrent_activation(x_z + inner[0])
        r = self.recurrent_activation(x_r + inner[1])
        if self.reset_after:
            candidate = r * inner[2]
        else:
            candidate = functions.matmul(r * dropped[-1], self._recurrent_columns(2, 3))
        output = z * before + (1.0 - z) * self.activation(x_h + candidate)
        return output, [output]

    def _times_recurrent(self, dropped: list[Any]) -> list[Any]:
        """The state times the gates' columns; if it is reset before, not those of the candidate."""
        count = 3 if self.reset_after else 2
        if len(dropped) == 1:
            kernel = self.recurrent_kernel if self.reset_after else self._recurrent_columns(0, 2)
            product = functions.matmul(dropped[0], kernel)
        else:
            kernels = self.columns(self.recurrent_kernel)[:count]
            product = functions.concat(
                [functions.matmul(h, w) for h, w in zip(dropped[:count], kernels, strict=True)], axis=-1
            )
        if self.reset_after and self.bias is not None:
            product = functions.bias_add(product, self.bias_of_state())
        return split(product, count)

    def _recurrent_columns(self, start: int, stop: int) -> Any:
        return cut(functions.identity(self.recurrent_kernel), 1, start * self.units, stop * self.units)

    def shape_config(self) -> dict[str, Any]:
        return {
            **super().shape_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "implementation": self.implementation, "reset_after": self.reset_after}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**_as_written(config))


class GRU(CellLayer):
    """:class:`GRUCell` over (batch, time, inputs)."""

    cell_class = GRUCell

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        return super().from_config(_as_written(config), custom_objects)


def _as_written(config: dict[str, Any]) -> dict[str, Any]:
    # Versions that do not name the key reset before.
    return {"reset_after": False, **config}
