"""The largest, the different, and those that an index or a number picks."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.splitting import present
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _shape_of_first(tensor: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return tensor.shape


# -- the largest -------------------------------------------------------------------------------------------------


def _top(input: Array, k: Any, sorted: bool = True, index_type: str = "int32") -> tuple[Array, Array]:
    """The largest along the last axis, of equal ones the first."""
    count = int(k)
    if count > input.shape[-1]:
        raise ValueError(f"the {count} largest of {input.shape[-1]} were asked for")
    # A stable sort of the turned row, turned back, has the first of equal ones first.
    order = input.shape[-1] - 1 - np.argsort(input[..., ::-1], axis=-1, kind="stable")
    places = order[..., ::-1][..., :count]
    return np.take_along_axis(input, places, axis=-1), places.astype(index_type)


def _top_shapes(input: Tensor, k: Any, **_: Any) -> list[TensorShape]:
    count: Dim = k if isinstance(k, int) else None if k.array is None else int(k.value)
    return [TensorShape((*input.shape[:-1], count))] * 2


def _top_gradient(dys: Sequence[Tensor | None], ys: Sequence[Tensor], input: Tensor, *_: Any, **__: Any) -> Any:
    dy = present(dys[:1], ys[:1])[0]
    depth = convert(np.array(input.shape[-1], np.int32))
    one, zero = (convert(np.array(value, input.value.dtype)) for value in (1, 0))
    hot = apply("OneHot", ys[1], depth, one, zero, axis=-1)
    spread = apply("ExpandDims", dy, convert(np.array(-1, np.int32))) * hot
    return (apply("Sum", spread, convert(np.array([-2], np.int32)), keep_dims=False),)


def _top_dtypes(input: Tensor, *_: Any, index_type: str = "int32", **__: Any) -> list[DType]:
    return [input.dtype, as_dtype(index_type)]


define("TopKV2", _top, _top_shapes, _top_gradient, _top_dtypes, several=True)
define("TopK", _top, _top_shapes, _top_gradient, _top_dtypes, several=True)


def _among_top(predictions: Array, targets: Array, k: Array) -> Array:
    """Whether fewer than ``k`` predictions are larger than that of the target."""
    inside = (targets >= 0) & (targets < predictions.shape[1])
    chosen = np.take_along_axis(predictions, np.where(inside, targets, 0)[:, None].astype(np.int64), axis=1)
    return inside & np.isfinite(chosen[:, 0]) & ((predictions > chosen).sum(axis=1) < int(k))


define("InTopKV2", _among_top, lambda predictions, targets, k: targets.shape, _no_gradient, lambda *_: DType("bool"))
define(
    "NthElement",
    lambda input, n, reverse=False: np.sort(input, axis=-1)[..., -1 - int(n) if reverse else int(n)],
    lambda input, n, reverse=False: TensorShape(input.shape[:-1]),
)


# -- the different -----------------------------------------------------------------------------------------------


def _different(x: Array) -> tuple[Array, Array, Array]:
    """The different elements in the order in which they come, for each element which one it is, and the counts."""
    numbers: dict[Any, int] = {}
    places = [numbers.setdefault(item, len(numbers)) for item in x.tolist()]
    counts = np.bincount(np.array(places, np.int64), minlength=len(numbers))
    first = np.zeros(len(numbers), np.int64)
    for place, number in reversed(list(enumerate(places))):
        first[number] = place
    return x[first], np.array(places, np.int64), counts


def _unique(x: Array, out_idx: str = "int32") -> tuple[Array, Array]:
    y, idx, _ = _different(x)
    return y, idx.astype(out_idx)


def _unique_along(x: Array, axis: Array, out_idx: str = "int32") -> tuple[Array, Array]:
    if x.ndim != 1:
        raise ValueError(f"different slices of a tensor of {x.ndim} axes; only those of a list are found")
    return _unique(x, out_idx)


def _unique_counted(x: Array, out_idx: str = "int32") -> tuple[Array, Array, Array]:
    y, idx, counts = _different(x)
    return y, idx.astype(out_idx), counts.astype(out_idx)


_UNKNOWN = TensorShape((None,))
define(
    "Unique",
    _unique,
    lambda x, out_idx="int32": [_UNKNOWN, x.shape],
    _no_gradient,
    lambda x, out_idx="int32": [x.dtype, as_dtype(out_idx)],
    several=True,
)
define(
    "UniqueV2",
    _unique_along,
    lambda x, axis, out_idx="int32": [_UNKNOWN, x.shape],
    _no_gradient,
    lambda x, axis, out_idx="int32": [x.dtype, as_dtype(out_idx)],
    several=True,
)
define(
    "UniqueWithCounts",
    _unique_counted,
    lambda x, out_idx="int32": [_UNKNOWN, x.shape, _UNKNOWN],
    _no_gradient,
    lambda x, out_idx="int32": [x.dtype, as_dtype(out_idx), as_dtype(out_idx)],
    several=True,
)


# -- changed in places -------------------------------------------------------------------------------------------


def _changed(function: Any) -> Any:
    def kernel(tensor: Array, indices: Array, updates: Array) -> Array:
        result = tensor.copy()
        places = tuple(np.moveaxis(indices, -1, 0))
        if any(((place < 0) | (place >= size)).any() for place, size in zip(places, tensor.shape, strict=False)):
            raise ValueError(f"places outside of a tensor of shape {tensor.shape}")
        function(result, places, updates)
        return result

    return kernel


def _set(result: Array, places: Any, updates: Array) -> None:
    result[places] = updates


def _updated_gradient(dy: Tensor, y: Tensor, tensor: Tensor, indices: Tensor, updates: Tensor) -> Any:
    kept = apply("TensorScatterUpdate", dy, indices, apply("ZerosLike", updates))
    return kept, None, apply("GatherNd", dy, indices)


def _added_gradient(dy: Tensor, y: Tensor, tensor: Tensor, indices: Tensor, updates: Tensor) -> Any:
    return dy, None, apply("GatherNd", dy, indices)


def _taken_gradient(dy: Tensor, y: Tensor, tensor: Tensor, indices: Tensor, updates: Tensor) -> Any:
    return dy, None, -apply("GatherNd", dy, indices)


define("TensorScatterUpdate", _changed(_set), _shape_of_first, _updated_gradient)
define("TensorScatterAdd", _changed(np.add.at), _shape_of_first, _added_gradient)
define("TensorScatterSub", _changed(np.subtract.at), _shape_of_first, _taken_gradient)
define("TensorScatterMax", _changed(np.maximum.at), _shape_of_first)
define("TensorScatterMin", _changed(np.minimum.at), _shape_of_first)


# -- sorted into lists, and back ---------------------------------------------------------------------------------


def _partition(data: Array, partitions: Array, num_partitions: int) -> list[Array]:
    return [data[partitions == number] for number in range(num_partitions)]


def _stitch(*inputs: Array) -> Array:
    """Rows to the places that the indices name; of rows of one place the last."""
    half = len(inputs) // 2
    indices, data = inputs[:half], inputs[half:]
    height = max((int(places.max()) + 1 for places in indices if places.size), default=0)
    merged = np.zeros((height, *data[0].shape[indices[0].ndim :]), data[0].dtype)
    for places, rows in zip(indices, data, strict=True):
        merged[places] = rows
    return merged


def _stitch_gradient(dy: Tensor, y: Tensor, *inputs: Tensor) -> list[Tensor | None]:
    half = len(inputs) // 2
    rows = [apply("GatherV2", dy, places, convert(np.array(0, np.int32))) for places in inputs[:half]]
    return [*[None] * half, *rows]


define(
    "DynamicPartition",
    _partition,
    lambda data, partitions, num_partitions: (
        [TensorShape((None, *data.shape[len(partitions.shape) :]))] * num_partitions
    ),
    dtype=lambda data, partitions, num_partitions: [data.dtype] * num_partitions,
    several=True,
)
for _name in ("DynamicStitch", "ParallelDynamicStitch"):
    define(
        _name,
        _stitch,
        lambda *inputs: TensorShape((None, *inputs[len(inputs) // 2].shape[len(inputs[0].shape) :])),
        _stitch_gradient,
        lambda *inputs: inputs[-1].dtype,
    )
define(
    "UnravelIndex",
    lambda indices, dims: np.stack(np.unravel_index(indices, tuple(dims))).astype(indices.dtype),
    lambda indices, dims: TensorShape((dims.shape[0], *indices.shape)),
    _no_gradient,
)
define(
    "Gather",
    lambda params, indices: np.take(params, indices, axis=0),
    lambda params, indices: TensorShape((*indices.shape, *params.shape[1:])),
    lambda dy, y, params, indices: (
        apply("UnsortedSegmentSum", dy, indices, convert(np.array(params.shape[0], np.int32))),
    ),
)
define(
    "ParallelConcat",
    lambda *values, shape=None: np.concatenate(values),
    lambda *values, shape=None: TensorShape((len(values), *values[0].shape[1:])),
)


# -- segments ----------------------------------------------------------------------------------------------------


def _sorted_sum(data: Array, segment_ids: Array) -> Array:
    count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
    sums = np.zeros((count, *data.shape[1:]), data.dtype)
    np.add.at(sums, segment_ids, data)
    return sums


def _sorted_mean(data: Array, segment_ids: Array) -> Array:
    sums = _sorted_sum(data, segment_ids)
    counts = np.maximum(np.bincount(segment_ids, minlength=len(sums)), 1).astype(data.dtype)
    return sums / counts.reshape(-1, *[1] * (data.ndim - 1))


def _segments_shape(data: Tensor, segment_ids: Tensor) -> TensorShape:
    return TensorShape((None, *data.shape[1:]))


define(
    "SegmentSum",
    _sorted_sum,
    _segments_shape,
    lambda dy, y, data, segment_ids: (apply("Gather", dy, segment_ids),),
)
define("SegmentMean", _sorted_mean, _segments_shape)


def _sorted_reduced(function: Any) -> Any:
    def kernel(data: Array, segment_ids: Array) -> Array:
        """A segment that has no rows is zero."""
        count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
        result = np.zeros((count, *data.shape[1:]), data.dtype)
        result[segment_ids] = data
        function.at(result, segment_ids, data)
        return result

    return kernel


define("SegmentMax", _sorted_reduced(np.maximum), _segments_shape)
define("SegmentMin", _sorted_reduced(np.minimum), _segments_shape)


def _reduced(function: Any, start: Any) -> Any:
    def kernel(data: Array, segment_ids: Array, num_segments: Array) -> Array:
        """A segment that has no rows is what there is to begin with."""
        result = np.full((int(num_segments), *data.shape[segment_ids.ndim :]), start(data.dtype), data.dtype)
        function.at(result, segment_ids, data)
        return result

    return kernel


def _lowest(dtype: np.dtype[Any]) -> Any:
    return np.finfo(dtype).min if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: np.dtype[Any]) -> Any:
    return np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max


for _name, _function, _start in (
    ("UnsortedSegmentMax", np.maximum, _lowest),
    ("UnsortedSegmentMin", np.minimum, _highest),
    ("UnsortedSegmentProd", np.multiply, lambda dtype: 1),
):
    define(
        _name,
        _reduced(_function, _start),
        lambda data, segment_ids, num_segments: TensorShape((None, *data.shape[len(segment_ids.shape) :])),
    )
