"""Operations on strings: lower case, replacing, hashing. Strings are bytes, in arrays of dtype object."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.fingerprints import fingerprint64, siphash
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


def _as_string(
    input: Array,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
) -> Array:
    """Numbers as C's ``printf`` writes them."""
    if input.dtype.kind == "O":
        return strings(_each(as_bytes, input), input.shape)
    size = f"{fill}{width if width >= 0 else ''}"
    letter = "d" if input.dtype.kind in "iu" else "e" if scientific else "g" if shortest else "f"
    form = f"%{size}{f'.{precision}' if precision >= 0 else ''}{letter}"
    items = input.ravel().tolist()
    if input.dtype.kind == "b":
        form, items = f"%{size}s", [str(item).lower() for item in items]
    return strings([(form % item).encode() for item in items], input.shape)


define("StringLower", _lower, _same_shape, dtype=_string)
define("StaticRegexReplace", _replace, _same_shape, dtype=_string)
define("AsString", _as_string, _same_shape, dtype=_string)


# -- hashing -----------------------------------------------------------------------------------------------------


def _fast(input: Array, num_buckets: int) -> Array:
    return np.array([n % num_buckets for n in _each(fingerprint64, input)], np.int64).reshape(input.shape)


def _strong(input: Array, num_buckets: int, key: Sequence[int]) -> Array:
    hashed = _each(lambda text: siphash(text, key), input)
    return np.array([n % num_buckets for n in hashed], np.int64).reshape(input.shape)


define("StringToHashBucketFast", _fast, _same_shape, dtype=_int64)
define("StringToHashBucketStrong", _strong, _same_shape, dtype=_int64)
