"""Tables from keys to values, and looking them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.ops.strings import as_bytes, strings
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor
from reference_impl.tracking import SavedValue, Trackable

Array = npt.NDArray[Any]

KEYS, VALUES = "table-keys", "table-values"
"""Names under which a checkpoint has the two tensors of a table."""


class LookupTable(Trackable):
    """A mutable table. Dtypes are ``string`` or numbers; ``default`` is the value of a key that it has not.

    In a checkpoint it is one object with two tensors, keys and values in one order.
    """

    _untracked = frozenset({"entries", "default", "key_dtype", "value_dtype"})

    def __init__(self, key_dtype: str, value_dtype: str, default: Any) -> None:
        self.key_dtype, self.value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)
        self.default = self._value(default)
        self.entries: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def insert(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Set the values of ``keys``; of a key that comes twice the last."""
        pairs = zip(keys, values, strict=True)
        self.entries.update({self._key(key): self._value(value) for key, value in pairs})

    def clear(self) -> None:
        self.entries.clear()

    def find(self, keys: Array) -> Array:
        """The values of ``keys``, an array of any shape."""
        found = [self.entries.get(self._key(key), self.default) for key in keys.ravel().tolist()]
        return _array(found, self.value_dtype, keys.shape)

    def _key(self, key: Any) -> Any:
        return _python(key, self.key_dtype)

    def _value(self, value: Any) -> Any:
        return _python(value, self.value_dtype)

    # -- in checkpoints ----------------------------------------------------------------------------------------

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        keys = _array(list(self.entries), self.key_dtype, (len(self),))
        values = _array(list(self.entries.values()), self.value_dtype, (len(self),))
        return {KEYS: SavedValue(keys, ""), VALUES: SavedValue(values, "")}

    def _check_value(self, name: str, value: Array) -> str | None:
        dtype = self.key_dtype if name == KEYS else self.value_dtype
        if value.ndim != 1 or as_dtype(value.dtype) != dtype:
            return f"{name} are {as_dtype(value.dtype)}{list(value.shape)}, the table has {dtype}[n]"
        return None

    def _restore_value(self, name: str, value: Array) -> None:
        """Keys and values come one after the other; the table is complete when both are there."""
        waiting: dict[str, Array] = self.__dict__.setdefault("_waiting", {})
        waiting[name] = value
        if len(waiting) == 2:
            self.clear()
            self.insert(waiting[KEYS].tolist(), waiting[VALUES].tolist())
            del self.__dict__["_waiting"]


class StaticTable(LookupTable):
    """A table that is filled when it is made, and of which a checkpoint has nothing but its place."""

    def __init__(self, key_dtype: str, value_dtype: str, default: Any) -> None:
        super().__init__(key_dtype, value_dtype, default)
        self._initializer = Trackable()

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        return {}


def _array(items: list[Any], dtype: str, shape: Sequence[int]) -> Array:
    return strings(items, shape) if dtype == "string" else np.array(items, numpy_dtype(dtype)).reshape(tuple(shape))


def _python(item: Any, dtype: str) -> Any:
    """A key or value as Python has it; of a number in a text file too."""
    if dtype == "string":
        return as_bytes(item)
    return numpy_dtype(dtype).type(item).item()


def _find(keys: Array, table: LookupTable) -> Array:
    return table.find(keys)


def _shape(keys: Tensor, table: LookupTable) -> TensorShape:
    return keys.shape


def _dtype(keys: Tensor, table: LookupTable) -> DType:
    return table.value_dtype


define("LookupTableFindV2", _find, _shape, dtype=_dtype, stateful=True)
