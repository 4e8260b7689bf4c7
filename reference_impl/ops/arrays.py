"""Operations that move, join, repeat and pick elements."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.elementwise import sum_to
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape, as_shape, fits
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _ints(values: Sequence[Any]) -> Tensor:
    return convert(np.array(values, np.int32))


def known_sizes(shape: Tensor) -> TensorShape:
    """What is known of the sizes that an integer tensor of rank 1 holds, symbolic ones included."""
    if shape.array is not None:
        return TensorShape(None if size < 0 else int(size) for size in shape.array)
    call = shape.producer
    if call is not None and call.op.name == "Shape":
        return call.inputs[0].shape
    if call is not None and call.op.name == "Pack":
        return TensorShape(None if part.array is None else int(part.array) for part in call.inputs)
    if call is not None and call.op.name == "ConcatV2":
        return TensorShape(size for part in call.inputs[:-1] for size in known_sizes(part))
    if call is not None and call.op.name == "StridedSlice" and not call.attrs.get("shrink_axis_mask"):
        sizes = np.empty(len(call.inputs[0].shape) and (call.inputs[0].shape[0] or 0), dtype=object)
        sizes[:] = known_sizes(call.inputs[0])
        index = _index([part.value for part in call.inputs[1:]], call.attrs)
        return TensorShape(sizes[index].tolist())
    return TensorShape((None,) * (shape.shape[0] or 0))


define(
    "Shape",
    kernel=lambda input, out_type="int32": np.array(input.shape, dtype=out_type),
    shape=lambda input, out_type="int32": TensorShape((len(input.shape),)),
    dtype=lambda input, out_type="int32": as_dtype(out_type),
    gradient=_no_gradient,
)


# -- the same elements in another arrangement -------------------------------------------------------------------


def _reshaped(tensor: Tensor, shape: Tensor) -> TensorShape:
    sizes = known_sizes(shape)
    total = tensor.shape.num_elements()
    unknown = [axis for axis, size in enumerate(sizes) if size is None]
    known = 1
    for size in sizes:
        known *= 1 if size is None else size
    if total is not None and len(unknown) == 1 and known:
        if total % known:
            raise ValueError(f"{total} elements do not fill the shape {tuple(sizes)}")
        return TensorShape(total // known if size is None else size for size in sizes)
    if total is not None and not unknown and total != known:
        raise ValueError(f"{total} elements do not fill the shape {tuple(sizes)}")
    return sizes


def _like(gradient: Tensor, tensor: Tensor) -> Tensor:
    return apply("Reshape", gradient, _ints(tensor.shape))


define(
    "Reshape",
    kernel=lambda tensor, shape: np.reshape(tensor, tuple(int(size) for size in shape)),
    shape=_reshaped,
    gradient=lambda dy, y, tensor, shape: (_like(dy, tensor),),
)
define(
    "Transpose",
    kernel=lambda x, perm: np.transpose(x, perm),
    shape=lambda x, perm: TensorShape(x.shape[int(axis)] for axis in perm.value),
    gradient=lambda dy, y, x, perm: (apply("Transpose", dy, _ints(np.argsort(perm.value).tolist())),),
)


def _expanded_shape(input: Tensor, dim: Tensor) -> TensorShape:
    place = int(dim.value) % (len(input.shape) + 1)
    return TensorShape((*input.shape[:place], 1, *input.shape[place:]))


def _squeeze_axes(shape: Sequence[Dim], squeeze_dims: Sequence[int]) -> tuple[int, ...]:
    if squeeze_dims:
        return tuple(axis % len(shape) for axis in squeeze_dims)
    return tuple(axis for axis, size in enumerate(shape) if size == 1)


def _squeezed_shape(input: Tensor, squeeze_dims: Sequence[int] = ()) -> TensorShape:
    axes = _squeeze_axes(input.shape, squeeze_dims)
    return TensorShape(size for axis, size in enumerate(input.shape) if axis not in axes)


define(
    "ExpandDims",
    kernel=lambda input, dim: np.expand_dims(input, dim.item()),
    shape=_expanded_shape,
    gradient=lambda dy, y, input, dim: (_like(dy, input),),
)
define(
    "Squeeze",
    kernel=lambda input, squeeze_dims=(): np.squeeze(input, _squeeze_axes(input.shape, squeeze_dims)),
    shape=_squeezed_shape,
    gradient=lambda dy, y, input, squeeze_dims=(): (_like(dy, input),),
)
define(
    "BroadcastTo",
    kernel=lambda input, shape: np.broadcast_to(input, tuple(int(size) for size in shape)),
    shape=lambda input, shape: known_sizes(shape),
    gradient=lambda dy, y, input, shape: (sum_to(dy, input),),
)


def _tiled_shape(input: Tensor, multiples: Tensor) -> TensorShape:
    times = [int(count) for count in multiples.value]
    return TensorShape(None if size is None else size * n for size, n in zip(input.shape, times, strict=True))


def _tile_gradient(dy: Tensor, y: Tensor, input: Tensor, multiples: Tensor) -> tuple[Tensor]:
    pairs = [part for n, size in zip(multiples.value, input.shape, strict=True) for part in (int(n), size)]
    split = apply("Reshape", dy, _ints(pairs))
    return (apply("Sum", split, _ints(range(0, len(pairs), 2)), keep_dims=False),)


define("Tile", lambda input, multiples: np.tile(input, multiples), _tiled_shape, _tile_gradient)


# -- joining -----------------------------------------------------------------------------------------------------


def _joined_shape(*inputs: Tensor) -> TensorShape:
    *values, axis_tensor = inputs
    rank = len(values[0].shape)
    axis = int(axis_tensor.value) % rank
    for value in values:
        others = [(*v.shape[:axis], None, *v.shape[axis + 1 :]) for v in (values[0], value)]
        if not fits(*others):
            raise ValueError("all sizes but those of the joined axis must be equal")
    sizes = list(values[0].shape)
    along = [value.shape[axis] for value in values]
    sizes[axis] = None if None in along else sum(size for size in along if size is not None)
    return TensorShape(sizes)


def _along(rank: int, axis: int, start: int, stop: int) -> dict[str, Any]:
    """StridedSlice's inputs and masks for ``start:stop`` along one axis and everything along the others."""
    everything = sum(1 << other for other in range(rank) if other != axis)
    begin, end = [0] * rank, [0] * rank
    begin[axis], end[axis] = start, stop
    return {"begin": begin, "end": end, "mask": everything}


def _join_gradient(dy: Tensor, y: Tensor, *inputs: Tensor) -> list[Tensor]:
    *values, axis_tensor = inputs
    rank = len(dy.shape)
    axis = int(axis_tensor.value) % rank
    gradients: list[Tensor] = []
    start = 0
    for value in values:
        stop = start + value.shape[axis]
        where = _along(rank, axis, start, stop)
        gradients.append(
            apply(
                "StridedSlice",
                dy,
                _ints(where["begin"]),
                _ints(where["end"]),
                _ints([1] * rank),
                begin_mask=where["mask"],
                end_mask=where["mask"],
            )
        )
        start = stop
    return gradients


def _packed_shape(*values: Tensor, axis: int = 0) -> TensorShape:
    place = axis % (len(values[0].shape) + 1)
    return TensorShape((*values[0].shape[:place], len(values), *values[0].shape[place:]))


def _pack_gradient(dy: Tensor, y: Tensor, *values: Tensor, axis: int = 0) -> list[Tensor]:
    indices = [convert(np.array(i, np.int32)) for i in range(len(values))]
    place = convert(np.array(axis, np.int32))
    return [apply("GatherV2", dy, index, place) for index in indices]


define(
    "ConcatV2",
    kernel=lambda *inputs: np.concatenate(inputs[:-1], axis=int(inputs[-1])),
    shape=_joined_shape,
    gradient=_join_gradient,
)
define("Pack", lambda *values, axis=0: np.stack(values, axis), _packed_shape, _pack_gradient)


# -- picking -----------------------------------------------------------------------------------------------------


def _gathered_shape(params: Tensor, indices: Tensor, axis: Tensor, **_: Any) -> TensorShape:
    place = int(axis.value) % len(params.shape)
    return TensorShape((*params.shape[:place], *indices.shape, *params.shape[place + 1 :]))


def _gather_gradient(dy: Tensor, y: Tensor, params: Tensor, indices: Tensor, axis: Tensor) -> tuple[Tensor]:
    place = int(axis.value) % len(params.shape)
    rank, width = len(params.shape), len(indices.shape)
    # The indices' axes to the front, then one row of the gradient for each index.
    front = [*range(place, place + width), *range(place), *range(place + width, len(dy.shape))]
    rest = [size for other, size in enumerate(params.shape) if other != place]
    rows = apply("Reshape", apply("Transpose", dy, _ints(front)), _ints([-1, *rest]))
    segments = apply("Reshape", indices, _ints([-1]))
    summed = apply("UnsortedSegmentSum", rows, segments, convert(np.array(params.shape[place], np.int32)))
    back = [*range(1, place + 1), 0, *range(place + 1, rank)]
    return (apply("Transpose", summed, _ints(back)),)


def _segment_sum(data: Array, segment_ids: Array, num_segments: Array) -> Array:
    result = np.zeros((int(num_segments), *data.shape[segment_ids.ndim :]), data.dtype)
    np.add.at(result, segment_ids, data)
    return result


def _gather(params: Array, indices: Array, axis: Array) -> Array:
    place = int(axis)
    if indices.size and indices.min() < 0:
        # NumPy would count it from the end. Those that are too large it refuses itself.
        raise IndexError(f"found the index {int(indices.min())}, expected 0 to {params.shape[place] - 1}")
    return np.take(params, indices.astype(np.int64), axis=place)


define(
    "GatherV2",
    kernel=_gather,
    shape=_gathered_shape,
    gradient=_gather_gradient,
)
define(
    "UnsortedSegmentSum",
    kernel=_segment_sum,
    shape=lambda data, segment_ids, num_segments: TensorShape(
        (int(num_segments.value), *data.shape[len(segment_ids.shape) :])
    ),
    gradient=lambda dy, y, data, segment_ids, num_segments: (
        apply("GatherV2", dy, segment_ids, convert(np.array(0, np.int32))),
    ),
)


def _bit(mask: int, position: int) -> bool:
    return bool(mask >> position & 1)


def _index(bounds: Sequence[Array], attrs: dict[str, Any]) -> tuple[Any, ...]:
    """StridedSlice's begin, end, strides and masks as a NumPy index."""
    index: list[Any] = []
    for i, (begin, end, stride) in enumerate(zip(*bounds, strict=True)):
        if _bit(attrs.get("ellipsis_mask", 0), i):
            index.append(Ellipsis)
        elif _bit(attrs.get("new_axis_mask", 0), i):
            index.append(None)
        elif _bit(attrs.get("shrink_axis_mask", 0), i):
            index.append(int(begin))
        else:
            start = None if _bit(attrs.get("begin_mask", 0), i) else int(begin)
            stop = None if _bit(attrs.get("end_mask", 0), i) else int(end)
            index.append(slice(start, stop, int(stride)))
    return tuple(index)


def _sliced_shape(input: Tensor, *bounds: Tensor, **attrs: Any) -> TensorShape:
    known = not any(bound.symbolic for bound in bounds)
    values = [bound.value if known else np.ones(bound.shape[0] or 0, np.int32) for bound in bounds]
    index = _index(values, attrs)
    whole = len(input.shape) - sum(part is not None and part is not Ellipsis for part in index)
    if whole < 0:
        raise ValueError(f"found {len(index)} indices for a tensor of {len(input.shape)} axes")
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    place = index.index(Ellipsis)
    index = (*index[:place], *(slice(None),) * whole, *index[place + 1 :])
    sizes = iter(input.shape)
    kept: list[Dim] = []
    for part in index:
        if part is None:
            kept.append(1)
            continue
        size = next(sizes)
        if isinstance(part, slice) and not known and (part.start, part.stop) != (None, None):
            kept.append(None)
        elif isinstance(part, slice):
            # Two sizes that are not known to be other than the real one tell whether it matters.
            guesses = [1 << 20, (1 << 20) + 1] if size is None else [size]
            counts = {len(range(*part.indices(guess))) for guess in guesses}
            kept.append(counts.pop() if len(counts) == 1 else None)
        elif isinstance(part, int) and known and size is not None and not -size <= part < size:
            raise IndexError(f"index {part} is out of bounds for an axis of size {size}")
    return TensorShape(kept)


def _slice_gradient(dy: Tensor, y: Tensor, input: Tensor, *bounds: Tensor, **attrs: Any) -> tuple[Tensor]:
    return (apply("StridedSliceGrad", _ints(input.shape), *bounds, dy, **attrs),)


def _slice_back(shape: Array, begin: Array, end: Array, strides: Array, dy: Array, **attrs: Any) -> Array:
    result = np.zeros(tuple(shape), dy.dtype)
    result[_index([begin, end, strides], attrs)] = dy
    return result


define(
    "StridedSlice",
    kernel=lambda input, begin, end, strides, **attrs: input[_index([begin, end, strides], attrs)],
    shape=_sliced_shape,
    gradient=_slice_gradient,
)
define(
    "StridedSliceGrad",
    kernel=_slice_back,
    shape=lambda shape, *_, **__: known_sizes(shape),
    dtype=lambda shape, begin, end, strides, dy, **_: dy.dtype,
)


# -- making ------------------------------------------------------------------------------------------------------


def _one_hot(indices: Array, depth: Array, on_value: Array, off_value: Array, axis: int = -1) -> Array:
    hot = indices[..., None] == np.arange(int(depth))
    return np.moveaxis(np.where(hot, on_value, off_value), -1, axis)


def _one_hot_shape(indices: Tensor, depth: Tensor, *_: Tensor, axis: int = -1) -> TensorShape:
    place = axis % (len(indices.shape) + 1)
    return TensorShape((*indices.shape[:place], int(depth.value), *indices.shape[place:]))


def _on_dtype(indices: Tensor, depth: Tensor, on_value: Tensor, *_: Any, **__: Any) -> DType:
    return on_value.dtype


define("OneHot", _one_hot, _one_hot_shape, _no_gradient, _on_dtype)
define(
    "Fill",
    kernel=lambda dims, value: np.full(tuple(int(size) for size in dims), value, value.dtype),
    shape=lambda dims, value: as_shape(known_sizes(dims)),
    dtype=lambda dims, value: value.dtype,
    gradient=lambda dy, y, dims, value: (None, sum_to(dy, value)),
)
