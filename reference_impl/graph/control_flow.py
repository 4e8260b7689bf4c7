"""Calls, branches and loops. They run the functions that they name, one after the other, so that what gradients need is
remembered as if the steps had been written out."""

from __future__ import annotations

from typing import Any

from reference_impl.graph.modes import Context, Handler, Value

MOST_STEPS = 10_000_000
"""A loop of more steps is refused."""


def _call(context: Context, *inputs: Value) -> list[Value]:
    return context.functions["f"][0](inputs)


def _truth(context: Context, value: Value) -> bool:
    """What counts as true: a scalar that is not zero or no empty string, a tensor of another rank that has elements."""
    array = context.mode.array(value)
    return bool(array[()]) if array.ndim == 0 else array.size > 0


def _while(context: Context, *inputs: Value) -> list[Value]:
    (condition,), (body,) = context.functions["cond"], context.functions["body"]
    values: Any = inputs
    steps = 0
    while _truth(context, condition(values)[0]):
        steps += 1
        if steps > MOST_STEPS:
            raise ValueError(f"found a loop of more than {MOST_STEPS} steps")
        values = body(values)
    return list(values)


def _if(context: Context, condition: Value, *inputs: Value) -> list[Value]:
    branch = "then_branch" if _truth(context, condition) else "else_branch"
    return context.functions[branch][0](inputs)


def _case(context: Context, index: Value, *inputs: Value) -> list[Value]:
    """A branch; the last one for an index that none has."""
    branches = context.functions["branches"]
    place = int(context.mode.array(index))
    return branches[place if 0 <= place < len(branches) else -1](inputs)


HANDLERS: dict[str, Handler] = {
    "PartitionedCall": _call,
    "StatefulPartitionedCall": _call,
    "While": _while,
    "StatelessWhile": _while,
    "If": _if,
    "StatelessIf": _if,
    "Case": _case,
    "StatelessCase": _case,
}
