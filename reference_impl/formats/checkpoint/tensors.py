"""A tensor's bytes in a data file.

Numbers are row-major and little-endian, without padding. A tensor of strings is::

    length (varint) a string   checksum of the lengths (u32)   the strings' bytes

The checksum of the lengths is taken over each as u32 (u64 above 2**32 - 1), not over the varints; the entry's
checksum over those same words, the stored checksum, and the strings' bytes. That of numbers is over their bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Generator
from functools import cache
from typing import Any

import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.formats.checkpoint.coding import crc32c, decode_varint, encode_varint, mask
from reference_impl.formats.checkpoint.entry import Entry, fail
from reference_impl.tracking import Array

CHUNK = 1 << 18
"""Bytes handled at a time: they stay in the processor's cache between copying and checking."""


# -- writing ---------------------------------------------------------------------------------------------


def encode(key: str, array: Array, dtype: str) -> Generator[Any, None, int]:
    """The tensor's bytes, buffer by buffer; returns the checksum. No copy is made of a whole array."""
    if dtype == "string":
        return (yield from _encode_strings(key, array))
    crc = 0
    for data in _chunks(array):
        crc = crc32c(data, crc)
        yield data
    return mask(crc)


def _chunks(array: Array) -> Generator[Any]:
    if array.flags.c_contiguous and array.dtype.isnative:
        data: Any = array.reshape(-1).view(np.uint8)
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK].data
        return
    count = max(1, CHUNK // array.dtype.itemsize)
    native = array.dtype.newbyteorder("=") if array.dtype.kind != "V" else array.dtype
    for start in range(0, array.size, count):
        part: Any = array.flat[start : start + count]
        yield part.astype(native, copy=False).view(np.uint8).data


def _encode_strings(key: str, array: Array) -> Generator[Any, None, int]:
    strings = [_as_bytes(key, string) for string in array.reshape(-1).tolist()]
    crc = crc32c(b"".join(_length_word(len(string)) for string in strings))
    guard = struct.pack("<I", mask(crc))
    yield b"".join(encode_varint(len(string)) for string in strings)
    yield guard
    crc = crc32c(guard, crc)
    for string in strings:
        crc = crc32c(string, crc)
        yield string
    return mask(crc)


def _as_bytes(key: str, string: Any) -> bytes:
    if isinstance(string, str):
        return string.encode()
    if isinstance(string, bytes):
        return string
    raise TypeError(f"{key}: found a {type(string).__name__} in a tensor of strings, expected bytes or str")


def _length_word(length: int) -> bytes:
    return struct.pack("<I" if length < 1 << 32 else "<Q", length)


# -- reading ---------------------------------------------------------------------------------------------


def view_numbers(data: memoryview, entry: Entry) -> Array:
    """The numbers in ``data`` where they are: a read-only view that keeps ``data`` alive, maybe not aligned."""
    return np.frombuffer(data, _little(entry.dtype)).reshape(entry.shape)


@cache
def _little(name: str) -> np.dtype[Any]:
    dtype = numpy_dtype(name)
    return dtype if dtype.kind == "V" else dtype.newbyteorder("<")


def copy_numbers(data: memoryview, entry: Entry, place: str, *, verify: bool = True) -> Array:
    """A copy of the numbers in ``data``."""
    copied = np.empty(entry.size, np.uint8)
    target = copied.data
    crc = 0
    for start in range(0, entry.size, CHUNK):
        target[start : start + CHUNK] = data[start : start + CHUNK]
        if verify:
            crc = crc32c(target[start : start + CHUNK], crc)
    if verify:
        check(mask(crc), entry, place)
    # A fresh array's bytes are aligned for every element type.
    value = view_numbers(target, entry)
    return value if value.dtype.isnative else value.astype(value.dtype.newbyteorder("="))


def decode_strings(data: memoryview, entry: Entry, place: str, *, verify: bool = True) -> Array:
    """The strings in ``data``, as bytes in an array of objects."""
    lengths, position = _decode_lengths(data, entry, place)
    if verify:
        _check_strings(data, lengths, position, entry, place)
    start = position + 4
    strings = np.empty(len(lengths), object)
    for index, length in enumerate(lengths):
        strings[index] = bytes(data[start : start + length])
        start += length
    return strings.reshape(entry.shape)


def verify(data: memoryview, entry: Entry, place: str) -> None:
    """``LoadError`` if ``data`` are not those that ``entry`` was made for."""
    if entry.dtype == "string":
        _check_strings(data, *_decode_lengths(data, entry, place), entry, place)
    else:
        check(mask(crc32c(data)), entry, place)


def _decode_lengths(data: memoryview, entry: Entry, place: str) -> tuple[list[int], int]:
    lengths: list[int] = []
    position = 0
    for _ in range(math.prod(entry.shape)):
        try:
            length, position = decode_varint(data, position)
        except ValueError as error:
            fail(place, str(error), "a string's length")
        lengths.append(length)
    room = entry.size - position - 4
    if sum(lengths) != room:
        fail(place, f"strings of {sum(lengths)} bytes in all", f"{room} bytes")
    return lengths, position


def _check_strings(data: memoryview, lengths: list[int], position: int, entry: Entry, place: str) -> None:
    crc = crc32c(b"".join(_length_word(length) for length in lengths))
    (stored,) = struct.unpack_from("<I", data, position)
    if mask(crc) != stored:
        fail(place, f"lengths with checksum {mask(crc):#010x}", f"{stored:#010x}; the data are damaged")
    check(mask(crc32c(data[position:], crc)), entry, place)


def check(checksum: int, entry: Entry, place: str) -> None:
    """``LoadError`` if ``checksum`` is not the stored one."""
    if checksum != entry.checksum:
        fail(place, f"data with checksum {checksum:#010x}", f"{entry.checksum:#010x}; the data are damaged")
