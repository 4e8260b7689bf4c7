"""Functions of a graph as data.

A tensor is named differently in the two kinds of graphs that a file has. In a function it is ``argument`` or
``node:output:index``, the index counting the tensors of that named output; in a main graph it is ``node`` or
``node:index``, counting all tensors of the node. ``^node`` is no tensor: the node has to run before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reference_impl.dtypes import DType
from reference_impl.errors import LoadError
from reference_impl.graph.attributes import dtype_of


@dataclass(frozen=True)
class Node:
    """An application of an op. ``attrs`` are the stored ones: what they mean depends on the op's signature."""

    name: str
    op: str
    inputs: tuple[str, ...]
    controls: tuple[str, ...]
    attrs: Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """A function: ``ret`` has the tensor of each output, ``control_ret`` the nodes that run in any case."""

    name: str
    inputs: tuple[tuple[str, DType], ...]
    outputs: tuple[tuple[str, DType], ...]
    nodes: Mapping[str, Node]
    ret: Mapping[str, str]
    control_ret: Mapping[str, str]
    attrs: Mapping[str, Any]


class Library:
    """The functions of a file by name, each read when it is first asked for.

    ``place`` is the file or folder, for errors. ``assets``: the contents of the text files that belong to a SavedModel,
    by the path that its functions are given: a graph reads no other file. ``resources``: what its functions made and
    find again by name (tables). ``plans``: see :mod:`reference_impl.graph.plan`.
    """

    def __init__(self, library: Any, place: str = "", assets: Mapping[str, bytes] | None = None) -> None:
        self.place = place
        self.assets: dict[str, bytes] = dict(assets or {})
        self.resources: dict[str, Any] = {}
        self.plans: dict[str, Any] = {}
        self.lock = threading.RLock()
        self._functions: dict[str, Function] = {}
        self._messages: dict[str, Any] = {}
        for message in library.function:
            name = message.signature.name
            if name in self._messages:
                raise LoadError(self.at(name, "found two functions of this name, expected one"))
            self._messages[name] = message

    def __contains__(self, name: str) -> bool:
        return name in self._messages

    def names(self) -> list[str]:
        return list(self._messages)

    def message(self, name: str) -> Any:
        """The stored function; ``LoadError`` if there is none of that name."""
        try:
            return self._messages[name]
        except KeyError:
            raise LoadError(self.at(name, "found no such function in the library, expected one")) from None

    def function(self, name: str) -> Function:
        """The function ``name``; ``LoadError`` if there is none, or what is stored is none."""
        if name not in self._functions:
            message = self.message(name)
            try:
                self._functions[name] = parsed(message)
            except ValueError as error:
                raise LoadError(self.at(name, str(error))) from None
        return self._functions[name]

    def add(self, function: Function) -> None:
        """Have ``function`` too, which no file has."""
        self._functions[function.name] = function

    def at(self, function: str, text: str, node: Node | None = None) -> str:
        """``text``, with the function and the node that it is about."""
        place = f"{self.place}: " if self.place else ""
        if node is not None:
            text = f"node {node.name} ({node.op}): {text}"
        return f"{place}function {function}: {text}"


@dataclass(frozen=True)
class Source:
    """Where a tensor comes from: a node (or an argument), the name of its output if it has one, and an index."""

    node: str
    output: str | None = field(default=None)
    index: int = 0


def source(text: str) -> Source:
    """What a tensor's name says; ``ValueError`` if it is no name of a tensor."""
    node, *rest = text.split(":")
    if not node or len(rest) > 2 or (rest and not rest[-1].isdecimal()):
        raise ValueError(f"found the input {text!r}, expected NODE, NODE:INDEX or NODE:OUTPUT:INDEX")
    return Source(node, rest[0] if len(rest) == 2 else None, int(rest[-1]) if rest else 0)


def parsed(message: Any) -> Function:
    """A stored function; ``ValueError`` if its parts do not fit together."""
    signature = message.signature
    outputs = _arguments(signature.output_arg)
    ret = {name: message.ret[name] for name, _ in outputs if name in message.ret}
    missing = [name for name, _ in outputs if name not in ret]
    if missing:
        raise ValueError(f"found no tensor for the output {missing[0]!r}, expected one in ret")
    return Function(
        signature.name,
        _arguments(signature.input_arg),
        outputs,
        nodes(message.node_def),
        ret,
        # Maps of messages have no order of their own.
        {name: message.control_ret[name] for name in sorted(message.control_ret)},
        message.attr,
    )


def _arguments(arguments: Iterable[Any]) -> tuple[tuple[str, DType], ...]:
    found: list[tuple[str, DType]] = []
    for argument in arguments:
        if argument.type_attr or argument.number_attr or argument.type_list_attr:
            raise ValueError(f"found the argument {argument.name!r} of a type to be chosen, expected one dtype")
        found.append((argument.name, dtype_of(argument.type)))
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ValueError(f"found arguments {names}, expected different names")
    return tuple(found)


def nodes(messages: Iterable[Any]) -> dict[str, Node]:
    """Stored nodes by name; ``ValueError`` if two have the same."""
    found: dict[str, Node] = {}
    for message in messages:
        if message.name in found:
            raise ValueError(f"found two nodes named {message.name!r}, expected one")
        inputs = list(message.input)
        found[message.name] = Node(
            message.name,
            message.op,
            tuple(name for name in inputs if not name.startswith("^")),
            tuple(name[1:] for name in inputs if name.startswith("^")),
            message.attr,
        )
    return found
