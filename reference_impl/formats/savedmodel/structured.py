"""Structured values: how a SavedModel holds the arguments and results of functions.

===================  ==========================================================================================
none, bool, int,     the same; a dtype is a :class:`DType`, a shape a :class:`TensorShape` or, of unknown rank, None
float, string
list, tuple, dict    the same, of structured values; a dict comes in the order of its sorted keys
named tuple          :class:`NamedTuple`: no class is looked up
tensor spec          :class:`TensorSpec`: an argument that is a tensor
type spec            :class:`TypeSpec`: an argument of another kind (ragged, sparse, a dataset …)
tensor, numpy array  an array
===================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.dtypes import DType
from reference_impl.formats import messages
from reference_impl.graph.attributes import array_of, dtype_of, number_of, shape_message, shape_of, tensor_message
from reference_impl.shapes import TensorShape


@dataclass(frozen=True)
class TensorSpec:
    """A tensor among the arguments or results: its shape (None: of unknown rank), dtype and name."""

    shape: TensorShape | None
    dtype: DType
    name: str = ""


@dataclass(frozen=True)
class TypeSpec:
    """An argument that is no tensor. ``kind`` is TensorFlow's number of its class, ``name`` the class's name."""

    kind: int
    name: str
    state: Any
    components: int = 0


@dataclass(frozen=True)
class NamedTuple:
    """A named tuple: the name of its class, and its fields in order."""

    name: str
    fields: Mapping[str, Any]


def decode(message: Any) -> Any:
    """The value of a ``StructuredValue``; ``ValueError`` for one of a kind that is not known."""
    kind = message.WhichOneof("kind")
    if kind not in _DECODERS:
        raise ValueError(f"found a structured value of kind {kind or 'unknown'}, expected one of {list(_DECODERS)}")
    return _DECODERS[kind](getattr(message, kind))


def _pairs(message: Any) -> dict[str, Any]:
    return {pair.key: decode(pair.value) for pair in message.values}


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "none_value": lambda _: None,
    "float64_value": float,
    "int64_value": int,
    "string_value": str,
    "bool_value": bool,
    "tensor_shape_value": shape_of,
    "tensor_dtype_value": dtype_of,
    "tensor_spec_value": lambda m: TensorSpec(shape_of(m.shape), dtype_of(m.dtype), m.name),
    "bounded_tensor_spec_value": lambda m: TensorSpec(shape_of(m.shape), dtype_of(m.dtype), m.name),
    "type_spec_value": lambda m: TypeSpec(
        m.type_spec_class, m.type_spec_class_name, decode(m.type_state), m.num_flat_components
    ),
    "list_value": lambda m: [decode(value) for value in m.values],
    "tuple_value": lambda m: tuple(decode(value) for value in m.values),
    "dict_value": lambda m: {key: decode(m.fields[key]) for key in sorted(m.fields)},
    "named_tuple_value": lambda m: NamedTuple(m.name, _pairs(m)),
    "tensor_value": array_of,
    "numpy_value": array_of,
}


# -- back --------------------------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """The ``StructuredValue`` of ``value``; ``TypeError`` if it has no form."""
    message = messages.StructuredValue()
    for types, write in _ENCODERS:
        if isinstance(value, types):
            write(message, value)
            return message
    raise TypeError(f"found a {type(value).__name__} ({value!r:.60}), which no structured value can hold")


def _items(kind: str) -> Callable[[Any, Any], None]:
    def write(message: Any, values: Any) -> None:
        field = getattr(message, kind)
        field.SetInParent()
        field.values.extend(encode(value) for value in values)

    return write


def _none(message: Any, value: Any) -> None:
    message.none_value.SetInParent()


def _shape(message: Any, value: Any) -> None:
    message.tensor_shape_value.CopyFrom(shape_message(value))


def _dtype(message: Any, value: DType) -> None:
    message.tensor_dtype_value = number_of(value)


def _scalar(kind: str) -> Callable[[Any, Any], None]:
    return lambda message, value: setattr(message, kind, value)


def _spec(message: Any, spec: TensorSpec) -> None:
    message.tensor_spec_value.shape.CopyFrom(shape_message(spec.shape))
    message.tensor_spec_value.dtype = number_of(spec.dtype)
    message.tensor_spec_value.name = spec.name


def _type_spec(message: Any, spec: TypeSpec) -> None:
    stored = message.type_spec_value
    stored.type_spec_class, stored.type_spec_class_name = spec.kind, spec.name
    stored.num_flat_components = spec.components
    stored.type_state.CopyFrom(encode(spec.state))


def _named_tuple(message: Any, value: NamedTuple) -> None:
    message.named_tuple_value.name = value.name
    for key, item in value.fields.items():
        message.named_tuple_value.values.add(key=key).value.CopyFrom(encode(item))


def _dict(message: Any, value: Mapping[Any, Any]) -> None:
    message.dict_value.SetInParent()
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"found the key {key!r}, expected str: structured values hold no other")
        message.dict_value.fields[key].CopyFrom(encode(item))


def _array(message: Any, value: Any) -> None:
    message.numpy_value.CopyFrom(tensor_message(value))


_ENCODERS: tuple[tuple[Any, Callable[[Any, Any], None]], ...] = (
    (type(None), _none),
    (TensorShape, _shape),
    (DType, _dtype),
    (TensorSpec, _spec),
    (TypeSpec, _type_spec),
    (NamedTuple, _named_tuple),
    (bool, _scalar("bool_value")),
    (int, _scalar("int64_value")),
    (float, _scalar("float64_value")),
    (str, _scalar("string_value")),
    (list, _items("list_value")),
    (tuple, _items("tuple_value")),
    (Mapping, _dict),
    (np.ndarray, _array),
)
"""The first that fits: a shape is a tuple too, a dtype a str and a bool an int."""
