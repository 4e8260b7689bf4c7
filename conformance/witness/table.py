"""The sorted table of keys and values that a checkpoint's ``.index`` file is (LevelDB's table format).

The last 48 bytes are the footer: two handles (offset and size, varints) of the metaindex and the index block, and a
magic number. A block is followed by its compression (0 none, 1 snappy) and a masked CRC-32C over block and that byte.
In a block each entry is: bytes shared with the key before, bytes of its own, bytes of the value (varints), then key
rest and value; it ends in the restart offsets and their number. The index block's values are handles of data blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cramjam
import crc32c

from conformance.witness.wire import WireError, varint

FOOTER, TRAILER = 48, 5
MAGIC = 0xDB4775248B80FB57


def masked_crc(data: bytes) -> int:
    """The checksum as files store it: CRC-32C, rotated right by 15, plus a constant."""
    crc = crc32c.crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def entries(data: bytes) -> dict[bytes, bytes]:
    """All keys and values of a table, in order. Raises WireError, saying where."""
    if len(data) < FOOTER:
        raise WireError(f"a table has at least {FOOTER} bytes, found {len(data)}")
    footer = data[-FOOTER:]
    (magic,) = struct.unpack("<Q", footer[-8:])
    if magic != MAGIC:
        raise WireError(f"no table: the magic number is {magic:#x}, expected {MAGIC:#x}")
    _, after = _handle(footer, 0)
    index, _ = _handle(footer, after)
    result: dict[bytes, bytes] = {}
    for _, handle in _block_entries(_block(data, *index)):
        for key, value in _block_entries(_block(data, *_handle(handle, 0)[0])):
            if key in result:
                raise WireError(f"the key {key!r} occurs twice")
            result[key] = value
    return result


def _handle(data: bytes, start: int) -> tuple[tuple[int, int], int]:
    offset, start = varint(data, start)
    size, start = varint(data, start)
    return (offset, size), start


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + TRAILER > len(data) - FOOTER:
        raise WireError(f"block at offset {offset}: {size} bytes go beyond the end")
    (crc,) = struct.unpack("<I", data[end + 1 : end + TRAILER])
    found = masked_crc(data[offset : end + 1])
    if crc != found:
        raise WireError(f"block at offset {offset}: checksum {found:#010x}, the file says {crc:#010x}")
    kind, block = data[end], data[offset:end]
    if kind == 0:
        return block
    if kind != 1:
        raise WireError(f"block at offset {offset}: unknown compression {kind}")
    try:
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError as error:
        raise WireError(f"block at offset {offset}: {error}") from None


def _block_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise WireError("a block without restart offsets")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    offset, key = 0, b""
    while offset < end:
        shared, offset = varint(block, offset)
        own, offset = varint(block, offset)
        size, offset = varint(block, offset)
        if shared > len(key) or offset + own + size > end:
            raise WireError(f"an entry goes beyond its block, at offset {offset} of it")
        key = key[:shared] + block[offset : offset + own]
        offset += own
        yield key, block[offset : offset + size]
        offset += size
