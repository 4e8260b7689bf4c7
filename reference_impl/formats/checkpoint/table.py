"""The index file of a checkpoint: a sorted table of byte keys and byte values (LevelDB's table format).

::

    file     data block*  metaindex block (empty)  index block  footer
    block    entry*  restart offset (u32)*  restart count (u32) | type (1 byte) | checksum (u32)
    entry    shared (varint)  unshared (varint)  value length (varint)  key's unshared bytes  value
    footer   metaindex handle  index handle  zero padding to 40 bytes  magic (u64)
    handle   offset (varint)  size (varint)          of a block without its type and checksum

All numbers are little-endian. An entry leaves out what its key shares with the key before it; at every
restart (each 16th entry) nothing is left out. The block's type says how it is compressed (0 not, 1 Snappy);
the checksum covers block and type. The index block has one entry a data block: a key that is not below any
key in the block and below every key of the next, as short as possible, and the block's handle.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NoReturn

from reference_impl.errors import LoadError
from reference_impl.formats.checkpoint.coding import decode_varint, encode_varint, masked_crc32c

MAGIC = 0xDB4775248B80FB57
BLOCK_SIZE = 262144
RESTART_INTERVAL = 16
FOOTER_SIZE = 48
TRAILER_SIZE = 5
SNAPPY_RATIO = 64  # no Snappy stream grows more than this when it is read
KEY_RATIO = 64  # an entry may leave out almost all of its key, so a small file could hold endless ones


# -- writing ---------------------------------------------------------------------------------------------


def write_table(items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The table of ``items``, whose keys must ascend bytewise."""
    file = bytearray()
    data = _BlockWriter(RESTART_INTERVAL)
    index = _BlockWriter(1)
    last: bytes | None = None
    full: bytes | None = None  # handle of a block whose index key waits for the next block's first key
    for key, value in items:
        if last is not None and key <= last:
            raise ValueError(f"keys must ascend: {key!r} after {last!r}")
        if full is not None and last is not None:
            index.add(_separator(last, key), full)
            full = None
        data.add(key, value)
        last = key
        if data.size >= BLOCK_SIZE:
            full = _append_block(file, data)
            data = _BlockWriter(RESTART_INTERVAL)
    if data.count:
        full = _append_block(file, data)
    metaindex = _append_block(file, _BlockWriter(RESTART_INTERVAL))
    if full is not None and last is not None:
        index.add(_successor(last), full)
    handles = metaindex + _append_block(file, index)
    file += handles.ljust(FOOTER_SIZE - 8, b"\0") + struct.pack("<Q", MAGIC)
    return bytes(file)


class _BlockWriter:
    def __init__(self, restart_interval: int) -> None:
        self._interval = restart_interval
        self._entries = bytearray()
        self._restarts = [0]
        self._last = b""
        self.count = 0

    @property
    def size(self) -> int:
        return len(self._entries) + 4 * len(self._restarts) + 4

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self.count and self.count % self._interval == 0:
            self._restarts.append(len(self._entries))
        else:
            shared = _common_prefix(self._last, key)
        for number in (shared, len(key) - shared, len(value)):
            self._entries += encode_varint(number)
        self._entries += key[shared:] + value
        self._last = key
        self.count += 1

    def finish(self) -> bytes:
        tail = [*self._restarts, len(self._restarts)]
        return bytes(self._entries) + struct.pack(f"<{len(tail)}I", *tail)


def _append_block(file: bytearray, block: _BlockWriter) -> bytes:
    """Append block, type and checksum; return the block's handle."""
    content = block.finish()
    handle = encode_varint(len(file)) + encode_varint(len(content))
    typed = content + b"\0"
    file += typed + struct.pack("<I", masked_crc32c(typed))
    return handle


def _common_prefix(first: bytes, second: bytes) -> int:
    length = min(len(first), len(second))
    return next((i for i in range(length) if first[i] != second[i]), length)


def _separator(last: bytes, following: bytes) -> bytes:
    """A short key that is not below ``last`` and below ``following``."""
    shared = _common_prefix(last, following)
    if shared < min(len(last), len(following)):
        byte = last[shared]
        if byte < 0xFF and byte + 1 < following[shared]:
            return last[:shared] + bytes([byte + 1])
    return last


def _successor(last: bytes) -> bytes:
    """A short key that is not below ``last``."""
    for position, byte in enumerate(last):
        if byte != 0xFF:
            return last[:position] + bytes([byte + 1])
    return last


# -- reading ---------------------------------------------------------------------------------------------


def read_table(file: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table in order; ``name`` is the file's, for messages.

    Raises ``LoadError`` at the first thing that is not as it must be: magic, handle, checksum, entry, order.
    """
    return _TableReader(file, name).items()


class _TableReader:
    def __init__(self, file: bytes, name: str) -> None:
        self._file = file
        self._name = name
        self._room = KEY_RATIO * len(file)  # for the bytes of all keys

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        last: bytes | None = None
        end = 0
        for _, handle in self._entries(*self._index_handle()):
            offset, size = self._handle(handle, 0)[0]
            if offset < end:  # a block read twice could be read without end
                self._fail(offset, "a block inside the one before it", f"one from byte {end} on")
            end = offset + size + TRAILER_SIZE
            for key, value in self._entries(offset, size):
                if last is not None and key <= last:
                    self._fail(offset, f"the key {_shown(key)} after {_shown(last)}", "keys in ascending order")
                last = key
                yield key, value

    def _index_handle(self) -> tuple[int, int]:
        start = len(self._file) - FOOTER_SIZE
        if start < 0:
            self._fail(0, f"{len(self._file)} bytes", f"at least the footer's {FOOTER_SIZE}")
        footer = self._file[start:]
        (magic,) = struct.unpack("<Q", footer[-8:])
        if magic != MAGIC:
            self._fail(start + 40, f"the number {magic:#018x}", f"the magic number {MAGIC:#018x} of an index")
        _, position = self._handle(footer, 0, start)
        return self._handle(footer, position, start)[0]

    def _handle(self, data: bytes, position: int, base: int = 0) -> tuple[tuple[int, int], int]:
        try:
            offset, position = decode_varint(data, position)
            size, position = decode_varint(data, position)
        except ValueError as error:
            self._fail(base + position, str(error), "a block's offset and size")
        if offset + size + TRAILER_SIZE > len(self._file) - FOOTER_SIZE:
            self._fail(
                base,
                f"a block of {size} bytes at byte {offset}",
                f"one that ends before the footer at byte {len(self._file) - FOOTER_SIZE}",
            )
        return (offset, size), position

    def _block(self, offset: int, size: int) -> bytes:
        typed = self._file[offset : offset + size + 1]
        (stored,) = struct.unpack_from("<I", self._file, offset + size + 1)
        actual = masked_crc32c(typed)
        if actual != stored:
            self._fail(offset, f"a block with checksum {actual:#010x}", f"the {stored:#010x} stored after it")
        kind = typed[-1]
        if kind == 0:
            return typed[:-1]
        if kind == 1:
            return self._uncompress(typed[:-1], offset)
        return self._fail(offset + size, f"the block type {kind}", "0 (not compressed) or 1 (Snappy)")

    def _uncompress(self, block: bytes, offset: int) -> bytes:
        import cramjam

        try:
            length, _ = decode_varint(block, 0)
            if length > SNAPPY_RATIO * len(block):
                raise ValueError(f"it claims to hold {length} bytes")
            return bytes(cramjam.snappy.decompress_raw(block))
        except Exception as error:  # the package's own error types differ from version to version
            raise LoadError(
                f"{self._name}: byte {offset}: found a block that Snappy cannot read ({error}), expected Snappy data"
            ) from error

    def _entries(self, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
        block = self._block(offset, size)
        end = len(block) - 4
        restarts = struct.unpack_from("<I", block, end)[0] if end >= 0 else 0
        end -= 4 * restarts
        if end < 0:
            self._fail(offset, f"a block of {len(block)} bytes with {restarts} restarts", "room for them")
        position = 0
        key = b""
        while position < end:
            try:
                shared, position = decode_varint(block, position)
                unshared, position = decode_varint(block, position)
                length, position = decode_varint(block, position)
            except ValueError as error:
                self._fail(offset, f"a broken entry ({error})", "the lengths of key and value")
            if shared > len(key) or position + unshared + length > end:
                self._fail(
                    offset,
                    f"an entry of {shared} + {unshared} key bytes and {length} value bytes",
                    "one that fits its block and the key before it",
                )
            key = key[:shared] + block[position : position + unshared]
            position += unshared
            self._room -= len(key)
            if self._room < 0:
                self._fail(offset, f"keys of more than {KEY_RATIO * len(self._file)} bytes", "keys that fit the file")
            yield key, block[position : position + length]
            position += length

    def _fail(self, offset: int, found: str, expected: str) -> NoReturn:
        raise LoadError(f"{self._name}: byte {offset}: found {found}, expected {expected}")


def _shown(key: bytes) -> str:
    return repr(key if len(key) <= 80 else key[:80] + b"...")
