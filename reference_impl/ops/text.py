"""Splitting and joining strings as graphs have it: rows of tokens are values and splits, or sparse.

Strings are bytes, in arrays of dtype object. What the layers here use for the same are the padded forms in
:mod:`reference_impl.ops.strings`.
"""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.strings import as_bytes, strings
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape, broadcast
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _shape_of_first(input: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return input.shape


def _string(*_: Any, **__: Any) -> DType:
    return DType("string")


def _unknown(*_: Any, **__: Any) -> TensorShape:
    return TensorShape((None,))


def _each(function: Callable[[bytes], Any], input: Array) -> list[Any]:
    return [function(as_bytes(item)) for item in input.ravel().tolist()]


def _map(function: Callable[[bytes], bytes]) -> Any:
    return lambda input: strings(_each(function, input), input.shape)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# -- splitting ---------------------------------------------------------------------------------------------------


def _as_sparse(rows: Sequence[Sequence[bytes]]) -> tuple[Array, Array, Array]:
    places = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    flat = [token for row in rows for token in row]
    shape = [len(rows), max(map(len, rows), default=0)]
    return np.array(places, np.int64).reshape(-1, 2), strings(flat, (len(flat),)), np.array(shape, np.int64)


def _split(input: Array, sep: Array, maxsplit: int = -1) -> tuple[Array, Array, Array]:
    """At each ``sep``; where that is empty at runs of white space, of which none is at the ends."""
    separator = as_bytes(sep.item()) or None
    return _as_sparse(_each(lambda text: text.split(separator, maxsplit), input))


def _split_at_any(input: Array, delimiter: Array, skip_empty: bool = True) -> tuple[Array, Array, Array]:
    """At each byte of ``delimiter``; into bytes where that is empty."""
    at = as_bytes(delimiter.item())

    def split(text: bytes) -> list[bytes]:
        if not at:
            return [text[i : i + 1] for i in range(len(text))]
        parts = re.split(b"[" + re.escape(at) + b"]", text)
        return [part for part in parts if part] if skip_empty else parts

    return _as_sparse(_each(split, input))


def _sparse_shapes(*_: Any, **__: Any) -> list[TensorShape]:
    return [TensorShape((None, 2)), TensorShape((None,)), TensorShape((2,))]


def _sparse_dtypes(*_: Any, **__: Any) -> list[DType]:
    return [DType("int64"), DType("string"), DType("int64")]


define("StringSplitV2", _split, _sparse_shapes, dtype=_sparse_dtypes, several=True)
define("StringSplit", _split_at_any, _sparse_shapes, dtype=_sparse_dtypes, several=True)


def _decode(
    input: Array,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
    Tsplits: str = "int64",  # noqa: N803 (TensorFlow's attribute)
) -> tuple[Array, Array]:
    """The characters of each string as numbers."""

    def numbers(text: bytes) -> list[int]:
        decoded = text.decode(input_encoding, {"strict": "strict", "ignore": "ignore"}.get(errors, "replace"))
        found = [replacement_char if character == "\ufffd" else ord(character) for character in decoded]
        if replace_control_characters:
            found = [replacement_char if n < 32 or n == 127 else n for n in found]
        return found

    rows = _each(numbers, input)
    splits = np.cumsum([0, *map(len, rows)]).astype(Tsplits)
    return splits, np.array([number for row in rows for number in row], np.int32)


def _encode(
    input_values: Array,
    input_splits: Array,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
) -> Array:
    def character(number: int) -> str:
        if 0 <= number < 0x110000 and not 0xD800 <= number < 0xE000:
            return chr(number)
        if errors == "strict":
            raise ValueError(f"{number} is no character")
        return "" if errors == "ignore" else chr(replacement_char)

    encoding = {"UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}.get(output_encoding, "utf-8")
    rows = np.split(input_values, input_splits[1:-1])
    texts = ["".join(map(character, row.tolist())).encode(encoding) for row in rows[: len(input_splits) - 1]]
    return strings(texts, (len(texts),))


define(
    "UnicodeDecode",
    _decode,
    lambda *_, **__: [TensorShape((None,)), TensorShape((None,))],
    dtype=lambda *_, Tsplits="int64", **__: [as_dtype(Tsplits), DType("int32")],  # noqa: N803
    several=True,
)
define("UnicodeEncode", _encode, _unknown, dtype=_string)


def _transcode(
    input: Array,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
) -> Array:
    options: dict[str, Any] = {"errors": errors, "replacement_char": replacement_char}
    splits, numbers = _decode(
        input.ravel(), input_encoding, replace_control_characters=replace_control_characters, **options
    )
    return _encode(numbers, splits, output_encoding, **options).reshape(input.shape)


define("UnicodeTranscode", _transcode, _shape_of_first, dtype=_string)


# -- runs of tokens ----------------------------------------------------------------------------------------------


def _ngrams(
    data: Array,
    data_splits: Array,
    separator: str,
    ngram_widths: Sequence[int],
    left_pad: str,
    right_pad: str,
    pad_width: int,
    preserve_short_sequences: bool,
) -> tuple[Array, Array]:
    """For each row, and each width in turn, all runs of that many tokens, the row padded on both sides."""
    between, left, right = _bytes(separator), _bytes(left_pad), _bytes(right_pad)
    rows: list[list[bytes]] = []
    for start, stop in itertools.pairwise(data_splits):
        tokens = [as_bytes(token) for token in data[int(start) : int(stop)].tolist()]
        runs: list[bytes] = []
        for width in ngram_widths:
            padding = width - 1 if pad_width < 0 else min(pad_width, width - 1)
            padded = [*[left] * padding, *tokens, *[right] * padding]
            runs.extend(between.join(padded[i : i + width]) for i in range(len(padded) - width + 1))
        if not runs and preserve_short_sequences and tokens:
            runs.append(between.join([*[left] * max(pad_width, 0), *tokens, *[right] * max(pad_width, 0)]))
        rows.append(runs)
    flat = [run for row in rows for run in row]
    return strings(flat, (len(flat),)), np.cumsum([0, *map(len, rows)]).astype(data_splits.dtype)


define(
    "StringNGrams",
    _ngrams,
    lambda data, data_splits, **_: [TensorShape((None,)), data_splits.shape],
    dtype=lambda data, data_splits, **_: [DType("string"), data_splits.dtype],
    several=True,
)


# -- whole strings -----------------------------------------------------------------------------------------------


def _join(*inputs: Array, separator: str = "") -> Array:
    arrays = np.broadcast_arrays(*inputs)
    rows = zip(*(array.ravel().tolist() for array in arrays), strict=True)
    return strings([_bytes(separator).join(map(as_bytes, row)) for row in rows], arrays[0].shape)


def _joined_shape(*inputs: Tensor, **_: Any) -> TensorShape:
    shape = TensorShape(())
    for tensor in inputs:
        shape = broadcast(shape, tensor.shape)
    return shape


def _reduce_join(inputs: Array, reduction_indices: Array, keep_dims: bool = False, separator: str = "") -> Array:
    """Along the axes in the order in which they are named."""
    axes = [int(axis) % inputs.ndim for axis in np.ravel(reduction_indices)] if inputs.ndim else []
    rest = [axis for axis in range(inputs.ndim) if axis not in axes]
    moved = np.transpose(inputs, [*rest, *axes]).reshape(*(inputs.shape[axis] for axis in rest), -1)
    texts = [_bytes(separator).join(map(as_bytes, row)) for row in moved.reshape(-1, moved.shape[-1]).tolist()]
    shape = [1 if axis in axes else size for axis, size in enumerate(inputs.shape) if keep_dims or axis not in axes]
    return strings(texts, shape)


def _reduced_shape(inputs: Tensor, reduction_indices: Tensor, keep_dims: bool = False, **_: Any) -> TensorShape:
    axes = {int(axis) % len(inputs.shape) for axis in np.ravel(reduction_indices.value)}
    sizes = [1 if axis in axes else size for axis, size in enumerate(inputs.shape) if keep_dims or axis not in axes]
    return TensorShape(sizes)


def _upper(input: Array, encoding: str = "") -> Array:
    if encoding:
        return strings(_each(lambda text: text.decode(encoding).upper().encode(encoding), input), input.shape)
    return strings(_each(bytes.upper, input), input.shape)


def _length(input: Array, unit: str = "BYTE") -> Array:
    def length(text: bytes) -> int:
        return len(text.decode("utf-8", "replace")) if unit == "UTF8_CHAR" else len(text)

    return np.array(_each(length, input), np.int32).reshape(input.shape)


def _part(input: Array, pos: Array, len: Array, unit: str = "BYTE") -> Array:
    def part(text: bytes, start: int, count: int) -> bytes:
        whole: Any = text.decode("utf-8", "replace") if unit == "UTF8_CHAR" else text
        size = whole.__len__()
        if not -size <= start <= size:
            raise ValueError(f"position {start} is outside of a string of {size}")
        begin = start + size if start < 0 else start
        return as_bytes(whole[begin : begin + count])

    arrays = np.broadcast_arrays(input, pos, len)
    rows = zip(*(array.ravel().tolist() for array in arrays), strict=True)
    return strings([part(as_bytes(text), start, count) for text, start, count in rows], arrays[0].shape)


def _rewritten(rewrite: bytes) -> bytes:
    """A replacement as Python writes it: TensorFlow knows ``\\0`` to ``\\9`` and ``\\\\``."""
    return re.sub(rb"\\(\d)", rb"\\g<\1>", rewrite)


def _replace(input: Array, pattern: Array, rewrite: Array, replace_global: bool = True) -> Array:
    expression, by = re.compile(as_bytes(pattern.item())), _rewritten(as_bytes(rewrite.item()))
    return strings(_each(lambda text: expression.sub(by, text, 0 if replace_global else 1), input), input.shape)


def _matches(input: Array, pattern: Array) -> Array:
    expression = re.compile(as_bytes(pattern.item()))
    return np.array(_each(lambda text: expression.fullmatch(text) is not None, input), bool).reshape(input.shape)


def _matches_one(input: Array, pattern: str) -> Array:
    return _matches(input, np.array(_bytes(pattern), object))


def _number(string_tensor: Array, out_type: str = "float32") -> Array:
    kind: Any = int if as_dtype(out_type).is_integer else float
    return np.array(_each(lambda text: kind(text.decode()), string_tensor), out_type).reshape(string_tensor.shape)


def _raw(bytes: Array, out_type: str, little_endian: bool = True) -> Array:
    order = "<" if little_endian else ">"
    dtype = np.dtype(out_type)
    rows = [np.frombuffer(as_bytes(item), dtype.newbyteorder(order)).astype(dtype) for item in bytes.ravel().tolist()]
    return np.stack(rows).reshape(*bytes.shape, -1) if rows else np.zeros((*bytes.shape, 0), dtype)


def _bool(*_: Any, **__: Any) -> DType:
    return DType("bool")


def _out_type(*_: Any, out_type: str = "float32", **__: Any) -> DType:
    return as_dtype(out_type)


define("StringJoin", _join, _joined_shape, dtype=_string)
define("ReduceJoin", _reduce_join, _reduced_shape, dtype=_string)
define("StringUpper", _upper, _shape_of_first, dtype=_string)
define("StringStrip", _map(bytes.strip), _shape_of_first, dtype=_string)
define("StringLength", _length, _shape_of_first, dtype=lambda *_, **__: DType("int32"))
define("Substr", _part, _shape_of_first, dtype=_string)
define("RegexReplace", _replace, _shape_of_first, dtype=_string)
define("RegexFullMatch", _matches, _shape_of_first, dtype=_bool)
define("StaticRegexFullMatch", _matches_one, _shape_of_first, dtype=_bool)
define("StringToNumber", _number, _shape_of_first, dtype=_out_type)
define("DecodeRaw", _raw, lambda bytes, **_: TensorShape((*bytes.shape, None)), dtype=_out_type)
