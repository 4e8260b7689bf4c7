"""Reverse-mode differentiation over remembered calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

from reference_impl import functions
from reference_impl.tensors import Tensor, recording
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
    order = _from_target_to_sources(target, wanted)
    found: dict[int, Tensor] = {id(target): functions.ones_like(target)}
    for tensor in order:
        upstream = found.get(id(tensor))
        call = tensor.producer
        if upstream is None or call is None:
            continue
        variable = call.attrs.get("variable")
        if isinstance(variable, Variable):
            _add(found, variable, upstream)
            continue
        if call.op.gradient is None:
            raise LookupError(f"op {call.op.name} has no gradient, and the loss depends on it")
        for source, gradient in zip(
            call.inputs, call.op.gradient(upstream, tensor, *call.inputs, **call.attrs), strict=False
        ):
            if gradient is not None:
                _add(found, source, gradient)
    return [found.get(id(source)) for source in sources]


def _add(found: dict[int, Tensor], source: Tensor | Variable, gradient: Tensor) -> None:
    present = found.get(id(source))
    found[id(source)] = gradient if present is None else functions.add(present, gradient)


def _from_target_to_sources(target: Tensor, wanted: set[int]) -> list[Tensor]:
    """The tensors that ``target`` was computed from and that depend on a source, each after all that use it."""
    order: list[Tensor] = []
    relevant: dict[int, bool] = {}
    stack: list[tuple[Tensor, bool]] = [(target, False)]
    while stack:
        tensor, inputs_done = stack.pop()
        call = tensor.producer
        if inputs_done:
            assert call is not None
            variable = call.attrs.get("variable")
            depends = id(tensor) in wanted or id(variable) in wanted
            if depends or any(relevant[id(source)] for source in call.inputs):
                relevant[id(tensor)] = True
                order.append(tensor)
            continue
        if id(tensor) in relevant:
            continue
        relevant[id(tensor)] = id(tensor) in wanted
        if call is not None:
            stack.append((tensor, True))
            stack.extend((source, False) for source in call.inputs)
    order.reverse()
    return order
