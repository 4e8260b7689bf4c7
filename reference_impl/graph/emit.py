"""A traced function as the messages that a graph stores.

A call of the table becomes a node of TensorFlow's op of that name. What a node says beside its op and its inputs follows
from them: the dtypes and counts of the inputs give the attributes that hold these (:mod:`~reference_impl.graph.signatures`).

An assignment is made after the reads before it and before the reads after it, and whether or not something needs what
comes of it: that is what control inputs and ``control_ret`` say. Names count; nothing in a message depends on a process.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reference_impl.dtypes import DType
from reference_impl.formats import messages
from reference_impl.graph.attributes import FunctionName, message_of, number_of
from reference_impl.graph.function import Function
from reference_impl.graph.nodes import attributes_of, form_of
from reference_impl.graph.signatures import signature
from reference_impl.graph.trace import CAPTURED, Traced, captured_by
from reference_impl.tensors import Call, Tensor

RESOURCE = DType("resource")

Ref = tuple[str, DType]
"""A tensor as a node's input names it, and its dtype."""


def function_defs(traced: Traced, known: dict[str, Any] | None = None) -> list[Any]:
    """The FunctionDef of ``traced``, then those of the functions it calls, each once.

    ``known``: the FunctionDefs that a library has already, by name, to which these are added. A function of a file that
    has the name of another one gets a new name. ``LookupError`` for an op that TensorFlow does not have.
    """
    found = {} if known is None else known
    before = set(found)
    _emit(traced, found)
    return [message for name, message in found.items() if name not in before]


def _emit(traced: Traced, found: dict[str, Any]) -> None:
    # It is the first of them, and to know its names all it calls must be there.
    found[traced.name] = None
    body = _Body(traced, found)
    found[traced.name] = body.message
    for inner in body.inner:
        if inner.name not in found:
            _emit(inner, found)


_BOUND_TO_A_PROCESS = ("api_implements", "api_preferred_device", "forward_function_name", "backward_function_name")
"""Attributes of functions that name others by names of the process that wrote them; nothing needs them."""


def _from_file(library: Any, name: str, found: dict[str, Any]) -> str:
    """Add the function ``name`` of ``library``, and those that it calls; what it is called now."""
    message = messages.FunctionDef()
    message.CopyFrom(library.message(name))
    for attribute in _BOUND_TO_A_PROCESS:
        message.attr.pop(attribute, None)
    for node in message.node_def:
        for key in sorted(node.attr):
            value = node.attr[key]
            for function in [value.func] if value.HasField("func") else value.list.func:
                if function.name in library:
                    function.name = _from_file(library, function.name, found)
    count = 0
    while found.get(message.signature.name, message) != message:
        count += 1
        message.signature.name = f"{name}_{count}"
    found[message.signature.name] = message
    return message.signature.name


class _Body:
    """One FunctionDef while it is put together."""

    def __init__(self, traced: Traced, found: dict[str, Any]) -> None:
        self.message = messages.FunctionDef()
        self.message.signature.name = traced.name
        self.inner: list[Traced] = []
        self._found = found
        self._names: Counter[str] = Counter()
        self._tensors: dict[int, str] = {}
        self._calls: dict[int, list[str]] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._handles: dict[int, str] = {}
        self._order = _Order(traced.calls)
        for tensor in [*traced.arguments, *traced.invariants]:
            self._tensors[id(tensor)] = self._argument(tensor.name or "argument", tensor.dtype, tensor.shape)
        for thing in traced.captures:
            self._handles[id(thing)] = self._argument("capture", RESOURCE, ())
        for call in traced.calls:
            self._call(call)
        self._return(traced)

    # -- arguments and results ---------------------------------------------------------------------------------

    def _argument(self, name: str, dtype: DType, shape: Sequence[int | None]) -> str:
        unique = self._unique(re.sub(r"[^a-z0-9_]", "_", name.lower()).lstrip("_0123456789") or "argument")
        place = len(self.message.signature.input_arg)
        self.message.signature.input_arg.add(name=unique, type=number_of(dtype))
        known = message_of([shape], "list(shape)")
        self.message.arg_attr[place].attr["_output_shapes"].CopyFrom(known)
        return unique

    def _return(self, traced: Traced) -> None:
        signature = self.message.signature
        for place, output in enumerate(traced.outputs):
            name = f"output_{place}"
            signature.output_arg.add(name=name, type=number_of(output.dtype))
            self.message.ret[name] = self._ref(output)[0]
        for place, thing in enumerate(traced.captures if traced.passes_captures else ()):
            signature.output_arg.add(name=f"capture_{place}_after", type=number_of(RESOURCE))
            self.message.ret[f"capture_{place}_after"] = self._handles[id(thing)]
        for call in traced.effects:
            node = self._order.names[id(call)]
            signature.control_output.append(node)
            self.message.control_ret[node] = node

    def _unique(self, name: str) -> str:
        self._names[name] += 1
        count = self._names[name] - 1
        return self._unique(f"{name}_{count}") if count else name

    # -- nodes -------------------------------------------------------------------------------------------------

    def _ref(self, tensor: Tensor) -> Ref:
        if id(tensor) in self._tensors:
            return self._tensors[id(tensor)], tensor.dtype
        if tensor.array is not None:
            return self._constant(tensor.array, tensor.dtype), tensor.dtype
        call = tensor.producer
        assert call is not None
        place = next((i for i, result in enumerate(call.results) if result is tensor), 0)
        return self._calls[id(call)][place], tensor.dtype

    def _constant(self, array: Any, dtype: DType) -> str:
        content = repr(array.tolist()).encode() if dtype == "string" else array.tobytes()
        key = (dtype, array.shape, content)
        if key not in self._constants:
            self._constants[key] = self._node("Const", [], {"value": array, "dtype": dtype})[1][0]
        return self._constants[key]

    def _call(self, call: Call) -> None:
        attrs = {key: value for key, value in call.attrs.items() if key not in (*CAPTURED, "captures", "library")}
        op, inputs, attrs = form_of(call, attrs)
        # A handle is the first input of the ops of variables and tables; what a function captures comes last.
        given = [*(call.attrs[key] for key in CAPTURED if key in call.attrs), *inputs, *call.attrs.get("captures", ())]
        refs = [
            self._ref(thing) if isinstance(thing, Tensor) else (self._handles[id(thing)], RESOURCE) for thing in given
        ]
        name, outputs = self._node(op, refs, self._named_functions(attrs, call), self._order.controls(call))
        self._order.made(call, name)
        self._calls[id(call)] = outputs

    def _named_functions(self, attrs: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """``attrs`` with the names of the functions in them, which are to be emitted too."""
        named = dict(attrs)
        for key, value in attrs.items():
            if isinstance(value, Traced):
                self.inner.append(value)
                named[key] = FunctionName(value.name)
            elif isinstance(value, Function):
                named[key] = FunctionName(_from_file(call.attrs["library"], value.name, self._found))
        return named

    def _node(
        self, op: str, inputs: Sequence[Ref], attrs: Mapping[str, Any], controls: Sequence[str] = ()
    ) -> tuple[str, list[str]]:
        """Add a node; its name, and how its outputs are named."""
        form = signature(op)
        complete = attributes_of(form, [dtype for _, dtype in inputs], attrs)
        node = self.message.node_def.add(name=self._unique(op), op=op)
        self.message.signature.is_stateful |= form.stateful
        node.input.extend(ref for ref, _ in inputs)
        node.input.extend(f"^{name}" for name in controls)
        for key, value in complete.items():
            node.attr[key].CopyFrom(message_of(value, form.attributes[key].kind))
        defaults = {name: attribute.default for name, attribute in form.attributes.items()}
        places = form.output_places({**defaults, **complete})
        outputs = [f"{node.name}:{name}:{i}" for name, (_, count) in places.items() for i in range(count)]
        return node.name, outputs


class _Order:
    """Which calls must wait for which, for the sake of the variables they read and assign."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.names: dict[int, str] = {}
        self._assigned = {id(thing) for call in calls for thing in captured_by(call) if _assigns(call)}
        self._last: dict[int, str] = {}
        self._reads: dict[int, list[str]] = {}

    def controls(self, call: Call) -> list[str]:
        """The names of the nodes that ``call`` must wait for."""
        found: dict[str, None] = {}
        for thing in captured_by(call):
            if id(thing) in self._last:
                found[self._last[id(thing)]] = None
            if _assigns(call):
                found.update(dict.fromkeys(self._reads.get(id(thing), ())))
        return list(found)

    def made(self, call: Call, name: str) -> None:
        self.names[id(call)] = name
        for thing in captured_by(call):
            if id(thing) not in self._assigned:
                continue
            if _assigns(call):
                self._last[id(thing)] = name
                self._reads[id(thing)] = []
            else:
                self._reads.setdefault(id(thing), []).append(name)


def _assigns(call: Call) -> bool:
    """Whether ``call`` may assign what it captures."""
    return call.op.name in ("AssignVariableOp", "StatefulPartitionedCall", "While")
