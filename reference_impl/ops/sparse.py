"""Sparse tensors: the places of values, one a row, the values, and the shape of the whole."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.fingerprints import concatenated, fingerprint64
from reference_impl.ops.strings import as_bytes, strings
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _to_dense(sparse_indices: Array, output_shape: Array, sparse_values: Array, default_value: Array) -> Array:
    shape = tuple(int(size) for size in output_shape)
    places = sparse_indices.reshape(-1, len(shape)) if sparse_indices.ndim < 2 else sparse_indices
    if places.size and ((places < 0).any() or (places >= np.array(shape)).any()):
        raise ValueError(f"places outside of the shape {shape}")
    dense = np.empty(shape, sparse_values.dtype)
    dense[...] = default_value
    dense[tuple(places.T)] = sparse_values
    return dense


define(
    "SparseToDense",
    _to_dense,
    lambda sparse_indices, output_shape, *_: known_sizes(output_shape),
    lambda dy, y, sparse_indices, *_: (None, None, apply("GatherNd", dy, sparse_indices)),
    lambda sparse_indices, output_shape, sparse_values, default_value: sparse_values.dtype,
)


# -- products ----------------------------------------------------------------------------------------------------


def _times_dense(
    a_indices: Array, a_values: Array, a_shape: Array, b: Array, adjoint_a: bool = False, adjoint_b: bool = False
) -> Array:
    rows, columns = (a_indices[:, 1], a_indices[:, 0]) if adjoint_a else (a_indices[:, 0], a_indices[:, 1])
    height = int(a_shape[1] if adjoint_a else a_shape[0])
    other = b.T if adjoint_b else b
    product = np.zeros((height, other.shape[1]), np.result_type(a_values, b))
    np.add.at(product, rows, a_values[:, None] * other[columns])
    return product


def _times_dense_shape(
    a_indices: Tensor, a_values: Tensor, a_shape: Tensor, b: Tensor, adjoint_a: bool = False, adjoint_b: bool = False
) -> TensorShape:
    return TensorShape((known_sizes(a_shape)[1 if adjoint_a else 0], b.shape[0 if adjoint_b else 1]))


def _times_dense_gradient(
    dy: Tensor,
    y: Tensor,
    a_indices: Tensor,
    a_values: Tensor,
    a_shape: Tensor,
    b: Tensor,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> tuple[Tensor | None, ...]:
    of_b = apply("SparseTensorDenseMatMul", a_indices, a_values, a_shape, dy, adjoint_a=not adjoint_a, adjoint_b=False)
    if adjoint_b:
        of_b = apply("Transpose", of_b, convert(np.array([1, 0], np.int32)))
    rows = apply("GatherV2", dy, _column(a_indices, 1 if adjoint_a else 0), convert(np.array(0, np.int32)))
    other = apply("Transpose", b, convert(np.array([1, 0], np.int32))) if adjoint_b else b
    columns = apply("GatherV2", other, _column(a_indices, 0 if adjoint_a else 1), convert(np.array(0, np.int32)))
    of_a = apply("Sum", rows * columns, convert(np.array([1], np.int32)), keep_dims=False)
    return None, of_a, None, of_b


def _column(indices: Tensor, place: int) -> Tensor:
    return convert(np.ascontiguousarray(indices.value[:, place]))


define(
    "SparseTensorDenseMatMul",
    _times_dense,
    _times_dense_shape,
    _times_dense_gradient,
    lambda a_indices, a_values, *_, **__: a_values.dtype,
)


def _mostly_zeros(
    a: Array,
    b: Array,
    transpose_a: bool = False,
    transpose_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
) -> Array:
    return np.matmul(a.T if transpose_a else a, b.T if transpose_b else b).astype(np.float32, copy=False)


def _mostly_zeros_gradient(dy: Tensor, y: Tensor, a: Tensor, b: Tensor, **attrs: Any) -> Sequence[Tensor]:
    def product(p: Tensor, q: Tensor, turn_p: bool, turn_q: bool) -> Tensor:
        return apply("MatMul", p, q, transpose_a=turn_p, transpose_b=turn_q)

    turn_a, turn_b = attrs.get("transpose_a", False), attrs.get("transpose_b", False)
    of_a = product(b, dy, turn_b, True) if turn_a else product(dy, b, False, not turn_b)
    of_b = product(dy, a, True, turn_a) if turn_b else product(a, dy, not turn_a, False)
    return of_a, of_b


def _product_shape(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False, **_: Any) -> TensorShape:
    return TensorShape((a.shape[1 if transpose_a else 0], b.shape[0 if transpose_b else 1]))


# Two dense matrices of which one has many zeros: TensorFlow multiplies them faster, here they are just multiplied.
define("SparseMatMul", _mostly_zeros, _product_shape, _mostly_zeros_gradient, lambda *_, **__: DType("float32"))


# -- other forms of the same -------------------------------------------------------------------------------------


def _ordered(input_indices: Array, input_values: Array, input_shape: Array) -> tuple[Array, Array]:
    order = np.lexsort(input_indices.T[::-1])
    return input_indices[order], input_values[order]


def _reshaped(input_indices: Array, input_shape: Array, new_shape: Array) -> tuple[Array, Array]:
    old = tuple(int(size) for size in input_shape)
    new = [int(size) for size in new_shape]
    if -1 in new:
        rest = int(np.prod([size for size in new if size != -1]))
        new[new.index(-1)] = int(np.prod(old)) // max(rest, 1)
    if not len(input_indices):
        return np.zeros((0, len(new)), np.int64), np.array(new, np.int64)
    flat: Any = np.ravel_multi_index(tuple(input_indices.T), old)
    places: Array = np.stack(np.unravel_index(flat, new), axis=1)
    return places.astype(np.int64), np.array(new, np.int64)


def _with_all_rows(
    indices: Array, values: Array, dense_shape: Array, default_value: Array
) -> tuple[Array, Array, Array, Array]:
    """Every empty row is given one ``default_value`` in its first column."""
    height = int(dense_shape[0])
    empty = ~np.isin(np.arange(height), indices[:, 0])
    added = np.zeros((int(empty.sum()), indices.shape[1]), indices.dtype)
    added[:, 0] = np.flatnonzero(empty)
    default = np.empty(len(added), values.dtype)
    default[:] = default_value
    places = np.concatenate([indices, added])
    order = np.lexsort((np.arange(len(places)), places[:, 0]))
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return places[order], np.concatenate([values, default])[order], empty, back[: len(values)]


def _unknown(*ranks: int) -> Any:
    def rule(*_: Any, **__: Any) -> list[TensorShape]:
        return [TensorShape((None,) * rank) for rank in ranks]

    return rule


define(
    "SparseReorder",
    _ordered,
    lambda input_indices, input_values, input_shape: [input_indices.shape, input_values.shape],
    dtype=lambda input_indices, input_values, input_shape: [input_indices.dtype, input_values.dtype],
    several=True,
)
define(
    "SparseReshape",
    _reshaped,
    _unknown(2, 1),
    _no_gradient,
    lambda *_: [DType("int64"), DType("int64")],
    several=True,
)
define(
    "SparseFillEmptyRows",
    _with_all_rows,
    _unknown(2, 1, 1, 1),
    dtype=lambda indices, values, *_: [indices.dtype, values.dtype, DType("bool"), DType("int64")],
    several=True,
)


# -- crossing columns --------------------------------------------------------------------------------------------


def _columns(arguments: Sequence[Array], n: int, dense: int) -> list[list[list[Any]]]:
    """The elements of each row of the batch, for each sparse and then each dense column."""
    indices, values, shapes = arguments[:n], arguments[n : 2 * n], arguments[2 * n : 3 * n]
    columns: list[list[list[Any]]] = []
    for places, items, shape in zip(indices, values, shapes, strict=True):
        rows: list[list[Any]] = [[] for _ in range(int(shape[0]))]
        for row, item in zip(places[:, 0].tolist(), items.tolist(), strict=True):
            rows[row].append(item)
        columns.append(rows)
    columns.extend(array.tolist() for array in arguments[3 * n : 3 * n + dense])
    return columns


def _as_sparse(rows: list[list[Any]], dtype: str) -> tuple[Array, Array, Array]:
    flat = [item for row in rows for item in row]
    places = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    values = strings(flat, (len(flat),)) if dtype == "string" else np.array(flat, np.int64)
    shape = [len(rows), max(map(len, rows), default=0)]
    return np.array(places, np.int64).reshape(-1, 2), values, np.array(shape, np.int64)


def _combined(columns: list[list[list[Any]]], function: Any) -> list[list[Any]]:
    """For each row ``function`` of one element of each column, the last changing fastest."""
    return [[function(combination) for combination in itertools.product(*row)] for row in zip(*columns, strict=True)]


def _text(item: Any) -> bytes:
    return str(item).encode() if isinstance(item, int) else as_bytes(item)


def _number(item: Any) -> int:
    return item & 0xFFFFFFFFFFFFFFFF if isinstance(item, int) else fingerprint64(as_bytes(item))


def _cross(
    *arguments: Array,
    N: int,  # noqa: N803 (TensorFlow's attribute)
    hashed_output: bool,
    num_buckets: int,
    hash_key: int,
    dense_types: Sequence[str],
    out_type: str = "int64",
    internal_type: str = "int64",
) -> tuple[Array, Array, Array]:
    columns = _columns(arguments, N, len(dense_types))
    if not hashed_output:
        return _as_sparse(_combined(columns, lambda items: b"_X_".join(map(_text, items))), "string")

    def bucket(items: tuple[Any, ...]) -> int:
        hashed = reduce(concatenated, map(_number, items), hash_key)
        return hashed % (num_buckets or 0x7FFFFFFFFFFFFFFF)

    return _as_sparse(_combined(columns, bucket), "int64")


def _cross_with(
    *arguments: Array,
    N: int,  # noqa: N803
    dense_types: Sequence[str],
) -> tuple[Array, Array, Array]:
    separator = as_bytes(arguments[-1].item())
    columns = _columns(arguments, N, len(dense_types))
    return _as_sparse(_combined(columns, lambda items: separator.join(map(_text, items))), "string")


def _cross_dtypes(*_: Tensor, out_type: str = "string", **__: Any) -> list[DType]:
    return [DType("int64"), as_dtype(out_type), DType("int64")]


define("SparseCross", _cross, _unknown(2, 1, 1), _no_gradient, _cross_dtypes, several=True)
define("SparseCrossV2", _cross_with, _unknown(2, 1, 1), _no_gradient, _cross_dtypes, several=True)


# -- sums of picked rows -----------------------------------------------------------------------------------------


def _picked(scale: Any) -> Any:
    def kernel(data: Array, indices: Array, segment_ids: Array) -> Array:
        count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
        sums = np.zeros((count, *data.shape[1:]), data.dtype)
        np.add.at(sums, segment_ids, data[indices])
        sizes = np.maximum(np.bincount(segment_ids, minlength=count), 1).astype(data.dtype)
        return sums / scale(sizes).reshape(-1, *[1] * (data.ndim - 1))

    return kernel


for _name, _scale in (
    ("SparseSegmentSum", np.ones_like),
    ("SparseSegmentMean", np.positive),
    ("SparseSegmentSqrtN", np.sqrt),
):
    define(_name, _picked(_scale), lambda data, indices, segment_ids: TensorShape((None, *data.shape[1:])))


def _cross_hashed(
    *arguments: Array,
    N: int,  # noqa: N803
    dense_types: Sequence[str],
) -> tuple[Array, Array, Array]:
    """Each combination begins with its first fingerprint. Strong hashes, of a salt, are not computed."""
    *inputs, buckets, strong, _ = arguments
    if strong:
        raise ValueError("found strong_hash, which is not supported")
    columns = _columns(inputs, N, len(dense_types))
    most = int(buckets) or 0x7FFFFFFFFFFFFFFF
    return _as_sparse(_combined(columns, lambda items: reduce(concatenated, map(_number, items)) % most), "int64")


def _hashed_dtypes(*_: Tensor, **__: Any) -> list[DType]:
    return [DType("int64")] * 3


define("SparseCrossHashed", _cross_hashed, _unknown(2, 1, 1), _no_gradient, _hashed_dtypes, several=True)
