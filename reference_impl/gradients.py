"""Reverse-mode differentiation over remembered calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

from reference_impl import functions
from reference_impl.tensors import Call, Tensor, recording
from reference_impl.variables import Variable


class GradientTape:
    """``with GradientTape() as tape: loss = …``, then ``tape.gradient(loss, variables)``."""

    def __init__(self, persistent: bool = False) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> GradientTape:
        self._stack.enter_context(recording())
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.close()

    def watch(self, tensor: Tensor) -> None:
        """Nothing to do: any tensor can be differentiated for."""

    def gradient(self, target: Tensor, sources: Any) -> Any:
        """The gradients of the sum of ``target``; None for a source that it does not depend on."""
        if not isinstance(sources, list | tuple):
            return gradients(target, [sources])[0]
        return gradients(target, cast("list[Any]", sources))


def gradients(target: Tensor, sources: Sequence[Tensor | Variable]) -> list[Tensor | None]:
    """The gradient of the sum of ``target`` with respect to each source, of the source's shape and dtype.

    ``target`` must have been computed inside ``recording()``. None where it does not depend on the source.
    ``LookupError`` names an op on the way that has no gradient.
    """
    wanted = {id(source) for source in sources}
    found: dict[int, Tensor] = {id(target): functions.ones_like(target)}
    for tensor, call in _from_target_to_sources(target, wanted):
        results = call.results or [tensor]
        upstream = [found.get(id(result)) for result in results]
        if all(gradient is None for gradient in upstream):
            continue
        variable = call.attrs.get("variable")
        if isinstance(variable, Variable):
            assert upstream[0] is not None
            _add(found, variable, upstream[0])
            continue
        if call.op.gradient is None:
            raise LookupError(f"op {call.op.name} has no gradient, and the loss depends on it")
        downstream = (
            call.op.gradient(upstream, results, *call.inputs, **call.attrs)
            if call.op.several
            else call.op.gradient(upstream[0], tensor, *call.inputs, **call.attrs)
        )
        for source, gradient in zip(call.inputs, downstream, strict=False):
            if gradient is not None:
                _add(found, source, gradient)
    return [found.get(id(source)) for source in sources]


def _add(found: dict[int, Tensor], source: Tensor | Variable, gradient: Tensor) -> None:
    present = found.get(id(source))
    found[id(source)] = gradient if present is None else functions.add(present, gradient)


def _from_target_to_sources(target: Tensor, wanted: set[int]) -> list[tuple[Tensor, Call]]:
    """The calls that ``target`` was computed by and that depend on a source, each after all that use what it gave.

    With each call one of the tensors it gave.
    """
    order: list[tuple[Tensor, Call]] = []
    relevant: dict[int, bool] = {}  # by call, and by tensor for those that nothing made
    stack: list[tuple[Tensor, bool]] = [(target, False)]
    while stack:
        tensor, inputs_done = stack.pop()
        call = tensor.producer
        if call is None:
            relevant[id(tensor)] = id(tensor) in wanted
        elif inputs_done:
            depends = id(call.attrs.get("variable")) in wanted or any(
                id(result) in wanted for result in call.results or [tensor]
            )
            if depends or any(id(source) in wanted or relevant[_node(source)] for source in call.inputs):
                relevant[id(call)] = True
                order.append((tensor, call))
        elif id(call) not in relevant:
            relevant[id(call)] = False
            stack.append((tensor, True))
            stack.extend((source, False) for source in call.inputs)
    order.reverse()
    return order


def _node(tensor: Tensor) -> int:
    return id(tensor if tensor.producer is None else tensor.producer)
