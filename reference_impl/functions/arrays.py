"""Functions that arrange elements: shapes, joining, taking parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.functions.api import api, ints, is_tensor
from reference_impl.tensors import Tensor, apply, convert


@api("shape")
def shape(input: Any, out_type: str = "int32", name: str | None = None) -> Tensor:
    tensor = convert(input)
    if tensor.shape.is_fully_defined():
        return convert(np.array(tensor.shape, dtype=numpy_dtype(out_type)))
    return apply("Shape", tensor, out_type=str(out_type))


@api("reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    return apply("Reshape", convert(tensor), convert(shape, hint="int32"))


@api("transpose")
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Tensor:
    x = convert(a)
    return apply("Transpose", x, ints(list(reversed(range(len(x.shape)))) if perm is None else list(perm)))


@api("expand_dims")
def expand_dims(input: Any, axis: int, name: str | None = None) -> Tensor:
    return apply("ExpandDims", convert(input), ints(axis))


@api("squeeze")
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    dims: list[int] = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    return apply("Squeeze", convert(input), squeeze_dims=dims)


@api("concat")
def concat(values: Any, axis: int, name: str = "concat") -> Tensor:
    return apply("ConcatV2", *_of_one_dtype(values), ints(axis))


@api("stack")
def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    return apply("Pack", *_of_one_dtype(values), axis=axis)


def _of_one_dtype(values: Sequence[Any]) -> list[Tensor]:
    known = next((convert(value).dtype for value in values if is_tensor(value)), None)
    return [convert(value, hint=known) for value in values]


@api("tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    return apply("Tile", convert(input), convert(multiples, hint="int32"))


@api("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    return apply("BroadcastTo", convert(input), convert(shape, hint="int32"))


@api("gather")
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: int | None = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:
    """The elements ``indices`` along ``axis``; of ``batch_dims`` 1 row by row."""
    x, places = convert(params), convert(indices, hint="int32")
    place = batch_dims if axis is None else axis
    if not batch_dims:
        return apply("GatherV2", x, places, ints(place))
    if batch_dims != 1 or place % len(x.shape) != 1 or len(places.shape) < 2:
        raise ValueError(f"gather: of batch_dims only 1 with axis 1 is supported, found {batch_dims} with axis {axis}")
    numbers = apply("Cast", apply("Range", ints(0), shape(places)[0], ints(1)), DstT=places.dtype)
    rows = broadcast_to(reshape(numbers, [-1] + [1] * (len(places.shape) - 1)), shape(places))
    return apply("GatherNd", x, stack([rows, places], axis=-1))


@api("size")
def size(input: Any, out_type: str = "int32", name: str | None = None) -> Tensor:
    return apply("Size", convert(input), out_type=str(out_type))


@api("one_hot")
def one_hot(
    indices: Any, depth: int, on_value: Any = 1.0, off_value: Any = 0.0, axis: int = -1, dtype: str = "float32"
) -> Tensor:
    return apply(
        "OneHot",
        convert(indices),
        ints(depth),
        convert(on_value, hint=dtype),
        convert(off_value, hint=dtype),
        axis=axis,
    )


@api("__operators__.getitem")
def getitem(x: Any, slice_spec: Any) -> Tensor:
    """``x[slice_spec]`` for integers, slices, ``...`` and None; numbers may be tensors."""
    parts = list(cast("Any", slice_spec)) if isinstance(slice_spec, list | tuple) else [slice_spec]
    begin: list[Any] = [0] * len(parts)
    end: list[Any] = [0] * len(parts)
    strides: list[Any] = [1] * len(parts)
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    for i, part in enumerate(parts):
        if part is Ellipsis:
            masks["ellipsis_mask"] |= 1 << i
        elif part is None:
            masks["new_axis_mask"] |= 1 << i
        elif isinstance(part, slice):
            part = cast("Any", part)
            begin[i], end[i], strides[i] = (_bound(part.start, 0), _bound(part.stop, 0), _bound(part.step, 1))
            masks["begin_mask"] |= (part.start is None) << i
            masks["end_mask"] |= (part.stop is None) << i
        else:
            begin[i] = _bound(part, 0)
            end[i] = begin[i] + 1
            masks["shrink_axis_mask"] |= 1 << i
    return apply("StridedSlice", convert(x), _bounds(begin), _bounds(end), _bounds(strides), **masks)


def _bound(value: Any, default: int) -> Any:
    if value is None:
        return default
    return convert(value) if is_tensor(value) and convert(value).symbolic else int(value)


def _bounds(values: Sequence[Any]) -> Tensor:
    if not any(is_tensor(value) for value in values):
        return ints(values)
    return apply("Pack", *[apply("Cast", convert(value), DstT=as_dtype("int32")) for value in values], axis=0)
