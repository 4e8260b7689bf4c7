"""Facts about a TensorFlow checkpoint: ``PREFIX.index`` and ``PREFIX.data-SSSSS-of-NNNNN``.

The index is a table (:mod:`conformance.witness.table`): the empty key holds the header, every other key an entry with
dtype, shape, shard, offset, size and a masked CRC-32C of the tensor's bytes. Strings are stored as their lengths
(varints), a masked CRC of those, and their bytes. The string under ``_CHECKPOINTABLE_OBJECT_GRAPH`` is the object
graph: nodes with named children, and attributes that name a key.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from conformance.witness import table
from conformance.witness.error import WitnessError, read_bytes, read_part
from conformance.witness.wire import Message, WireError, varint

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
STRING = 7
DTYPES: Mapping[int, tuple[str, npt.DTypeLike]] = {
    1: ("float32", "<f4"),
    2: ("float64", "<f8"),
    3: ("int32", "<i4"),
    4: ("uint8", "u1"),
    5: ("int16", "<i2"),
    6: ("int8", "i1"),
    STRING: ("string", object),
    8: ("complex64", "<c8"),
    9: ("int64", "<i8"),
    10: ("bool", "?"),
    14: ("bfloat16", ml_dtypes.bfloat16),
    17: ("uint16", "<u2"),
    18: ("complex128", "<c16"),
    19: ("float16", "<f2"),
    22: ("uint32", "<u4"),
    23: ("uint64", "<u8"),
}


@dataclass(frozen=True)
class Entry:
    """Where and what one tensor is; ``dtype`` by NumPy's name, or ``string`` or ``bfloat16``."""

    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


@dataclass(frozen=True)
class Slot:
    """A slot variable of an optimizer: node of the variable, name of the slot, node of the slot variable."""

    variable: int
    name: str
    slot_variable: int


@dataclass(frozen=True)
class Node:
    """An object: its children by edge name (node numbers), its attributes by name (keys), its slot variables."""

    children: Mapping[str, int]
    attributes: Mapping[str, str]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Checkpoint:
    """The facts. Mappings are in the index's order; ``values`` leaves out the object graph itself."""

    prefix: Path
    shards: int
    entries: Mapping[str, Entry]
    values: Mapping[str, npt.NDArray[Any]]
    nodes: tuple[Node, ...]

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype under each key, the object graph's included."""
        return {key: entry.dtype for key, entry in self.entries.items()}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape under each key, the object graph's included."""
        return {key: entry.shape for key, entry in self.entries.items()}

    def node_at(self, *edges: str) -> Node:
        """The node that these edges lead to from the root. Raises WitnessError where there is no such edge."""
        node = self.nodes[0] if self.nodes else Node({}, {}, ())
        for i, edge in enumerate(edges):
            if edge not in node.children:
                place = "object graph, " + ("/".join(edges[:i]) or "root")
                raise WitnessError(self.prefix, place, f"no child {edge!r}; found {sorted(node.children)}")
            node = self.nodes[node.children[edge]]
        return node


def read(prefix: str | Path, *, parts: bool = False) -> Checkpoint:
    """The facts of the checkpoint with this prefix (the path without ``.index``).

    Every checksum is verified. Strings come as object arrays of bytes. Raises WitnessError for a file that is
    missing or damaged, and for tensors stored in slices; with ``parts``, each slice is a value of its own under its key,
    in which bytes that are no text are escaped.
    """
    prefix = Path(prefix)
    index, header, raw = _index(prefix)
    shards = header.integer(1)
    if header.integer(2) != 0:
        raise WitnessError(index, "header", "big-endian tensors are not read")
    entries: dict[str, Entry] = {}
    values: dict[str, npt.NDArray[Any]] = {}
    reader = _Shards(prefix, shards)
    for raw_key, message in raw.items():
        key = raw_key.decode("utf-8", "backslashreplace") if parts else _key(raw_key, index)
        entries[key] = _entry(message, index, key, parts=parts)
        if 7 not in message:
            values[key] = reader.tensor(key, entries[key], _crc(message))
    graph = values.pop(OBJECT_GRAPH, None)
    nodes = () if graph is None else _object_graph(graph.item(), index)
    return Checkpoint(prefix, shards, entries, values, nodes)


def _index(prefix: Path) -> tuple[Path, Message, dict[bytes, Message]]:
    """The index file of a checkpoint: where it is, its header, and every other entry by its key."""
    index = prefix.with_name(prefix.name + ".index")
    data = read_bytes(index)
    try:
        raw = {key: Message(value) for key, value in table.entries(data).items()}
    except WireError as error:
        raise WitnessError(index, "table", str(error)) from None
    if b"" not in raw:
        raise WitnessError(index, "table", "no header under the empty key")
    return index, raw.pop(b""), raw


@dataclass(frozen=True)
class Outline:
    """What a checkpoint has. ``faults`` says of which tensors the checksum or the size is wrong; the rest are right.

    ``sliced`` are the keys of tensors that are stored in parts.
    """

    prefix: Path
    shards: int
    entries: Mapping[str, Entry]
    nodes: tuple[Node, ...]
    sliced: tuple[str, ...]
    faults: tuple[str, ...]


def outline(prefix: str | Path) -> Outline:
    """What the checkpoint with this prefix has, every checksum looked at, no value kept.

    Raises WitnessError for an index that is missing or damaged.
    """
    prefix = Path(prefix)
    index, header, raw = _index(prefix)
    shards = header.integer(1)
    reader = _Shards(prefix, shards)
    entries: dict[str, Entry] = {}
    sliced: list[str] = []
    faults: list[str] = []
    nodes: tuple[Node, ...] = ()
    for raw_key, message in raw.items():
        key = raw_key.decode("utf-8", "backslashreplace")
        is_part = raw_key.startswith(b"\0")
        try:
            entry = _entry(message, index, key, parts=True)
            if not is_part:
                entries[key] = entry
            if 7 in message:
                sliced.append(key)
                continue
            value = reader.tensor(key, entry, _crc(message))
            if key == OBJECT_GRAPH:
                nodes = _object_graph(value.item(), index)
        except WitnessError as error:
            faults.append(str(error))
    return Outline(prefix, shards, entries, nodes, tuple(sliced), tuple(faults))


def _key(key: bytes, index: Path) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise WitnessError(index, f"key {key!r}", "a key that is no text (a slice of a tensor?)") from None


def _entry(message: Message, index: Path, key: str, *, parts: bool = False) -> Entry:
    if 7 in message and not parts:
        raise WitnessError(index, f"key {key!r}", "the tensor is stored in slices, which are not read")
    number = message.integer(1)
    if number not in DTYPES:
        raise WitnessError(index, f"key {key!r}", f"unknown dtype {number}")
    shape = tuple(dim.integer(1) for dim in message.message(2).messages(2))
    return Entry(DTYPES[number][0], shape, message.integer(3), message.integer(4), message.integer(5))


def _crc(message: Message) -> int:
    return struct.unpack("<I", message.data(6) or b"\0\0\0\0")[0]


class _Shards:
    """The data files of a checkpoint, of which only what is asked for is read."""

    def __init__(self, prefix: Path, count: int) -> None:
        self._prefix, self._count = prefix, count

    def tensor(self, key: str, entry: Entry, crc: int) -> npt.NDArray[Any]:
        """The value of one entry, its checksum verified."""
        file = self._prefix.with_name(f"{self._prefix.name}.data-{entry.shard:05d}-of-{self._count:05d}")
        place = f"key {key!r}, offset {entry.offset}"
        data = read_part(file, entry.offset, entry.size)
        if len(data) != entry.size:
            raise WitnessError(file, place, f"{entry.size} bytes expected, the file has {len(data)} there")
        count = math.prod(entry.shape)
        if entry.dtype == "string":
            return _strings(data, count, crc, file, place).reshape(entry.shape)
        if table.masked_crc(data) != crc:
            raise WitnessError(file, place, f"checksum {table.masked_crc(data):#010x}, the index says {crc:#010x}")
        dtype = np.dtype(next(kind for name, kind in DTYPES.values() if name == entry.dtype))
        if len(data) != count * dtype.itemsize:
            raise WitnessError(file, place, f"{len(data)} bytes for shape {entry.shape} of {entry.dtype}")
        return np.frombuffer(data, dtype).reshape(entry.shape)


def _strings(data: bytes, count: int, crc: int, file: Path, place: str) -> npt.NDArray[Any]:
    lengths: list[int] = []
    offset = 0
    try:
        for _ in range(count):
            length, offset = varint(data, offset)
            lengths.append(length)
    except WireError as error:
        raise WitnessError(file, place, f"lengths of the strings: {error}") from None
    words = b"".join(struct.pack("<I" if length < 1 << 32 else "<Q", length) for length in lengths)
    stored, texts = data[offset : offset + 4], data[offset + 4 :]
    if stored != struct.pack("<I", table.masked_crc(words)):
        raise WitnessError(file, place, "the checksum of the strings' lengths is wrong")
    if table.masked_crc(words + stored + texts) != crc or sum(lengths) != len(texts):
        raise WitnessError(file, place, "the checksum or the size of the strings is wrong")
    result = np.empty(count, object)
    offset = 0
    for i, length in enumerate(lengths):
        result[i] = texts[offset : offset + length]
        offset += length
    return result


def _object_graph(data: bytes, index: Path) -> tuple[Node, ...]:
    try:
        return tuple(_node(message) for message in Message(data).messages(1))
    except WireError as error:
        raise WitnessError(index, OBJECT_GRAPH, str(error)) from None


def _node(message: Message) -> Node:
    return Node(
        children={child.text(2): child.integer(1) for child in message.messages(1)},
        attributes={item.text(1): item.text(3) for item in message.messages(2)},
        slots=tuple(Slot(item.integer(1), item.text(2), item.integer(3)) for item in message.messages(3)),
    )
