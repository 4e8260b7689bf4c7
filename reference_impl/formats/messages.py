"""Classes for the protobuf messages of ``schema.proto`` (checkpoints) and ``saved_model.proto``.

The schemas are read by the small parser below (messages, nested messages, ``repeated``, ``map``, ``oneof``;
nothing else of the language) into a file descriptor, and the protobuf runtime makes the classes. No
generated code and no ``protoc``: generated code is tied to the runtime it was generated for. The
descriptors live in a pool of their own, so that TensorFlow in the same process does not clash with them.

``messages.ObjectGraph``, ``messages.SavedModel`` and so on are the classes; :func:`parse` and :func:`serialize` go from bytes and
back, :func:`parse_guarded` and :func:`serialize_guarded` with a checksum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from reference_impl.formats.checkpoint.coding import crc32c, encode_varint, mask

_PACKAGE = "reference_impl"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS: dict[str, int] = {
    name: getattr(_FIELD, f"TYPE_{name.upper()}")
    for name in (
        "bool",
        "bytes",
        "double",
        "fixed32",
        "float",
        "int32",
        "int64",
        "sint64",
        "string",
        "uint32",
        "uint64",
    )
}


class _Parser:
    """Reads schema text, token by token, into the messages of a ``FileDescriptorProto``."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        without_comments = re.sub(r"//[^\n]*", "", text)
        self._tokens: Iterator[str] = iter(re.findall(r"[\w.]+|[{}=;<>,]", without_comments))

    def file(self) -> Any:
        file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}/{self._name}", package=_PACKAGE, syntax="proto3")
        for token in self._tokens:
            self._expect(token, "message")
            self._message(file.message_type.add())
        return file

    def _message(self, message: Any) -> None:
        message.name = next(self._tokens)
        self._expect(next(self._tokens), "{")
        for token in self._tokens:
            if token == "}":
                return
            if token == "message":
                self._message(message.nested_type.add())
            elif token == "oneof":
                self._oneof(message)
            else:
                self._field(message, token)

    def _oneof(self, message: Any) -> None:
        index = len(message.oneof_decl)
        message.oneof_decl.add(name=next(self._tokens))
        self._expect(next(self._tokens), "{")
        for token in self._tokens:
            if token == "}":
                return
            self._field(message, token).oneof_index = index

    def _field(self, message: Any, token: str) -> Any:
        field = message.field.add(label=_FIELD.LABEL_OPTIONAL)
        if token == "repeated":
            field.label = _FIELD.LABEL_REPEATED
            token = next(self._tokens)
        if token == "map":
            return self._map(message, field)
        self._type(field, token)
        field.name = next(self._tokens)
        self._expect(next(self._tokens), "=")
        field.number = int(next(self._tokens))
        self._expect(next(self._tokens), ";")
        return field

    @staticmethod
    def _type(field: Any, token: str) -> None:
        if token in _SCALARS:
            field.type = _SCALARS[token]
        else:
            field.type_name = token  # the pool finds it, from the innermost message outwards

    def _map(self, message: Any, field: Any) -> Any:
        """``map<K, V> name = N;`` is a repeated message of a key and a value, which is marked as what it is."""
        self._expect(next(self._tokens), "<")
        key = next(self._tokens)
        self._expect(next(self._tokens), ",")
        value = next(self._tokens)
        self._expect(next(self._tokens), ">")
        field.name = next(self._tokens)
        entry = message.nested_type.add(name=f"{field.name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        for number, (name, token) in enumerate((("key", key), ("value", value)), start=1):
            self._type(entry.field.add(name=name, number=number, label=_FIELD.LABEL_OPTIONAL), token)
        field.label = _FIELD.LABEL_REPEATED
        field.type_name = entry.name
        self._expect(next(self._tokens), "=")
        field.number = int(next(self._tokens))
        self._expect(next(self._tokens), ";")
        return field

    def _expect(self, found: str, expected: str) -> None:
        if found != expected:
            raise SyntaxError(f"{self._name}: found {found!r}, expected {expected!r}")


_pool: Any = descriptor_pool.DescriptorPool()


def _classes(name: str, imports: tuple[str, ...] = ()) -> dict[str, Any]:
    """The classes of the messages in the schema ``name``, which may refer to those of ``imports``."""
    file = _Parser(name, Path(__file__).with_name(name).read_text("utf-8")).file()
    file.dependency.extend(f"{_PACKAGE}/{imported}" for imported in imports)
    _pool.AddSerializedFile(file.SerializeToString())
    return {
        message.name: message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{message.name}"))
        for message in file.message_type
    }


_checkpoint = _classes("schema.proto")
BundleEntry: Any = _checkpoint["BundleEntry"]
BundleHeader: Any = _checkpoint["BundleHeader"]
ObjectGraph: Any = _checkpoint["ObjectGraph"]
Shape: Any = _checkpoint["Shape"]


@cache
def _saved_model() -> dict[str, Any]:
    return _classes("saved_model.proto", ("schema.proto",))


def __getattr__(name: str) -> Any:
    """The classes of ``saved_model.proto``, made when one is first asked for."""
    try:
        return _saved_model()[name]
    except KeyError:
        raise AttributeError(f"no message {name} in schema.proto or saved_model.proto") from None


def parse(message_class: Any, data: bytes) -> Any:
    """The message that ``data`` holds; ``ValueError`` if it holds none."""
    message = message_class()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"these {len(data)} bytes are no {message_class.DESCRIPTOR.name} message") from error
    return message


def serialize(message: Any) -> bytes:
    """The bytes of ``message``: the same for equal messages."""
    return message.SerializeToString(deterministic=True)


# -- with a checksum -----------------------------------------------------------------------------------------------

GUARD_FIELD = 50_600_001
"""The number of the field that holds a file's checksum; no message of TensorFlow or Keras has one of that number."""

_FIXED32 = 5
_GUARD = encode_varint(GUARD_FIELD << 3 | _FIXED32)
GUARD_SIZE = len(_GUARD) + 4
"""Bytes at the beginning of a file that are its checksum and the mark of it."""


def serialize_guarded(message: Any, beside: bytes = b"") -> bytes:
    """The bytes of ``message`` after a field with their checksum (masked crc32c, as checkpoints have it).

    Whoever does not know the field skips it, as protobuf has it. It comes first, so that it is there whatever is cut off
    at the end: a message that ends between two fields is a whole message otherwise. ``beside``: a guarded file of the
    same save, whose checksum is part of this one's.
    """
    content = serialize(message)
    return _GUARD + _checksum(content, beside) + content


def parse_guarded(message_class: Any, data: bytes, beside: bytes | None = None) -> Any:
    """The message that ``data`` holds, as :func:`parse`; ``ValueError`` too if it has a checksum that does not fit.

    ``beside``: the file that it was written beside; if that has no checksum, perhaps no longer, this one is not checked.
    """
    if not data.startswith(_GUARD):
        return parse(message_class, data)
    stored, content = data[len(_GUARD) : GUARD_SIZE], data[GUARD_SIZE:]
    if beside is not None and not beside.startswith(_GUARD):
        return parse(message_class, content)
    actual = _checksum(content, beside or b"")
    if actual != stored:
        raise ValueError(f"the content has the checksum {actual.hex()}, the file says {stored.hex()}")
    return parse(message_class, content)


def _checksum(content: bytes, beside: bytes) -> bytes:
    return mask(crc32c(content, crc32c(beside[:GUARD_SIZE]))).to_bytes(4, "little")
