"""Calling a function of a graph from Python: on values it runs, on symbolic tensors it becomes a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reference_impl.dtypes import DType
from reference_impl.errors import LoadError
from reference_impl.graph.function import Function, Library
from reference_impl.graph.interpreter import run
from reference_impl.graph.modes import Value
from reference_impl.graph.plan import plan
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, call_symbolically, present_trace


@dataclass(frozen=True)
class Result:
    """What is known of an output: its shape, None if not even the rank, and its dtype."""

    shape: TensorShape | None
    dtype: DType


def call(
    function: Function | str,
    library: Library,
    inputs: Sequence[Tensor],
    captures: Sequence[Value],
    specs: Sequence[Any],
) -> list[Value]:
    """The outputs of ``function`` for ``inputs``, followed by what it captured: variables, tables and constants.

    Where an input is symbolic, or a trace is being written, it is one call of ``PartitionedCall`` (of
    ``StatefulPartitionedCall`` where captures can change) with the attributes ``f`` (the :class:`Function`), ``library``
    and ``captures``; ``specs`` (``shape`` and ``dtype`` of each output) then say what it gives. ``LoadError`` as of
    :func:`run`, and if ``specs`` do not fit the function.
    """
    name = function if isinstance(function, str) else function.name
    if present_trace() is None and not any(tensor.symbolic for tensor in inputs):
        return run(name, library, [*inputs, *captures])
    planned = library.plans.get(name) or plan(name, library)
    outputs = planned.function.outputs
    if len(specs) != len(outputs) or any(spec.dtype != dtype for spec, (_, dtype) in zip(specs, outputs, strict=True)):
        shown = [spec.dtype for spec in specs], [dtype for _, dtype in outputs]
        raise LoadError(library.at(name, f"found an output signature of dtypes {shown[0]}, expected {shown[1]}"))
    if len(inputs) + len(captures) != len(planned.function.inputs):
        count = f"{len(inputs)} inputs and {len(captures)} captures"
        raise LoadError(library.at(name, f"found {count}, expected {len(planned.function.inputs)} together"))
    stateful = any(not isinstance(capture, Tensor) for capture in captures)
    return list(
        call_symbolically(
            "StatefulPartitionedCall" if stateful else "PartitionedCall",
            inputs,
            [(_shape(spec.shape, name, library), spec.dtype) for spec in specs],
            f=planned.function,
            library=library,
            captures=tuple(captures),
        )
    )


def _shape(shape: TensorShape | None, name: str, library: Library) -> TensorShape:
    if shape is None:
        text = "found an output of unknown rank, which cannot be part of a model of symbolic tensors; call it on data"
        raise LoadError(library.at(name, text))
    return shape
