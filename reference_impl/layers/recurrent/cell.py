"""What the built-in cells have in common: weights for the inputs and for the state, and dropout of both.

A step is made of two parts. ``project`` is what the inputs alone give, which the loop does for all times at once;
``advance`` goes on from there with the states.
"""

from __future__ import annotations

from typing import Any, ClassVar

from reference_impl import activations, constraints, functions, initializers, regularizers, structure
from reference_impl.functions.recurrent import cut
from reference_impl.layers.base import Layer
from reference_impl.layers.recurrent import states
from reference_impl.tensors import Tensor, Trace, present_trace

WEIGHTS = ("kernel", "recurrent", "bias")
_KINDS: tuple[tuple[str, Any], ...] = (
    ("initializer", initializers),
    ("regularizer", regularizers),
    ("constraint", constraints),
)


class Cell(Layer):
    """One step over (batch, inputs). kernel: (inputs, gates · units), recurrent_kernel: (units, gates · units).

    ``dropout``, ``recurrent_dropout``: rates of elements of the inputs, of the state, that are zero in training, the
    same ones in all steps. ``implementation`` 1 draws them for each gate alone, 2 together.
    """

    gates: ClassVar[int] = 1
    feature_axis: ClassVar[int] = -1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        # Keras 2.3 to 2.15 take a seed that no config of theirs names.
        kwargs.pop("seed", None)
        super().__init__(**kwargs)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.__dict__["_dropped"] = {}

    @property
    def state_size(self) -> Any:
        return self.units

    @property
    def output_size(self) -> Any:
        return self.units

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for ``batch_size`` examples, or for those in ``inputs``."""
        if inputs is not None:
            batch_size, dtype = functions.shape(inputs)[0], inputs.dtype
        return states.zeros(self.state_size, batch_size, dtype)

    # -- weights -------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        inputs = input_shape[-1]
        if inputs is None:
            raise ValueError(f"{type(self).__name__} {self.name!r}: the last dimension of the inputs must be defined")
        columns = self.gates * self.units
        self.kernel = self.add_gates("kernel", (inputs, columns))
        self.recurrent_kernel = self.add_gates("recurrent_kernel", (self.units, columns), "recurrent")
        self.bias = self.add_gates("bias", self.bias_shape) if self.use_bias else None
        self.built = True

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def add_gates(self, name: str, shape: tuple[int, ...], prefix: str | None = None) -> Any:
        """A weight with the initializer, regularizer and constraint called ``prefix``."""
        return self.add_weight(
            name, shape=shape, **{kind: getattr(self, f"{prefix or name}_{kind}") for kind, _ in _KINDS}
        )

    # -- a step --------------------------------------------------------------------------------------------

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """(batch, inputs) and the states to the output (batch, units) and the next states, in the same form."""
        output, after = self.advance(self.project(inputs, training), structure.flatten(states), training)
        return output, structure.pack_as(states, after) if isinstance(states, list | tuple) else after[0]

    def project(self, inputs: Any, training: Any, time_axis: int | None = None) -> Any:
        """inputs · kernel + bias; with ``time_axis`` for all times."""
        raise NotImplementedError

    def advance(self, projected: Any, states: list[Any], training: Any) -> tuple[Any, list[Any]]:
        """The output and the next states of one step."""
        raise NotImplementedError

    def project_inputs(self, inputs: Any, training: Any, time_axis: int | None) -> Any:
        """inputs · kernel, the inputs dropped."""
        dropped = self.dropped_inputs(inputs, training, time_axis)
        if len(dropped) == 1:
            return flat_matmul(dropped[0], self.kernel)
        kernels = self.columns(self.kernel)
        return functions.concat([flat_matmul(x, w) for x, w in zip(dropped, kernels, strict=True)], axis=-1)

    def columns(self, weight: Any) -> list[Tensor]:
        """The parts of a weight that belong to the gates."""
        whole = functions.identity(weight)
        last = len(whole.shape) - 1
        return [cut(whole, last, self.units * gate, self.units * (gate + 1)) for gate in range(self.gates)]

    # -- dropout -------------------------------------------------------------------------------------------

    implementation = 2

    def reset_dropout_mask(self) -> None:
        """Draw which inputs are dropped anew in the next step."""
        self.__dict__["_dropped"].pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Draw which elements of the state are dropped anew in the next step."""
        self.__dict__["_dropped"].pop("state", None)

    def dropped_inputs(self, inputs: Any, training: Any, time_axis: int | None = None) -> list[Any]:
        """The inputs of each gate, or of all gates together: one."""
        if not training or not self.dropout:
            return [inputs]
        one = inputs if time_axis is None else cut(inputs, time_axis, 0, 1)
        factors = self._factors("inputs", one, self.dropout)
        return [inputs * factor for factor in factors]

    def dropped_state(self, state: Any, training: Any) -> list[Any]:
        """The state for each gate, or for all gates together: one."""
        if not training or not self.recurrent_dropout:
            return [state]
        return [state * factor for factor in self._factors("state", state, self.recurrent_dropout)]

    def _factors(self, what: str, like: Any, rate: float) -> list[Tensor]:
        held: dict[str, tuple[Trace | None, list[Tensor]]] = self.__dict__["_dropped"]
        trace = present_trace()
        # What was drawn in one graph is of no use in another.
        graph = None if trace is None else trace.root
        if what not in held or held[what][0] is not graph:
            count = self.gates if self.implementation == 1 else 1
            held[what] = graph, [functions.dropout(functions.ones_like(like), rate) for _ in range(count)]
        return held[what][1]

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        parts = {
            f"{weight}_{kind}": module.serialize(getattr(self, f"{weight}_{kind}"))
            for kind, module in _KINDS
            for weight in WEIGHTS
        }
        return {
            **super().get_config(),
            **self.shape_config(),
            **parts,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }

    def shape_config(self) -> dict[str, Any]:
        """The part of the config that comes first."""
        return {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


def flat_matmul(x: Any, weight: Any) -> Any:
    """(…, n) · (n, m), as one product of matrices."""
    if len(x.shape) == 2:
        return functions.matmul(x, weight)
    rows = functions.matmul(functions.reshape(x, [-1, x.shape[-1]]), weight)
    if None in x.shape:
        sizes = functions.concat([functions.shape(x)[:-1], functions.shape(rows)[-1:]], axis=0)
        return functions.reshape(rows, sizes)
    return functions.reshape(rows, [*x.shape[:-1], rows.shape[-1]])
