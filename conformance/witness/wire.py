"""Protocol buffers without a schema: a message as its numbered fields.

A message is a run of (tag, value); the tag's low three bits are the wire type: 0 varint, 1 eight bytes, 2 length and
bytes, 5 four bytes. What a number means is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Raw: TypeAlias = int | bytes


class WireError(ValueError):
    """Bytes that are not a message; the offset is in the text."""


def varint(data: bytes, start: int) -> tuple[int, int]:
    """The varint at ``start`` and the offset after it. Raises WireError."""
    value = shift = 0
    for offset in range(start, min(start + 10, len(data))):
        byte = data[offset]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, offset + 1
        shift += 7
    raise WireError(f"no varint at offset {start}")


def _fields(data: bytes) -> Iterator[tuple[int, Raw]]:
    offset = 0
    while offset < len(data):
        tag, after = varint(data, offset)
        number, kind = tag >> 3, tag & 7
        if number and kind == 0:
            value, offset = varint(data, after)
            yield number, value
            continue
        size, after = varint(data, after) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), after)
        if number == 0 or size < 0 or after + size > len(data):
            raise WireError(f"no field at offset {offset} (wire type {kind})")
        offset = after + size
        yield number, data[after:offset]


class Message:
    """The fields of one message by number; a field that is absent reads as zero, empty or no items."""

    def __init__(self, data: bytes) -> None:
        self.fields: dict[int, list[Raw]] = {}
        for number, value in _fields(data):
            self.fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self.fields

    def integer(self, number: int) -> int:
        """An integer field, negative where its 64 bits say so."""
        values = self.integers(number)
        return values[-1] if values else 0

    def integers(self, number: int) -> list[int]:
        """A repeated integer field, packed or not."""
        result: list[int] = []
        for value in self.fields.get(number, []):
            if isinstance(value, int):
                result.append(value)
                continue
            offset = 0
            while offset < len(value):
                item, offset = varint(value, offset)
                result.append(item)
        return [item - (1 << 64) if item >> 63 else item for item in result]

    def items(self, number: int) -> list[bytes]:
        """A repeated field of bytes, text or messages. Raises WireError for numbers."""
        values = self.fields.get(number, [])
        if not all(isinstance(value, bytes) for value in values):
            raise WireError(f"field {number} holds numbers, expected bytes")
        return [value for value in values if isinstance(value, bytes)]

    def data(self, number: int) -> bytes:
        """A field of bytes, a message, or a fixed-width number."""
        values = self.items(number)
        return values[-1] if values else b""

    def text(self, number: int) -> str:
        """A field of UTF-8 text."""
        return decoded(self.data(number))

    def message(self, number: int) -> Message:
        """A field that is a message."""
        return Message(self.data(number))

    def messages(self, number: int) -> list[Message]:
        """A repeated field of messages."""
        return [Message(value) for value in self.items(number)]

    def texts(self, number: int) -> list[str]:
        """A repeated field of text."""
        return [decoded(value) for value in self.items(number)]

    def mapping(self, number: int) -> dict[str, Message]:
        """A map from text to messages."""
        return {entry.text(1): entry.message(2) for entry in self.messages(number)}


def decoded(data: bytes) -> str:
    """UTF-8 text. Raises WireError."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise WireError(f"not UTF-8 text: {error}") from None
