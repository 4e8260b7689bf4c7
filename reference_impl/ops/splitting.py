"""Taking a tensor apart along an axis, and turning axes around."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def present(gradients: Sequence[Tensor | None], outputs: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of the outputs, zeros for those that nothing depends on."""
    return [
        apply("ZerosLike", output) if gradient is None else gradient
        for gradient, output in zip(gradients, outputs, strict=True)
    ]


def _resized(shape: TensorShape, axis: int, size: Dim) -> TensorShape:
    place = axis % len(shape)
    return TensorShape((*shape[:place], size, *shape[place + 1 :]))


def _joined(dys: Sequence[Tensor | None], ys: Sequence[Tensor], axis: int) -> Tensor:
    return apply("ConcatV2", *present(dys, ys), convert(np.array(axis, np.int32)))


# -- equal parts -------------------------------------------------------------------------------------------------


def _split(split_dim: Array, value: Array, num_split: int) -> list[Array]:
    size = value.shape[int(split_dim)]
    if size % num_split:
        raise ValueError(f"{size} along axis {int(split_dim)} cannot be split into {num_split} equal parts")
    return np.split(value, num_split, axis=int(split_dim))


def _split_shapes(split_dim: Tensor, value: Tensor, num_split: int) -> list[TensorShape]:
    axis = int(split_dim.value)
    size = value.shape[axis % len(value.shape)]
    if size is not None and size % num_split:
        raise ValueError(f"{size} along axis {axis} cannot be split into {num_split} equal parts")
    return [_resized(value.shape, axis, None if size is None else size // num_split)] * num_split


define(
    "Split",
    kernel=_split,
    shape=_split_shapes,
    gradient=lambda dys, ys, split_dim, value, num_split: (None, _joined(dys, ys, int(split_dim.value))),
    dtype=lambda split_dim, value, num_split: [value.dtype] * num_split,
    several=True,
)


# -- parts of given sizes ----------------------------------------------------------------------------------------


def _sizes(total: int, sizes: Array) -> list[int]:
    """The sizes, what is left for one that is -1."""
    known = [int(size) for size in sizes]
    if -1 in known:
        known[known.index(-1)] = total - (sum(known) + 1)
    if min(known, default=0) < 0 or sum(known) != total:
        raise ValueError(f"{total} cannot be split into parts of {[int(size) for size in sizes]}")
    return known


def _split_apart(value: Array, size_splits: Array, split_dim: Array, num_split: int) -> list[Array]:
    axis = int(split_dim)
    return np.split(value, np.cumsum(_sizes(value.shape[axis], size_splits))[:-1], axis=axis)


def _split_apart_shapes(value: Tensor, size_splits: Tensor, split_dim: Tensor, num_split: int) -> list[TensorShape]:
    axis = int(split_dim.value)
    return [_resized(value.shape, axis, None if size < 0 else int(size)) for size in size_splits.value]


define(
    "SplitV",
    kernel=_split_apart,
    shape=_split_apart_shapes,
    gradient=lambda dys, ys, value, size_splits, split_dim, num_split: (_joined(dys, ys, int(split_dim.value)),),
    dtype=lambda value, size_splits, split_dim, num_split: [value.dtype] * num_split,
    several=True,
)


# -- single slices -----------------------------------------------------------------------------------------------


def _unpack(value: Array, num: int, axis: int = 0) -> list[Array]:
    if value.shape[axis] != num:
        raise ValueError(f"{value.shape[axis]} along axis {axis} cannot be unpacked into {num}")
    return list(np.moveaxis(value, axis, 0))


def _unpack_shapes(value: Tensor, num: int, axis: int = 0) -> list[TensorShape]:
    place = axis % len(value.shape)
    return [TensorShape((*value.shape[:place], *value.shape[place + 1 :]))] * num


define(
    "Unpack",
    kernel=_unpack,
    shape=_unpack_shapes,
    gradient=lambda dys, ys, value, num, axis=0: (apply("Pack", *present(dys, ys), axis=axis),),
    dtype=lambda value, num, axis=0: [value.dtype] * num,
    several=True,
)


# -- turning around ----------------------------------------------------------------------------------------------


def _shape_of_first(tensor: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return tensor.shape


def _reverse_sequence(input: Array, seq_lengths: Array, seq_dim: int, batch_dim: int = 0) -> Array:
    """Of each element of the batch the first ``seq_lengths`` steps turned around."""
    steps = np.arange(input.shape[seq_dim])
    lengths = seq_lengths[:, None]
    places = np.where(steps < lengths, lengths - 1 - steps, steps)
    batch_first = np.moveaxis(input, (batch_dim, seq_dim), (0, 1))
    turned = batch_first[np.arange(len(lengths))[:, None], places]
    return np.moveaxis(turned, (0, 1), (batch_dim, seq_dim))


define(
    "ReverseV2",
    kernel=lambda tensor, axis: np.flip(tensor, tuple(int(a) for a in axis)),
    shape=_shape_of_first,
    gradient=lambda dy, y, tensor, axis: (apply("ReverseV2", dy, axis),),
)
define(
    "Reverse",
    kernel=lambda tensor, dims: np.flip(tensor, tuple(int(a) for a in np.flatnonzero(dims))),
    shape=_shape_of_first,
    gradient=lambda dy, y, tensor, dims: (apply("Reverse", dy, dims),),
)
define(
    "ReverseSequence",
    kernel=_reverse_sequence,
    shape=_shape_of_first,
    gradient=lambda dy, y, input, seq_lengths, seq_dim, batch_dim=0: (
        apply("ReverseSequence", dy, seq_lengths, seq_dim=seq_dim, batch_dim=batch_dim),
    ),
)


def _negated(shift: Tensor) -> Tensor:
    return convert(-shift.value)


define(
    "Roll",
    kernel=lambda input, shift, axis: np.roll(input, tuple(np.ravel(shift)), tuple(np.ravel(axis))),
    shape=_shape_of_first,
    gradient=lambda dy, y, input, shift, axis: (apply("Roll", dy, _negated(shift), axis),),
)


# -- sizes and places --------------------------------------------------------------------------------------------


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _scalar_shape(*_: Any, **__: Any) -> TensorShape:
    return TensorShape(())


def _range_shape(start: Tensor, limit: Tensor, delta: Tensor) -> TensorShape:
    if start.array is None or limit.array is None or delta.array is None:
        return TensorShape((None,))
    return TensorShape((len(np.arange(start.array.item(), limit.array.item(), delta.array.item())),))


def _linear(start: Array, stop: Array, num: Array) -> Array:
    return np.linspace(start, stop, int(num), dtype=start.dtype)


define(
    "Rank",
    kernel=lambda input: np.array(input.ndim, np.int32),
    shape=_scalar_shape,
    gradient=_no_gradient,
    dtype=lambda input: DType("int32"),
)
define(
    "Size",
    kernel=lambda input, out_type="int32": np.array(input.size, out_type),
    shape=_scalar_shape,
    gradient=_no_gradient,
    dtype=lambda input, out_type="int32": DType(out_type),
)
define(
    "Range",
    kernel=lambda start, limit, delta: np.arange(start, limit, delta, dtype=start.dtype),
    shape=_range_shape,
    gradient=_no_gradient,
)
define(
    "LinSpace",
    kernel=_linear,
    shape=lambda start, stop, num: TensorShape((None if num.array is None else int(num.array),)),
)


def _inverted(x: Array) -> Array:
    inverse = np.empty_like(x)
    inverse[x] = np.arange(len(x), dtype=x.dtype)
    return inverse


define("InvertPermutation", _inverted, _shape_of_first, _no_gradient)


def _offsets(concat_dim: Array, *shapes: Array) -> list[Array]:
    """Where each of the tensors begins that are joined along an axis."""
    axis, start = int(concat_dim), 0
    offsets: list[Array] = []
    for shape in shapes:
        offset = np.zeros_like(shape)
        offset[axis] = start
        start += int(shape[axis])
        offsets.append(offset)
    return offsets


def _axes_broadcast(s0: Array, s1: Array) -> tuple[Array, Array]:
    """The axes along which a gradient is to be summed, for each of two shapes that were broadcast."""
    rank = max(len(s0), len(s1))
    padded = [np.concatenate([np.ones(rank - len(s), s.dtype), s]) for s in (s0, s1)]
    if s0.tolist() == s1.tolist():
        return s0[:0], s1[:0]
    return np.flatnonzero(padded[0] == 1).astype(s0.dtype), np.flatnonzero(padded[1] == 1).astype(s1.dtype)


define(
    "ConcatOffset",
    kernel=_offsets,
    shape=lambda concat_dim, *shapes: [shape.shape for shape in shapes],
    gradient=_no_gradient,
    dtype=lambda concat_dim, *shapes: [shape.dtype for shape in shapes],
    several=True,
)
define(
    "BroadcastArgs",
    kernel=lambda s0, s1: np.array(np.broadcast_shapes(tuple(s0), tuple(s1)), s0.dtype),
    shape=lambda s0, s1: TensorShape((None,)),
    gradient=_no_gradient,
)
define(
    "BroadcastGradientArgs",
    kernel=_axes_broadcast,
    shape=lambda s0, s1: [TensorShape((None,)), TensorShape((None,))],
    gradient=_no_gradient,
    dtype=lambda s0, s1: [s0.dtype, s1.dtype],
    several=True,
)
