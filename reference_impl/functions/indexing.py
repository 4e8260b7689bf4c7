"""Functions that take, put and move elements by their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from reference_impl.functions.api import api, ints
from reference_impl.functions.arrays import concat, gather, reshape, shape
from reference_impl.functions.elementwise import cast_to, less
from reference_impl.tensors import Tensor, apply, convert


def _numbers(values: Any) -> Tensor:
    return convert(values, hint="int32")


@api("gather_nd")
def gather_nd(
    params: Any, indices: Any, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Tensor:
    """The parts of ``params`` at ``indices`` (\\*many, places)."""
    _only_default(bad_indices_policy)
    if batch_dims:
        raise ValueError(f"gather_nd: batch_dims is not supported, found {batch_dims}")
    return apply("GatherNd", convert(params), _numbers(indices))


@api("compat.v1.gather_nd")
def _gather_nd(
    params: Any, indices: Any, name: str | None = None, batch_dims: int = 0, bad_indices_policy: str = ""
) -> Tensor:
    return gather_nd(params, indices, batch_dims, bad_indices_policy=bad_indices_policy)


def _only_default(bad_indices_policy: str) -> None:
    if bad_indices_policy not in ("", "DEFAULT"):
        raise ValueError(f"bad_indices_policy: only the default is supported, found {bad_indices_policy!r}")


@api("boolean_mask")
def boolean_mask(tensor: Any, mask: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """The parts of ``tensor`` where ``mask``, of its first axes, is True."""
    if axis:
        raise ValueError(f"boolean_mask: axis is not supported, found {axis}")
    return apply("GatherNd", convert(tensor), apply("Where", convert(mask)))


@api("compat.v1.boolean_mask")
def _boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: int | None = None) -> Tensor:
    return boolean_mask(tensor, mask, axis)


@api("scatter_nd")
def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None, bad_indices_policy: str = "") -> Tensor:
    """Zeros of ``shape`` with ``updates`` added at ``indices``."""
    _only_default(bad_indices_policy)
    return apply("ScatterNd", _numbers(indices), convert(updates), _numbers(shape))


def _put(symbol: str, op: str) -> Any:
    def function(
        tensor: Any, indices: Any, updates: Any, name: str | None = None, bad_indices_policy: str = ""
    ) -> Tensor:
        _only_default(bad_indices_policy)
        x = convert(tensor)
        return apply(op, x, _numbers(indices), convert(updates, hint=x.dtype))

    function.__name__ = symbol
    function.__doc__ = f"The op {op}: ``tensor`` changed at ``indices``."
    return api(symbol)(function)


tensor_scatter_nd_update = _put("tensor_scatter_nd_update", "TensorScatterUpdate")
tensor_scatter_nd_add = _put("tensor_scatter_nd_add", "TensorScatterAdd")
tensor_scatter_nd_sub = _put("tensor_scatter_nd_sub", "TensorScatterSub")
tensor_scatter_nd_max = _put("tensor_scatter_nd_max", "TensorScatterMax")
tensor_scatter_nd_min = _put("tensor_scatter_nd_min", "TensorScatterMin")


def _segments(kind: str) -> None:
    def by_order(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
        return apply(f"Segment{kind}", convert(data), _numbers(segment_ids))

    api(f"math.segment_{kind.lower()}")(by_order)


def _unsorted_segments(kind: str) -> None:
    def by_number(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
        return apply(f"UnsortedSegment{kind}", convert(data), _numbers(segment_ids), _numbers(num_segments))

    api(f"math.unsorted_segment_{kind.lower()}")(by_number)


for _kind in ("Sum", "Mean", "Max", "Min"):
    _segments(_kind)
for _kind in ("Sum", "Max", "Min", "Prod"):
    _unsorted_segments(_kind)


@api("roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Moved by ``shift`` along ``axis``; what falls out at the end comes in at the start."""
    return apply("Roll", convert(input), _numbers(shift), _numbers(axis))


@api("reverse_sequence")
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int, batch_axis: int = 0, name: str | None = None
) -> Tensor:
    """The first ``seq_lengths[i]`` elements of row ``i`` backwards."""
    return apply(
        "ReverseSequence", convert(input), _numbers(seq_lengths), seq_dim=int(seq_axis), batch_dim=int(batch_axis)
    )


@api("strided_slice")
def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    starts = _numbers(begin)
    steps = ints([1] * int(cast("int", starts.shape[0]))) if strides is None else _numbers(strides)
    return apply(
        "StridedSlice",
        convert(input_),
        starts,
        _numbers(end),
        steps,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )


@api("meshgrid")
def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Vectors to arrays of all their axes; ``indexing`` "xy" (the default) swaps the first two."""
    vectors = [convert(value) for value in args]
    count = len(vectors)
    swapped = kwargs.get("indexing", "xy") == "xy" and count > 1
    places = [1, 0, *range(2, count)] if swapped else list(range(count))
    sizes: list[Any] = [None] * count
    for vector, place in zip(vectors, places, strict=True):
        sizes[place] = shape(vector)[0]
    whole = concat([reshape(size, [1]) for size in sizes], 0)
    return [
        apply("BroadcastTo", reshape(vector, [-1 if at == place else 1 for at in range(count)]), whole)
        for vector, place in zip(vectors, places, strict=True)
    ]


@api("sequence_mask")
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: str = "bool", name: str | None = None) -> Tensor:
    """(\\*lengths, ``maxlen``): True in the first ``lengths`` places; ``maxlen`` None is the greatest length."""
    numbers = convert(lengths, hint="int32")
    most = apply("Max", reshape(numbers, [-1]), ints([0]), keep_dims=False) if maxlen is None else maxlen
    stop = cast_to(convert(most, hint=numbers.dtype), numbers.dtype)
    zero, one = (convert(np.array(value, numbers.dtype.name)) for value in (0, 1))
    found = less(apply("Range", zero, stop, one), apply("ExpandDims", numbers, ints(-1)))
    return cast_to(found, dtype)


@api("nn.embedding_lookup")
def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """The rows ``ids`` of ``params``, which is one tensor."""
    if isinstance(params, list | tuple) and len(cast("Sequence[Any]", params)) > 1:
        raise ValueError("nn.embedding_lookup: a table in several parts is not supported; concatenate them")
    if max_norm is not None:
        raise ValueError(f"nn.embedding_lookup: max_norm is not supported, found {max_norm}")
    return gather(params, ids, axis=0)


@api("compat.v1.nn.embedding_lookup")
def _embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: Any = None,
) -> Tensor:
    return embedding_lookup(params, ids, max_norm)
