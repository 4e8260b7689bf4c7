"""The encoding of arrays and values as the driver uses it.

One implementation serves both ends, `conformance.adapters.encoding`, because an adapter's interpreter can import
nothing else; operations.json says what it must do. Here it is told what stands for the two things that only an
adapter has: members of the named set of custom objects, and objects that have no encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.adapters import encoding
from conformance.adapters.encoding import (
    INLINE_LIMIT,
    EncodingError,
    decode_array,
    decode_number,
    encode_array,
    encode_number,
)
from conformance.blueprint import Custom

__all__ = [
    "INLINE_LIMIT",
    "EncodingError",
    "Opaque",
    "decode_array",
    "decode_number",
    "decode_value",
    "encode_array",
    "encode_number",
    "encode_value",
]


@dataclass(frozen=True)
class Opaque:
    """An object with no encoding: the name of its class and its repr. It can be compared, not sent."""

    class_name: str
    repr: str


def encode_value(value: Any, directory: str | None = None) -> Any:
    """The Value of a Python value; a `Custom` names a member of the named set.

    Raises EncodingError for what is neither that nor plain data: nothing is sent that nobody can decode.
    """

    def special(item: Any) -> Any:
        if isinstance(item, Custom):
            return {"$custom": item.id}
        raise EncodingError("value", f"{item!r} cannot be sent to an adapter")

    return encoding.encode_value(value, directory, special)


def decode_value(encoded: Any, directory: str | None = None) -> Any:
    """The Python value of a Value an adapter sent, with `Custom` and `Opaque` for what cannot leave it."""
    return encoding.decode_value(encoded, directory, Custom, Opaque)
