"""TensorFlow 1's conditionals: values are switched to one of two branches, and merged behind them.

What a node would give whose inputs went the other way is :data:`DEAD`, as is what depends on it, up to where branches are
merged. A node that was to come after another one is dead where that one is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference_impl.graph.modes import Context, Handler, Value

DEAD: Any = object()
"""In the place of a value that is not computed."""

SWITCHES = frozenset({"Switch", "RefSwitch"})
_MERGES = frozenset({"Merge", "RefMerge"})


def alive(op: str, call: Callable[..., Any], inputs: int, count: int | None) -> Callable[..., Any]:
    """``call`` where nothing that it needs is dead. It takes its inputs and what it comes after, and gives its outputs
    and, at the end, whether it ran: DEAD if not."""
    several = count is not None
    dead = [DEAD] * (2 if count is None else count + 1)

    def run(*values: Value) -> list[Value]:
        needed = values[inputs:] if op in _MERGES else values
        if any(value is DEAD for value in needed) or (
            op in _MERGES and all(value is DEAD for value in values[:inputs])
        ):
            return dead
        result = call(*values[:inputs])
        return [*result, None] if several else [result, None]

    return run


def _switch(context: Context, value: Value, condition: Value) -> tuple[Value, Value]:
    """To the second output where the condition is true, to the first where it is not."""
    return (DEAD, value) if bool(context.mode.array(condition)) else (value, DEAD)


def _merge(context: Context, *values: Value) -> tuple[Value, Value]:
    """The value that is there, and which one it is."""
    place = next(i for i, value in enumerate(values) if value is not DEAD)
    return values[place], context.mode.tensor(np.array(place, np.int32))


HANDLERS: dict[str, Handler] = {
    "Switch": _switch,
    "RefSwitch": _switch,
    "Merge": _merge,
    "RefMerge": _merge,
}
