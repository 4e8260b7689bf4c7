"""What an index says of each tensor: element type, shape, and where its bytes are.

The key ``""`` has a ``BundleHeader``, every other key a ``BundleEntry`` (messages in ``schema.proto``). A
partitioned tensor has an entry with slices and no data; each slice is a tensor under a key of its own (see
``ordered_code``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from reference_impl.dtypes import NUMBERED, numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.checkpoint.table import read_table, write_table

# Those of which a data file holds tensors; quantized and smaller types, resources and variants are not among them.
DTYPES = {number: NUMBERED[number] for number in (*range(1, 11), 14, 17, 18, 19, 22, 23)}
"""Number of an element type on the wire -> its name."""

NUMBERS = {name: number for number, name in DTYPES.items()}
"""Name of an element type -> its number on the wire."""

MAX_SHARDS = 99999
_MAX_RANK = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
_MAX_BYTES = (1 << 63) - 1
_GUARD = 4  # bytes of the checksum of a tensor of strings

Extents = tuple[tuple[int, int], ...]
"""A box inside a tensor: (start, length) a dimension, length -1 for all of it."""


class Entry(NamedTuple):
    """Where a tensor is. ``offset`` and ``size`` in bytes; with ``slices`` it is there, and not here."""

    dtype: str
    shape: tuple[int, ...]
    shard: int = 0
    offset: int = 0
    size: int = 0
    checksum: int = 0
    slices: tuple[Extents, ...] = ()


def encode_index(entries: Mapping[bytes, Entry], shards: int) -> bytes:
    """The index file of a checkpoint of ``shards`` data files."""
    header = messages.BundleHeader(num_shards=shards)
    header.version.producer = 1
    encoded = ((key, _encode_entry(entry)) for key, entry in sorted(entries.items()))
    return write_table([(b"", messages.serialize(header)), *encoded])


def _encode_entry(entry: Entry) -> bytes:
    message = messages.BundleEntry(
        dtype=NUMBERS[entry.dtype], shard_id=entry.shard, offset=entry.offset, size=entry.size, crc32c=entry.checksum
    )
    message.shape.SetInParent()
    for size in entry.shape:
        message.shape.dim.add(size=size)
    for extents in entry.slices:
        box = message.slices.add()
        for start, length in extents:
            extent = box.extent.add(start=start)
            if length >= 0:
                extent.length = length
    return messages.serialize(message)


def decode_index(file: bytes, name: str) -> tuple[int, dict[bytes, Entry]]:
    """Count of data files, and the entries by key, from the bytes of an index; ``name`` is for messages."""
    items = read_table(file, name)
    key, value = next(items, (None, b""))
    if key != b"":
        fail(name, f"the first key {key!r}", 'the header under the key ""')
    shards = _decode_header(value, name)
    entries = dict(_decode_entries(items, name))
    _check_apart(entries, name)
    return shards, entries


def _decode_header(value: bytes, name: str) -> int:
    header = _parse(messages.BundleHeader, value, name, "the header")
    if header.endianness != 0:
        fail(name, f"byte order {header.endianness}", "0 (little-endian); write it again on another machine")
    if header.version.min_consumer > 1:
        fail(name, f"a format for readers of version {header.version.min_consumer}", "version 1 or lower")
    if not 0 < header.num_shards <= MAX_SHARDS:
        fail(name, f"{header.num_shards} data files", f"1 to {MAX_SHARDS}")
    return header.num_shards


def _decode_entries(items: Iterable[tuple[bytes, bytes]], name: str) -> Iterable[tuple[bytes, Entry]]:
    for key, value in items:
        place = f"{name}: {key[:200].decode(errors='replace')}"
        if key[0]:  # the key of a slice is not text
            try:
                key.decode()
            except UnicodeDecodeError:
                fail(place, "bytes that are not UTF-8", "a key")
        yield key, _decode_entry(value, place)


def _decode_entry(value: bytes, place: str) -> Entry:
    message = _parse(messages.BundleEntry, value, place, "an entry")
    extents = message.shape
    shape = tuple([dim.size for dim in extents.dim])
    slices = tuple(
        [tuple((e.start, e.length if e.HasField("length") else -1) for e in s.extent) for s in message.slices]
    )
    if message.dtype not in DTYPES:
        fail(place, f"the element type number {message.dtype}", f"one of {sorted(DTYPES)}")
    if extents.unknown_rank or len(shape) > _MAX_RANK or min(shape, default=0) < 0:
        fail(place, f"the shape {list(shape)[:8]}", f"at most {_MAX_RANK} sizes, none below 0")
    if slices and any(len(s) != len(shape) or any(start < 0 for start, _ in s) for s in slices):
        fail(place, f"the slices {_shown(slices)}", f"starts and lengths in {len(shape)} dimensions")
    entry = Entry(DTYPES[message.dtype], shape, message.shard_id, message.offset, message.size, message.crc32c, slices)
    if entry.shard < 0 or entry.offset < 0 or entry.size < 0:
        fail(place, f"shard {entry.shard}, byte {entry.offset}, size {entry.size}", "no number below 0")
    if slices or math.prod(shape) == 0:  # else what is too large is too large for the data
        extent = math.prod(size or 1 for size in shape) * numpy_dtype(entry.dtype).itemsize
        if extent > _MAX_BYTES:
            fail(place, f"the shape {list(shape)[:8]}", "one that memory can hold")
    if not slices:
        _check_size(entry, place)
    return entry


def _check_apart(entries: Mapping[bytes, Entry], name: str) -> None:
    """Bytes that many tensors share could be read without end, and no writer lets them."""
    last = Entry("", ())
    for entry in sorted((e for e in entries.values() if e.size), key=lambda e: (e.shard, e.offset)):
        if entry.shard == last.shard and entry.offset < last.offset + last.size:
            fail(
                name,
                f"two tensors at byte {entry.offset} of shard {entry.shard}",
                f"the second from byte {last.offset + last.size} on",
            )
        last = entry


def _check_size(entry: Entry, place: str) -> None:
    count = math.prod(entry.shape)
    if entry.dtype == "string":
        if count + _GUARD > entry.size:
            fail(place, f"{entry.size} bytes for {count} strings", f"at least {count + _GUARD}")
        return
    expected = count * numpy_dtype(entry.dtype).itemsize
    if expected != entry.size:
        fail(place, f"{entry.size} bytes for {entry.dtype}{list(entry.shape)}", f"{expected} bytes")


def _parse(message_class: Any, value: bytes, place: str, expected: str) -> Any:
    try:
        return messages.parse(message_class, value)
    except ValueError as error:
        fail(place, str(error), expected)


def _shown(slices: Sequence[Extents]) -> list[Any]:
    return [list(s[:8]) for s in slices[:4]]


def fail(place: str, found: str, expected: str) -> NoReturn:
    """Refuse what is at ``place``."""
    raise LoadError(f"{place}: found {found}, expected {expected}")
