"""Drawing random numbers from a generator whose state is a variable: a counter in two numbers, and a key."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference_impl.graph.modes import Context, Handler, Value
from reference_impl.ops import philox
from reference_impl.tensors import Array
from reference_impl.variables import Variable

_RESERVED = 256
"""How many numbers are passed over for each that is drawn."""

_MASK = (1 << 64) - 1


def _state(value: Value) -> Variable:
    if not isinstance(value, Variable) or value.dtype != "int64" or value.shape.num_elements() not in (2, 3):
        raise ValueError("found something else as the resource, expected the state of a generator: 3 int64")
    return value


def _advanced(state: Variable, count: int) -> tuple[int, int]:
    """The key and the counter before ``count`` numbers are drawn."""
    numbers = [int(part) & _MASK for part in state.array]
    counter = numbers[0] | (numbers[1] << 64 if len(numbers) == 3 else 0)
    after = counter + count
    parts = [after & _MASK, after >> 64 & _MASK] if len(numbers) == 3 else [after & _MASK]
    state.assign(np.array([*parts, numbers[-1]], np.uint64).view(np.int64))
    return numbers[-1], counter


def _drawn(context: Context, resource: Value, shape: Value) -> tuple[int, int, Array]:
    sizes = context.mode.array(shape)
    key, counter = _advanced(_state(resource), math.prod(int(size) for size in sizes) * _RESERVED)
    return key, counter, sizes


def _handler(draw: Any) -> Handler:
    def handler(context: Context, resource: Value, algorithm: Value, shape: Value) -> Value:
        return context.mode.tensor(draw(*_drawn(context, resource, shape), context.attrs["dtype"]))

    return handler


def _integers(context: Context, resource: Value, algorithm: Value, shape: Value, low: Value, high: Value) -> Value:
    array = context.mode.array
    key, counter, sizes = _drawn(context, resource, shape)
    return context.mode.tensor(philox.between(key, counter, sizes, array(low), array(high)))


def _read_and_skip(context: Context, resource: Value, algorithm: Value, delta: Value) -> Value:
    """The state as it was; then as many numbers are passed over as ``delta`` says, each for a block."""
    state = _state(resource)
    before = state.array
    _advanced(state, int(context.mode.array(delta)) * _RESERVED)
    return context.mode.tensor(before)


def _skip(context: Context, resource: Value, algorithm: Value, delta: Value) -> tuple[()]:
    _read_and_skip(context, resource, algorithm, delta)
    return ()


HANDLERS: dict[str, Handler] = {
    "StatefulUniform": _handler(philox.uniform),
    "StatefulStandardNormalV2": _handler(philox.normal),
    "StatefulTruncatedNormal": _handler(philox.truncated),
    "StatefulUniformFullInt": _handler(philox.integers),
    "StatefulUniformInt": _integers,
    "RngReadAndSkip": _read_and_skip,
    "RngSkip": _skip,
}
