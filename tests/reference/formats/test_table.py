"""The index table, in bytes."""

from __future__ import annotations

import struct

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl.errors import LoadError
from reference_impl.formats.checkpoint import coding, table

ITEMS = [(b"", b"header"), *((b"key/%05d" % i, b"value" * (i % 7)) for i in range(100))]


@given(st.dictionaries(st.binary(max_size=20), st.binary(max_size=40), max_size=60))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(content: dict[bytes, bytes]) -> None:
    items = sorted(content.items())
    assert list(table.read_table(table.write_table(items), "x")) == items


def test_many_blocks() -> None:
    items = [(b"k%04d" % i, bytes(3000)) for i in range(300)]
    written = table.write_table(items)
    assert len(written) > 3 * table.BLOCK_SIZE
    assert list(table.read_table(written, "x")) == items


def test_keys_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        table.write_table([(b"b", b""), (b"a", b"")])


def test_a_flipped_bit_is_noticed_or_changes_nothing() -> None:
    written = table.write_table(ITEMS)
    unnoticed = 0
    for position in range(len(written)):
        damaged = bytearray(written)
        damaged[position] ^= 0x10
        try:
            found = list(table.read_table(bytes(damaged), "x"))
        except LoadError as error:
            assert str(error).startswith("x: byte ")  # noqa: PT017
        else:
            assert found == ITEMS
            unnoticed += 1
    assert unnoticed < 50  # the unused metaindex block and its handle, the footer's padding


def test_a_cut_file_is_refused() -> None:
    written = table.write_table(ITEMS)
    for length in range(0, len(written), 7):
        with pytest.raises(LoadError, match="expected"):
            list(table.read_table(written[:length], "x"))


def _one_block(content: bytes, kind: int) -> bytes:
    """A table file of one data block that is stored as ``content``."""
    file = bytearray()

    def append(block: bytes, kind: int = 0) -> bytes:
        handle = coding.encode_varint(len(file)) + coding.encode_varint(len(block))
        typed = block + bytes([kind])
        file.extend(typed + struct.pack("<I", coding.masked_crc32c(typed)))
        return handle

    data = append(content, kind)
    empty = append(struct.pack("<II", 0, 1))
    index = append(bytes([0, 1, len(data)]) + b"z" + data + struct.pack("<II", 0, 1))
    return bytes(file) + (empty + index).ljust(40, b"\0") + struct.pack("<Q", table.MAGIC)


BLOCK = bytes([0, 1, 1]) + b"kv" + struct.pack("<II", 0, 1)


def test_snappy_blocks_are_read() -> None:
    compressed = bytes(cramjam.snappy.compress_raw(BLOCK))
    assert list(table.read_table(_one_block(compressed, 1), "x")) == [(b"k", b"v")]


def test_a_snappy_block_that_claims_too_much_is_refused() -> None:
    with pytest.raises(LoadError, match="claims to hold 1152921504606846976 bytes"):
        list(table.read_table(_one_block(coding.encode_varint(1 << 60) + b"abc", 1), "x"))


def test_an_unknown_block_type_is_refused() -> None:
    with pytest.raises(LoadError, match="block type 7"):
        list(table.read_table(_one_block(BLOCK, 7), "x"))


def test_an_entry_that_does_not_fit_is_refused() -> None:
    block = bytes([0, 1]) + coding.encode_varint(1 << 60) + b"kv" + struct.pack("<II", 0, 1)
    with pytest.raises(LoadError, match="value bytes"):
        list(table.read_table(_one_block(block, 0), "x"))


def test_keys_that_grow_without_end_are_refused() -> None:
    long = bytes([0, *coding.encode_varint(60000), 0]) + b"a" * 60000
    more = (bytes([*coding.encode_varint(60000 + i), 1, 0]) + b"b" for i in range(200))
    block = long + b"".join(more) + struct.pack("<II", 0, 1)
    with pytest.raises(LoadError, match="keys of more than"):
        list(table.read_table(_one_block(block, 0), "x"))


def test_a_block_read_twice_is_refused() -> None:
    index = bytearray()
    for key in (b"a", b"b"):
        index += bytes([0, 1, 2]) + key + bytes([0, 17])
    index += struct.pack("<III", 0, 6, 2)
    data = bytes([0, 1, 1]) + b"kv" + struct.pack("<III", 0, 0, 2)
    file = bytearray()
    for block in (data, bytes(index)):
        file += block + b"\0" + struct.pack("<I", coding.masked_crc32c(block + b"\0"))
    handle = bytes([len(data) + 5, len(index)])
    with pytest.raises(LoadError, match="a block inside the one before it"):
        list(table.read_table(bytes(file) + (handle * 2).ljust(40, b"\0") + struct.pack("<Q", table.MAGIC), "x"))
