"""Heaps of an HDF5 file looked at before the HDF5 library reads them.

Texts of variable length are in collections::

    0   "GCOL", version 1, three zeros
    8   size of the collection, u64
    16  objects: index u16, count u16, four zeros, size u64, then so many bytes, filled up to 8
        index 0 is what is free: its size counts these 16 bytes too

The library goes from object to object by their sizes. One that is 0 where it must not be, or that leads out of the
collection, sends it round for ever or out of its memory; such a file is refused here. Collections begin at multiples of 8
bytes, where the library puts them.
"""

from __future__ import annotations

import os
import struct
from typing import Any, cast

import numpy as np

from reference_impl.errors import LoadError

_START = np.frombuffer(b"GCOL\x01\0\0\0", "<u8")[0]
_CHUNK = 1 << 16
_HEAD = 16
_OBJECT = struct.Struct("<H6xQ")


def check_file(path: str) -> None:
    """Look at every heap of the file. ``LoadError`` names the byte where one is damaged; ``OSError`` as ``open``."""
    if os.path.getsize(path):
        check(memoryview(cast("Any", np.memmap(path, np.uint8, "r"))), path)


def check(content: bytes | memoryview, place: str) -> None:
    """The same for the bytes of a file; ``place`` is for messages."""
    words = np.frombuffer(content, "<u8", len(content) // 8)
    for first in range(0, len(words), _CHUNK):
        for found in np.flatnonzero(words[first : first + _CHUNK] == _START).tolist():
            _check_heap(content, (first + found) * 8, place)


def _check_heap(content: bytes | memoryview, start: int, place: str) -> None:
    end = start + int.from_bytes(content[start + 8 : start + 16], "little")
    at = start + _HEAD
    if end > len(content):
        return  # the library notices
    while at + _OBJECT.size <= end:
        index, size = _OBJECT.unpack(content[at : at + _OBJECT.size])
        step = size if index == 0 else _OBJECT.size + (size + 7) // 8 * 8
        if step < _OBJECT.size or at + step > end:
            raise LoadError(
                f"{place}: byte {at}: found an object of {size} bytes in a heap that ends at byte {end}, expected one that "
                "fits; the file is damaged"
            )
        at += step
