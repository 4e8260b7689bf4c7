"""Classes for the protobuf messages of ``schema.proto``, made when this module is imported.

``schema.proto`` is read by the small parser below (messages, nested messages, ``repeated``, ``oneof``;
nothing else of the language) into a file descriptor, and the protobuf runtime makes the classes. No
generated code and no ``protoc``: generated code is tied to the runtime it was generated for. The
descriptors live in a pool of their own, so that TensorFlow in the same process does not clash with them.

``messages.ObjectGraph`` and so on are the classes; :func:`parse` and :func:`serialize` go from bytes and
back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

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
        "string",
        "uint32",
        "uint64",
    )
}


class _Parser:
    """Reads schema text, token by token, into the messages of a ``FileDescriptorProto``."""

    def __init__(self, text: str) -> None:
        without_comments = re.sub(r"//[^\n]*", "", text)
        self._tokens: Iterator[str] = iter(re.findall(r"[\w.]+|[{}=;]", without_comments))

    def file(self) -> Any:
        file = descriptor_pb2.FileDescriptorProto(name="reference_impl/schema.proto", package=_PACKAGE, syntax="proto3")
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
        if token in _SCALARS:
            field.type = _SCALARS[token]
        else:
            field.type_name = token  # the pool finds it, from the innermost message outwards
        field.name = next(self._tokens)
        self._expect(next(self._tokens), "=")
        field.number = int(next(self._tokens))
        self._expect(next(self._tokens), ";")
        return field

    @staticmethod
    def _expect(found: str, expected: str) -> None:
        if found != expected:
            raise SyntaxError(f"schema.proto: found {found!r}, expected {expected!r}")


def _make_classes() -> dict[str, Any]:
    file = _Parser(Path(__file__).with_name("schema.proto").read_text("utf-8")).file()
    pool: Any = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{message.name}"))
        for message in file.message_type
    }


_classes = _make_classes()
BundleEntry: Any = _classes["BundleEntry"]
BundleHeader: Any = _classes["BundleHeader"]
ObjectGraph: Any = _classes["ObjectGraph"]
Shape: Any = _classes["Shape"]


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
