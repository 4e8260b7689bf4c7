"""Attributes of nodes, and tensors in graphs, in Python's terms.

===========  ==========================================================================
type         :class:`DType`
shape        :class:`TensorShape`, None for a shape of unknown rank
string       ``str``; bytes that are no UTF-8 survive as surrogates
tensor       an array; of strings: of dtype object, of ``bytes``
func         :class:`FunctionName`
int, float,  the same
bool
list(…)      a list of them
===========  ==========================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import NUMBERED, DType, as_dtype, numpy_dtype
from reference_impl.formats import messages
from reference_impl.shapes import TensorShape

Array = npt.NDArray[Any]

DTYPES = {number: DType(name) for number, name in NUMBERED.items()}
"""TensorFlow's dtypes by their numbers. A reference to one (TensorFlow 1) has a number greater by 100."""

_NUMBERS = {dtype: number for number, dtype in DTYPES.items()}
_REFERENCE = 100

LARGEST = 1 << 31
"""Tensors of more bytes are not made: a graph of a few bytes could ask for any size."""


@dataclass(frozen=True)
class FunctionName:
    """A function that an attribute names, and the attributes that it is called with."""

    name: str
    attrs: Mapping[str, Any] = field(default_factory=dict[str, Any])


def dtype_of(number: int) -> DType:
    """The dtype of TensorFlow's number, a reference's too; ``ValueError`` if there is none."""
    try:
        return DTYPES[number - _REFERENCE if number > _REFERENCE else number]
    except KeyError:
        raise ValueError(f"found dtype number {number}, expected one of TensorFlow's") from None


def number_of(dtype: str) -> int:
    """TensorFlow's number of a dtype; ``ValueError`` if it has none."""
    try:
        return _NUMBERS[DType(dtype)]
    except KeyError:
        raise ValueError(f"TensorFlow has no dtype {dtype!r}") from None


# -- shapes ------------------------------------------------------------------------------------------------------


def shape_of(message: Any) -> TensorShape | None:
    """A stored shape; None if not even its rank is known. ``ValueError`` for a size below -1."""
    if message.unknown_rank:
        return None
    sizes = [int(dim.size) for dim in message.dim]
    if any(size < -1 for size in sizes):
        raise ValueError(f"found a shape of sizes {sizes}, expected none below -1")
    return TensorShape(None if size == -1 else size for size in sizes)


def shape_message(shape: Iterable[int | None] | None) -> Any:
    """``shape`` as it is stored; None: of unknown rank."""
    message = messages.Shape()
    if shape is None:
        message.unknown_rank = True
        return message
    for size in shape:
        message.dim.add(size=-1 if size is None else size)
    return message


# -- tensors -----------------------------------------------------------------------------------------------------

_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    "string": "string_val",
    **dict.fromkeys(("int32", "int16", "int8", "uint16", "uint8"), "int_val"),
}


def array_of(message: Any) -> Array:
    """A stored tensor. ``ValueError`` if it is none: too large, too few bytes, more values than elements.

    Where there are fewer values than elements, the last one stands for the rest; where there are none, zeros.
    """
    dtype = dtype_of(message.dtype)
    if dtype not in _FIELDS:
        raise ValueError(f"found a constant of dtype {dtype}, expected numbers, bools or strings")
    shape = shape_of(message.tensor_shape)
    if shape is None or None in shape:
        raise ValueError(f"found a constant of shape {shape}, expected one that is fully known")
    sizes = [int(size) for size in shape if size is not None]
    count = checked_size(sizes, dtype)
    if message.tensor_content:
        flat = _content(message.tensor_content, dtype, count)
    else:
        flat = _values(getattr(message, _FIELDS[dtype]), dtype, count)
    return flat.reshape(sizes)


def checked_size(shape: Iterable[int], dtype: str) -> int:
    """The number of elements; ``ValueError`` if they need more than ``LARGEST`` bytes."""
    sizes = [int(size) for size in shape]
    count = math.prod(sizes)
    width = numpy_dtype(dtype).itemsize
    if count * width > LARGEST:
        raise ValueError(
            f"found a tensor of shape {sizes}, {count * width} bytes; expected at most {LARGEST} bytes in one tensor"
        )
    return count


def _content(content: bytes, dtype: DType, count: int) -> Array:
    if dtype == "string":
        raise ValueError("found the bytes of a tensor of strings, expected a list of strings")
    width = numpy_dtype(dtype).itemsize
    if len(content) != count * width:
        raise ValueError(f"found {len(content)} bytes for {count} elements of {dtype}, expected {count * width}")
    return np.frombuffer(content, numpy_dtype(dtype).newbyteorder("<")).astype(numpy_dtype(dtype), copy=False)


def _values(values: Any, dtype: DType, count: int) -> Array:
    if dtype in ("complex64", "complex128"):
        parts = np.array(values, np.float64)
        stored: Array = parts[0::2] + 1j * parts[1::2]
    elif dtype == "string":
        stored = np.empty(len(values), object)
        stored[:] = list(values)
    elif dtype in ("float16", "bfloat16"):
        stored = np.array(values, np.uint16).view(numpy_dtype(dtype))
    else:
        stored = np.array(values, np.float64 if dtype == "float64" else None)
    if len(stored) > count:
        raise ValueError(f"found {len(stored)} values for a tensor of {count} elements")
    flat = np.empty(count, numpy_dtype(dtype))
    flat[: len(stored)] = stored
    flat[len(stored) :] = stored[-1] if len(stored) else b"" if dtype == "string" else 0
    return flat


def tensor_message(array: Any) -> Any:
    """``array`` (``bytes`` in arrays of objects) as a stored tensor: the same bytes for equal arrays."""
    array = np.asarray(array)
    dtype = as_dtype(array.dtype)
    message = messages.TensorProto(dtype=number_of(dtype), tensor_shape=shape_message(array.shape))
    if dtype == "string":
        message.string_val.extend(item.encode() if isinstance(item, str) else item for item in array.ravel().tolist())
    elif array.size == 1 and dtype not in ("float16", "bfloat16", "complex64", "complex128"):
        getattr(message, _FIELDS[dtype]).append(array.ravel().tolist()[0])
    else:
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        message.tensor_content = np.ascontiguousarray(little).tobytes()
    return message


# -- attributes --------------------------------------------------------------------------------------------------

_KINDS = {
    "type": "type",
    "shape": "shape",
    "string": "s",
    "tensor": "tensor",
    "func": "func",
    "int": "i",
    "float": "f",
    "bool": "b",
}
"""The kinds of attributes, and the fields of their messages."""

_KIND_OF_FIELD = {name: kind for kind, name in _KINDS.items()}


def value_of(message: Any, kind: str | None = None) -> Any:
    """A stored attribute. ``ValueError`` if it is not of ``kind``; without one, of the kind that it is stored as."""
    stored = message.WhichOneof("value")
    if kind is None:
        if stored in _KIND_OF_FIELD:
            return _PYTHON[_KIND_OF_FIELD[stored]](getattr(message, stored))
        if stored == "list":
            return _list_of_some_kind(message.list)
        raise ValueError(f"found an attribute that holds {stored or 'nothing'}, expected a value")
    if kind.startswith("list("):
        if stored != "list":
            raise ValueError(f"found an attribute that holds {_shown(stored)}, expected a {kind}")
        inner = kind[5:-1]
        _refuse_others(message.list, inner)
        return [_PYTHON[inner](item) for item in getattr(message.list, _KINDS[inner])]
    if stored != _KINDS[kind]:
        raise ValueError(f"found an attribute that holds {_shown(stored)}, expected a value of kind {kind}")
    return _PYTHON[kind](getattr(message, stored))


def message_of(value: Any, kind: str) -> Any:
    """``value``, in the terms above, as the attribute of a node."""
    message = messages.AttrValue()
    if kind.startswith("list("):
        message.list.SetInParent()
        inner = kind[5:-1]
        items = getattr(message.list, _KINDS[inner])
        items.extend(_STORED[inner](item) for item in value)
    elif kind in ("shape", "tensor", "func"):
        getattr(message, _KINDS[kind]).CopyFrom(_STORED[kind](value))
    else:
        setattr(message, _KINDS[kind], _STORED[kind](value))
    return message


def _shown(stored: str | None) -> str:
    return "nothing" if stored is None else f"a {_KIND_OF_FIELD.get(stored, stored)}"


def _refuse_others(items: Any, kind: str) -> None:
    for other, name in _KINDS.items():
        if other != kind and len(getattr(items, name)):
            raise ValueError(f"found a list({other}), expected a list({kind})")


def _list_of_some_kind(items: Any) -> list[Any]:
    return [_PYTHON[kind](item) for kind, name in _KINDS.items() for item in getattr(items, name)]


def _function_of(message: Any) -> FunctionName:
    return FunctionName(message.name, {name: value_of(message.attr[name]) for name in sorted(message.attr)})


def _function_message(function: FunctionName) -> Any:
    return messages.NameAttrList(name=function.name)


def _text_of(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _same(value: Any) -> Any:
    return value


_PYTHON: dict[str, Any] = {
    "type": dtype_of,
    "shape": shape_of,
    "string": _text_of,
    "tensor": array_of,
    "func": _function_of,
    "int": int,
    "float": float,
    "bool": bool,
}
_STORED: dict[str, Any] = {
    **dict.fromkeys(("int", "float", "bool"), _same),
    "type": number_of,
    "shape": shape_message,
    "string": _bytes_of,
    "tensor": tensor_message,
    "func": _function_message,
}
