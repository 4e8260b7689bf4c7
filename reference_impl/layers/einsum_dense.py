"""A dense layer whose product is an equation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reference_impl import activations, constraints, functions, initializers, regularizers
from reference_impl.layers.base import Layer

_FORMS = re.compile(r"(?P<left>\.\.\.)?([a-zA-Z]+)(?P<right>\.\.\.)?,([a-zA-Z]+)->(?:\.\.\.)?([a-zA-Z]+)(?:\.\.\.)?")


class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias).

    ``equation``: ``ab,bc->ac``, ``...b,bc->...c`` or ``ab...,bc->ac...``. ``output_shape``: of the result without the
    batch axis, and, with ``...``, of the named axes only; None where it is the input's. ``bias_axes``: those of the
    result along which the bias differs; None: no bias. The kernel has the axes of the second operand.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
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
        self.equation = equation
        self.partial_output_shape: list[int | None] = (
            [output_shape] if isinstance(output_shape, int) else list(output_shape)
        )
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        kernel, bias, self.full_output_shape = _sizes(
            self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape
        )
        self.kernel = self.add_weight(
            "kernel",
            shape=kernel,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if bias is not None:
            self.bias = self.add_weight(
                "bias",
                shape=bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = functions.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_shape": list(self.partial_output_shape),
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def _sizes(
    equation: str, bias_axes: str | None, inputs: Sequence[int | None], outputs: Sequence[int | None]
) -> tuple[list[int], list[int] | None, list[int | None]]:
    """The shapes of kernel, bias and result. ``ValueError`` for an equation that they do not fit."""
    form = _FORMS.fullmatch(equation.replace(" ", ""))
    if form is None:
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], "
            "or [X]...,[Y]->[Z]...."
        )
    _, of_input, _, of_kernel, of_output = form.groups()
    elided = len(inputs) - len(of_input)
    left = form["left"] is not None
    # The axes that ``...`` stands for, and the batch axis, which ``outputs`` does not have either.
    full: list[int | None]
    if left:
        full = [*inputs[:elided], *([] if elided else inputs[:1]), *outputs]
        named_inputs, named_outputs = inputs[elided:], full[elided:]
    else:
        full = [inputs[0], *outputs, *inputs[len(inputs) - elided :]]
        named_inputs, named_outputs = inputs[: len(of_input)], full[: len(of_output)]
    sizes: dict[str, int | None] = dict(zip(of_output, named_outputs, strict=True))
    for label, size in zip(of_input, named_inputs, strict=True):
        expected = sizes.get(label)
        if expected is not None and size != expected:
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{label}'. Input shape is {size}, "
                f"and output shape is {expected}."
            )
        sizes[label] = size
    missing = [label for label in of_kernel if sizes.get(label) is None]
    if missing or not set(of_output) <= {*of_input, *of_kernel}:
        raise ValueError(
            f"einsum equation '{equation}': the sizes of the kernel's axes {missing or of_output!r} are unknown"
        )
    bias = None
    if bias_axes is not None:
        if not bias_axes or not set(bias_axes) <= set(of_output):
            raise ValueError(f"bias_axes: found {bias_axes!r}, expected axes of the result {of_output!r}")
        behind = of_output[min(of_output.index(label) for label in bias_axes) :]
        bias = [sizes[label] if label in bias_axes else 1 for label in behind] + [1] * (0 if left else elided)
    return [sizes[label] for label in of_kernel], bias, full  # type: ignore[return-value]
