"""What all normalisation has: the mean and variance of some axes, and gamma and beta.

All of these compute in float32 when their inputs have 16 bits, and their weights are float32 then: a variance does not
fit into a half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_impl import constraints, functions, initializers, regularizers
from reference_impl.layers.base import Layer
from reference_impl.tensors import Tensor
from reference_impl.variables import Variable

_HALVES = ("float16", "bfloat16")


class Affine(Layer):
    """gamma and beta, which scale and move what is normalised."""

    supports_masking = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def settle_axes(self, input_shape: Sequence[int | None]) -> list[int]:
        """``axis`` as the list of its positive forms, which from now on is what the config has, as in TensorFlow.

        ``ValueError`` for an axis that the inputs do not have, one named twice, or one of unknown size.
        """
        rank = len(input_shape)
        given: list[int] = [self.axis] if isinstance(self.axis, int) else self.axis
        axes = [axis + rank if axis < 0 else axis for axis in given]
        if any(not 0 <= axis < rank for axis in axes) or len(set(axes)) != len(axes):
            raise ValueError(f"{self.name}: found axis {given}, expected distinct axes of inputs of rank {rank}")
        if any(input_shape[axis] is None for axis in axes):
            raise ValueError(
                f"{self.name}: the sizes of the axes {axes} must be defined, found the input shape {tuple(input_shape)}"
            )
        self.axis = axes
        return axes

    def add_affine(self, sizes: Sequence[int]) -> None:
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if self.scale:
            self.gamma = self.add_parameter("gamma", sizes, self.gamma_initializer, True)
        if self.center:
            self.beta = self.add_parameter("beta", sizes, self.beta_initializer, True)

    def add_parameter(self, name: str, sizes: Sequence[int], initializer: Any, trainable: bool = False) -> Variable:
        return self.add_weight(
            name,
            shape=sizes,
            dtype="float32" if self.dtype in _HALVES else self.dtype,
            initializer=initializer,
            regularizer=getattr(self, f"{name}_regularizer", None),
            constraint=getattr(self, f"{name}_constraint", None),
            trainable=trainable,
            autocast=False,
        )

    def affine_config(self) -> dict[str, Any]:
        return {
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
        }

    def penalty_config(self) -> dict[str, Any]:
        return {
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }

    def axis_config(self) -> dict[str, Any]:
        return {"axis": self.axis if isinstance(self.axis, int) else list(self.axis)}


def widened(inputs: Tensor) -> Tensor:
    return functions.cast_to(inputs, "float32") if inputs.dtype in _HALVES else inputs


def moments(x: Any, axes: Sequence[int], keepdims: bool = True) -> tuple[Tensor, Tensor]:
    """Mean and (biased) variance along ``axes``."""
    mean = functions.reduce_mean(x, axes, keepdims=True)
    variance = functions.reduce_mean(
        functions.squared_difference(x, functions.stop_gradient(mean)), axes, keepdims=keepdims
    )
    return (mean if keepdims else functions.squeeze(mean, list(axes))), variance


def normalize(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: float) -> Any:
    """(x - mean) / √(variance + ε) · scale + offset, in TensorFlow's order of operations."""
    factor = functions.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    return x * factor + (-mean * factor if offset is None else offset - mean * factor)


def kept(shape: Sequence[int | None], axes: Sequence[int]) -> list[Any]:
    """The sizes of ``axes`` and 1 for all others."""
    return [size if axis in axes else 1 for axis, size in enumerate(shape)]
