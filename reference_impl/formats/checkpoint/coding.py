"""What index and data files are both made of: numbers of variable length, and checksums."""

from __future__ import annotations

from typing import Any


def encode_varint(number: int) -> bytes:
    """``number`` in groups of 7 bits, lowest first; the high bit says that another byte follows."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def decode_varint(data: Any, position: int) -> tuple[int, int]:
    """The number at ``position`` and the position after it; ``ValueError`` where there is none."""
    if position < len(data) and data[position] < 0x80:  # nearly always
        return data[position], position + 1
    number = 0
    for index in range(10):
        if position + index >= len(data):
            raise ValueError("the data end inside a number")
        byte = data[position + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, position + index + 1
    raise ValueError("a number of more than 10 bytes")


def crc32c(data: Any, crc: int = 0) -> int:
    """The plain crc32c of ``data`` (any buffer), going on from ``crc``."""
    import crc32c as implementation  # not before a checkpoint is read or written

    return implementation.crc32c(data, crc)


def mask(crc: int) -> int:
    """Rotate right by 15 bits and add a constant: how a checksum is stored.

    A checksum of data that itself holds checksums is weak, hence the mask.
    """
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def masked_crc32c(data: Any) -> int:
    """The checksum stored for ``data``."""
    return mask(crc32c(data))
