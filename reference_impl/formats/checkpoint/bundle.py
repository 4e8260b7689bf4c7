"""Tensors in files: ``PREFIX.index`` says where each is, ``PREFIX.data-00000-of-00001`` … hold their bytes.

The index (see ``table``) has the key ``""`` with a ``BundleHeader`` and a key a tensor with a
``BundleEntry`` (messages in ``schema.proto``). The data files hold the tensors back to back, without
padding, in the order they were written: row-major, little-endian. The entry's checksum is that of the
tensor's bytes.

A tensor of strings is::

    length (varint) a string   checksum of the lengths (u32)   the strings' bytes

The checksum of the lengths is taken over each as u32 (u64 above 2**32 - 1), not over the varints; the entry's
checksum over those same words, the stored checksum, and the strings' bytes.

A partitioned tensor has an entry with slices and no data; each slice is a tensor under a key of its own (see
``ordered_code``).
"""

from __future__ import annotations

import math
import mmap
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.errors import LoadError, LoadOSError, missing_path
from reference_impl.formats import messages
from reference_impl.formats.checkpoint.ordered_code import slice_key
from reference_impl.formats.checkpoint.table import (
    crc32c,
    decode_varint,
    encode_varint,
    mask,
    masked_crc32c,
    read_table,
    write_table,
)
from reference_impl.formats.files import replacing
from reference_impl.tracking import Array

DTYPES: dict[int, str] = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
"""Number of an element type on the wire -> its name."""

_NUMBERS = {name: number for number, name in DTYPES.items()}
_MAX_RANK = 254

Extents = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Entry:
    """Where a tensor is. ``offset`` and ``size`` in bytes; ``slices`` as (start, length) a dimension."""

    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    slices: tuple[Extents, ...] = ()


def index_path(prefix: str | os.PathLike[str]) -> Path:
    """``PREFIX.index``."""
    return Path(f"{os.fspath(prefix)}.index")


def data_path(prefix: str | os.PathLike[str], shard: int, shards: int) -> Path:
    """``PREFIX.data-SHARD-of-SHARDS``, numbers in five digits."""
    return Path(f"{os.fspath(prefix)}.data-{shard:05d}-of-{shards:05d}")


# -- writing ---------------------------------------------------------------------------------------------


def encode_bundle(tensors: Iterable[tuple[str, Array]]) -> tuple[list[Any], bytes]:
    """The bytes of one data file, as buffers to be written one after the other, and those of the index."""
    header = messages.BundleHeader(num_shards=1)
    header.version.producer = 1
    items = [(b"", messages.serialize(header))]
    buffers: list[Any] = []
    offset = 0
    for key, array in tensors:
        dtype = as_dtype(array.dtype)
        if dtype not in _NUMBERS:
            raise TypeError(f"{key}: a checkpoint holds no {dtype}; expected one of {', '.join(_NUMBERS)}")
        parts, checksum = _encode_strings(key, array) if dtype == "string" else _encode_numbers(array)
        size = sum(len(part) for part in parts)
        entry = messages.BundleEntry(dtype=_NUMBERS[dtype], offset=offset, size=size, crc32c=checksum)
        entry.shape.SetInParent()
        for dimension in array.shape:
            entry.shape.dim.add(size=dimension)
        items.append((key.encode(), messages.serialize(entry)))
        buffers += parts
        offset += size
    return buffers, write_table(sorted(items))


def _encode_numbers(array: Array) -> tuple[list[Any], int]:
    little = array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("<"), copy=False)
    flat: Any = np.ascontiguousarray(little).reshape(-1).view(np.uint8)
    data = memoryview(flat)
    return [data], masked_crc32c(data)


def _encode_strings(key: str, array: Array) -> tuple[list[Any], int]:
    strings = [_as_bytes(key, string) for string in array.reshape(-1).tolist()]
    words = b"".join(_length_word(len(string)) for string in strings)
    crc = crc32c(words)
    guard = struct.pack("<I", mask(crc))
    content = b"".join(strings)
    lengths = b"".join(encode_varint(len(string)) for string in strings)
    return [lengths, guard, content], mask(crc32c(content, crc32c(guard, crc)))


def _as_bytes(key: str, string: Any) -> bytes:
    if isinstance(string, str):
        return string.encode()
    if isinstance(string, bytes):
        return string
    raise TypeError(f"{key}: found a {type(string).__name__} in a tensor of strings, expected bytes or str")


def _length_word(length: int) -> bytes:
    return struct.pack("<I" if length < 1 << 32 else "<Q", length)


def write_bundle(prefix: str | os.PathLike[str], tensors: Iterable[tuple[str, Array]]) -> None:
    """Write the two files of the checkpoint ``prefix``, the index last; data files of an older one are
    removed.

    All bytes are made before a file is touched. Between the two renames a reader of an overwritten checkpoint
    meets checksums that do not fit, never wrong values.
    """
    buffers, index = encode_bundle(tensors)
    target = data_path(prefix, 0, 1)
    with replacing(index_path(prefix)) as new_index, replacing(target) as new_data:
        new_index.write_bytes(index)
        with new_data.open("xb") as file:
            for buffer in buffers:
                file.write(buffer)
    for shard in _data_files(prefix):
        if shard != target:
            shard.unlink()


def _data_files(prefix: str | os.PathLike[str]) -> Iterator[Path]:
    stem = Path(prefix)
    start = f"{stem.name}.data-"
    for path in list(stem.parent.iterdir()):
        numbers = path.name.removeprefix(start)
        if numbers != path.name and len(numbers) == len("00000-of-00001") and numbers[5:9] == "-of-":
            yield path


# -- reading ---------------------------------------------------------------------------------------------


class Bundle:
    """A checkpoint's tensors, read one at a time from mapped files.

    ``entries`` are the tensors in the order of their keys. Every read verifies the checksum, unless
    ``verify`` is False. Use as a context manager or :meth:`close`; the arrays are copies and stay.
    """

    def __init__(self, prefix: str | os.PathLike[str], *, verify: bool = True) -> None:
        self._prefix = os.fspath(prefix)
        self._verify = verify
        self._files = ExitStack()
        self._shards: dict[int, memoryview] = {}
        path = index_path(prefix)
        self._shard_count, self._table = parse_index(_read(path, "a checkpoint's index"), str(path))
        self.entries = {key.decode(): entry for key, entry in self._table.items() if key[0]}

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unmap the data files."""
        for view in self._shards.values():
            view.release()
        self._shards.clear()
        self._files.close()

    def tensor(self, key: str) -> Array:
        """The value of ``key``, a new array; strings are bytes in an array of objects.

        Raises ``KeyError`` for a key that is not there and ``LoadError`` for data that are not as they must
        be.
        """
        entry = self.entries[key]
        return self._join(key, entry) if entry.slices else self._read(key, entry)

    def _read(self, key: str, entry: Entry) -> Array:
        shard = self._shard(entry.shard, key)
        end = entry.offset + entry.size
        place = f"{data_path(self._prefix, entry.shard, self._shard_count)}: {key}: byte {entry.offset}"
        if end > len(shard):
            _fail(place, f"a file of {len(shard)} bytes", f"{entry.size} bytes from there on; the file is cut")
        with shard[entry.offset : end] as data:
            if entry.dtype == "string":
                return decode_strings(data, entry, place, verify=self._verify)
            return decode_numbers(data, entry, place, verify=self._verify)

    def _join(self, key: str, entry: Entry) -> Array:
        place = f"{index_path(self._prefix)}: {key}"
        pieces: list[tuple[tuple[slice, ...], Entry]] = []
        for extents in entry.slices:
            whole = zip(extents, entry.shape, strict=False)
            bounds = tuple((start, size if length < 0 else length) for (start, length), size in whole)
            piece = self._table.get(slice_key(key, extents))
            if piece is None:
                _fail(place, "no data for a slice", f"the slice {list(bounds)}")
            if piece.shape != tuple(length for _, length in bounds) or piece.dtype != entry.dtype:
                _fail(place, f"a slice {piece.dtype}{list(piece.shape)}", f"{entry.dtype} and {list(bounds)}")
            if any(start + length > size for (start, length), size in zip(bounds, entry.shape, strict=True)):
                _fail(place, f"the slice {list(bounds)}", f"one inside {list(entry.shape)}")
            pieces.append((tuple(slice(start, start + length) for start, length in bounds), piece))
        if sum(math.prod(piece.shape) for _, piece in pieces) != math.prod(entry.shape):
            _fail(place, f"{len(pieces)} slices", f"slices that fill {list(entry.shape)}")
        values = [(where, self._read(key, piece)) for where, piece in pieces]
        joined = np.empty(entry.shape, numpy_dtype(entry.dtype))
        filled = np.zeros(entry.shape, bool)
        for where, value in values:
            joined[where] = value
            filled[where] = True
        if not filled.all():
            _fail(place, "slices that overlap", f"slices that fill {list(entry.shape)}")
        return joined

    def _shard(self, number: int, key: str) -> memoryview:
        if number not in self._shards:
            path = data_path(self._prefix, number, self._shard_count)
            if number >= self._shard_count:
                _fail(f"{index_path(self._prefix)}: {key}", f"shard {number}", f"less than {self._shard_count}")
            self._shards[number] = self._map(path)
        return self._shards[number]

    def _map(self, path: Path) -> memoryview:
        try:
            file = self._files.enter_context(path.open("rb"))
            if os.fstat(file.fileno()).st_size == 0:  # cannot be mapped
                return memoryview(b"")
            return memoryview(self._files.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        except FileNotFoundError as error:
            raise missing_path(path, f"shard of the checkpoint {self._prefix}") from error
        except OSError as error:
            raise LoadOSError(f"{path}: cannot be read: {error.strerror}") from error


def parse_index(file: bytes, name: str) -> tuple[int, dict[bytes, Entry]]:
    """Count of data files, and the entries by key, from the bytes of an index; ``name`` is for messages."""
    items = read_table(file, name)
    key, value = next(items, (None, b""))
    if key != b"":
        _fail(name, f"the first key {key!r}", 'the header under the key ""')
    shards = _parse_header(value, name)
    return shards, {key: _parse_entry(value, f"{name}: {key.decode(errors='replace')}", key) for key, value in items}


def _parse_header(value: bytes, name: str) -> int:
    try:
        header = messages.parse(messages.BundleHeader, value)
    except ValueError as error:
        _fail(name, str(error), "the header")
    if header.endianness != 0:
        _fail(name, f"byte order {header.endianness}", "0 (little-endian); write it again on another machine")
    if header.version.min_consumer > 1:
        _fail(name, f"a format for readers of version {header.version.min_consumer}", "version 1 or lower")
    if not 0 < header.num_shards < 100000:
        _fail(name, f"{header.num_shards} data files", "1 to 99999")
    return header.num_shards


def _parse_entry(value: bytes, place: str, key: bytes) -> Entry:
    try:
        key.decode()
        entry = messages.parse(messages.BundleEntry, value)
    except UnicodeDecodeError:
        if key[:1] != b"\0":  # the key of a slice is not text
            _fail(place, "bytes that are not UTF-8", "a key")
        entry = _parse_message(value, place)
    except ValueError as error:
        _fail(place, str(error), "an entry")
    shape = tuple(int(dim.size) for dim in entry.shape.dim)
    slices = tuple(
        tuple((int(e.start), int(e.length) if e.HasField("length") else -1) for e in s.extent) for s in entry.slices
    )
    if entry.dtype not in DTYPES:
        _fail(place, f"the element type number {entry.dtype}", f"one of {sorted(DTYPES)}")
    if entry.shape.unknown_rank or len(shape) > _MAX_RANK or any(size < 0 for size in shape):
        _fail(place, f"the shape {list(shape)[:8]}", f"at most {_MAX_RANK} sizes, none below 0")
    if any(len(s) != len(shape) or any(start < 0 for start, _ in s) for s in slices):
        _fail(
            place,
            f"the slices {[list(s) for s in slices][:4]}",
            f"starts and lengths in {len(shape)} dimensions",
        )
    parsed = Entry(DTYPES[entry.dtype], shape, entry.shard_id, entry.offset, entry.size, entry.crc32c, slices)
    if parsed.shard < 0 or parsed.offset < 0 or parsed.size < 0:
        _fail(place, f"shard {parsed.shard}, byte {parsed.offset}, size {parsed.size}", "no number below 0")
    count = math.prod(shape)
    if not slices and parsed.dtype != "string":
        expected = count * numpy_dtype(parsed.dtype).itemsize
        if expected != parsed.size:
            _fail(place, f"{parsed.size} bytes for {parsed.dtype}{list(shape)}", f"{expected} bytes")
    if not slices and parsed.dtype == "string" and count + 4 > parsed.size:
        _fail(place, f"{parsed.size} bytes for {count} strings", f"at least {count + 4}")
    return parsed


def _parse_message(value: bytes, place: str) -> Any:
    try:
        return messages.parse(messages.BundleEntry, value)
    except ValueError as error:
        _fail(place, str(error), "an entry")


def decode_numbers(data: memoryview, entry: Entry, place: str, *, verify: bool = True) -> Array:
    """A copy of the numbers in ``data``, which is ``entry.size`` bytes long."""
    if verify:
        _check(masked_crc32c(data), entry, place)
    dtype = numpy_dtype(entry.dtype)
    if dtype.kind != "V":
        dtype = dtype.newbyteorder("<")
    return np.frombuffer(data, dtype).reshape(entry.shape).astype(numpy_dtype(entry.dtype))


def decode_strings(data: memoryview, entry: Entry, place: str, *, verify: bool = True) -> Array:
    """The strings in ``data``, which is ``entry.size`` bytes long, as bytes in an array of objects."""
    lengths: list[int] = []
    position = 0
    for _ in range(math.prod(entry.shape)):
        try:
            length, position = decode_varint(data, position)
        except ValueError as error:
            _fail(place, str(error), "a string's length")
        lengths.append(length)
    start = position + 4
    if start + sum(lengths) != entry.size:
        _fail(place, f"strings of {sum(lengths)} bytes in all", f"{entry.size - start} bytes")
    if verify:
        crc = crc32c(b"".join(_length_word(length) for length in lengths))
        (stored,) = struct.unpack_from("<I", data, position)
        if mask(crc) != stored:
            _fail(place, f"lengths with checksum {mask(crc):#010x}", f"{stored:#010x}; the data are damaged")
        _check(mask(crc32c(data[position:], crc)), entry, place)
    strings = np.empty(len(lengths), object)
    for index, length in enumerate(lengths):
        strings[index] = bytes(data[start : start + length])
        start += length
    return strings.reshape(entry.shape)


def _check(checksum: int, entry: Entry, place: str) -> None:
    if checksum != entry.checksum:
        _fail(place, f"data with checksum {checksum:#010x}", f"{entry.checksum:#010x}; the data are damaged")


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise missing_path(path, what) from error
    except OSError as error:
        raise LoadOSError(f"{path}: cannot be read: {error.strerror}") from error


def _fail(place: str, found: str, expected: str) -> NoReturn:
    raise LoadError(f"{place}: found {found}, expected {expected}")
