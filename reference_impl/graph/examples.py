"""Reading ``tf.Example`` messages: features by name, each a list of floats, of int64 or of strings.

A feature is wanted in one of three forms. *Dense*: a tensor of a given shape for each example, a default where it is missing; if
the first size is not known, as long as the longest, filled up with the default. *Sparse*: what is there, with its places.
*Ragged*: what is there, and where each example's part begins and ends. Examples are a batch, or a single one, which has
no axis of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, numpy_dtype
from reference_impl.formats import messages
from reference_impl.graph.attributes import checked_size
from reference_impl.graph.modes import Context, Handler, Value
from reference_impl.ops.strings import strings
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Array

_LISTS = {"float32": "float_list", "int64": "int64_list", "string": "bytes_list"}
"""The field of a feature that has values of a dtype."""


@dataclass(frozen=True)
class _Batch:
    """Examples: the features of each by name. ``single``: there is one, without an axis of the batch."""

    examples: Sequence[Mapping[str, Any]]
    single: bool

    def values(self, name: bytes, dtype: DType) -> list[list[Any] | None]:
        """The values of a feature in each example; None where it is missing. ``ValueError`` for those of another dtype."""
        key = name.decode("utf-8", "surrogateescape")
        found: list[list[Any] | None] = []
        for features in self.examples:
            feature = features.get(key)
            kind = None if feature is None else feature.WhichOneof("kind")
            if kind is None:
                found.append(None)
            elif kind != _LISTS.get(dtype):
                raise ValueError(f"feature {key!r}: found a {kind}, expected values of dtype {dtype}")
            else:
                found.append(list(getattr(feature, kind).value))
        return found


def _batch(serialized: Array) -> _Batch:
    try:
        parsed = [messages.parse(messages.Example, item) for item in serialized.ravel().tolist()]
    except ValueError as error:
        raise ValueError(f"found a string that is no tf.Example: {error}") from None
    return _Batch([example.features.feature for example in parsed], serialized.ndim == 0)


def _array(items: Sequence[Any], dtype: DType) -> Array:
    return strings(items, (len(items),)) if dtype == "string" else np.array(items, numpy_dtype(dtype))


def _dense(batch: _Batch, name: bytes, default: Array, dtype: DType, shape: TensorShape) -> Array:
    found = batch.values(name, dtype)
    sizes: list[int] = [size or 0 for size in shape[1:]]
    if shape.rank and shape[0] is None:
        width = math.prod(sizes)
        longest = max((len(values or ()) // width for values in found), default=0) if width else 0
        sizes = [longest, *sizes]
        filler = default.ravel().tolist()[:1] or [b"" if dtype == "string" else 0]
        rows = [[*(values or ()), *filler * (longest * width - len(values or ()))] for values in found]
    else:
        sizes = [int(size or 0) for size in shape]
        if any(values is None for values in found) and default.size != math.prod(sizes):
            raise ValueError(f"feature {name!r}: found an example without it, and no default; expected one of them")
        rows = [default.ravel().tolist() if values is None else values for values in found]
    count = checked_size([len(found), *sizes], dtype)
    wrong = next((len(row) for row in rows if len(row) * len(rows) != count), None)
    if wrong is not None:
        raise ValueError(f"feature {name!r}: found {wrong} values, expected a tensor of shape {list(shape)}")
    whole = _array([value for row in rows for value in row], dtype)
    return whole.reshape(sizes if batch.single else [len(found), *sizes])


def _sparse(batch: _Batch, name: bytes, dtype: DType) -> tuple[Array, Array, Array]:
    """Indices, values and shape."""
    rows = [values or [] for values in batch.values(name, dtype)]
    places = [(row, place) for row, values in enumerate(rows) for place in range(len(values))]
    indices = np.array(places, np.int64).reshape(-1, 2)
    shape = np.array([len(rows), max(map(len, rows), default=0)], np.int64)
    first = 1 if batch.single else 0
    return indices[:, first:], _array([value for values in rows for value in values], dtype), shape[first:]


def _ragged(batch: _Batch, name: bytes, dtype: DType, splits: DType) -> tuple[Array, Array]:
    """Values and row splits; no row splits of a single example."""
    rows = [values or [] for values in batch.values(name, dtype)]
    ends = np.cumsum([0, *map(len, rows)])
    values = _array([value for row in rows for value in row], dtype)
    return values, (ends[:0] if batch.single else ends).astype(numpy_dtype(splits))


def _parsed(
    context: Context,
    serialized: Value,
    sparse: Sequence[bytes],
    dense: Sequence[bytes],
    ragged: Sequence[bytes],
    defaults: Sequence[Value],
) -> list[Value]:
    attrs, array = context.attrs, context.mode.array
    kinds = attrs.get("ragged_value_types", []), attrs.get("ragged_split_types", [])
    for what, names, dtypes in (
        ("sparse", sparse, attrs["sparse_types"]),
        ("dense", dense, attrs["Tdense"]),
        ("ragged", ragged, kinds[0]),
    ):
        if len(names) != len(dtypes):
            raise ValueError(f"found {len(names)} {what} features, expected {len(dtypes)}")
    batch = _batch(array(serialized))
    sparse_parts = [_sparse(batch, *each) for each in zip(sparse, attrs["sparse_types"], strict=True)]
    ragged_parts = [_ragged(batch, *each) for each in zip(ragged, *kinds, strict=True)]
    wanted = zip(dense, map(array, defaults), attrs["Tdense"], attrs["dense_shapes"], strict=True)
    found = [
        *(part[place] for place in range(3) for part in sparse_parts),
        *(_dense(batch, *each) for each in wanted),
        *(part[place] for place in range(2) for part in ragged_parts),
    ]
    return [context.mode.tensor(each) for each in found]


def _names(context: Context, value: Value) -> list[bytes]:
    names: list[bytes] = context.mode.array(value).ravel().tolist()
    return names


def _of_batch(
    context: Context, serialized: Value, names: Value, sparse: Value, dense: Value, ragged: Value, *defaults: Value
) -> list[Value]:
    keys = [_names(context, value) for value in (sparse, dense, ragged)]
    return _parsed(context, serialized, keys[0], keys[1], keys[2], defaults)


def _of_batch_before(context: Context, serialized: Value, names: Value, *inputs: Value) -> list[Value]:
    """The names of features are an input each."""
    several, count = context.attrs["Nsparse"], context.attrs["Ndense"]
    keys = [context.mode.array(value).item() for value in inputs[: several + count]]
    return _parsed(context, serialized, keys[:several], keys[several:], (), inputs[several + count :])


def _of_one(context: Context, serialized: Value, *defaults: Value) -> list[Value]:
    sparse, dense = (
        [str(name).encode("utf-8", "surrogateescape") for name in context.attrs[key]]
        for key in ("sparse_keys", "dense_keys")
    )
    return _parsed(context, serialized, sparse, dense, (), defaults)


HANDLERS: dict[str, Handler] = {
    "ParseExampleV2": _of_batch,
    "ParseExample": _of_batch_before,
    "ParseSingleExample": _of_one,
}
