"""What is done to weights after each update."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from reference_impl import functions
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects
from reference_impl.tensors import convert

_EPSILON = 1e-7


class Constraint:
    """Called with a weight it gives the value to put in its place."""

    def __call__(self, w: Any) -> Any:
        return w

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        return {}


def _norms(w: Any, axis: Any) -> Any:
    return functions.sqrt(functions.reduce_sum(functions.square(w), axis=axis, keepdims=True))


class NonNeg(Constraint):
    """Negative elements become 0."""

    def __call__(self, w: Any) -> Any:
        return functions.maximum(w, 0.0)


class MaxNorm(Constraint):
    """Norms along ``axis`` are at most ``max_value``."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (functions.clip_by_value(norms, 0.0, self.max_value) / (norms + _EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": copy.copy(self.axis)}


class UnitNorm(Constraint):
    """Norms along ``axis`` are 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (_norms(w, self.axis) + _EPSILON)

    def get_config(self) -> dict[str, Any]:
        return {"axis": copy.copy(self.axis)}


class MinMaxNorm(Constraint):
    """Norms along ``axis`` move at ``rate`` into [``min_value``, ``max_value``]."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = functions.clip_by_value(norms, self.min_value, self.max_value) * self.rate + norms * (1 - self.rate)
        return w * (wanted / (norms + _EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": copy.copy(self.axis),
        }


class RadialConstraint(Constraint):
    """Kernels (height, width, …) are the same in all directions: squares about the centre, each of one value.

    The values are those on the diagonal from the centre on. Kernels of odd size take the value at the centre from the
    element before it on the diagonal, as TensorFlow does.
    """

    def __call__(self, w: Any) -> Any:
        kernels = convert(w)
        if len(kernels.shape) != 4 or kernels.shape[0] != kernels.shape[1]:
            raise ValueError(
                f"The weight tensor must be of rank 4 with equal height and width, but is of shape {tuple(kernels.shape)}"
            )
        values, start = kernels.value, kernels.shape[0] // 2
        odd = kernels.shape[0] % 2
        size, result = kernels.shape[0], np.empty_like(values)
        for row, column in np.ndindex(size, size):
            # The number of the square, 0 innermost.
            ring = max(abs(2 * row - size + 1), abs(2 * column - size + 1)) // 2
            place = start - 1 if ring == 0 else start + ring - odd
            result[row, column] = values[place, place]
        return convert(result)


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
radial_constraint = RadialConstraint
_CLASSES: tuple[type[Constraint], ...] = (MaxNorm, NonNeg, UnitNorm, MinMaxNorm, RadialConstraint)
BUILTIN: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES} | {
    "max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
    "maxnorm": MaxNorm, "nonneg": NonNeg, "unitnorm": UnitNorm, "radial_constraint": RadialConstraint,
}  # fmt: skip
KIND = generic.Kind("constraint", lambda: BUILTIN)


def serialize(constraint: Any) -> Any:
    return generic.serialize(constraint)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown constraint: …") if it is known nowhere."""
    return generic.deserialize(KIND, config, custom_objects)


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """The constraint for a name, a config form, a function (itself) or None."""
    if identifier is None or callable(identifier):
        return identifier
    return deserialize(identifier)
