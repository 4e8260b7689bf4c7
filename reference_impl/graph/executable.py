"""A function that is ready to run: what is called for each node, in order, and where the values lie between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from reference_impl.errors import LoadError
from reference_impl.graph import (
    branches,
    control_flow,
    examples,
    generators,
    limits,
    lists,
    resources,
    small,
    tables,
    tensor_arrays,
)
from reference_impl.graph.function import Function, Library, Node
from reference_impl.graph.modes import ARRAYS, Context, Handler, Mode, Value
from reference_impl.ops.table import OPS

HANDLERS: dict[str, Handler] = {
    **small.HANDLERS,
    **control_flow.HANDLERS,
    **branches.HANDLERS,
    **lists.HANDLERS,
    **resources.HANDLERS,
    **tables.HANDLERS,
    **generators.HANDLERS,
    **tensor_arrays.HANDLERS,
    **examples.HANDLERS,
}
"""Ops that are not in the table, and those whose entry of the table is another form of them."""


@dataclass(frozen=True)
class Step:
    """A node: the places of its inputs among the values, and of its outputs, which are from ``first`` on.

    ``count``: how many outputs; None where there is one by the signature, which is then given as itself. ``controls``:
    where it says of nodes whether they ran; used where a graph has branches of TensorFlow 1.
    """

    node: Node
    inputs: tuple[int, ...]
    first: int
    count: int | None
    attrs: Mapping[str, Any]
    functions: Mapping[str, Sequence[Executable]]
    controls: tuple[int, ...] | None = None

    @property
    def written(self) -> int | None:
        """``count``, and one more where it is said whether the node ran."""
        if self.controls is None:
            return self.count
        return (1 if self.count is None else self.count) + 1


@dataclass
class Executable:
    """A planned function. ``size``: how many nodes a call runs, each loop's body counted once."""

    function: Function
    library: Library
    steps: list[Step]
    constants: dict[int, Any]
    results: list[int]
    places: int
    size: int
    _programs: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self, mode: Mode, args: Sequence[Value]) -> list[Value]:
        """The values of the outputs. Everything that goes wrong is a ``LoadError`` that names the node."""
        program = self._programs.get(mode.name) or self._bound(mode)
        values, steps = program[0].copy(), program[1]
        values[: len(args)] = args
        place = 0
        try:
            for call, inputs, first, count, unneeded in steps:
                result = call(*[values[i] for i in inputs])
                if count is None:
                    values[first] = result
                elif count:
                    values[first : first + count] = result
                for i in unneeded:
                    values[i] = None
                place += 1
        except LoadError:
            raise
        except Exception as error:
            node = self.steps[place].node
            raise LoadError(self.library.at(self.function.name, str(error) or type(error).__name__, node)) from error
        return [values[i] for i in self.results]

    def _bound(self, mode: Mode) -> Any:
        values: list[Any] = [None] * self.places
        for place, constant in self.constants.items():
            values[place] = mode.tensor(constant)
        last = {place: step for step, each in enumerate(self.steps) for place in (*each.inputs, *(each.controls or ()))}
        kept = {*self.results, *self.constants}
        unneeded: list[list[int]] = [[] for _ in self.steps]
        for place, step in last.items():
            if place not in kept:
                unneeded[step].append(place)
        steps = [
            (self._call(step, mode), step.inputs + (step.controls or ()), step.first, step.written, tuple(places))
            for step, places in zip(self.steps, unneeded, strict=True)
        ]
        self._programs[mode.name] = values, steps
        return self._programs[mode.name]

    def _call(self, step: Step, mode: Mode) -> Callable[..., Any]:
        name = step.node.op
        if name in HANDLERS or step.functions:
            functions = {
                attribute: [partial(called.run, mode) for called in all_called]
                for attribute, all_called in step.functions.items()
            }
            handler = HANDLERS.get(name, HANDLERS["PartitionedCall"])
            call: Any = partial(handler, Context(mode, self.library, step.node, step.attrs, functions))
        elif mode is ARRAYS:
            call = _on_arrays(name, step.attrs)
        else:
            call = partial(mode.apply_several if OPS[name].several else mode.apply, name, **step.attrs)
        return call if step.controls is None else branches.alive(name, call, len(step.inputs), step.count)


def _on_arrays(name: str, attrs: Mapping[str, Any]) -> Callable[..., Any]:
    op = OPS[name]
    kernel: Any = partial(op.kernel, **attrs) if attrs else op.kernel
    if name in limits.RESULTS:
        kernel = limits.guarded(name, kernel)
    if op.several:
        return kernel

    def call(*inputs: Any) -> Any:
        # NumPy gives scalars where an array of rank 0 is meant.
        result = kernel(*inputs)
        return result if type(result) is np.ndarray else np.asarray(result)

    return call
