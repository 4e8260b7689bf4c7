"""Lists of weights: gathering them from layers, and setting their values, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import numpy_dtype
from reference_impl.variables import Variable


def gather(own: Iterable[Variable], layers: Iterable[Any] = (), attribute: str = "weights") -> list[Variable]:
    """``own`` and then the list ``attribute`` of each layer, every variable once."""
    found: list[Variable] = []
    seen: set[int] = set()
    for variables in (own, *(getattr(layer, attribute) for layer in layers)):
        for variable in variables:
            if id(variable) not in seen:
                seen.add(id(variable))
                found.append(variable)
    return found


def set_values(owner: str, variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Copy ``values`` into ``variables``. ``ValueError`` names ``owner`` and both sides, and nothing has changed."""
    if len(values) != len(variables):
        raise ValueError(
            f"You called `set_weights(weights)` on {owner} with a weight list of length {len(values)}, but the layer "
            f"was expecting {len(variables)} weights. Provided weights: {_shapes(values)}, expected: "
            f"{_shapes(variables)}"
        )
    arrays: list[npt.NDArray[Any]] = [np.asarray(value) for value in values]
    for index, (variable, array) in enumerate(zip(variables, arrays, strict=True)):
        if not variable.takes(array.shape):
            raise ValueError(
                f"You called `set_weights(weights)` on {owner}: weight {index}, {variable.name}, has shape "
                f"{tuple(variable.shape)}, which is not compatible with provided weight shape {array.shape}"
            )
    converted = [array.astype(numpy_dtype(v.dtype)) for v, array in zip(variables, arrays, strict=True)]
    for variable, array in zip(variables, converted, strict=True):
        variable.assign(array)


def _shapes(values: Sequence[Any]) -> str:
    return "[" + ", ".join(str(tuple(np.shape(value))) for value in values) + "]"
