"""Running functions of a graph through the table of ops.

A function is planned once (:mod:`reference_impl.graph.plan`); then each call runs the steps of the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from reference_impl.dtypes import DType, as_dtype
from reference_impl.errors import LoadError
from reference_impl.graph.branches import DEAD
from reference_impl.graph.executable import Executable
from reference_impl.graph.frames import unrolled
from reference_impl.graph.function import Function, Library, nodes
from reference_impl.graph.lists import TensorList, convert_items
from reference_impl.graph.modes import ARRAYS, TENSORS, Value
from reference_impl.graph.plan import plan
from reference_impl.tensors import Array, Tensor, is_recording

MAIN = "(main graph)"
"""What errors call the graph that is not inside of a function."""


def run(function: Function | str, library: Library, args: Sequence[Value]) -> list[Value]:
    """The values of the outputs of ``function``: tensors, variables, tables or lists, as its arguments.

    ``LoadError`` names the function and the node where something does not fit. Inside ``recording()`` the results
    remember the ops that made them.
    """
    name = function if isinstance(function, str) else function.name
    return _run(library.plans.get(name) or plan(name, library), library, args)


def _run(planned: Executable, library: Library, args: Sequence[Value]) -> list[Value]:
    _check(planned.function, library, args)
    with np.errstate(all="ignore"):
        if is_recording():
            return planned.run(TENSORS, args)
        return [_wrapped(value) for value in planned.run(ARRAYS, [_unwrapped(arg) for arg in args])]


def _unwrapped(value: Value) -> Value:
    if isinstance(value, Tensor):
        return value.value
    return convert_items(value, _unwrapped) if isinstance(value, TensorList) else value


def _wrapped(value: Value) -> Value:
    if isinstance(value, np.ndarray):
        return Tensor(cast("Array", value))
    return convert_items(value, _wrapped) if isinstance(value, TensorList) else value


def _check(function: Function, library: Library, args: Sequence[Value]) -> None:
    if len(args) != len(function.inputs):
        raise LoadError(
            library.at(
                function.name, f"found {len(args)} arguments, expected {len(function.inputs)}: captures included"
            )
        )
    for arg, (name, dtype) in zip(args, function.inputs, strict=True):
        found = _dtype(arg)
        if found != dtype:
            raise LoadError(
                library.at(function.name, f"found the argument {name!r} of dtype {found}, expected {dtype}")
            )


def _dtype(value: Value) -> DType:
    if isinstance(value, Tensor):
        return value.dtype
    return DType("variant") if isinstance(value, TensorList) else DType("resource")


# -- main graphs -------------------------------------------------------------------------------------------------


class Graph:
    """A graph that is not inside of a function: TensorFlow 1's, and the one that signatures of TensorFlow 2 lie in.

    ``resources``: variables (and tables) by the names that nodes give them. ``place`` and ``assets`` are those of
    :class:`Library`.
    """

    def __init__(
        self,
        graph_def: Any,
        resources: Mapping[str, Any] | None = None,
        place: str = "",
        assets: Mapping[str, bytes] | None = None,
    ) -> None:
        self.library = Library(graph_def.library, place, assets)
        self.library.resources.update(resources or {})
        try:
            whole = Function(MAIN, (), (), nodes(graph_def.node), {}, {}, {})
            self._nodes = unrolled(whole, self.library).nodes
        except ValueError as error:
            raise LoadError(self.library.at(MAIN, str(error))) from None
        self._plans: dict[Any, Executable] = {}

    def run(self, feeds: Mapping[str, Any], fetches: Sequence[str]) -> list[Value]:
        """The values of the tensors ``fetches`` (``node:index``; ``^node`` is a node to be run, and has no value).

        ``feeds``: tensors or arrays by the names of the tensors that they stand for. Errors as of :func:`run`.
        """
        values = [value if isinstance(value, Tensor) else Tensor(np.asarray(value)) for value in feeds.values()]
        inputs = tuple((name, as_dtype(value.dtype)) for name, value in zip(feeds, values, strict=True))
        key = (inputs, tuple(fetches))
        if key not in self._plans:
            self._plans[key] = plan(MAIN, self.library, self._function(inputs, fetches))
        results = _run(self._plans[key], self.library, values)
        for name, result in zip((fetch for fetch in fetches if not fetch.startswith("^")), results, strict=True):
            if result is DEAD:
                raise LoadError(self.library.at(MAIN, f"found no value of {name!r}: it is in a branch not taken"))
        return results

    def _function(self, inputs: tuple[tuple[str, DType], ...], fetches: Sequence[str]) -> Function:
        tensors = [name for name in fetches if not name.startswith("^")]
        targets = {name: name[1:] for name in fetches if name.startswith("^")}
        outputs = tuple((name, DType("")) for name in tensors)
        return Function(MAIN, inputs, outputs, self._nodes, {name: name for name in tensors}, targets, {})


def run_graph(
    graph_def: Any, feeds: Mapping[str, Any], fetches: Sequence[str], resources: Mapping[str, Any] | None = None
) -> list[Value]:
    """:meth:`Graph.run` of a graph that is run once."""
    return Graph(graph_def, resources).run(feeds, fetches)
