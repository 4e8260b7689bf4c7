"""Heaps of an HDF5 file looked at before the HDF5 library reads them.

Texts of variable length are in collections::

    0   "GCOL", version 1, three zeros
    8   size of the collection, u64
    16  objects: index u16, count u16, four zeros, size u64, then so many bytes, filled up to 8
        index 0 is what is free: its size counts these 16 bytes too

The library goes from object to object by their sizes. One that is 0 where it must not be, or that leads out of the
collection, sends it round for ever or out of its memory; such a file is refused here. Collections begin at multiples of 8
bytes, where the library puts them.

Whoever has such a text refers to it so, wherever that is:

    0   length u32, address of the collection u64, index u32

For one damaged length the library takes up to 4 GB of memory before it looks at the address, so that a length beyond the
file is refused before. Where the address may be damaged too, as in the attributes that Keras writes, these are found by
their names::

    0   version 1, a zero, sizes of what follows, each u16 and filled up to 8: name, type, extents
    8   name; type, of class 9 for texts of variable length; extents: version, rank, …, sizes u64 from byte 8; references

Elsewhere the addresses are searched for: one at a multiple of 8, as the library puts it, that names an object which is
there. Other bytes may look like an address, and a good file must not be refused for them.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Collection
from typing import Any, cast

import numpy as np

from reference_impl.errors import LoadError

_START = np.frombuffer(b"GCOL\x01\0\0\0", "<u8")[0]
_NAMES = np.frombuffer(b"keras_vebackend\0model_cotraininglayer_naweight_nname\0\0\0\0", "<u8")
"""The first 8 bytes of the names of attributes that are texts."""
_SIZES, _REFERENCE = struct.Struct("<HHH"), 16
_CHUNK = 1 << 16
_HEAD = 16
_SEARCHED = 64 << 20
"""Bytes to search, all addresses together. Larger files are not: reading them takes long enough, and the memory of a large
file is in proportion to what a length can ask for."""
_OBJECT = struct.Struct("<H6xQ")


def check_file(path: str) -> None:
    """Look at every heap of the file. ``LoadError`` names the byte where one is damaged; ``OSError`` as ``open``."""
    if os.path.getsize(path):
        check(memoryview(cast("Any", np.memmap(path, np.uint8, "r"))), path)


def check(content: bytes | memoryview, place: str) -> None:
    """The same for the bytes of a file; ``place`` is for messages."""
    words = np.frombuffer(content, "<u8", len(content) // 8)
    heaps: dict[int, set[int]] = {}
    for first in range(0, len(words), _CHUNK):
        chunk = words[first : first + _CHUNK]
        for found in np.flatnonzero(chunk == _START).tolist():
            start = (first + found) * 8
            heaps[start] = _check_heap(content, start, place)
        for found in np.flatnonzero(np.isin(chunk, _NAMES)).tolist():
            _check_attribute(content, (first + found) * 8, place)
    if len(heaps) * len(content) <= _SEARCHED:
        whole = bytes(content)
        for start, indexes in heaps.items():
            _check_references(whole, start, indexes, place)


def _check_attribute(content: bytes | memoryview, start: int, place: str) -> None:
    """The lengths of the texts of an attribute whose name is at ``start``, if it is one and has such texts."""
    head = start - 8
    if head < 0 or content[head] != 1:
        return
    name, kind, extents = ((size + 7) // 8 * 8 for size in _SIZES.unpack(content[head + 2 : start]))
    described = bytes(content[start + name : start + name + kind + extents])
    if len(described) < kind + extents or not kind or described[0] & 0x0F != _VARIABLE_LENGTH:
        return
    sizes = np.frombuffer(described[kind + 8 :], "<u8")[: described[kind + 1]] if extents else ()
    first = start + name + kind + extents
    texts = min(math.prod(map(int, sizes)), (len(content) - first) // _REFERENCE)
    for at in range(first, first + texts * _REFERENCE, _REFERENCE):
        _check_length(content, at, place)


_VARIABLE_LENGTH = 9


def _check_length(content: bytes | memoryview, at: int, place: str) -> None:
    length = int.from_bytes(content[at : at + 4], "little")
    if length > len(content):
        raise LoadError(
            f"{place}: byte {at}: found a text of {length} bytes in a file of {len(content)}, expected one that fits; the "
            "file is damaged"
        )


def _check_references(content: bytes, heap: int, indexes: Collection[int], place: str) -> None:
    address = heap.to_bytes(8, "little")
    at = content.find(address, 4)
    while at >= 0:
        if (at - 4) % 8 == 0 and int.from_bytes(content[at + 8 : at + 12], "little") in indexes:
            _check_length(content, at - 4, place)
        at = content.find(address, at + 1)


def _check_heap(content: bytes | memoryview, start: int, place: str) -> set[int]:
    """The indexes of the objects that are there."""
    found: set[int] = set()
    end = start + int.from_bytes(content[start + 8 : start + 16], "little")
    at = start + _HEAD
    if end > len(content):
        return found  # the library notices
    while at + _OBJECT.size <= end:
        index, size = _OBJECT.unpack(content[at : at + _OBJECT.size])
        step = size if index == 0 else _OBJECT.size + (size + 7) // 8 * 8
        if step < _OBJECT.size or at + step > end:
            raise LoadError(
                f"{place}: byte {at}: found an object of {size} bytes in a heap that ends at byte {end}, expected one that "
                "fits; the file is damaged"
            )
        found.add(index)
        at += step
    return found - {0}
