"""From Python to a graph: a function is run on symbolic tensors, and the calls it makes are written down.

Calls of ops whose inputs all have values are done at once, and are constants of the graph; all others, and those of ops
of state (reading a variable, drawing at random, looking up in a table) are calls of the graph. What the function uses and
was not given, variables and tables, are its captures; what it assigns are its effects.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reference_impl import structure
from reference_impl.dtypes import DType
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Call, Tensor, Trace, convert, tracing

CAPTURED = ("variable", "table")
"""The attributes of a call that hold something the function captures."""


@dataclass(frozen=True)
class Spec:
    """An argument: its shape (None where a size is not known), dtype and name."""

    shape: TensorShape
    dtype: DType
    name: str


@dataclass(frozen=True, eq=False)
class Traced:
    """A function as calls on symbolic tensors.

    ``arguments``: a symbolic tensor for each spec. ``captures``: variables and tables, which are passed after the
    arguments. ``outputs``: flat, without what is None. ``effects``: assignments, in order. ``calls``: all calls that
    outputs and effects need, in order. ``structure``: what the function returned, holding the outputs. ``invariants``:
    of the body of a loop, the tensors of the function around it that it uses, which are passed after the arguments.
    ``passes_captures``: the outputs are followed by the captures, as those of the body of a loop must be.
    """

    name: str
    arguments: list[Tensor]
    captures: list[Any]
    outputs: list[Tensor]
    effects: list[Call]
    calls: list[Call]
    structure: Any
    invariants: list[Tensor]
    passes_captures: bool = False


def trace(python_function: Callable[..., Any], specs: Sequence[Spec], name: str) -> Traced:
    """Run ``python_function`` on a symbolic tensor for each spec; it returns a structure of tensors and None.

    ``ValueError`` if it uses a symbolic tensor of another function.
    """
    arguments = [Tensor(None, spec.shape, spec.dtype, name=spec.name) for spec in specs]
    traced = _traced(python_function, arguments, Trace(name))
    if traced.invariants:
        raise ValueError(
            f"{name}: a tensor of another graph is used, {traced.invariants[0]!r}; a layer must not keep tensors from "
            "one call to the next"
        )
    return traced


def trace_inner(
    python_function: Callable[..., Any], arguments: list[Tensor], name: str, outer: Trace, assigned: Container[int] = ()
) -> Traced:
    """The same for the body of a loop, which may use tensors of ``outer``.

    ``assigned``: ids of the variables that the body assigns, and so has to read itself.
    """
    return _traced(python_function, arguments, Trace(name, outer, assigned))


def _traced(python_function: Callable[..., Any], arguments: list[Tensor], written: Trace) -> Traced:
    with tracing(written):
        returned = structure.map_leaves(_as_tensor, python_function(*arguments))
    outputs = [leaf for leaf in structure.flatten(returned) if leaf is not None]
    noted = {id(call) for call in written.effects}
    effects = [call for call in written.calls if id(call) in noted or _calls_with_effects(call)]
    calls, invariants = _needed(written, arguments, outputs, effects)
    return Traced(written.name, arguments, _captures(calls), outputs, effects, calls, returned, invariants)


def _calls_with_effects(call: Call) -> bool:
    """Whether it calls a function of a file that has effects."""
    return bool(getattr(call.attrs.get("f"), "control_ret", None))


def _as_tensor(leaf: Any) -> Tensor | None:
    return None if leaf is None else convert(leaf)


def _needed(
    written: Trace, arguments: list[Tensor], outputs: list[Tensor], effects: list[Call]
) -> tuple[list[Call], list[Tensor]]:
    """The calls that outputs and effects need, in the order they were made; and what these need from outside."""
    own = {id(call) for call in written.calls}
    given = {id(tensor) for tensor in arguments}
    kept: set[int] = set()
    outside: dict[int, Tensor] = {}
    waiting = [tensor for tensor in outputs if tensor.symbolic]
    for call in effects:
        kept.add(id(call))
        waiting += call.inputs
    while waiting:
        tensor = waiting.pop()
        call = tensor.producer
        if not tensor.symbolic or id(tensor) in given:
            continue
        if call is None or id(call) not in own:
            outside[id(tensor)] = tensor
        elif id(call) not in kept:
            kept.add(id(call))
            waiting += call.inputs
    calls = [call for call in written.calls if id(call) in kept]
    # In the order in which they are used, not in that of this walk.
    used = [tensor for call in calls for tensor in call.inputs] + outputs
    return calls, list({id(tensor): tensor for tensor in used if id(tensor) in outside}.values())


def captured_by(call: Call) -> list[Any]:
    """The variables and tables that a call is given beside its inputs."""
    several = [thing for thing in call.attrs.get("captures", ()) if not isinstance(thing, Tensor)]
    return [call.attrs[key] for key in CAPTURED if key in call.attrs] + several


def _captures(calls: Iterable[Call]) -> list[Any]:
    return list({id(thing): thing for call in calls for thing in captured_by(call)}.values())
