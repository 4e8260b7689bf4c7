"""SavedModel folders made by hand: one graph and a signature, as a builder of TensorFlow 1 would leave them.

The few messages needed are written field by field; the numbers are those of TensorFlow's ``.proto`` files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FLOAT, STRING = 1, 7  # DataType


def varint(value: int) -> bytes:
    """A number of seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a message: a number, or a text, bytes or message with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def _entries(number: int, values: Mapping[str, bytes]) -> bytes:
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in values.items())


def a_type(data_type: int) -> bytes:
    """AttrValue.type."""
    return field(6, data_type)


def a_text(text: str) -> bytes:
    """AttrValue.tensor: a string of rank 0."""
    return field(8, field(1, STRING) + field(2, b"") + field(8, text))


def a_function(name: str) -> bytes:
    """AttrValue.func."""
    return field(10, field(1, name))


def types(*data_types: int) -> bytes:
    """AttrValue.list of types."""
    return field(1, b"".join(field(6, each) for each in data_types))


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    """NodeDef."""
    return field(1, name) + field(2, op) + b"".join(field(3, each) for each in inputs) + _entries(5, attributes)


def constant(name: str, text: str) -> bytes:
    """A Const that holds a text."""
    return node(name, "Const", dtype=a_type(STRING), value=a_text(text))


def function(name: str, argument: str, result: str, *nodes: bytes, returns: str) -> bytes:
    """FunctionDef of one float argument and one float result; ``returns`` names the node's output."""

    def of_float(text: str) -> bytes:
        return field(1, text) + field(3, FLOAT)

    signature = field(1, name) + field(2, of_float(argument)) + field(3, of_float(result))
    return (
        field(1, signature)
        + b"".join(field(3, each) for each in nodes)
        + field(4, field(1, result) + field(2, returns))
    )


def write(folder: Path, *nodes: bytes, output: str, functions: tuple[bytes, ...] = ()) -> None:
    """A folder whose one signature takes the placeholder ``x`` (float, rank 1 and more) and gives ``output`` (``node:0``)."""
    placeholder = node("x", "Placeholder", dtype=a_type(FLOAT), shape=field(7, field(3, 1)))
    library = b"".join(field(1, each) for each in functions)
    graph = b"".join(field(1, each) for each in (placeholder, *nodes))
    graph += field(4, field(1, 561) + field(2, 12)) + (field(2, library) if functions else b"")

    def info(tensor: str) -> bytes:
        return field(1, tensor) + field(2, FLOAT) + field(3, field(3, 1))

    signature = _entries(1, {"x": info("x:0")}) + _entries(2, {"y": info(output)})
    signature += field(3, "tensorflow/serving/predict")
    about = field(4, "serve") + field(5, "2.4.4")
    meta_graph = field(1, about) + field(2, graph) + _entries(5, {"serving_default": signature})
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(field(1, 1) + field(2, meta_graph))
