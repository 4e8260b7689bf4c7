"""Rows of different lengths: a flat tensor of values, and where each row of it ends.

``splits`` of n rows are n + 1 numbers, of which the first is 0: row i is ``values[splits[i]:splits[i + 1]]``.
"""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _row_lengths(partition: Array, kind: str, rows: int | None) -> Array:
    """The lengths of the rows, from their splits or from the number of the row that each value is in."""
    if kind == "ROW_SPLITS":
        return np.diff(partition)
    if kind == "VALUE_ROWIDS":
        return np.bincount(partition, minlength=rows or 0)
    raise ValueError(f"found rows described by {kind}, expected ROW_SPLITS or VALUE_ROWIDS")


def _filled(
    shape: Array, values: Array, default_value: Array, *partitions: Array, row_partition_types: Sequence[str]
) -> Array:
    """A tensor in which each row begins with its values; ``default_value`` where there are none.

    Sizes of ``shape`` cut and extend rows; -1 (or a scalar -1 in place of a shape) is the length of the longest.
    """
    kinds = list(row_partition_types)
    parts = list(partitions)
    rows: int | None = None
    if kinds[0] == "FIRST_DIM_SIZE":
        rows = int(parts.pop(0))
        kinds.pop(0)
    levels: list[Array] = []
    for part, kind in zip(parts, kinds, strict=True):
        levels.append(_row_lengths(part, kind, rows))
        rows = int(levels[-1].sum())
    sizes = [len(levels[0]), *(int(lengths.max(initial=0)) for lengths in levels), *values.shape[1:]]
    wanted = [-1] * len(sizes) if shape.ndim == 0 else [int(size) for size in shape]
    sizes = [found if size < 0 else size for found, size in zip(sizes, wanted, strict=True)]
    result = np.empty(sizes, values.dtype)
    result[...] = default_value
    _place(values, levels, np.arange(len(levels[0])), result)
    return result


def _place(values: Array, levels: Sequence[Array], row: Array, result: Array) -> None:
    """Each value to its place: the number of its row on every level, and its number in the row."""
    places: list[Array] = [row]
    for lengths in levels:
        starts = np.cumsum(lengths) - lengths
        within = np.arange(int(lengths.sum())) - np.repeat(starts, lengths)
        places = [*(np.repeat(place, lengths) for place in places), within]
    inside = np.ones(len(places[0]), bool)
    for place, size in zip(places, result.shape, strict=False):
        inside &= place < size
    index = tuple(place[inside] for place in places)
    cut = tuple(slice(0, size) for size in result.shape[len(places) :])
    result[index + cut] = values[: len(inside)][inside][(slice(None), *cut)]


def _filled_shape(shape: Tensor, values: Tensor, default: Tensor, *parts: Tensor, **attrs: Any) -> TensorShape:
    kinds = attrs["row_partition_types"]
    ragged = len(kinds) - (kinds[0] == "FIRST_DIM_SIZE")
    return TensorShape((None,) * (ragged + 1) + tuple(values.shape[1:]))


def _second(_: Tensor, values: Tensor, *__: Tensor, **___: Any) -> DType:
    return values.dtype


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


define("RaggedTensorToTensor", _filled, _filled_shape, _no_gradient, _second)


def _ranges(starts: Array, limits: Array, deltas: Array, Tsplits: str = "int64") -> tuple[Array, Array]:  # noqa: N803
    starts, limits, deltas = np.broadcast_arrays(*(np.atleast_1d(part) for part in (starts, limits, deltas)))
    rows = [np.arange(*bounds, dtype=starts.dtype) for bounds in zip(starts, limits, deltas, strict=True)]
    splits = np.cumsum([0, *map(len, rows)]).astype(Tsplits)
    return splits, np.concatenate([np.zeros(0, starts.dtype), *rows])


define(
    "RaggedRange",
    _ranges,
    lambda *_, **__: [TensorShape((None,)), TensorShape((None,))],
    _no_gradient,
    lambda starts, *_, Tsplits="int64": [as_dtype(Tsplits), starts.dtype],  # noqa: N803
    several=True,
)


def _gathered_rows(*inputs: Array) -> list[Array]:
    """Rows of rows, by the numbers of the outermost: the splits of each level, and the values."""
    *levels, values, indices = inputs
    splits: list[Array] = []
    for axis in range(indices.ndim - 1):
        count = int(np.prod(indices.shape[: axis + 1]))
        splits.append((np.arange(count + 1) * indices.shape[axis + 1]).astype(levels[0].dtype))
    rows = indices.ravel()
    if rows.size and (rows.min() < 0 or rows.max() >= len(levels[0]) - 1):
        raise ValueError(f"found rows outside of {len(levels[0]) - 1}")
    for level in levels:
        starts, lengths = level[rows], level[rows + 1] - level[rows]
        splits.append(np.concatenate([[0], np.cumsum(lengths)]).astype(level.dtype))
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = np.repeat(starts, lengths) + within
    return [*splits, values[rows]]


define(
    "RaggedGather",
    _gathered_rows,
    lambda *inputs: [
        *[TensorShape((None,))] * (len(inputs) - 3 + inputs[-1].shape.rank),
        TensorShape((None, *inputs[-2].shape[1:])),
    ],
    _no_gradient,
    lambda *inputs: [*[inputs[0].dtype] * (len(inputs) - 3 + inputs[-1].shape.rank), inputs[-2].dtype],
    several=True,
)


def _search(side: Any) -> Any:
    def kernel(sorted_inputs: Array, values: Array, out_type: str = "int32") -> Array:
        rows = zip(sorted_inputs, values, strict=True)
        return np.stack([np.searchsorted(row, wanted, side=side) for row, wanted in rows]).astype(out_type)

    return kernel


for _name, _side in (("LowerBound", "left"), ("UpperBound", "right")):
    define(
        _name,
        _search(_side),
        lambda sorted_inputs, values, out_type="int32": values.shape,
        _no_gradient,
        lambda sorted_inputs, values, out_type="int32": as_dtype(out_type),
    )
