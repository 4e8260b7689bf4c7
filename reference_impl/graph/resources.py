"""Reading and changing variables.

A resource that stands for a variable is the :class:`Variable` itself, as is TensorFlow 1's reference to one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.graph.modes import Context, Handler, Mode, Value
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


def _changed_rows(resource: Variable, indices: Array, updates: Array, add: bool) -> None:
    array = resource.array.copy()
    if add:
        np.add.at(array, indices, updates)
    else:
        array[indices] = updates
    resource.assign(array)


def _scatter_add(context: Context, resource: Value, indices: Value, updates: Value) -> tuple[()]:
    array = context.mode.array
    _changed_rows(_variable(resource, context), array(indices), array(updates), add=True)
    return ()


def _scatter_update(context: Context, resource: Value, indices: Value, updates: Value) -> tuple[()]:
    array = context.mode.array
    _changed_rows(_variable(resource, context), array(indices), array(updates), add=False)
    return ()


def _shape(context: Context, resource: Value) -> Value:
    sizes: Any = _variable(resource, context).shape
    return context.mode.tensor(np.array(sizes, numpy_dtype(context.attrs["out_type"])))


def _is_initialized(context: Context, resource: Value) -> Value:
    return context.mode.tensor(np.array(isinstance(resource, Variable)))


def _nothing(context: Context, *inputs: Value) -> tuple[()]:
    return ()


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
    "ResourceGather": _gather,
    "ResourceGatherNd": _gather_nd,
    "ResourceScatterAdd": _scatter_add,
    "ResourceScatterUpdate": _scatter_update,
    "VariableShape": _shape,
    "DisableCopyOnRead": _nothing,
}
