"""Reading and changing variables.

A resource that stands for a variable is the :class:`Variable` itself, as is TensorFlow 1's reference to one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.graph.modes import Context, Handler, Mode, Value
from reference_impl.ops.table import OPS
from reference_impl.tensors import Array
from reference_impl.variables import Variable


def read(mode: Mode, variable: Variable) -> Value:
    """The present value of a variable."""
    return variable.array if mode.name == "arrays" else mode.apply("ReadVariableOp", variable=variable)


def _variable(value: Value, context: Context) -> Variable:
    if not isinstance(value, Variable):
        raise ValueError(f"found a {type(value).__name__} as the resource, expected a variable")
    expected = context.attrs.get("dtype", value.dtype)
    if value.dtype != expected:
        raise ValueError(f"found the variable {value.name} of dtype {value.dtype}, expected {expected}")
    return value


def _made(context: Context) -> Variable:
    """The variable that the place knows by the name that the node gives it."""
    name = context.attrs["shared_name"] or context.node.name
    try:
        return context.library.resources[name]
    except KeyError:
        raise ValueError(f"found no value for the variable {name!r}, expected one in the checkpoint") from None


def _read(context: Context, resource: Value) -> Value:
    return read(context.mode, _variable(resource, context))


def _assign(context: Context, resource: Value, value: Value) -> Variable:
    variable = _variable(resource, context)
    variable.assign(context.mode.array(value))
    return variable


def _assign_add(context: Context, resource: Value, value: Value) -> Variable:
    variable = _variable(resource, context)
    variable.assign(variable.array + context.mode.array(value))
    return variable


def _assign_sub(context: Context, resource: Value, value: Value) -> Variable:
    variable = _variable(resource, context)
    variable.assign(variable.array - context.mode.array(value))
    return variable


def _without_result(handler: Handler) -> Handler:
    def effect(context: Context, *inputs: Value) -> tuple[()]:
        handler(context, *inputs)
        return ()

    return effect


def _gather(context: Context, resource: Value, indices: Value) -> Value:
    variable = _variable(resource, context)
    if context.attrs["batch_dims"]:
        raise ValueError(f"found {context.attrs['batch_dims']} batch dimensions, expected none")
    axis = context.mode.tensor(np.array(0, np.int32))
    return context.mode.apply("GatherV2", read(context.mode, variable), indices, axis)


def _gather_nd(context: Context, resource: Value, indices: Value) -> Value:
    return context.mode.apply("GatherNd", read(context.mode, _variable(resource, context)), indices)


Change = Callable[[Array, Any, Array], None]
"""Changes an array at places."""


def _set(array: Array, places: Any, updates: Array) -> None:
    array[places] = updates


def _changed(context: Context, resource: Value, places: Any, updates: Value, change: Change) -> Variable:
    variable = _variable(resource, context)
    array = variable.array.copy()
    change(array, places, context.mode.array(updates))
    variable.assign(array)
    return variable


def _inside(indices: Array, sizes: Any) -> Array:
    if indices.size and ((indices < 0) | (indices >= np.array(sizes))).any():
        raise ValueError(f"found places outside of the shape {tuple(sizes)}")
    return indices


def _rows(change: Change) -> Handler:
    """``change`` of the rows that indices name."""

    def handler(context: Context, resource: Value, indices: Value, updates: Value) -> Variable:
        rows = _inside(context.mode.array(indices), resource.shape[:1])
        return _changed(context, resource, rows, updates, change)

    return handler


def _parts(change: Change) -> Handler:
    """``change`` of the elements or parts whose places are the last axis of the indices."""

    def handler(context: Context, resource: Value, indices: Value, updates: Value) -> Variable:
        array = context.mode.array(indices)
        places = np.moveaxis(_inside(array, resource.shape[: array.shape[-1]]), -1, 0)
        return _changed(context, resource, tuple(places), updates, change)

    return handler


def _assign_slice(
    context: Context, resource: Value, begin: Value, end: Value, strides: Value, value: Value
) -> Variable:
    array = _variable(resource, context).array
    # Which elements they are is seen where each has its number.
    numbers = np.arange(array.size).reshape(array.shape)
    bounds = (context.mode.array(bound) for bound in (begin, end, strides))
    masks = {name: context.attrs[name] for name in context.attrs if name.endswith("_mask")}
    chosen = OPS["StridedSlice"].kernel(numbers, *bounds, **masks)
    places = cast("Any", np).unravel_index(chosen, array.shape)
    return _changed(context, resource, places, value, _set)


def _shape(context: Context, resource: Value) -> Value:
    sizes: Any = _variable(resource, context).shape
    return context.mode.tensor(np.array(sizes, numpy_dtype(context.attrs["out_type"])))


def _is_initialized(context: Context, resource: Value) -> Value:
    return context.mode.tensor(np.array(isinstance(resource, Variable)))


def _nothing(context: Context, *inputs: Value) -> tuple[()]:
    return ()


_CHANGES: dict[str, Change] = {
    "Update": _set,
    "Add": np.add.at,
    "Sub": np.subtract.at,
    "Mul": np.multiply.at,
    "Div": np.divide.at,
    "Min": np.minimum.at,
    "Max": np.maximum.at,
}

HANDLERS: dict[str, Handler] = {
    "VarHandleOp": _made,
    "VariableV2": _made,
    "Variable": _made,
    "VarIsInitializedOp": _is_initialized,
    "ReadVariableOp": _read,
    "AssignVariableOp": _without_result(_assign),
    "AssignAddVariableOp": _without_result(_assign_add),
    "AssignSubVariableOp": _without_result(_assign_sub),
    "Assign": _assign,
    "AssignAdd": _assign_add,
    "AssignSub": _assign_sub,
    "ResourceGather": _gather,
    "ResourceGatherNd": _gather_nd,
    **{f"ResourceScatter{name}": _without_result(_rows(change)) for name, change in _CHANGES.items()},
    **{f"ResourceScatterNd{name}": _without_result(_parts(change)) for name, change in _CHANGES.items()},
    **{f"Scatter{name}": _rows(change) for name, change in _CHANGES.items()},
    **{f"ScatterNd{name}": _parts(change) for name, change in _CHANGES.items()},
    "ResourceStridedSliceAssign": _without_result(_assign_slice),
    "VariableShape": _shape,
    "DisableCopyOnRead": _nothing,
}
