"""Functions that arrange elements: shapes, joining, taking parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from reference_impl.dtypes import numpy_dtype
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
def gather(params: Any, indices: Any, axis: int = 0, name: str | None = None) -> Tensor:
    return apply("GatherV2", convert(params), convert(indices), ints(axis))


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
    """``x[slice_spec]`` for integers, slices, ``...`` and None."""
    parts = list(cast("Any", slice_spec)) if isinstance(slice_spec, list | tuple) else [slice_spec]
    begin, end, strides = [0] * len(parts), [0] * len(parts), [1] * len(parts)
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
            begin[i], end[i] = int(part), int(part) + 1
            masks["shrink_axis_mask"] |= 1 << i
    return apply("StridedSlice", convert(x), ints(begin), ints(end), ints(strides), **masks)


def _bound(value: Any, default: int) -> int:
    return default if value is None else int(value)
