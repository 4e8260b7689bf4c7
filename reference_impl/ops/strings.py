"""Operations on strings: lower case, replacing, splitting, hashing. Strings are bytes, in arrays of dtype object.

TensorFlow's splitting gives ragged rows in three tensors. Here rows are filled up with empty strings, which splitting
itself never makes, so the ops that split have names of their own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.fingerprints import concatenated, fingerprint64, siphash
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def as_bytes(value: Any) -> bytes:
    """A string as TensorFlow holds it: text is UTF-8."""
    return value.encode() if isinstance(value, str) else bytes(value)


def strings(values: Sequence[Any], shape: Sequence[int]) -> Array:
    """An array of strings of ``shape``."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(tuple(shape))


def _each(function: Callable[[bytes], Any], array: Array) -> list[Any]:
    return [function(as_bytes(item)) for item in array.ravel().tolist()]


def _same_shape(input: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return input.shape


def _string(*_: Any, **__: Any) -> DType:
    return DType("string")


def _int64(*_: Any, **__: Any) -> DType:
    return DType("int64")


def _lower(input: Array, encoding: str = "") -> Array:
    if encoding:
        return strings(_each(lambda text: text.decode(encoding).lower().encode(encoding), input), input.shape)
    return strings(_each(bytes.lower, input), input.shape)


def _replace(input: Array, pattern: str, rewrite: str, replace_global: bool = True) -> Array:
    expression, by = re.compile(pattern.encode()), rewrite.encode()
    return strings(_each(lambda text: expression.sub(by, text, 0 if replace_global else 1), input), input.shape)


def _as_string(input: Array) -> Array:
    items = input.ravel().tolist()
    return strings([as_bytes(item if isinstance(item, str | bytes) else str(item)) for item in items], input.shape)


define("StringLower", _lower, _same_shape, dtype=_string)
define("StaticRegexReplace", _replace, _same_shape, dtype=_string)
define("AsString", _as_string, _same_shape, dtype=_string)


# -- rows of tokens ----------------------------------------------------------------------------------------------


def _rows(rows: list[list[bytes]], shape: Sequence[int]) -> Array:
    width = max(map(len, rows), default=0)
    return strings([token for row in rows for token in (*row, *[b""] * (width - len(row)))], (*shape, width))


def _split(input: Array) -> Array:
    return _rows(_each(bytes.split, input), input.shape)


def _characters(input: Array) -> Array:
    def split(text: bytes) -> list[bytes]:
        return [character.encode() for character in text.decode("utf-8", "replace")]

    return _rows(_each(split, input), input.shape)


def _ngrams(input: Array, ngram_widths: Sequence[int], separator: str = " ") -> Array:
    """For each width in turn all runs of that many tokens of a row."""
    between = separator.encode()
    rows: list[list[bytes]] = []
    for row in input.reshape(-1, input.shape[-1]):
        tokens = [as_bytes(token) for token in row.tolist() if len(token)]
        runs = [tokens[i : i + width] for width in ngram_widths for i in range(len(tokens) - width + 1)]
        rows.append([between.join(run) for run in runs])
    return _rows(rows, input.shape[:-1])


def _one_more(input: Tensor, **_: Any) -> TensorShape:
    return TensorShape((*input.shape, None))


def _other_width(input: Tensor, **_: Any) -> TensorShape:
    return TensorShape((*input.shape[:-1], None))


define("PaddedStringSplit", _split, _one_more, dtype=_string)
define("PaddedUnicodeSplit", _characters, _one_more, dtype=_string)
define("PaddedStringNGrams", _ngrams, _other_width, dtype=_string)


# -- hashing -----------------------------------------------------------------------------------------------------


def _fast(input: Array, num_buckets: int) -> Array:
    return np.array([n % num_buckets for n in _each(fingerprint64, input)], np.int64).reshape(input.shape)


def _strong(input: Array, num_buckets: int, key: Sequence[int]) -> Array:
    hashed = _each(lambda text: siphash(text, key), input)
    return np.array([n % num_buckets for n in hashed], np.int64).reshape(input.shape)


define("StringToHashBucketFast", _fast, _same_shape, dtype=_int64)
define("StringToHashBucketStrong", _strong, _same_shape, dtype=_int64)


# -- crossing columns --------------------------------------------------------------------------------------------


def _combinations(columns: Sequence[Array]) -> list[tuple[Any, ...]]:
    """For each row of the batch, one element of each column, the last changing fastest."""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [combination for row in rows for combination in itertools.product(*row)]


def _crossed_shape(*columns: Tensor, **_: Any) -> TensorShape:
    width: int | None = 1
    for column in columns:
        width = None if width is None or column.shape[1] is None else width * column.shape[1]
    return TensorShape((columns[0].shape[0], width))


def _cross(*columns: Array, separator: str) -> Array:
    def text(item: Any) -> bytes:
        return str(item).encode() if isinstance(item, int) else as_bytes(item)

    between = separator.encode()
    crossed = [between.join(map(text, combination)) for combination in _combinations(columns)]
    return strings(crossed, (columns[0].shape[0], -1))


def _cross_hashed(*columns: Array, num_buckets: int, hash_key: int | None = None) -> Array:
    def number(item: Any) -> int:
        return item & 0xFFFFFFFFFFFFFFFF if isinstance(item, int) else fingerprint64(as_bytes(item))

    start = [] if hash_key is None else [hash_key]
    hashed = [
        reduce(concatenated, [*start, *map(number, combination)]) % num_buckets
        for combination in _combinations(columns)
    ]
    return np.array(hashed, np.int64).reshape(columns[0].shape[0], -1)


# TensorFlow's SparseCross (with ``hash_key``), SparseCrossV2 and SparseCrossHashed give sparse tensors; these are what
# they are densely.
define("DenseCross", _cross, _crossed_shape, dtype=_string)
define("DenseCrossHashed", _cross_hashed, _crossed_shape, dtype=_int64)
