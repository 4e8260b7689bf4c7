"""Lists of tensors of one dtype, which loops collect their steps in.

A list is a value that never changes: setting an element gives another list. So gradients need no rules of their own:
what an element is made of is remembered by the element.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, numpy_dtype
from reference_impl.graph.attributes import checked_size
from reference_impl.graph.modes import Context, Handler, Mode, Value

LONGEST = 1 << 24
"""Lists of more elements are not made."""


@dataclass(frozen=True)
class TensorList:
    """``items``: tensors, None where none was set. ``shape``: what is known of each one's, None if not even the rank."""

    items: tuple[Value | None, ...]
    dtype: DType
    shape: tuple[int | None, ...] | None

    def __len__(self) -> int:
        return len(self.items)


def convert_items(values: TensorList, convert: Any) -> TensorList:
    """The list with ``convert`` applied to each element that is set."""
    return replace(values, items=tuple(None if item is None else convert(item) for item in values.items))


def _sizes(mode: Mode, shape: Value) -> tuple[int | None, ...] | None:
    """What a shape given as a tensor says: -1 alone is a shape of unknown rank, -1 among others an unknown size."""
    array = mode.array(shape)
    if array.ndim == 0:
        return None
    return tuple(None if size < 0 else int(size) for size in array)


def _known(values: TensorList, shape: tuple[int | None, ...] | None) -> tuple[int, ...]:
    """The shape of an element that was not set: the list's, ``shape``, or that of an element which was set."""
    set_ones = [tuple(int(size) for size in item.shape) for item in values.items if item is not None]
    for candidate in (set_ones[0] if set_ones else None, shape, values.shape):
        if candidate is not None and None not in candidate:
            return tuple(int(size) for size in candidate if size is not None)
    raise ValueError(f"found an element that was never set, of the unknown shape {shape}; expected a known shape")


def _zeros(context: Context, values: TensorList, shape: tuple[int | None, ...] | None) -> Value:
    known = _known(values, shape)
    checked_size(known, values.dtype)
    return context.mode.tensor(np.zeros(known, numpy_dtype(values.dtype)))


def _place(values: TensorList, index: Any) -> int:
    if not 0 <= int(index) < len(values):
        raise ValueError(f"found the index {int(index)} into a list of {len(values)} elements")
    return int(index)


def _checked_length(length: Any) -> int:
    if not 0 <= int(length) <= LONGEST:
        raise ValueError(f"found a list of {int(length)} elements, expected 0 to {LONGEST}")
    return int(length)


def _reserve(context: Context, shape: Value, count: Value) -> TensorList:
    length = _checked_length(context.mode.array(count))
    return TensorList((None,) * length, context.attrs["element_dtype"], _sizes(context.mode, shape))


def _empty(context: Context, shape: Value, longest: Value) -> TensorList:
    return TensorList((), context.attrs["element_dtype"], _sizes(context.mode, shape))


def _from_tensor(context: Context, tensor: Value, shape: Value) -> TensorList:
    count = _checked_length(tensor.shape[0])
    items = context.mode.apply_several("Unpack", tensor, num=count, axis=0)
    return TensorList(tuple(items), context.attrs["element_dtype"], tuple(tensor.shape[1:]))


def _all(context: Context, values: TensorList, shape: Value) -> list[Value]:
    sizes = _sizes(context.mode, shape)
    return [_zeros(context, values, sizes) if item is None else item for item in values.items]


def _stack(context: Context, values: TensorList, shape: Value) -> Value:
    items = _all(context, values, shape)
    if items:
        return context.mode.apply("Pack", *items, axis=0)
    known = _known(values, _sizes(context.mode, shape))
    return context.mode.tensor(np.zeros((0, *known), numpy_dtype(values.dtype)))


def _concatenate(context: Context, values: TensorList, shape: Value, leading: Value) -> tuple[Value, Value]:
    if not values.items or any(item is None for item in values.items):
        raise ValueError("found a list with elements that were never set, expected all of them to join")
    axis = context.mode.tensor(np.array(0, np.int32))
    lengths = np.array([item.shape[0] for item in values.items if item is not None], np.int64)
    return context.mode.apply("ConcatV2", *values.items, axis), context.mode.tensor(lengths)


def _split(context: Context, tensor: Value, shape: Value, lengths: Value) -> TensorList:
    count = _checked_length(context.mode.array(lengths).size)
    axis = context.mode.tensor(np.array(0, np.int32))
    items = context.mode.apply_several("SplitV", tensor, lengths, axis, num_split=count) if count else ()
    return TensorList(tuple(items), context.attrs["element_dtype"], _sizes(context.mode, shape))


def _scattered(context: Context, tensor: Value, indices: Value, shape: Value, count: Value) -> TensorList:
    wanted = int(context.mode.array(count))
    longest = int(context.mode.array(indices).max(initial=-1)) + 1 if wanted < 0 else wanted
    empty = (None,) * _checked_length(longest)
    return _put(
        context, TensorList(empty, context.attrs["element_dtype"], _sizes(context.mode, shape)), tensor, indices
    )


def _put(context: Context, values: TensorList, tensor: Value, indices: Value) -> TensorList:
    """The list with the slices of ``tensor`` in the places ``indices``; it grows where they are beyond its end."""
    places = context.mode.array(indices).ravel().tolist()
    longer = _resized(values, max([len(values), *(place + 1 for place in places)]))
    items = list(longer.items)
    new = context.mode.apply_several("Unpack", tensor, num=len(places), axis=0) if places else ()
    for place, item in zip(places, new, strict=True):
        items[_place(longer, place)] = item
    return replace(longer, items=tuple(items))


def _scattered_into(context: Context, values: TensorList, tensor: Value, indices: Value) -> TensorList:
    return _put(context, values, tensor, indices)


def _gather(context: Context, values: TensorList, indices: Value, shape: Value) -> Value:
    places = [_place(values, index) for index in context.mode.array(indices).ravel()]
    return _stack(context, replace(values, items=tuple(values.items[place] for place in places)), shape)


def _get(context: Context, values: TensorList, index: Value, shape: Value) -> Value:
    item = values.items[_place(values, context.mode.array(index))]
    return _zeros(context, values, _sizes(context.mode, shape)) if item is None else item


def _set(context: Context, values: TensorList, index: Value, item: Value) -> TensorList:
    number = int(context.mode.array(index))
    if context.attrs.get("resize_if_index_out_of_bounds") and number >= len(values):
        values = _resized(values, number + 1)
    place = _place(values, number)
    return replace(values, items=(*values.items[:place], item, *values.items[place + 1 :]))


def _push(context: Context, values: TensorList, item: Value) -> TensorList:
    _checked_length(len(values) + 1)
    return replace(values, items=(*values.items, item))


def _pop(context: Context, values: TensorList, shape: Value) -> tuple[TensorList, Value]:
    last = _place(values, len(values) - 1)
    item = values.items[last]
    rest = replace(values, items=values.items[:last])
    return rest, _zeros(context, values, _sizes(context.mode, shape)) if item is None else item


def _resized(values: TensorList, size: Any) -> TensorList:
    length = _checked_length(size)
    return replace(values, items=(values.items + (None,) * max(length - len(values), 0))[:length])


def _resize(context: Context, values: TensorList, size: Value) -> TensorList:
    return _resized(values, context.mode.array(size))


def _zeros_like(context: Context, value: Value) -> Value:
    """Of a list: a list of zeros."""
    if isinstance(value, TensorList):
        return convert_items(value, partial(_zeros_like, context))
    return context.mode.apply("ZerosLike", value)


def _add_all(context: Context, *values: Value) -> Value:
    """The sum; of lists the list of the sums, an element that was never set counting for nothing."""
    if not isinstance(values[0], TensorList):
        return context.mode.apply("AddN", *values)
    rows = zip(*(value.items for value in values), strict=True)
    present = ([item for item in row if item is not None] for row in rows)
    return replace(values[0], items=tuple(_add_all(context, *row) if row else None for row in present))


def _length(context: Context, values: TensorList) -> Value:
    return context.mode.tensor(np.array(len(values), np.int32))


def _element_shape(context: Context, values: TensorList) -> Value:
    sizes: Sequence[int | None] | None = values.shape
    stored: Any = -1 if sizes is None else [-1 if size is None else size for size in sizes]
    return context.mode.tensor(np.array(stored, numpy_dtype(context.attrs["shape_type"])))


HANDLERS: dict[str, Handler] = {
    "TensorListReserve": _reserve,
    "EmptyTensorList": _empty,
    "TensorListFromTensor": _from_tensor,
    "TensorListStack": _stack,
    "TensorListConcatV2": _concatenate,
    "TensorListGather": _gather,
    "TensorListSplit": _split,
    "TensorListScatterV2": _scattered,
    "TensorListScatterIntoExistingList": _scattered_into,
    "TensorListGetItem": _get,
    "TensorListSetItem": _set,
    "TensorListPushBack": _push,
    "TensorListPopBack": _pop,
    "TensorListResize": _resize,
    "TensorListLength": _length,
    "TensorListElementShape": _element_shape,
    "ZerosLike": _zeros_like,
    "AddN": _add_all,
}
