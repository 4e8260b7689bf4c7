"""Tables from keys to values, as graphs make and use them.

A resource that stands for a table is the :class:`Table` itself. Tables that have a name are found again by it, as
TensorFlow does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl.dtypes import DType, numpy_dtype
from reference_impl.graph.modes import Context, Handler, Value
from reference_impl.ops.lookup import LookupTable
from reference_impl.ops.strings import strings
from reference_impl.tensors import Array

WHOLE_LINE, LINE_NUMBER = -2, -1
"""What a text file's column may be instead of a number."""


def _table(value: Value) -> LookupTable:
    if not isinstance(value, LookupTable):
        raise ValueError(f"found a {type(value).__name__} as the resource, expected a table")
    return value


def _array(items: list[Any], dtype: DType, shape: tuple[int, ...]) -> Array:
    return strings(items, shape) if dtype == "string" else np.array(items, numpy_dtype(dtype)).reshape(shape)


class _DenseTable(LookupTable):
    """One that marks places without a key by two keys of their own, which are never entries."""

    _untracked = frozenset({"markers"})

    def __init__(self, key_dtype: str, value_dtype: str, default: Any, markers: frozenset[Any]) -> None:
        super().__init__(key_dtype, value_dtype, default)
        self.markers = markers

    def insert(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        kept = [(key, value) for key, value in zip(keys, values, strict=True) if key not in self.markers]
        super().insert([key for key, _ in kept], [value for _, value in kept])


def _made(context: Context, *markers: Value) -> LookupTable:
    attrs = context.attrs
    name = attrs.get("shared_name", "") or (context.node.name if attrs.get("use_node_name_sharing") else "")
    resources = context.library.resources
    if name and name in resources:
        return _table(resources[name])
    value_dtype: DType = attrs["value_dtype"]
    form = attrs["key_dtype"], value_dtype, b"" if value_dtype == "string" else 0
    keys = frozenset(context.mode.array(marker).item() for marker in markers)
    table = _DenseTable(*form, keys) if keys else LookupTable(*form)
    if name:
        resources[name] = table
    return table


def _remove(context: Context, resource: Value, keys: Value) -> tuple[()]:
    for key in context.mode.array(keys).ravel().tolist():
        _table(resource).entries.pop(key, None)
    return ()


def _find(context: Context, resource: Value, keys: Value, default: Value) -> Value:
    table, array = _table(resource), context.mode.array(keys)
    otherwise = context.mode.array(default).ravel().tolist()[0]
    get = table.entries.get
    found = [get(key, otherwise) for key in array.ravel().tolist()]
    return context.mode.tensor(_array(found, table.value_dtype, array.shape))


def _insert(context: Context, resource: Value, keys: Value, values: Value) -> tuple[()]:
    array = context.mode.array
    _table(resource).insert(array(keys).ravel().tolist(), array(values).ravel().tolist())
    return ()


def _initialize(context: Context, resource: Value, keys: Value, values: Value) -> tuple[()]:
    """A table that is filled once keeps what it has."""
    return () if len(_table(resource)) else _insert(context, resource, keys, values)


def _import(context: Context, resource: Value, keys: Value, values: Value) -> tuple[()]:
    _table(resource).clear()
    return _insert(context, resource, keys, values)


def _export(context: Context, resource: Value) -> tuple[Value, Value]:
    table, tensor = _table(resource), context.mode.tensor
    keys, values = list(table.entries), list(table.entries.values())
    count = (len(table),)
    return tensor(_array(keys, table.key_dtype, count)), tensor(_array(values, table.value_dtype, count))


def _size(context: Context, resource: Value) -> Value:
    return context.mode.tensor(np.array(len(_table(resource)), np.int64))


def _from_text(context: Context, resource: Value, path: Value) -> tuple[()]:
    """Filled from a text file of the SavedModel, a line an entry. No other file is read."""
    table, attrs = _table(resource), context.attrs
    name = context.mode.array(path).ravel().tolist()[0].decode("utf-8", "surrogateescape")
    if len(table):
        return ()
    if name not in context.library.assets:
        raise ValueError(f"found the file {name!r} to be read, expected one of the assets of the SavedModel")
    lines = context.library.assets[name].splitlines()
    if attrs["vocab_size"] > len(lines):
        raise ValueError(f"found {len(lines)} lines in {name!r}, expected {attrs['vocab_size']}")
    chosen = lines[: attrs["vocab_size"]] if attrs["vocab_size"] >= 0 else lines
    delimiter = attrs["delimiter"].encode("utf-8", "surrogateescape")
    offset = attrs.get("offset", 0)
    keys = _column(chosen[offset:], attrs["key_index"], delimiter)
    table.insert(keys, _column(chosen[offset:], attrs["value_index"], delimiter))
    return ()


def _column(lines: list[bytes], index: int, delimiter: bytes) -> list[Any]:
    if index == LINE_NUMBER:
        return list(range(len(lines)))
    if index == WHOLE_LINE:
        return list(lines)
    return [line.split(delimiter)[index] for line in lines]


_HANDLERS: dict[str, Handler] = {
    "HashTableV2": _made,
    "MutableHashTableV2": _made,
    "MutableDenseHashTableV2": _made,
    "AnonymousMutableDenseHashTable": _made,
    "AnonymousHashTable": _made,
    "AnonymousMutableHashTable": _made,
    "LookupTableFindV2": _find,
    "LookupTableInsertV2": _insert,
    "LookupTableRemoveV2": _remove,
    "LookupTableImportV2": _import,
    "LookupTableExportV2": _export,
    "LookupTableSizeV2": _size,
    "InitializeTableV2": _initialize,
    "InitializeTableFromTextFileV2": _from_text,
}
_OLDER = ("HashTable", "MutableHashTable", "LookupTableFind", "LookupTableSize", "InitializeTable")
"""TensorFlow 1's, of which a table is a reference to a string."""

HANDLERS: dict[str, Handler] = {
    **_HANDLERS,
    **{name: _HANDLERS[name + "V2"] for name in (*_OLDER, "InitializeTableFromTextFile")},
}
