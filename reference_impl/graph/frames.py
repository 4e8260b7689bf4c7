"""Loops as TensorFlow 1 writes them: nodes in a circle, here made into ``While`` with a function of its own for each part.

::

    Enter ──> Merge ──> Switch ──> Exit                    a variable of the loop: Enter brings its first value into the
                ^ │        │                               frame, NextIteration the following ones; Switch gives it to
                │ └> … ──> LoopCond                        Exit, which leaves the frame, when LoopCond is false, and
                │          v                               else to the body
                └ NextIteration <── …

A frame has the name that its Enter nodes give it. What the body uses and does not change comes through an Enter that is
``is_constant``. Frames lie in each other: an inner one is a ``While`` in the body of the outer one.

Nothing is run to find the parts: those of the condition are the nodes that LoopCond needs, those of the body the nodes
that NextIteration needs. A frame that is not of this form stays as it is, and is refused when it is reached.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reference_impl.dtypes import DType
from reference_impl.formats import messages
from reference_impl.graph.attributes import FunctionName, dtype_of, message_of
from reference_impl.graph.function import Function, Library, Node, source

Nodes = Mapping[str, Node]


@dataclass(frozen=True)
class _Variable:
    """The nodes of a loop's variable."""

    enter: Node
    merge: Node
    switch: Node | None
    following: Node


@dataclass(frozen=True)
class _Frame:
    name: str
    variables: Sequence[_Variable]
    constants: Sequence[Node]
    condition: Node


def unrolled(function: Function, library: Library) -> Function:
    """``function`` with its loops of this kind as ``While``, whose functions are added to ``library``."""
    frames = _frames(function.nodes)
    if not frames:
        return function
    nodes = _renamed(function.nodes, frames)
    changed: dict[str, Node] = {}
    for frame in frames:
        changed.update(_loop(frame, nodes, function.name))
    # Bodies of outer loops have the inner ones in them, so functions are made of what was changed everywhere.
    nodes = {**nodes, **changed}
    for frame in frames:
        _add_functions(frame, nodes, function.name, library)
    return replace(function, nodes=nodes)


# -- finding -----------------------------------------------------------------------------------------------------


def _frames(nodes: Nodes) -> list[_Frame]:
    """The frames whose parts are all there."""
    entering: dict[str, list[Node]] = {}
    for node in nodes.values():
        if node.op == "Enter" and "frame_name" in node.attrs:
            entering.setdefault(node.attrs["frame_name"].s.decode("utf-8", "replace"), []).append(node)
    if not entering:
        return []
    merges: dict[str, Node] = {}
    switches: dict[str, Node] = {}
    for node in nodes.values():
        if node.op == "Merge" and len(node.inputs) == 2:
            ends = [source(text).node for text in node.inputs]
            merges.update({end: node for end in ends if end in nodes and nodes[end].op == "Enter"})
        elif node.op == "Switch" and len(node.inputs) == 2 and _op(nodes, node.inputs[1]) == "LoopCond":
            switches[source(node.inputs[0]).node] = node
    found = [_frame(name, enters, nodes, merges, switches) for name, enters in entering.items()]
    return [frame for frame in found if frame is not None]


def _frame(name: str, enters: Sequence[Node], nodes: Nodes, merges: Nodes, switches: Nodes) -> _Frame | None:
    variables: list[_Variable] = []
    constants: list[Node] = []
    conditions: dict[str, Node] = {}
    for enter in enters:
        merge = merges.get(enter.name)
        if merge is None:
            constants.append(enter)
            continue
        following = [
            nodes[end] for end in (source(text).node for text in merge.inputs) if end != enter.name and end in nodes
        ]
        if [node.op for node in following] != ["NextIteration"]:
            return None
        switch = switches.get(merge.name)
        if switch is not None:
            condition = nodes[source(switch.inputs[1]).node]
            conditions[condition.name] = condition
        variables.append(_Variable(enter, merge, switch, following[0]))
    if len(conditions) != 1 or any(len(node.inputs) != 1 for node in [*conditions.values(), *enters]):
        return None
    return _Frame(name, variables, constants, *conditions.values())


def _op(nodes: Nodes, text: str) -> str:
    node = nodes.get(source(text).node)
    return "" if node is None else node.op


# -- making ------------------------------------------------------------------------------------------------------


def _renamed(nodes: Nodes, frames: Sequence[_Frame]) -> dict[str, Node]:
    """The nodes, where the body takes a variable's value from Switch, take it from Merge: inside both are the same."""
    merges = {v.switch.name: v.merge.name for frame in frames for v in frame.variables if v.switch is not None}
    tests = {frame.condition.name for frame in frames}
    if not merges:
        return dict(nodes)

    def taken(text: str) -> str:
        found = source(text)
        inside = found.node in merges and (found.output == "output_true" or (found.output is None and found.index == 1))
        return f"{merges[found.node]}:0" if inside else text

    def after(name: str) -> str:
        return merges.get(name, name)

    return {
        name: replace(
            node,
            inputs=tuple(taken(text) for text in node.inputs),
            controls=tuple(after(control) for control in node.controls if control not in tests),
        )
        for name, node in nodes.items()
    }


def _loop(frame: _Frame, nodes: Nodes, function: str) -> dict[str, Node]:
    """The loop as one node, and its Exit nodes, which give what the loop gives."""
    entering = [*(variable.enter for variable in frame.variables), *frame.constants]
    attrs: dict[str, Any] = {
        "T": message_of([_dtype(enter) for enter in entering], "list(type)"),
        "cond": message_of(FunctionName(f"{function}/{frame.name}/condition"), "func"),
        "body": message_of(FunctionName(f"{function}/{frame.name}/body"), "func"),
    }
    controls = tuple(dict.fromkeys(control for enter in entering for control in nodes[enter.name].controls))
    name = f"{frame.name} (loop)"
    made = {name: Node(name, "While", tuple(nodes[e.name].inputs[0] for e in entering), controls, attrs)}
    places = {v.switch.name: place for place, v in enumerate(frame.variables) if v.switch is not None}
    for node in nodes.values():
        if node.op == "Exit" and len(node.inputs) == 1 and source(node.inputs[0]).node in places:
            given = f"{name}:{places[source(node.inputs[0]).node]}"
            made[node.name] = _same(node, given)
    return made


def _add_functions(frame: _Frame, nodes: Nodes, function: str, library: Library) -> None:
    """The condition and the body: functions of all values that the loop has, constants included."""
    entering = [*(variable.merge for variable in frame.variables), *frame.constants]
    firsts = [*(variable.enter for variable in frame.variables), *frame.constants]
    inputs = tuple((f"value_{place} of {frame.name}", _dtype(enter)) for place, enter in enumerate(firsts))
    own = {
        node.name: replace(_same(nodes[node.name], name), controls=())
        for node, (name, _) in zip(entering, inputs, strict=True)
    }
    own.update({v.following.name: _same(nodes[v.following.name]) for v in frame.variables})
    inside: Nodes = ChainMap(own, dict(nodes))
    test = nodes[frame.condition.name].inputs[0]
    condition = (("condition", DType("bool")),)
    library.add(Function(f"{function}/{frame.name}/condition", inputs, condition, inside, {"condition": test}, {}, {}))
    kept = [
        *(f"{variable.following.name}:0" for variable in frame.variables),
        *(f"{c.name}:0" for c in frame.constants),
    ]
    outputs = tuple((f"value_{place}", dtype) for place, (_, dtype) in enumerate(inputs))
    ret = {name: text for (name, _), text in zip(outputs, kept, strict=True)}
    library.add(Function(f"{function}/{frame.name}/body", inputs, outputs, inside, ret, {}, {}))


def _dtype(enter: Node) -> DType:
    return dtype_of(enter.attrs["T"].type)


def _same(node: Node, given: str | None = None) -> Node:
    """A node of this name that gives what it is given."""
    attrs: dict[str, messages.Message] = {"T": node.attrs["T"]}
    return Node(node.name, "Identity", node.inputs if given is None else (given,), node.controls, attrs)
