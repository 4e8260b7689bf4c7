"""Keys whose bytes sort as the values they encode: the keys of partitioned tensors ("ordered code").

::

    number          count of bytes (1 byte), then the bytes, highest first; 0 is the count alone
    signed number   like UTF-8: the leading ones of the first bits are the length; negatives inverted
    string          00 written as 00 ff, ff as ff 00; ends with 00 01

The slice of a tensor has the key: number 0, string name, number of dimensions, then for each dimension the
signed numbers start and length (-1: the whole dimension). The leading zero byte keeps these keys before all
others.
"""

from __future__ import annotations

from collections.abc import Sequence


def encode_number(number: int) -> bytes:
    """A number that is not negative."""
    length = (number.bit_length() + 7) // 8
    return bytes([length]) + number.to_bytes(length, "big")


def encode_signed(number: int) -> bytes:
    """A number of either sign, in 1 to 10 bytes of 7 useful bits each (the first bit of them the sign)."""
    magnitude = ~number if number < 0 else number
    length = magnitude.bit_length() // 7 + 1
    header = ((1 << length) - 1) << 7 * length
    return ((number & ((1 << 8 * length) - 1)) ^ header).to_bytes(length, "big")


def encode_string(string: bytes) -> bytes:
    """A string of any bytes."""
    table = {0x00: b"\x00\xff", 0xFF: b"\xff\x00"}
    return b"".join(table.get(byte, bytes([byte])) for byte in string) + b"\x00\x01"


def slice_key(name: str, extents: Sequence[tuple[int, int]]) -> bytes:
    """The key of the slice of tensor ``name`` that has ``extents`` = (start, length) a dimension."""
    numbers = b"".join(encode_signed(start) + encode_signed(length) for start, length in extents)
    return encode_number(0) + encode_string(name.encode()) + encode_number(len(extents)) + numbers
