"""The states of recurrent layers: how many and how large, and where they stand in a call.

A cell says ``state_size``: a size, or a list or tuple of sizes (which may be nested). A size is a number of features,
or a :class:`~reference_impl.shapes.TensorShape` for states of more axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from reference_impl import functions, structure
from reference_impl.layers.node import KerasTensor
from reference_impl.shapes import TensorShape, as_shape


def sizes_of(cell: Any) -> list[Any]:
    """The sizes of the cell's states as a list, of one if it has one."""
    size: Any = cell.state_size
    several = isinstance(size, list | tuple) and not isinstance(size, TensorShape)
    return list(cast("list[Any]", size)) if several else [size]


def check_cell(cell: Any, layer_name: str) -> None:
    """``ValueError`` if ``cell`` is none."""
    for needed in ("call", "state_size"):
        # The class is asked first: a size may be a property that needs the cell to be built.
        if not hasattr(cast("Any", type(cell)), needed) and not hasattr(cell, needed):
            raise ValueError(f"A cell of {layer_name!r} should have {needed!r}; it was given {cell!r}")


def zeros(size: Any, batch_size: Any, dtype: str) -> Any:
    """Zeros (batch, \\*size) for each size of a structure of them."""

    def make(leaf: Any) -> Any:
        return functions.zeros(functions.stack([batch_size, *as_shape(leaf)]), dtype)

    return structure.map_leaves(make, size)


def initial_state(cell: Any, batch_size: Any, dtype: str) -> list[Any]:
    """What the cell begins with; zeros if it does not say."""
    make: Callable[..., Any] | None = getattr(cell, "get_initial_state", None)
    made = zeros(cell.state_size, batch_size, dtype) if make is None else make(
        inputs=None, batch_size=batch_size, dtype=dtype
    )  # fmt: skip
    return list(cast("Any", made)) if isinstance(made, list | tuple) else [made]


def split_inputs(inputs: Any, states: Any, constants: Any, constant_count: int) -> tuple[Any, Any, Any]:
    """(inputs, initial states, constants) of a call; a list of inputs has states and constants at its end."""
    if isinstance(inputs, list):
        parts = list(cast("list[Any]", inputs))
        if constant_count:
            constants, parts = parts[-constant_count:], parts[:-constant_count]
        inputs, states = parts[0], parts[1:] or states
    return inputs, _listed(states), _listed(constants)


def _listed(value: Any) -> Any:
    if value is None or isinstance(value, list):
        return cast("Any", value)
    return list(cast("Any", value)) if isinstance(value, tuple) else [value]


def are_symbolic(extra: list[Any], layer_name: str) -> bool:
    """Whether states and constants come from layers; ``ValueError`` if some do and some do not."""
    kinds = {isinstance(leaf, KerasTensor) for leaf in structure.flatten(extra)}
    if len(kinds) > 1:
        raise ValueError(
            f"The initial state or constants of {layer_name!r} cannot be specified with a mix of Keras tensors and "
            "non-Keras tensors; a Keras tensor is what a layer or `Input` returned"
        )
    return kinds == {True}
