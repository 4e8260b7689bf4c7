"""The loop over time that all recurrent layers share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from reference_impl import structure
from reference_impl.functions.api import ints
from reference_impl.functions.arrays import reshape, stack
from reference_impl.functions.elementwise import cast_to, where, zeros_like
from reference_impl.tensors import Tensor, apply, symbolic

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

    Everything ``step`` uses besides its arguments stays the same over time. So the loop is ``StatelessWhile`` with the
    loop variables (time, list of outputs, output before, \\*states), the body being one call of ``step`` with
    ``TensorListGetItem`` in front and ``TensorListSetItem`` behind, the condition ``time < size of the input list``. On
    values it is unrolled, which gives gradients; on symbolic tensors one step tells the shapes.
    """
    axis = 0 if time_major else 1
    leaves = structure.flatten(inputs)
    if any(leaf.symbolic for leaf in [*leaves, *structure.flatten(states)]):
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
