"""Arrays and stacks of tensors as loops of TensorFlow 1 have them: objects that change, behind a handle.

Whatever writes gives a *flow*, a number of no meaning; whatever has to come after takes it. An array of gradients belongs to
another array and sums what is written to one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, numpy_dtype
from reference_impl.graph.attributes import checked_size
from reference_impl.graph.lists import LONGEST
from reference_impl.graph.modes import Context, Handler, Value


@dataclass(eq=False)
class TensorArray:
    """``items``: None where nothing was written. ``shape``: of each, as far as it is known. ``gradients``: by source.

    ``of``: the array that this one has the gradients of.
    """

    items: list[Value | None]
    dtype: DType
    shape: tuple[int | None, ...] | None = None
    grows: bool = False
    of: TensorArray | None = None
    gradients: dict[str, TensorArray] = field(default_factory=dict[str, "TensorArray"])


@dataclass(eq=False)
class Stack:
    """What is pushed last is popped first."""

    items: list[Value] = field(default_factory=list[Value])


def _array(value: Value) -> TensorArray:
    if not isinstance(value, TensorArray):
        raise ValueError(f"found a {type(value).__name__} as the handle, expected an array of tensors")
    return value


def _flow(context: Context) -> Value:
    return context.mode.tensor(np.array(0, np.float32))


def _length(count: Any) -> int:
    if not 0 <= int(count) <= LONGEST:
        raise ValueError(f"found an array of {int(count)} tensors, expected 0 to {LONGEST}")
    return int(count)


def _made(context: Context, size: Value) -> tuple[TensorArray, Value]:
    attrs = context.attrs
    count = _length(context.mode.array(size))
    shape = attrs["element_shape"]
    made = TensorArray([None] * count, attrs["dtype"], None if shape is None else tuple(shape), attrs["dynamic_size"])
    return made, _flow(context)


def _gradient(context: Context, handle: Value, flow: Value) -> tuple[TensorArray, Value]:
    array, source = _array(handle), context.attrs["source"]
    if source not in array.gradients:
        array.gradients[source] = TensorArray([None] * len(array.items), array.dtype, array.shape, of=array)
    return array.gradients[source], _flow(context)


# -- writing -----------------------------------------------------------------------------------------------------


def _put(context: Context, array: TensorArray, place: int, item: Value) -> None:
    if place >= len(array.items) and array.grows:
        array.items.extend([None] * (_length(place + 1) - len(array.items)))
    if not 0 <= place < len(array.items):
        raise ValueError(f"found the index {place} into an array of {len(array.items)} tensors")
    before = array.items[place]
    if before is not None and array.of is None:
        raise ValueError(f"found a second value for the tensor {place}, expected one")
    array.items[place] = item if before is None else context.mode.apply("AddV2", before, item)


def _write(context: Context, handle: Value, index: Value, item: Value, flow: Value) -> Value:
    _put(context, _array(handle), int(context.mode.array(index)), item)
    return _flow(context)


def _scatter(context: Context, handle: Value, indices: Value, values: Value, flow: Value) -> Value:
    places = context.mode.array(indices).ravel().tolist()
    if len(places) != values.shape[0]:
        raise ValueError(f"found {values.shape[0]} values for {len(places)} indices")
    items = context.mode.apply_several("Unpack", values, num=len(places), axis=0) if places else ()
    for place, item in zip(places, items, strict=True):
        _put(context, _array(handle), place, item)
    return _flow(context)


def _split(context: Context, handle: Value, values: Value, lengths: Value, flow: Value) -> Value:
    sizes = context.mode.array(lengths)
    axis = context.mode.tensor(np.array(0, np.int32))
    items = context.mode.apply_several("SplitV", values, lengths, axis, num_split=len(sizes)) if len(sizes) else ()
    for place, item in enumerate(items):
        _put(context, _array(handle), place, item)
    return _flow(context)


# -- reading -----------------------------------------------------------------------------------------------------


def _item(context: Context, array: TensorArray, place: int) -> Value:
    """Zeros where nothing was written, if it is known how many."""
    if not 0 <= place < len(array.items):
        raise ValueError(f"found the index {place} into an array of {len(array.items)} tensors")
    item = array.items[place]
    if item is not None:
        return item
    forward = None if array.of is None else array.of.items[place]
    if forward is not None:
        return context.mode.apply("ZerosLike", forward)
    known = _known(array.shape)
    if known is None:
        raise ValueError(f"found nothing in place {place} of an array of tensors, expected it to be written")
    checked_size(known, array.dtype)
    return context.mode.tensor(np.zeros(known, numpy_dtype(array.dtype)))


def _known(shape: Iterable[int | None] | None) -> list[int] | None:
    """A shape whose sizes are all known; None for any other."""
    sizes: list[int | None] = [None] if shape is None else list(shape)
    known = [size for size in sizes if size is not None]
    return known if len(known) == len(sizes) else None


def _read(context: Context, handle: Value, index: Value, flow: Value) -> Value:
    return _item(context, _array(handle), int(context.mode.array(index)))


def _gather(context: Context, handle: Value, indices: Value, flow: Value) -> Value:
    array = _array(handle)
    places: list[int] = context.mode.array(indices).ravel().tolist()
    items = [_item(context, array, place) for place in places]
    if items:
        return context.mode.apply("Pack", *items, axis=0)
    told = _known(context.attrs["element_shape"])
    known = _known(array.shape) if told is None else told
    if known is None:
        raise ValueError("found no tensors to join and no shape of them, expected one of them")
    return context.mode.tensor(np.zeros((0, *known), numpy_dtype(array.dtype)))


def _concatenate(context: Context, handle: Value, flow: Value) -> tuple[Value, Value]:
    array, tensor = _array(handle), context.mode.tensor
    if not array.items:
        raise ValueError("found no tensors to join, expected one at least")
    items = [_item(context, array, place) for place in range(len(array.items))]
    lengths = tensor(np.array([item.shape[0] for item in items], np.int64))
    return context.mode.apply("ConcatV2", *items, tensor(np.array(0, np.int32))), lengths


def _size(context: Context, handle: Value, flow: Value) -> Value:
    return context.mode.tensor(np.array(len(_array(handle).items), np.int32))


def _closed(context: Context, handle: Value) -> tuple[()]:
    _array(handle).items.clear()
    return ()


# -- stacks ------------------------------------------------------------------------------------------------------


def _stack(context: Context, longest: Value) -> Stack:
    return Stack()


def _pushed(context: Context, handle: Stack, item: Value) -> Value:
    _length(len(handle.items) + 1)
    handle.items.append(item)
    return item


def _popped(context: Context, handle: Stack) -> Value:
    if not handle.items:
        raise ValueError("found an empty stack, expected something on it")
    return handle.items.pop()


HANDLERS: dict[str, Handler] = {
    "TensorArrayV3": _made,
    "TensorArrayGradV3": _gradient,
    "TensorArrayWriteV3": _write,
    "TensorArrayScatterV3": _scatter,
    "TensorArraySplitV3": _split,
    "TensorArrayReadV3": _read,
    "TensorArrayGatherV3": _gather,
    "TensorArrayConcatV3": _concatenate,
    "TensorArraySizeV3": _size,
    "TensorArrayCloseV3": _closed,
    "StackV2": _stack,
    "StackPushV2": _pushed,
    "StackPopV2": _popped,
}
