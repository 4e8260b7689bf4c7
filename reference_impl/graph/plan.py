"""Working out what is done to run a function.

A plan has the nodes that the outputs and the control outputs of a function reach, in an order in which each comes after
those that it needs; for each node what it calls and where the values are that it takes and gives. Everything that can be
wrong with a function is found here, with the node named, and so are the functions that it reaches; what it does not reach
is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import reference_impl.functions  # pyright: ignore[reportUnusedImport]  (fills the table of ops)
import reference_impl.ops.decompositions  # pyright: ignore[reportUnusedImport]  (ops that only graphs call)
import reference_impl.ops.resampling  # noqa: F401  # pyright: ignore[reportUnusedImport]  (the same)
from reference_impl.dtypes import DType
from reference_impl.errors import LoadError
from reference_impl.graph import small
from reference_impl.graph.attributes import FunctionName
from reference_impl.graph.branches import SWITCHES
from reference_impl.graph.calls import attributes_of, check_called, constant, taken_by_kernel
from reference_impl.graph.executable import HANDLERS, Executable, Step
from reference_impl.graph.frames import unrolled
from reference_impl.graph.function import Function, Library, Node, Source, source
from reference_impl.graph.refused import REASONS
from reference_impl.graph.signatures import Argument, Signature, known, later_signature, signature
from reference_impl.ops.table import OPS

DEEPEST = 100
"""Functions that call functions, so many deep, are refused."""

MOST_NODES = 10_000_000
"""A call that would run more nodes, each loop's body counted once, is refused."""


@dataclass(frozen=True)
class Slot:
    """Where a tensor lies among the values, of which dtype it is, and whether it is a variable of TensorFlow 1."""

    place: int
    dtype: DType
    reference: bool = False


def plan(name: str, library: Library, function: Function | None = None) -> Executable:
    """The plan of the function ``name`` of the library; of ``function``, which is not kept, where that is given."""
    with library.lock:
        return _plan(library, (), name, function)


def _plan(library: Library, callers: tuple[str, ...], name: str, function: Function | None = None) -> Executable:
    """``callers``: the functions that are being planned."""
    if function is None and name in library.plans:
        return library.plans[name]
    if name in callers:
        cycle = " -> ".join((*callers[callers.index(name) :], name))
        raise LoadError(library.at(name, f"found a function that calls itself ({cycle}), expected none"))
    if len(callers) >= DEEPEST:
        raise LoadError(library.at(name, f"found functions that call each other more than {DEEPEST} deep"))
    planned = _Planner(library, (*callers, name), function or unrolled(library.function(name), library)).plan()
    if function is None:
        library.plans[name] = planned
    return planned


class _Planner:
    """Plans one function."""

    def __init__(self, library: Library, callers: tuple[str, ...], function: Function) -> None:
        self.library = library
        self.callers = callers
        self.function = function
        self.steps: list[Step] = []
        self.constants: dict[int, Any] = {}
        self.slots: dict[Source, Slot] = {}
        self.markers: dict[str, int] = {}  # where it says of a node whether it ran
        self.branches = False
        self.places = 0
        self.size = 0

    def plan(self) -> Executable:
        for name, dtype in self.function.inputs:
            self.slots[self._source(name, None)] = Slot(self._new_places(1), dtype)
        order = list(self._order())
        self.branches = any(node.op in SWITCHES for node in order)
        for node in order:
            try:
                self._add(node)
            except LoadError:
                raise
            except (ValueError, LookupError, TypeError) as error:
                raise LoadError(self._at(str(error.args[0] if error.args else error), node)) from None
        results = [self._result(name, dtype) for name, dtype in self.function.outputs]
        if self.size > MOST_NODES:
            raise LoadError(self._at(f"found a call that runs {self.size} nodes, expected at most {MOST_NODES}", None))
        return Executable(self.function, self.library, self.steps, self.constants, results, self.places, self.size)

    def _new_places(self, count: int) -> int:
        self.places += count
        return self.places - count

    def _at(self, text: str, node: Node | None) -> str:
        return self.library.at(self.function.name, text, node)

    # -- order ---------------------------------------------------------------------------------------------------

    def _order(self) -> Iterator[Node]:
        """The nodes that are reached, each after those that it needs. They are many and deep: no recursion."""
        done: set[str] = set()
        begun: set[str] = set()
        controls = [f"^{name}" for name in self.function.control_ret.values()]
        for root in [*self.function.ret.values(), *controls]:
            stack = [(name, False) for name in self._needed([root], None)]
            while stack:
                name, ready = stack.pop()
                if ready:
                    done.add(name)
                    yield self.function.nodes[name]
                elif name not in done:
                    node = self.function.nodes[name]
                    if name in begun:
                        raise LoadError(self._at("found a node that needs its own result, expected none", node))
                    begun.add(name)
                    stack.append((name, True))
                    needed = self._needed([*node.inputs, *(f"^{control}" for control in node.controls)], node)
                    stack.extend((name, False) for name in reversed(needed) if name not in done)

    def _needed(self, inputs: Sequence[str], node: Node | None) -> list[str]:
        """The nodes that ``inputs`` name, without arguments."""
        if node is not None and node.op in REASONS:
            raise LoadError(self._at(f"found an op that {REASONS[node.op]}; it is never run", node))
        names: list[str] = []
        for text in inputs:
            found = self._source(text.removeprefix("^"), node)
            if found in self.slots and not text.startswith("^"):
                continue
            if found.node in self.function.nodes:
                names.append(found.node)
            elif Source(found.node) not in self.slots:
                raise LoadError(self._at(f"found the input {text!r}, expected an argument or a node", node))
        return names

    def _source(self, text: str, node: Node | None) -> Source:
        try:
            return source(text)
        except ValueError as error:
            raise LoadError(self._at(str(error), node)) from None

    # -- nodes ---------------------------------------------------------------------------------------------------

    def _add(self, node: Node) -> None:
        form = self._form(node)
        attrs = {"f": FunctionName(node.op)} if self._is_function(node.op) else attributes_of(node, form)
        inputs = self._inputs(node, form, attrs)
        outputs = [Slot(0, dtype, output.reference) for output in form.outputs for dtype in output.dtypes(attrs)]
        conditional = self.branches and bool(node.inputs or node.controls)
        if node.op in small.SAME and not conditional:
            # It gives what it is given, so its outputs are where its inputs are.
            self._name(node, form, attrs, [Slot(place, out.dtype) for place, out in zip(inputs, outputs, strict=True)])
            return
        first = self._new_places(len(outputs))
        self._name(node, form, attrs, [Slot(first + i, out.dtype, out.reference) for i, out in enumerate(outputs)])
        if node.op == "Const":
            attrs["value"] = constant(attrs)
            if not conditional:
                self.constants[first] = attrs["value"]
                return
        functions = self._functions(attrs)
        single = len(form.outputs) == 1 and not form.outputs[0].mixed and form.outputs[0].number is None
        single = single and not self._is_function(node.op)
        count = None if single else len(outputs)
        if node.op not in HANDLERS and not functions:
            attrs = self._of_table(node, form, attrs, count)
        self._step(node, inputs, first, count, attrs, functions)

    def _step(
        self,
        node: Node,
        inputs: tuple[int, ...],
        first: int,
        count: int | None,
        attrs: Mapping[str, Any],
        functions: Mapping[str, Sequence[Executable]],
    ) -> None:
        """Appends a step whose outputs are the places that were made last."""
        controls: tuple[int, ...] | None = None
        if self.branches:
            controls = tuple(self.markers[name] for name in node.controls if name in self.markers)
            self.markers[node.name] = self._new_places(1)
        self.steps.append(Step(node, inputs, first, count, attrs, functions, controls))
        self.size += 1 + sum(called.size for all_called in functions.values() for called in all_called)

    def _is_function(self, op: str) -> bool:
        """TensorFlow 1 calls functions by nodes whose op is the function's name."""
        return op in self.library and not known(op)

    def _form(self, node: Node) -> Signature:
        if not self._is_function(node.op):
            form = signature(node.op)
            if all(name in form.attributes or name.startswith("_") for name in node.attrs):
                return form
            return later_signature(node.op) or form
        called = self.library.function(node.op)
        inputs, outputs = (
            tuple(Argument(name, dtype) for name, dtype in part) for part in (called.inputs, called.outputs)
        )
        return Signature(node.op, True, inputs, outputs, {})

    def _name(self, node: Node, form: Signature, attrs: Mapping[str, Any], slots: Sequence[Slot]) -> None:
        """The names by which other nodes take the outputs; a value that was fed in the place of one stays."""
        for index, slot in enumerate(slots):
            self.slots.setdefault(Source(node.name, None, index), slot)
        for output, (start, count) in form.output_places(attrs).items():
            for index in range(count):
                self.slots[Source(node.name, output, index)] = slots[start + index]

    def _inputs(self, node: Node, form: Signature, attrs: Mapping[str, Any]) -> tuple[int, ...]:
        expected = [(dtype, argument.reference) for argument in form.inputs for dtype in argument.dtypes(attrs)]
        if len(expected) != len(node.inputs):
            raise ValueError(f"found {len(node.inputs)} inputs, expected {len(expected)}")
        places: list[int] = []
        for text, (dtype, reference) in zip(node.inputs, expected, strict=True):
            slot = self._slot(text)
            if slot.dtype != dtype:
                raise ValueError(f"found the input {text!r} of dtype {slot.dtype}, expected {dtype}")
            places.append(self._read(slot, node) if slot.reference and not reference else slot.place)
        return tuple(places)

    def _slot(self, text: str) -> Slot:
        try:
            return self.slots[source(text)]
        except KeyError:
            raise ValueError(f"found the input {text!r}, of a node that has no such output") from None

    def _read(self, slot: Slot, node: Node) -> int:
        """The place of the value of a variable of TensorFlow 1, as it is when ``node`` runs."""
        reading = Node(f"{node.name}/read", "ReadVariableOp", (), node.controls, {})
        place = self._new_places(1)
        self._step(reading, (slot.place,), place, None, {}, {})
        return place

    def _functions(self, attrs: Mapping[str, Any]) -> dict[str, list[Executable]]:
        found: dict[str, list[Executable]] = {}
        for name, value in attrs.items():
            items = cast("list[Any]", value if isinstance(value, list) else [value])
            names = [item.name for item in items if isinstance(item, FunctionName)]
            if names:
                found[name] = [_plan(self.library, self.callers, called) for called in names]
        check_called(attrs, {name: [called.function for called in plans] for name, plans in found.items()})
        return found

    def _of_table(self, node: Node, form: Signature, attrs: Mapping[str, Any], count: int | None) -> Mapping[str, Any]:
        if node.op not in OPS:
            raise ValueError("found an op of TensorFlow that is not interpreted")
        if OPS[node.op].several == (count is None):
            raise ValueError(f"found an op of {len(form.outputs)} outputs, of which not all are interpreted")
        return taken_by_kernel(node.op, form, attrs)

    def _result(self, name: str, dtype: DType) -> int:
        text = self.function.ret[name]
        try:
            slot = self._slot(text)
        except ValueError as error:
            raise LoadError(self._at(f"output {name!r}: {error}", None)) from None
        if dtype and slot.dtype != dtype:
            raise LoadError(self._at(f"found the output {name!r} of dtype {slot.dtype}, expected {dtype}", None))
        return self._read(slot, self.function.nodes[source(text).node]) if slot.reference else slot.place
