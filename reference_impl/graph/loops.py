"""Loops in traced functions: ``while``, and the lists of tensors that it reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reference_impl.dtypes import DType
from reference_impl.graph.signatures import signature
from reference_impl.graph.trace import Traced, trace_inner
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, Trace, apply, call_symbolically, convert

Body = Callable[[Tensor, list[Tensor]], Sequence[Tensor]]

_SCALAR = TensorShape(())
_VARIANT = DType("variant")


def count_loop(
    trace: Trace, count: Tensor, first: Sequence[Tensor], shapes: Sequence[TensorShape], body: Body
) -> list[Tensor]:
    """Run ``body`` ``count`` times (int32, ()): (number of the time, values) -> the next values; the last values.

    ``first``: the values the loop begins with. ``shapes``: what is the same of their shapes at all times. What the body
    uses of the function that is being traced stays the same over time; variables it assigns are read anew each time.

    The loop is TensorFlow's: its first variables are the number of times done and the most there are, which its gradient
    looks for there.
    """
    number = f"{trace.root.name}_while_{trace.root.next_number()}"
    arguments = [
        Tensor(None, _SCALAR, DType("int32"), name="time"),
        Tensor(None, _SCALAR, DType("int32"), name="count"),
    ]
    arguments += [
        Tensor(None, shape, tensor.dtype, name=f"value_{i}")
        for i, (shape, tensor) in enumerate(zip(shapes, first, strict=True))
    ]

    def step(time: Tensor, most: Tensor, *values: Tensor) -> list[Tensor]:
        return [apply("AddV2", time, convert(np.int32(1))), most, *body(time, list(values))]

    def goes_on(time: Tensor, most: Tensor, *_: Tensor) -> Tensor:
        return apply("Less", time, most)

    inside = trace_inner(step, arguments, f"{number}_body", trace)
    if inside.effects:
        assigned = {id(call.attrs.get("variable")) for call in inside.effects}
        inside = trace_inner(step, arguments, f"{number}_body", trace, assigned)
    test = trace_inner(goes_on, arguments, f"{number}_cond", trace)
    test = replace(test, invariants=inside.invariants, captures=inside.captures)
    inside = replace(inside, outputs=[*inside.outputs, *inside.invariants], passes_captures=True)
    variables = [convert(np.int32(0)), count, *first, *inside.invariants]
    known = [_SCALAR, _SCALAR, *shapes, *(tensor.shape for tensor in inside.invariants)]
    results = call_symbolically(
        "While" if _has_state(inside) else "StatelessWhile",
        variables,
        [(shape, tensor.dtype) for shape, tensor in zip(known, variables, strict=True)],
        cond=test,
        body=inside,
        output_shapes=[*known, *[_SCALAR for _ in inside.captures]],
        parallel_iterations=32,
        captures=inside.captures,
    )
    if inside.effects:
        trace.effects.append(trace.calls[-1])
    return list(results[2 : 2 + len(first)])


def _has_state(traced: Traced) -> bool:
    return any(signature(call.op.name).stateful for call in traced.calls)


# -- lists -------------------------------------------------------------------------------------------------------


def list_of(x: Tensor) -> Tensor:
    """The list of the slices of ``x`` along its first axis."""
    return _list("TensorListFromTensor", [x, _sizes(x.shape[1:])], x.dtype)


def empty_list(shape: TensorShape, dtype: DType, count: Tensor) -> Tensor:
    """A list of ``count`` tensors that are not there yet."""
    return _list("TensorListReserve", [_sizes(shape), count], dtype)


def get_item(items: Tensor, index: Tensor, shape: TensorShape, dtype: DType) -> Tensor:
    inputs = [items, index, _sizes(shape)]
    return call_symbolically("TensorListGetItem", inputs, [(shape, dtype)], element_dtype=dtype)[0]


def with_item(items: Tensor, index: Tensor, item: Tensor) -> Tensor:
    """``items`` with ``item`` in the place ``index``."""
    inputs = [items, index, item]
    return call_symbolically("TensorListSetItem", inputs, [(_SCALAR, _VARIANT)], element_dtype=item.dtype)[0]


def stacked(items: Tensor, shape: TensorShape, dtype: DType, count: int | None) -> Tensor:
    """All items (of ``shape``) along a new first axis; ``count``: how many they are, if known."""
    result = [(TensorShape((count, *shape)), dtype)]
    number = -1 if count is None else count
    return call_symbolically(
        "TensorListStack", [items, _sizes(shape)], result, element_dtype=dtype, num_elements=number
    )[0]


def _list(op: str, inputs: list[Tensor], dtype: DType) -> Tensor:
    attrs: dict[str, Any] = {"element_dtype": dtype, "shape_type": DType("int32")}
    return call_symbolically(op, inputs, [(_SCALAR, _VARIANT)], **attrs)[0]


def _sizes(shape: TensorShape) -> Tensor:
    return convert(np.array([-1 if size is None else size for size in shape], np.int32))
