"""The two lowest layers of the witness, on bytes made here."""

from __future__ import annotations

import struct
from collections.abc import Callable

import cramjam
import pytest

from conformance.witness import table
from conformance.witness.wire import Message, WireError


def varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def block(entries: list[tuple[bytes, bytes]], compress: bool = False) -> bytes:
    """A block with prefix-compressed keys, its type byte and its checksum."""
    body, last = b"", b""
    for key, value in entries:
        shared = next((i for i, (a, b) in enumerate(zip(last, key, strict=False)) if a != b), min(len(last), len(key)))
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    body += struct.pack("<II", 0, 1)
    body = bytes(cramjam.snappy.compress_raw(body)) if compress else body
    typed = body + bytes([int(compress)])
    return typed + struct.pack("<I", table.masked_crc(typed))


def a_table(*blocks: list[tuple[bytes, bytes]], compress: bool = False) -> bytes:
    data, index = b"", list[tuple[bytes, bytes]]()
    for entries in blocks:
        written = block(entries, compress)
        index.append((entries[-1][0], varint(len(data)) + varint(len(written) - 5)))
        data += written
    meta, handles = block([]), block(index)
    footer = varint(len(data)) + varint(len(meta) - 5) + varint(len(data) + len(meta)) + varint(len(handles) - 5)
    return data + meta + handles + footer.ljust(40, b"\0") + struct.pack("<Q", table.MAGIC)


ENTRIES = [(b"", b"head"), (b"layer-0/bias", b"b" * 200), (b"layer-0/kernel", b""), (b"m", b"m")]


@pytest.mark.parametrize("compress", [False, True])
def test_a_table_gives_its_keys_and_values_in_order(compress: bool):
    assert list(table.entries(a_table(ENTRIES[:2], ENTRIES[2:], compress=compress)).items()) == ENTRIES


DAMAGES: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda data: data[:20], "at least 48 bytes"),
    (lambda data: data[:-1] + b"\0", "magic number"),
    (lambda data: bytes([data[0] ^ 1]) + data[1:], "block at offset 0: checksum"),
    (lambda data: data[1:], "checksum|beyond"),
]


@pytest.mark.parametrize(("damage", "text"), DAMAGES)
def test_a_damaged_table_says_where(damage: Callable[[bytes], bytes], text: str):
    with pytest.raises(WireError, match=text):
        table.entries(damage(a_table(ENTRIES)))


def test_a_key_that_occurs_twice_is_refused():
    with pytest.raises(WireError, match="occurs twice"):
        table.entries(a_table(ENTRIES[1:2], ENTRIES[1:2]))


def test_the_checksum_is_the_published_one():
    # RFC 3720, B.4: CRC-32C of 32 zero bytes is 0x8A9136AA; masked as LevelDB does.
    crc = 0x8A9136AA
    assert table.masked_crc(bytes(32)) == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_fields_of_a_message():
    inner = bytes([0x08, 0x96, 0x01])
    data = b"".join(
        [
            b"\x08" + varint((1 << 64) - 3),
            b"\x12" + varint(len(inner)) + inner,
            b"\x12\x02\x08\x07",
            b"\x1d\x01\x02\x03\x04",
            b"\x22\x02hi",
            b"\x2a\x03\x01\x96\x01",
        ]
    )
    message = Message(data)
    assert message.integer(1) == -3
    assert [part.integer(1) for part in message.messages(2)] == [150, 7]
    assert message.data(3) == b"\x01\x02\x03\x04"
    assert message.text(4) == "hi"
    assert message.integers(5) == [1, 150]
    assert message.integer(9) == 0
    assert message.texts(9) == []
    assert 4 in message
    assert 9 not in message


@pytest.mark.parametrize("data", [b"\x08", b"\x12\x05ab", b"\x0b\x00", b"\x00\x01", b"\x08" + b"\xff" * 11])
def test_bytes_that_are_no_message(data: bytes):
    with pytest.raises(WireError):
        Message(data)
