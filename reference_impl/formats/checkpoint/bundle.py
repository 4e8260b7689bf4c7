"""Tensors in files: ``PREFIX.index`` says where each is, ``PREFIX.data-00000-of-00001`` … hold their bytes.

The data files hold the tensors back to back, without padding, in the order they were written. They are mapped into
memory and not read: a tensor that nobody asks for costs nothing, and with ``copy=False`` even a large one takes no
memory of its own.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import LoadOSError, missing_path
from reference_impl.formats.checkpoint import tensors as codec
from reference_impl.formats.checkpoint.entry import Entry, Extents, decode_index, fail
from reference_impl.formats.checkpoint.ordered_code import slice_key
from reference_impl.formats.checkpoint.slices import bounds, check_partition
from reference_impl.formats.checkpoint.writing import data_path, index_path, write_bundle
from reference_impl.tracking import Array

__all__ = ["Bundle", "data_path", "index_path", "write_bundle"]


@dataclass(frozen=True)
class _Shard:
    """A data file, mapped unless it is empty."""

    name: str
    mapped: mmap.mmap | None
    view: memoryview


class Bundle:
    """A checkpoint's tensors, read one at a time from mapped files.

    ``entries`` are the tensors in the order of their keys. Every read verifies the checksum, unless
    ``verify`` is False. Use as a context manager or :meth:`close`; all arrays stay valid, for a mapping lives as
    long as a view of it.
    """

    def __init__(self, prefix: str | os.PathLike[str], *, verify: bool = True) -> None:
        self._prefix = os.fspath(prefix)
        self._verify = verify
        self._shards: dict[int, _Shard] = {}
        path = index_path(prefix)
        self._shard_count, self._table = decode_index(_read(path, "a checkpoint's index"), str(path))
        self.entries = {key.decode(): entry for key, entry in self._table.items() if key[0]}

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the data files; each is unmapped with the last view of it."""
        self._shards.clear()

    def tensor(self, key: str, *, copy: bool = True) -> Array:
        """The value of ``key``; strings are bytes in an array of objects.

        A new array, or with ``copy=False`` a read-only view of the mapped file, which is not aligned in memory if it
        is not in the file. Strings and partitioned tensors are copied always. Overwriting the file in place (not
        replacing it, as every checkpoint writer does) changes what views show.

        Raises ``KeyError`` for a key that is not there and ``LoadError`` for data that are not as they must
        be.
        """
        entry = self.entries[key]
        if entry.slices:
            return self._join(key, entry)
        data, place = self._data(key, entry)
        if entry.dtype == "string":
            return codec.decode_strings(data, entry, place, verify=self._verify)
        if copy:
            return codec.copy_numbers(data, entry, place, verify=self._verify)
        if self._verify:
            codec.verify(data, entry, place)
        return codec.view_numbers(data, entry)

    def verify(self, keys: Iterable[str]) -> None:
        """``LoadError`` if the value of one of ``keys`` is damaged; nothing is copied."""
        for key in keys:
            entry = self.entries[key]
            parts = [part for _, part in self._parts(key, entry)] if entry.slices else [entry]
            for part in parts:
                data, place = self._data(key, part)
                codec.verify(data, part, place)

    def _join(self, key: str, entry: Entry) -> Array:
        parts = self._parts(key, entry)
        joined = np.empty(entry.shape, numpy_dtype(entry.dtype))
        for box, part in parts:
            data, place = self._data(key, part)
            where = tuple(slice(start, start + length) for start, length in box)
            if part.dtype == "string":
                joined[where] = codec.decode_strings(data, part, place, verify=self._verify)
                continue
            if self._verify:
                codec.verify(data, part, place)
            joined[where] = codec.view_numbers(data, part)
        return joined

    def _parts(self, key: str, entry: Entry) -> list[tuple[Extents, Entry]]:
        """The slices of a partitioned tensor, which fill it and whose data are there."""
        place = f"{index_path(self._prefix)}: {key}"
        parts: list[tuple[Extents, Entry]] = []
        for extents in entry.slices:
            box = bounds(extents, entry.shape)
            part = self._table.get(slice_key(key, extents))
            if part is None:
                fail(place, "no data for a slice", f"the slice {list(box)}")
            if part.slices or part.shape != tuple(length for _, length in box) or part.dtype != entry.dtype:
                fail(place, f"a slice {part.dtype}{list(part.shape)}", f"{entry.dtype} and {list(box)}")
            self._data(key, part)
            parts.append((box, part))
        reason = check_partition([box for box, _ in parts], entry.shape)
        if reason is not None:
            fail(place, reason, f"slices that fill {list(entry.shape)}")
        return parts

    def _data(self, key: str, entry: Entry) -> tuple[memoryview, str]:
        """The bytes of ``entry``, and the name of the place where they are."""
        shard = self._shard(entry.shard, key)
        end = entry.offset + entry.size
        place = f"{shard.name}: {key}: byte {entry.offset}"
        # A mapped file that was cut kills the process that looks behind its end.
        length = min(len(shard.view), shard.mapped.size()) if shard.mapped is not None else 0
        if end > length:
            fail(place, f"a file of {length} bytes", f"{entry.size} bytes from there on; the file is cut")
        return shard.view[entry.offset : end], place

    def _shard(self, number: int, key: str) -> _Shard:
        if number not in self._shards:
            if number >= self._shard_count:
                fail(f"{index_path(self._prefix)}: {key}", f"shard {number}", f"less than {self._shard_count}")
            self._shards[number] = self._map(data_path(self._prefix, number, self._shard_count))
        return self._shards[number]

    def _map(self, path: Path) -> _Shard:
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size == 0:  # cannot be mapped
                    return _Shard(str(path), None, memoryview(b""))
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            raise missing_path(path, f"shard of the checkpoint {self._prefix}") from error
        except OSError as error:
            raise LoadOSError(f"{path}: cannot be read: {error.strerror}") from error
        return _Shard(str(path), mapped, memoryview(mapped))


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise missing_path(path, what) from error
    except OSError as error:
        raise LoadOSError(f"{path}: cannot be read: {error.strerror}") from error
