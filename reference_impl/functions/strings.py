"""Functions of strings, and table lookups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_impl.functions.api import api
from reference_impl.ops.lookup import LookupTable
from reference_impl.tensors import Tensor, apply, convert


@api("strings.lower")
def string_lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    return apply("StringLower", convert(input), encoding=encoding)


@api("strings.regex_replace")
def regex_replace(
    input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None
) -> Tensor:
    return apply(
        "StaticRegexReplace", convert(input), pattern=pattern, rewrite=rewrite, replace_global=bool(replace_global)
    )


@api("strings.as_string")
def as_string(input: Any, name: str | None = None) -> Tensor:
    return apply("AsString", convert(input))


@api("strings.to_hash_bucket_fast")
def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    return apply("StringToHashBucketFast", convert(input), num_buckets=int(num_buckets))


@api("strings.to_hash_bucket_strong")
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Sequence[int], name: str | None = None) -> Tensor:
    return apply("StringToHashBucketStrong", convert(input), num_buckets=int(num_buckets), key=[int(k) for k in key])


def split_words(input: Any) -> Tensor:
    """Strings of shape s to their words, (\\*s, most words); rows end in empty strings."""
    return apply("PaddedStringSplit", convert(input))


def split_characters(input: Any) -> Tensor:
    return apply("PaddedUnicodeSplit", convert(input))


def ngrams(input: Any, ngram_width: Sequence[int], separator: str = " ") -> Tensor:
    """Rows of tokens to rows of runs of so many tokens."""
    return apply("PaddedStringNGrams", convert(input), ngram_widths=tuple(ngram_width), separator=separator)


def cross(inputs: Sequence[Any], separator: str) -> Tensor:
    """Columns (batch, n), (batch, m), … to all combinations of a row, joined: (batch, n · m · …)."""
    return apply("DenseCross", *map(convert, inputs), separator=separator)


def cross_hashed(inputs: Sequence[Any], num_buckets: int, hash_key: int | None = None) -> Tensor:
    """Columns (batch, n), (batch, m), … to the buckets of all combinations of a row: (batch, n · m · …).

    ``hash_key``: what fingerprints are added to; None: each combination begins with its first.
    """
    return apply("DenseCrossHashed", *map(convert, inputs), num_buckets=int(num_buckets), hash_key=hash_key)


def lookup(table: LookupTable, keys: Any) -> Tensor:
    """The values that ``table`` has for ``keys``."""
    return apply("LookupTableFindV2", convert(keys), table=table)
