"""The loop over time that all recurrent layers share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from reference_impl import structure
from reference_impl.functions.api import ints
from reference_impl.functions.arrays import expand_dims, reshape, shape, stack, transpose
from reference_impl.functions.elementwise import cast_to, where, zeros_like
from reference_impl.functions.making import zeros
from reference_impl.graph.loops import count_loop, empty_list, get_item, list_of, stacked, with_item
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, Trace, apply, convert, present_trace, symbolic

Step = Callable[[Any, list[Any]], tuple[Any, list[Any]]]


def rnn(
    step: Step,
    inputs: Any,
    states: list[Any],
    mask: Tensor | None = None,
    *,
    go_backwards: bool = False,
    unroll: bool = False,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[Any, Any, list[Any]]:
    """Run ``step`` over time: ``step(inputs of one time, states) -> output, new states``.

    ``inputs``: (batch, time, …), or (time, batch, …) if ``time_major``; a tensor or a structure of tensors. ``states``:
    tensors (batch, …) or structures of them. ``mask``: bool (batch, time), as ``inputs`` turned; where it is False the
    states are held, and the output is the one before (zeros before the first, or always with ``zero_output_for_mask``).
    With ``go_backwards`` the last time comes first, and the outputs are in the order they were made.

    Returns the last output (batch, …), all outputs (with time, turned like the inputs), and the last states. An output
    has the structure that ``step`` gives it. ``ValueError`` if there is no time at all.

    On values the loop is unrolled, which gives gradients; on symbolic tensors one step tells the shapes. In a trace it is
    a ``StatelessWhile`` (``While``, if a step draws or assigns), unless ``unroll``.
    """
    axis = 0 if time_major else 1
    leaves = structure.flatten(inputs)
    trace = present_trace()
    if trace is not None and not unroll:
        return _loop(trace, step, inputs, states, mask, go_backwards, axis, zero_output_for_mask)
    if trace is None and any(leaf.symbolic for leaf in [*leaves, *structure.flatten(states)]):
        return _shapes(step, inputs, states, axis)
    if not leaves[0].shape[axis]:
        raise ValueError(f"a sequence without steps, of the shape {tuple(leaves[0].shape)}; expected at least one")
    columns = [unstack(leaf, axis) for leaf in leaves]
    counts = None if mask is None else unstack(cast_to(mask, "bool"), axis)
    times = range(len(columns[0]))
    order = times[::-1] if go_backwards else times
    zeroing = zero_output_for_mask and not unroll
    made: list[list[Tensor]] = []
    output: Any = None
    for time in order:
        output, new_states = step(structure.pack_as(inputs, [column[time] for column in columns]), states)
        current = structure.flatten(output)
        if counts is not None:
            current = _where(counts[time], current, made[-1] if made and not zeroing else None)
            held = _where(counts[time], structure.flatten(new_states), structure.flatten(states))
            new_states = structure.pack_as(new_states, held)
        states = new_states
        made.append(current)
    last = made[-1]
    if counts is not None and zero_output_for_mask and unroll:
        last = _where(counts[order[-1]], last)
        # Unrolled, TensorFlow sets these zeros after the loop, with the mask in the order of time even if it went back.
        made = [_where(count, current) for count, current in zip(counts, made, strict=True)]
    outputs = [stack(list(column), axis=axis) for column in zip(*made, strict=True)]
    return structure.pack_as(output, last), structure.pack_as(output, outputs), list(states)


def _where(count: Tensor, current: list[Tensor], otherwise: list[Tensor] | None = None) -> list[Tensor]:
    """Each of ``current`` where ``count`` (batch,) or (batch, 1) is True, else that of ``otherwise``: zeros if None."""
    others = [zeros_like(leaf) for leaf in current] if otherwise is None else otherwise
    return [where(_widened(count, leaf), leaf, other) for leaf, other in zip(current, others, strict=True)]


def _widened(count: Tensor, leaf: Tensor) -> Tensor:
    missing = len(leaf.shape) - len(count.shape)
    if count.symbolic:
        for _ in range(missing):
            count = expand_dims(count, -1)
        return count
    return reshape(count, (*count.shape, *[1] * missing)) if missing > 0 else count


def _shapes(step: Step, inputs: Any, states: list[Any], axis: int) -> tuple[Any, Any, list[Any]]:
    """What :func:`rnn` would return, without values."""
    leaves = structure.flatten(inputs)
    count = leaves[0].shape[axis]
    firsts = [symbolic((*leaf.shape[:axis], *leaf.shape[axis + 1 :]), leaf.dtype) for leaf in leaves]
    output, new_states = step(structure.pack_as(inputs, firsts), states)

    def over_time(leaf: Tensor) -> Tensor:
        return symbolic((*leaf.shape[:axis], count, *leaf.shape[axis:]), leaf.dtype)

    return output, structure.map_leaves(over_time, output), list(new_states)


def _loop(
    trace: Trace,
    step: Step,
    inputs: Any,
    states: list[Any],
    mask: Tensor | None,
    backwards: bool,
    axis: int,
    zeroing: bool,
) -> tuple[Any, Any, list[Any]]:
    """:func:`rnn` as a loop of the graph, whose variables are lists of outputs, the outputs before, and states."""
    leaves = [convert(leaf) for leaf in structure.flatten(inputs)]
    count = shape(leaves[0])[axis]
    steps = [list_of(_turned(leaf, axis)) for leaf in leaves]
    shapes = [TensorShape((*leaf.shape[:axis], *leaf.shape[axis + 1 :])) for leaf in leaves]
    counted = None if mask is None else _turned(cast_to(mask, "bool"), axis)
    counts = None if counted is None else list_of(counted)

    def at(time: Tensor) -> Any:
        items = [get_item(*each) for each in zip(steps, [time] * len(steps), shapes, dtypes, strict=True)]
        return structure.pack_as(inputs, items)

    dtypes = [leaf.dtype for leaf in leaves]
    first_states = [convert(leaf) for leaf in structure.flatten(states)]
    # One step before the loop tells what the outputs are like, and draws what stays the same over time. Where nothing
    # of it is needed it is no part of the function.
    effects = list(trace.effects)
    output, next_states = step(at(convert(np.int32(0))), structure.pack_as(states, first_states))
    trace.effects[:] = effects
    made = structure.flatten(output)
    held = [] if counts is None or zeroing else [_zeros_like(leaf, leaves[0], axis) for leaf in made]
    between = len(made) + len(held)

    def body(time: Tensor, values: list[Tensor]) -> list[Tensor]:
        before, now = values[len(made) : between], values[between:]
        place = count - 1 - time if backwards else time
        found, new_states = step(at(place), structure.pack_as(states, now))
        current, after = structure.flatten(found), structure.flatten(new_states)
        if counts is not None and counted is not None:
            here = get_item(counts, place, TensorShape(counted.shape[1:]), counted.dtype)
            current = _where(here, current, None if zeroing else before)
            after = _where(here, after, now)
        lists = [with_item(items, time, leaf) for items, leaf in zip(values, current, strict=False)]
        return [*lists, *(current if held else []), *after]

    lists = [empty_list(leaf.shape, leaf.dtype, count) for leaf in made]
    after = structure.flatten(next_states)
    known = [*(TensorShape(()) for _ in lists), *(leaf.shape for leaf in held)]
    known += [_common(one.shape, other.shape) for one, other in zip(first_states, after, strict=True)]
    results = count_loop(trace, count, [*lists, *held, *first_states], known, body)
    size = leaves[0].shape[axis]
    whole = [stacked(items, leaf.shape, leaf.dtype, size) for items, leaf in zip(results, made, strict=False)]
    last = results[len(made) : between] or [
        get_item(items, count - 1, leaf.shape, leaf.dtype) for items, leaf in zip(results, made, strict=False)
    ]
    outputs = [_turned(leaf, axis) for leaf in whole]
    return (
        structure.pack_as(output, list(last)),
        structure.pack_as(output, outputs),
        structure.pack_as(states, results[between:]),
    )


def _turned(x: Tensor, axis: int) -> Tensor:
    """``x`` with the axis of time and the one before it exchanged, unless time comes first."""
    return x if axis == 0 else transpose(x, [1, 0, *range(2, len(x.shape))])


def _zeros_like(x: Tensor, inputs: Tensor, axis: int) -> Tensor:
    """Zeros in the shape of ``x``, which is not asked for it where only the size of the batch is not known."""
    if None in x.shape[1:]:
        return zeros_like(x)
    return zeros(stack([shape(inputs)[1 - axis], *x.shape[1:]]), x.dtype)


def _common(one: TensorShape, other: TensorShape) -> TensorShape:
    return TensorShape(a if a == b else None for a, b in zip(one, other, strict=True))


def unstack(x: Tensor, axis: int) -> list[Tensor]:
    """The slices of ``x`` along ``axis``, without it.

    It is cut into halves, and these again: the gradient of a cut fills its operand with zeros, and single slices would
    fill all of it for each of them.
    """
    count = x.shape[axis]
    assert count is not None
    if count == 1:
        return [apply("Squeeze", x, squeeze_dims=(axis,))]
    return [
        piece
        for start, stop in ((0, count // 2), (count // 2, count))
        for piece in unstack(cut(x, axis, start, stop), axis)
    ]


def split(x: Tensor, count: int) -> list[Tensor]:
    """``count`` equal parts of ``x`` along its last axis."""
    size = (x.shape[-1] or 0) // count
    return [cut(x, len(x.shape) - 1, size * part, size * (part + 1)) for part in range(count)]


def cut(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """``x`` from ``start`` to ``stop`` along ``axis``."""
    begin, end, strides, everything = _bounds(len(x.shape), axis, start, stop)
    return apply("StridedSlice", x, begin, end, strides, begin_mask=everything, end_mask=everything)


@cache
def _bounds(rank: int, axis: int, start: int, stop: int) -> tuple[Tensor, Tensor, Tensor, int]:
    others = [other != axis for other in range(rank)]
    begin, end = ([0 if other else bound for other in others] for bound in (start, stop))
    return ints(begin), ints(end), ints([1] * rank), sum(1 << place for place, other in enumerate(others) if other)
