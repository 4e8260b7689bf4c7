"""Functions of strings, and table lookups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, as_dtype
from reference_impl.functions.api import api
from reference_impl.functions.arrays import broadcast_to, concat, expand_dims, reshape, shape, stack
from reference_impl.functions.elementwise import cast_to, not_equal
from reference_impl.functions.reductions import reduce_sum
from reference_impl.functions.scans import cumsum
from reference_impl.ops.lookup import LookupTable
from reference_impl.tensors import Tensor, apply, apply_several, convert


@api("strings.lower")
def string_lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    return apply("StringLower", convert(input), encoding=encoding)


@api("strings.upper")
def string_upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    return apply("StringUpper", convert(input), encoding=encoding)


@api("strings.strip")
def string_strip(input: Any, name: str | None = None) -> Tensor:
    return apply("StringStrip", convert(input))


@api("strings.length")
def string_length(input: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    return apply("StringLength", convert(input), unit=unit)


@api("strings.substr")
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """``len`` bytes (or characters of UTF-8, ``unit`` UTF8_CHAR) from ``pos`` on."""
    return apply("Substr", convert(input), convert(pos, hint="int32"), convert(len, hint="int32"), unit=unit)


@api("strings.join")
def string_join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Tensor:
    return apply("StringJoin", *[convert(part) for part in inputs], separator=separator)


@api("strings.to_number")
def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Tensor:
    return apply("StringToNumber", convert(input), out_type=str(as_dtype(out_type)))


@api("strings.regex_replace")
def regex_replace(
    input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None
) -> Tensor:
    return apply(
        "StaticRegexReplace", convert(input), pattern=pattern, rewrite=rewrite, replace_global=bool(replace_global)
    )


@api("strings.as_string")
def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    tensor = convert(input)
    if tensor.dtype == "string":
        return tensor
    form = {"precision": precision, "scientific": scientific, "shortest": shortest, "width": width, "fill": fill}
    given = {key: value for key, value in form.items() if value not in (-1, False, "")}
    return apply("AsString", tensor, **given)


@api("strings.to_hash_bucket_fast")
def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    return apply("StringToHashBucketFast", convert(input), num_buckets=int(num_buckets))


@api("strings.to_hash_bucket_strong")
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Sequence[int], name: str | None = None) -> Tensor:
    return apply("StringToHashBucketStrong", convert(input), num_buckets=int(num_buckets), key=[int(k) for k in key])


def split_words(input: Any) -> Tensor:
    """Strings of shape s to their words, (\\*s, most words); rows end in empty strings."""
    x = convert(input)
    places, words, sizes = apply_several("StringSplitV2", reshape(x, [-1]), convert(""), maxsplit=-1)
    return _rows_of(x, apply("SparseToDense", places, sizes, words, convert("")))


def split_characters(input: Any) -> Tensor:
    x = convert(input)
    ends, numbers = apply_several("UnicodeDecode", reshape(x, [-1]), input_encoding="UTF-8")
    each = apply("Range", convert(np.int64(0)), apply("Size", numbers, out_type="int64") + 1, convert(np.int64(1)))
    return _rows_of(x, _filled(apply("UnicodeEncode", numbers, each, output_encoding="UTF-8"), ends))


def ngrams(input: Any, ngram_width: Sequence[int], separator: str = " ") -> Tensor:
    """Rows of tokens to rows of runs of so many tokens."""
    x = convert(input)
    there = not_equal(x, "")
    tokens = apply("GatherNd", x, apply("Where", there))
    lengths = reshape(reduce_sum(cast_to(there, "int64"), axis=-1), [-1])
    runs, ends = apply_several(
        "StringNGrams",
        tokens,
        concat([np.zeros(1, np.int64), cumsum(lengths)], axis=0),
        separator=separator,
        ngram_widths=[int(width) for width in ngram_width],
        left_pad="",
        right_pad="",
        pad_width=0,
        preserve_short_sequences=False,
    )
    return _rows_of(x[..., 0], _filled(runs, ends))


def _filled(items: Tensor, ends: Tensor) -> Tensor:
    """Rows of different lengths, which ``ends`` says, filled up with empty strings."""
    sizes = convert(np.array([-1, -1], np.int64))
    return apply(
        "RaggedTensorToTensor", sizes, items, convert(""), ends, row_partition_types=["ROW_SPLITS"]
    )  # fmt: skip


def _rows_of(x: Tensor, rows: Tensor) -> Tensor:
    """``rows``, one for each element of ``x``, in the shape of ``x``."""
    return rows if len(x.shape) == 1 else reshape(rows, concat([shape(x), shape(rows)[1:]], axis=0))


def cross(inputs: Sequence[Any], separator: str) -> Tensor:
    """Columns (batch, n), (batch, m), … to all combinations of a row, joined: (batch, n · m · …)."""
    columns = [as_string(column) for column in inputs]
    count = len(columns)
    sizes = stack([shape(columns[0])[0], *(shape(column)[1] for column in columns)])
    spread = [
        broadcast_to(reduce(expand_dims, [*[1] * place, *[-1] * (count - 1 - place)], column), sizes)
        for place, column in enumerate(columns)
    ]
    joined = apply("StringJoin", *spread, separator=separator)
    return reshape(joined, _combinations(columns))


def cross_hashed(inputs: Sequence[Any], num_buckets: int, hash_key: int | None = None) -> Tensor:
    """Columns (batch, n), (batch, m), … to the buckets of all combinations of a row: (batch, n · m · …).

    ``hash_key``: what fingerprints are added to; None: each combination begins with its first.
    """
    given = [convert(column) for column in inputs]
    columns = [column if column.dtype == "string" else cast_to(column, "int64") for column in given]
    dtypes = [column.dtype for column in columns]
    if hash_key is None:
        rest = [convert(value) for value in (np.int64(num_buckets), np.bool_(False), np.zeros(2, np.int64))]
        _, buckets, _ = apply_several("SparseCrossHashed", *columns, *rest, N=0, dense_types=dtypes)
    else:
        _, buckets, _ = apply_several(
            "SparseCross",
            *columns,
            N=0,
            hashed_output=True,
            num_buckets=int(num_buckets),
            hash_key=int(hash_key),
            dense_types=dtypes,
            out_type=DType("int64"),
            internal_type=DType("string" if "string" in dtypes else "int64"),
        )
    return reshape(buckets, _combinations(columns))


def _combinations(columns: Sequence[Tensor]) -> Any:
    """(batch, number of combinations)."""
    widths = [column.shape[1] for column in columns]
    if None in widths:
        return stack([shape(columns[0])[0], -1])
    return stack([shape(columns[0])[0], math.prod(width or 0 for width in widths)])


def lookup(table: LookupTable, keys: Any) -> Tensor:
    """The values that ``table`` has for ``keys``."""
    return apply("LookupTableFindV2", convert(keys), table=table)
