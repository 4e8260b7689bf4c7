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
        penalty: Any = functions.constant(0.0)
        if self.l1:
            penalty = penalty + functions.reduce_sum(functions.abs(x)) * self.l1
        if self.l2:
            penalty = penalty + functions.reduce_sum(functions.square(x)) * self.l2
        return penalty

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 · Σ|x|."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _single(l1)

    def __call__(self, x: Any) -> Any:
        return functions.reduce_sum(functions.abs(x)) * self.l1

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 · Σx²."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _single(l2)

    def __call__(self, x: Any) -> Any:
        return functions.reduce_sum(functions.square(x)) * self.l2

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    return L1L2(l1, l2)


l1, l2 = L1, L2

BUILTIN: dict[str, Any] = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2}
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
