"""What TensorFlow's ops have as inputs, outputs and attributes.

:func:`signature` gives an op's line of ``signatures.txt`` as data. A node of a graph says neither how many outputs it
has nor of which dtypes: that is in its op's signature, together with the node's attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reference_impl.dtypes import DType
from reference_impl.shapes import TensorShape

_LINE = re.compile(r"(?P<name>\w+)(?P<stateful>!?)\((?P<inputs>[^)]*)\) -> \((?P<outputs>[^)]*)\)(?P<attributes>.*)")
_ATTRIBUTE = re.compile(r'(?P<name>\w+):(?P<kind>\w+(?:\(\w+\))?)(?:=(?P<default>"(?:[^"\\]|\\.)*"|\S+))?')
_SHORT = {"float": "float32", "double": "float64", "half": "float16"}


@dataclass(frozen=True)
class Argument:
    """An input or an output.

    ``dtype`` is its dtype, None where the attribute ``attribute`` holds it. ``number``: the attribute that says how many
    tensors of that dtype it stands for. ``mixed``: it stands for one tensor for each dtype of the attribute's list.
    ``reference``: it is a variable of TensorFlow 1.
    """

    name: str
    dtype: DType | None
    attribute: str | None = None
    number: str | None = None
    mixed: bool = False
    reference: bool = False

    def dtypes(self, attrs: Mapping[str, Any]) -> list[DType]:
        """The dtypes of the tensors that it stands for in a node with ``attrs``."""
        if self.mixed:
            return list(attrs[str(self.attribute)])
        dtype: DType = attrs[str(self.attribute)] if self.dtype is None else self.dtype
        return [dtype] * (1 if self.number is None else attrs[self.number])


@dataclass(frozen=True)
class Attribute:
    """An attribute: its kind (``int``, ``list(type)`` …), and its default in Python's terms where it has one."""

    name: str
    kind: str
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Signature:
    """An op as graphs call it."""

    name: str
    stateful: bool
    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    attributes: dict[str, Attribute]

    def input_dtypes(self, attrs: Mapping[str, Any]) -> list[DType]:
        """The dtype of each input of a node with ``attrs``."""
        return [dtype for argument in self.inputs for dtype in argument.dtypes(attrs)]

    def output_dtypes(self, attrs: Mapping[str, Any]) -> list[DType]:
        """The dtype of each output of a node with ``attrs``."""
        return [dtype for argument in self.outputs for dtype in argument.dtypes(attrs)]

    def output_places(self, attrs: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
        """Where the tensors of each named output begin among all of them, and how many they are."""
        places: dict[str, tuple[int, int]] = {}
        start = 0
        for argument in self.outputs:
            count = len(argument.dtypes(attrs))
            places[argument.name] = (start, count)
            start += count
        return places


def known(op: str) -> bool:
    """Whether ``op`` is an op of TensorFlow that this package knows the signature of."""
    return op in _lines()


@cache
def later_signature(op: str) -> Signature | None:
    """What ``op`` has become since TensorFlow 2.4, None if nothing else."""
    line = _lines().get(f"+{op}")
    return None if line is None else parsed(line[1:])


@cache
def signature(op: str) -> Signature:
    """The signature of ``op``; ``LookupError`` for an op that ``signatures.txt`` does not have."""
    try:
        line = _lines()[op]
    except KeyError:
        raise LookupError(f"{op} is no op of TensorFlow that is known here") from None
    return parsed(line)


@cache
def _lines() -> dict[str, str]:
    text = Path(__file__).with_name("signatures.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {re.split(r"[!(]", line, maxsplit=1)[0]: line for line in lines}


def parsed(line: str) -> Signature:
    """A line of ``signatures.txt``; ``ValueError`` if it is none."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"no signature of an op: {line!r}")
    attributes = [
        Attribute(
            found["name"],
            found["kind"],
            required=found["default"] is None,
            default=None if found["default"] is None else _value(found["default"], found["kind"]),
        )
        for found in _ATTRIBUTE.finditer(match["attributes"])
    ]
    return Signature(
        match["name"],
        bool(match["stateful"]),
        _arguments(match["inputs"], {attribute.name for attribute in attributes}),
        _arguments(match["outputs"], {attribute.name for attribute in attributes}),
        {attribute.name: attribute for attribute in attributes},
    )


def _arguments(text: str, attributes: set[str]) -> tuple[Argument, ...]:
    return tuple(_argument(part, attributes) for part in text.split(", ") if part)


def _argument(text: str, attributes: set[str]) -> Argument:
    name, kind = text.split(":")
    reference, kind = kind.startswith("ref "), kind.removeprefix("ref ")
    number, star, held = kind.rpartition("*")
    attribute = held if held in attributes else None
    return Argument(
        name,
        None if attribute else _dtype(held),
        attribute,
        number or None,
        mixed=bool(star) and not number,
        reference=reference,
    )


def _dtype(text: str) -> DType:
    return DType(_SHORT.get(text, text))


def _value(text: str, kind: str) -> Any:
    if kind.startswith("list("):
        inner = text.strip("[]")
        parts = re.findall(r'"(?:[^"\\]|\\.)*"|[^,]+', inner)
        return [_value(part, kind[5:-1]) for part in parts]
    if kind == "shape":
        return None if text == "unknown" else TensorShape(int(size) for size in _sizes(text))
    return _READERS[kind](text)


def _sizes(text: str) -> Sequence[str]:
    return [size for size in text.strip("[]").split(",") if size]


_READERS: dict[str, Any] = {
    "type": _dtype,
    "int": int,
    "float": float,
    "bool": lambda text: text == "true",  # pyright: ignore[reportUnknownLambdaType]
    "string": json.loads,
}
