"""Penalties on weights and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference_impl import functions
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects


def _single(value: float) -> float:
    """``value`` as float32 holds it: factors are kept, and written to configs, in that precision."""
    return float(np.float32(value))


def _only_l(arguments: dict[str, float], present: float) -> float:
    """Keras 1 called the factor of L1 and of L2 ``l``."""
    value = arguments.pop("l", present)
    if arguments:
        raise TypeError(f"Argument(s) not recognized: {', '.join(arguments)}")
    return value


class Regularizer:
    """Called with a tensor it gives a scalar loss."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} does not implement get_config()")


class L1L2(Regularizer):
    """l1 · Σ|x| + l2 · Σx²."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _single(l1 or 0.0), _single(l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        penalty: Any = functions.constant(0.0, getattr(x, "dtype", "float32"))
        if self.l1:
            penalty = penalty + functions.reduce_sum(functions.abs(x)) * self.l1
        if self.l2:
            penalty = penalty + functions.reduce_sum(functions.square(x)) * self.l2
        return penalty

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 · Σ|x|."""

    def __init__(self, l1: float = 0.01, **kwargs: float) -> None:
        self.l1 = _single(_only_l(kwargs, l1))

    def __call__(self, x: Any) -> Any:
        return functions.reduce_sum(functions.abs(x)) * self.l1

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 · Σx²."""

    def __init__(self, l2: float = 0.01, **kwargs: float) -> None:
        self.l2 = _single(_only_l(kwargs, l2))

    def __call__(self, x: Any) -> Any:
        return functions.reduce_sum(functions.square(x)) * self.l2

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """factor · the mean |cosine| between two rows, or columns (``mode``), of a matrix. Of Keras 2.11 and later."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f"Invalid value for argument `mode`: expected one of 'rows', 'columns', found {mode!r}")
        self.factor, self.mode = factor, mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(f"Inputs to OrthogonalRegularizer must have rank 2, found shape {tuple(x.shape)}")
        by_rows = self.mode == "rows"
        units = functions.l2_normalize(x, axis=1 if by_rows else 0)
        cosines = functions.matmul(units, units, transpose_a=not by_rows, transpose_b=by_rows)
        size = int(x.shape[0 if by_rows else 1])
        others = 1 - np.eye(size, dtype=np.float32)
        pairs = size * (size - 1.0) / 2.0
        return functions.reduce_sum(functions.abs(cosines * others)) * (self.factor * 0.5 / pairs)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    return L1L2(l1, l2)


l1, l2, orthogonal_regularizer = L1, L2, OrthogonalRegularizer

BUILTIN: dict[str, Any] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip
KIND = generic.Kind("regularizer", lambda: BUILTIN)


def serialize(regularizer: Any) -> Any:
    return generic.serialize(regularizer)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown regularizer: …") if it is known nowhere."""
    if config == "l1_l2":
        return l1_l2()
    return generic.deserialize(KIND, config, custom_objects)


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """The regularizer for a name, a config form, a function (itself) or None."""
    if identifier is None or callable(identifier):
        return identifier
    return deserialize(identifier)
