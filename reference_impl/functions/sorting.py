"""Functions that put values in order, or find them by their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.functions.api import api, ints
from reference_impl.functions.arrays import reshape, shape, transpose
from reference_impl.functions.elementwise import cast_to, negative
from reference_impl.tensors import Tensor, apply, apply_several, convert


@api("math.top_k", "nn.top_k")
def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The ``k`` largest along the last axis, and their places (int32)."""
    values, places = apply_several("TopKV2", convert(input), ints(k), sorted=sorted)
    return values, places


def _descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"direction: found {direction!r}, expected ASCENDING or DESCENDING")
    return direction == "DESCENDING"


def _ordered(values: Any, axis: int, direction: str) -> tuple[Tensor, Tensor]:
    x = convert(values)
    rank = len(x.shape)
    swap = list(range(rank))
    swap[axis % rank], swap[-1] = swap[-1], swap[axis % rank]
    last = transpose(x, swap)
    signed = last if _descending(direction) else negative(last)
    found, places = apply_several("TopKV2", signed, shape(last)[-1], sorted=True)
    back = found if _descending(direction) else negative(found)
    return transpose(back, swap), transpose(places, swap)


@api("sort")
def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    return _ordered(values, axis, direction)[0]


@api("argsort")
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """The places (int32) of the elements in order; equal ones keep their order."""
    return _ordered(values, axis, direction)[1]


@api("math.in_top_k", "nn.in_top_k")
def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether the element at each target is among the ``k`` largest of its row: bool, (batch,)."""
    tensor = convert(targets)
    return apply("InTopKV2", convert(predictions), tensor, cast_to(convert(k, hint=tensor.dtype), tensor.dtype))


@api("compat.v1.math.in_top_k", "compat.v1.nn.in_top_k")
def _in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    return in_top_k(targets, predictions, k)


@api("searchsorted")
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: str = "int32", name: str | None = None
) -> Tensor:
    """Where each of ``values`` would be put in the sorted rows (\\*rows, n)."""
    rows = convert(sorted_sequence)
    wanted = convert(values, hint=rows.dtype)
    op = {"left": "LowerBound", "right": "UpperBound"}[side]
    flat = [reshape(x, [-1, shape(x)[-1]]) if len(x.shape) != 2 else x for x in (rows, wanted)]
    return reshape(apply(op, *flat, out_type=str(out_type)), shape(wanted))


@api("unique")
def unique(x: Any, out_idx: str = "int32", name: str | None = None) -> tuple[Tensor, Tensor]:
    """The different elements in the order of their first places, and which of them each element is."""
    values, places = apply_several("Unique", convert(x), out_idx=str(out_idx))
    return values, places


@api("math.argmin")
def argmin(input: Any, axis: int = 0, output_type: str = "int64", name: str | None = None) -> Tensor:
    return apply("ArgMin", convert(input), ints(axis), output_type=str(output_type))


@api("math.bincount")
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: str = "int32",
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Tensor:
    """How often each number from 0 on is there: (largest + 1,), at least ``minlength``."""
    if axis is not None or binary_output or weights is not None or maxlength is not None:
        raise ValueError("math.bincount: of the arguments only minlength is supported")
    numbers = cast_to(reshape(arr, [-1]), "int32")
    most = apply("Max", numbers, ints([0]), keep_dims=False) + 1
    size = apply("Maximum", most, convert(minlength or 0, hint="int32"))
    return apply("DenseBincount", numbers, size, convert(np.zeros(0, numpy_dtype(as_dtype(dtype)))))
