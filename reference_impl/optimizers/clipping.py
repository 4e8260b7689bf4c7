"""Limits on gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")
"""The limits in the order they are applied: on each element, on each gradient's norm, on the norm of all."""


def clipped(gradients: Sequence[Array], limits: Sequence[tuple[str, float]]) -> list[Array]:
    """The gradients within ``limits``, pairs of one of ``CLIPS`` and a number."""
    values = list(gradients)
    for key, limit in limits:
        if key == "clipvalue":
            values = [np.clip(value, -limit, limit) for value in values]
        elif key == "clipnorm":
            values = [_within(value, np.sqrt(np.sum(np.square(value))), limit) for value in values]
        else:
            norm = np.sqrt(sum(np.sum(np.square(value)) for value in values))
            values = [_within(value, norm, limit) for value in values]
    return values


def _within(value: Array, norm: Any, limit: float) -> Array:
    return value * value.dtype.type(limit / norm) if norm > limit else value
