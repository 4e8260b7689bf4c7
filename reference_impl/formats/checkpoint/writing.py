"""Writing a checkpoint's files, streamed: nothing is held but the arrays themselves and the index."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_impl.dtypes import as_dtype
from reference_impl.formats.checkpoint import tensors as codec
from reference_impl.formats.checkpoint.entry import MAX_SHARDS, NUMBERS, Entry, Extents, encode_index
from reference_impl.formats.checkpoint.ordered_code import slice_key
from reference_impl.formats.checkpoint.slices import bounds, check_partition
from reference_impl.formats.files import replacing
from reference_impl.tracking import Array


def index_path(prefix: str | os.PathLike[str]) -> Path:
    """``PREFIX.index``."""
    return Path(f"{os.fspath(prefix)}.index")


def data_path(prefix: str | os.PathLike[str], shard: int, shards: int) -> Path:
    """``PREFIX.data-SHARD-of-SHARDS``, numbers in five digits."""
    return Path(f"{os.fspath(prefix)}.data-{shard:05d}-of-{shards:05d}")


@dataclass(frozen=True)
class _Piece:
    """A tensor, or a slice of one, to be written; ``name`` is for messages."""

    key: bytes
    name: str
    value: Array
    dtype: str


def write_bundle(
    prefix: str | os.PathLike[str],
    tensors: Iterable[tuple[str, Array]],
    *,
    shards: int = 1,
    partitions: Mapping[str, Sequence[Extents]] | None = None,
) -> None:
    """Write the checkpoint ``prefix``, the index last; data files of an older one are removed.

    ``tensors`` are written in their order. With ``shards`` above 1 they are spread over so many data files, each
    about as large as the others. ``partitions`` names tensors to store in slices: ``{key: [((start, length) a
    dimension, …), …]}``, which must fill the tensor. ``TypeError`` for an element type no checkpoint has,
    ``ValueError`` for other arguments that cannot be; then, as with every error, the old checkpoint stays.

    Between the renames of the files a reader of an overwritten checkpoint meets checksums that do not fit, never
    wrong values.
    """
    if not 0 < shards <= MAX_SHARDS:
        raise ValueError(f"{os.fspath(prefix)}: found shards={shards}, expected 1 to {MAX_SHARDS}")
    entries: dict[bytes, Entry] = {}
    pieces = list(_pieces(tensors, dict(partitions or {}), entries))
    paths = [data_path(prefix, shard, shards) for shard in range(shards)]
    with replacing(index_path(prefix)) as new_index, ExitStack() as stack:
        new_data = [stack.enter_context(replacing(path)) for path in paths]
        for shard, (path, chosen) in enumerate(zip(new_data, _spread(pieces, shards), strict=True)):
            entries.update(_write_shard(path, shard, chosen))
        new_index.write_bytes(encode_index(entries, shards))
    for path in data_files(prefix):
        if path not in paths:
            path.unlink()


def _pieces(
    tensors: Iterable[tuple[str, Array]], partitions: dict[str, Sequence[Extents]], entries: dict[bytes, Entry]
) -> Iterator[_Piece]:
    """What is to be written; entries of partitioned tensors are added to ``entries``."""
    for key, array in tensors:
        dtype = as_dtype(array.dtype)
        if dtype not in NUMBERS:
            raise TypeError(f"{key}: a checkpoint holds no {dtype}; expected one of {', '.join(NUMBERS)}")
        if key not in partitions:
            yield _Piece(key.encode(), key, array, dtype)
            continue
        extents = tuple(partitions.pop(key))
        boxes = [bounds(box, array.shape) for box in extents]
        reason = check_partition(boxes, array.shape)
        if reason is not None:
            raise ValueError(f"partitions of {key}: found {reason}, expected slices that fill {list(array.shape)}")
        entries[key.encode()] = Entry(dtype, array.shape, slices=extents)
        for box, where in zip(extents, boxes, strict=True):
            part = array[tuple(slice(start, start + length) for start, length in where)]
            yield _Piece(slice_key(key, box), key, part, dtype)
    if partitions:
        raise ValueError(f"partitions: found {', '.join(sorted(partitions))}, expected keys of tensors to be written")


def _spread(pieces: list[_Piece], shards: int) -> list[list[_Piece]]:
    """The pieces in their order, cut into ``shards`` runs of about the same size."""
    runs: list[list[_Piece]] = [[] for _ in range(shards)]
    total = sum(piece.value.nbytes for piece in pieces)
    before = 0
    for piece in pieces:
        middle = before + piece.value.nbytes / 2
        runs[min(shards - 1, math.floor(middle * shards / total)) if total else 0].append(piece)
        before += piece.value.nbytes
    return runs


def _write_shard(path: Path, shard: int, pieces: list[_Piece]) -> Iterator[tuple[bytes, Entry]]:
    offset = 0
    with path.open("xb") as file:
        for piece in pieces:
            size, checksum = _write_tensor(file, piece)
            yield piece.key, Entry(piece.dtype, piece.value.shape, shard, offset, size, checksum)
            offset += size


def _write_tensor(file: Any, piece: _Piece) -> tuple[int, int]:
    """Size in bytes and checksum of what was written."""
    size = 0
    buffers = codec.encode(piece.name, piece.value, piece.dtype)
    while True:
        try:
            buffer = next(buffers)
        except StopIteration as end:
            return size, end.value
        size += file.write(buffer)


def data_files(prefix: str | os.PathLike[str]) -> Iterator[Path]:
    """All data files of this prefix that are there, of whatever count of shards."""
    stem = Path(prefix)
    start = f"{stem.name}.data-"
    for path in list(stem.parent.iterdir()):
        numbers = path.name.removeprefix(start)
        if numbers != path.name and len(numbers) == len("00000-of-00001") and numbers[5:9] == "-of-":
            yield path
