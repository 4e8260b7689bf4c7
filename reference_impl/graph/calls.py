"""What the attributes of a node mean for what it calls."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from reference_impl.dtypes import DType
from reference_impl.graph import small
from reference_impl.graph.attributes import value_of
from reference_impl.graph.function import Function, Node
from reference_impl.graph.signatures import Signature
from reference_impl.ops.table import OPS

_IGNORED = frozenset(
    {
        *("use_cudnn_on_gpu", "validate_indices", "validate_shape", "use_locking", "parallel_iterations", "container"),
        *("grad_a", "grad_b", "grad_x", "grad_y", "sparse_gradient", "bad_indices_policy"),
    }
)
"""Attributes that say how a result is computed, not which."""


def attributes_of(node: Node, form: Signature) -> dict[str, Any]:
    """The attributes of a node in Python's terms; ``ValueError`` if they are not those that ``form`` has."""
    attrs: dict[str, Any] = {}
    for name, attribute in form.attributes.items():
        if name in node.attrs:
            try:
                attrs[name] = value_of(node.attrs[name], attribute.kind)
            except ValueError as error:
                raise ValueError(f"attribute {name}: {error}") from None
        elif attribute.required:
            raise ValueError(f"found no attribute {name}, expected one of kind {attribute.kind}")
        else:
            attrs[name] = attribute.default
    for argument in (*form.inputs, *form.outputs):
        if argument.number is not None and attrs[argument.number] < 0:
            raise ValueError(
                f"attribute {argument.number}: found {attrs[argument.number]}, expected a number of tensors"
            )
    unknown = [name for name in node.attrs if name not in attrs and not name.startswith("_")]
    if unknown:
        raise ValueError(f"found the attribute {unknown[0]}, expected no other than {', '.join(attrs) or 'none'}")
    return attrs


def constant(attrs: Mapping[str, Any]) -> Any:
    array = attrs["value"]
    stored = DType("string") if array.dtype.kind == "O" else DType(array.dtype.name)
    if stored != attrs["dtype"]:
        raise ValueError(f"found a constant of dtype {stored}, expected {attrs['dtype']}")
    array.flags.writeable = False
    return array


@cache
def _parameters(op: str) -> tuple[frozenset[str], bool]:
    """The names that an op's kernel takes, and whether it takes any."""
    try:
        parameters = inspect.signature(OPS[op].kernel).parameters.values()
    except ValueError:
        return frozenset(), False
    return (
        frozenset(parameter.name for parameter in parameters),
        any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters),
    )


def taken_by_kernel(op: str, form: Signature, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that an op of the table is called with; ``ValueError`` for one that would be disregarded."""
    names, any_name = _parameters(op)
    if op in small.ATTRIBUTES:
        attrs = small.ATTRIBUTES[op](dict(attrs))
    numbers = {argument.number for argument in (*form.inputs, *form.outputs)}
    taken: dict[str, Any] = {}
    for name, value in attrs.items():
        attribute = form.attributes.get(name)
        if attribute is None or name in names:
            taken[name] = value
        elif name in numbers or name in _IGNORED or attribute.kind in ("type", "list(type)"):
            continue
        elif any_name:
            taken[name] = value
        elif value != attribute.default:
            expected = attribute.default
            raise ValueError(f"attribute {name}: found {value!r}, which is not interpreted; expected {expected!r}")
    return taken


def check_called(attrs: Mapping[str, Any], functions: Mapping[str, Sequence[Function]]) -> None:
    """Whether the functions that a node calls take its inputs and give its outputs; ``ValueError`` if not."""
    given: Any = next((attrs[name] for name in ("Tin", "T") if name in attrs), None)
    wanted: Any = next((attrs[name] for name in ("Tout", "T") if name in attrs), None)
    for attribute, called in functions.items():
        for function in called:
            inputs = [dtype for _, dtype in function.inputs]
            outputs = [dtype for _, dtype in function.outputs]
            if given is not None and inputs != given:
                raise ValueError(_unlike(attribute, function, "arguments", inputs, given))
            if attribute == "cond":
                if len(outputs) != 1:
                    raise ValueError(_unlike(attribute, function, "outputs", outputs, ["bool"]))
            elif wanted is not None and outputs != wanted:
                raise ValueError(_unlike(attribute, function, "outputs", outputs, wanted))


def _unlike(attribute: str, function: Function, what: str, found: Sequence[str], expected: Sequence[str]) -> str:
    shown = [", ".join(dtypes) or "none" for dtypes in (found, expected)]
    return f"{attribute}={function.name}: found {len(found)} {what} ({shown[0]}), expected {len(expected)} ({shown[1]})"
