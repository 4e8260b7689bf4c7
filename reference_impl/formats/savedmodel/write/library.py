"""The functions of a graph, put together: names that no two have, and functions that do nothing but call another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reference_impl.formats import messages
from reference_impl.graph.attributes import message_of
from reference_impl.graph.emit import function_defs
from reference_impl.graph.signatures import signature
from reference_impl.graph.trace import Traced

CALL = "StatefulPartitionedCall"


@dataclass(frozen=True)
class Concrete:
    """A function for certain arguments: its name in the library, what it captures, and how it is called from Python."""

    name: str
    captures: Sequence[Any]
    inputs: Any
    outputs: Any


class Library:
    """FunctionDefs by name. Names end in numbers that count, so that the same model gives the same names."""

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {}
        self._counts: Counter[str] = Counter()

    def name(self, stem: str) -> str:
        """A name of which there is no other, as TensorFlow forms them."""
        clean = re.sub(r"[^A-Za-z0-9_]", "_", stem)
        self._counts[clean] += 1
        return f"__inference_{clean}_{self._counts[clean] - 1}"

    def add(self, traced: Traced) -> str:
        """Add ``traced`` and the functions that it calls; its name."""
        main, *called = function_defs(traced)
        renamed: dict[str, str] = {message.signature.name: self._free_name(message) for message in called}
        for message in [main, *called]:
            for node in message.node_def:
                _rename(node, renamed)
            name: str = message.signature.name
            message.signature.name = renamed.get(name, name)
            self.functions[renamed.get(name, name)] = message
        return traced.name

    def _free_name(self, message: Any) -> str:
        """The message's own name, or if another function has it a new one."""
        name = message.signature.name
        known = self.functions.get(name)
        return name if known is None or known == message else self.name(re.sub(r"^__inference_|_\d+$", "", name))

    def call(
        self,
        called: str,
        stem: str,
        outputs: Iterable[int],
        *,
        order: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
    ) -> str:
        """Add a function that calls ``called`` and gives those of its ``outputs``; its name.

        ``order``: which of the arguments of ``called`` its own first ones are. ``names``: of its outputs.
        """
        inner = self.functions[called]
        message = messages.FunctionDef()
        message.signature.name = self.name(stem)
        message.signature.is_stateful = True
        count = len(inner.signature.input_arg)
        places = list(order or ())
        for own, place in enumerate([*places, *(i for i in range(count) if i not in places)]):
            argument = inner.signature.input_arg[place]
            message.signature.input_arg.add(name=argument.name, type=argument.type)
            message.arg_attr[own].CopyFrom(inner.arg_attr[place])
        node = message.node_def.add(name=CALL, op=CALL)
        node.input.extend(argument.name for argument in inner.signature.input_arg)
        node.attr["f"].func.name = called
        node.attr["Tin"].list.type.extend(argument.type for argument in inner.signature.input_arg)
        node.attr["Tout"].list.type.extend(argument.type for argument in inner.signature.output_arg)
        if not inner.signature.input_arg:
            node.attr["Tin"].list.SetInParent()
        chosen = list(outputs)
        for name, place in zip(names or [f"output_{i}" for i in range(len(chosen))], chosen, strict=True):
            clean = self._output_name(name, message)
            message.signature.output_arg.add(name=clean, type=inner.signature.output_arg[place].type)
            message.ret[clean] = f"{CALL}:output:{place}"
        message.signature.control_output.append(CALL)
        message.control_ret[CALL] = CALL
        self.functions[message.signature.name] = message
        return message.signature.name

    @staticmethod
    def _output_name(name: str, message: Any) -> str:
        """``name`` as an output may be called: lower case, beginning with a letter, and not like another one."""
        clean = re.sub(r"[^a-z0-9_]", "_", name.lower())
        clean = clean if re.match("[a-z]", clean) else f"output_{clean.lstrip('_')}"
        arguments = [*message.signature.output_arg, *message.signature.input_arg]
        return free_name(clean, {CALL.lower(), *(argument.name.lower() for argument in arguments)})


def add_node(nodes: Any, name: str, op: str, inputs: Sequence[str], **attrs: Any) -> None:
    """Add a node to ``nodes`` of a graph or a function; ``attrs`` in Python's terms."""
    node = nodes.add(name=name, op=op)
    node.input.extend(inputs)
    kinds = signature(op).attributes
    for key, value in attrs.items():
        node.attr[key].CopyFrom(message_of(value, kinds[key].kind))


def free_name(name: str, taken: Container[str]) -> str:
    """``name``, or with a number behind it, so that it is not among ``taken`` (lower case)."""
    count = 0
    while (found := f"{name}_{count}" if count else name).lower() in taken:
        count += 1
    return found


def _rename(node: Any, names: dict[str, str]) -> None:
    for value in node.attr.values():
        if value.WhichOneof("value") == "func":
            value.func.name = names.get(value.func.name, value.func.name)
        for function in value.list.func:
            function.name = names.get(function.name, function.name)
