"""Graphs for tests, written down in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_impl.formats import messages
from reference_impl.graph.attributes import FunctionName, message_of, number_of
from reference_impl.graph.function import Library
from reference_impl.graph.signatures import signature

Arguments = Mapping[str, str]
"""Names and dtypes."""


def node(name: str, op: str, inputs: Sequence[str] = (), kinds: Mapping[str, str] | None = None, **attrs: Any) -> Any:
    """A node; attributes in Python's terms, of the kinds that the op's signature has or ``kinds`` says."""
    message = messages.NodeDef(name=name, op=op, input=list(inputs))
    for attribute, value in attrs.items():
        kind = (kinds or {}).get(attribute) or signature(op).attributes[attribute].kind
        message.attr[attribute].CopyFrom(message_of(value, kind))
    return message


def const(name: str, value: Any, dtype: str | None = None) -> Any:
    array = np.asarray(value, dtype)
    return node(name, "Const", value=array, dtype="string" if array.dtype.kind == "O" else str(array.dtype))


def call(name: str, inputs: Sequence[str], given: Sequence[str], wanted: Sequence[str], f: str) -> Any:
    """A call of the function ``f``."""
    return node(name, "PartitionedCall", inputs, Tin=list(given), Tout=list(wanted), f=FunctionName(f))


def function(
    name: str,
    arguments: Arguments,
    outputs: Arguments,
    nodes: Sequence[Any],
    ret: Mapping[str, str],
    control_ret: Mapping[str, str] | None = None,
) -> Any:
    message = messages.FunctionDef()
    message.signature.name = name
    for part, named in ((message.signature.input_arg, arguments), (message.signature.output_arg, outputs)):
        for argument, dtype in named.items():
            part.add(name=argument, type=number_of(dtype))
    message.node_def.extend(nodes)
    message.ret.update(ret)
    message.control_ret.update(control_ret or {})
    return message


def one_node(made: Any, arguments: Arguments, dtype: str, output: str) -> Any:
    """The function ``f`` of a single node."""
    return function("f", arguments, {"y": dtype}, [made], {"y": output})


def library(*functions: Any, **more: Any) -> Library:
    return Library(messages.FunctionDefLibrary(function=list(functions)), **more)
