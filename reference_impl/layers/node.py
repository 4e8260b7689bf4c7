"""How layers are wired: symbolic tensors and the calls between them.

Calling a layer on a :class:`KerasTensor` does not compute. It adds a :class:`Node` to the layer, which keeps the
arguments of the call, and gives new KerasTensors that know their node. A model is read off these nodes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from reference_impl import structure
from reference_impl.dtypes import DType
from reference_impl.functions import KerasSymbol
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Operators, Tensor

if TYPE_CHECKING:
    from reference_impl.layers.base import Layer


class History(NamedTuple):
    """Where a KerasTensor comes from: output ``tensor_index`` of call ``node_index`` of ``layer``."""

    layer: Layer
    node_index: int
    tensor_index: int


class KerasTensor(Operators, KerasSymbol):
    """What a layer gives when it is called on symbolic inputs: a shape, a dtype, a history, and perhaps a mask."""

    __slots__ = ("dtype", "history", "mask", "name", "shape")

    def __init__(self, shape: TensorShape, dtype: DType, history: History, name: str) -> None:
        self.shape = shape
        self.dtype = dtype
        self.history = history
        self.name = name
        # A symbolic tensor: what the mask's shape and dtype will be.
        self.mask: Tensor | None = None

    @property
    def _keras_history(self) -> History:
        return self.history

    @property
    def node(self) -> Node:
        """The call it is an output of."""
        return self.history.layer.inbound_nodes[self.history.node_index]

    def get_shape(self) -> TensorShape:
        return self.shape

    def __repr__(self) -> str:
        return (
            f"<KerasTensor: shape={tuple(self.shape)} dtype={self.dtype.name} "
            f"(created by layer '{self.history.layer.name}')>"
        )

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no value to decide on; the condition must be part of a layer's call")

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} has no value to iterate over")

    __hash__ = object.__hash__


@dataclass(eq=False)
class Node:
    """One call of a layer on symbolic tensors.

    ``args`` and ``kwargs`` are the call's, KerasTensors and plain values; ``outputs`` has the call's structure.
    """

    layer: Layer
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: Any = None

    @cached_property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments, in order."""
        leaves = structure.flatten([list(self.args), self.kwargs])
        return [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]

    @property
    def input_structure(self) -> Any:
        """The first argument: what ``layer.input`` is."""
        return self.args[0] if self.args else next(iter(self.kwargs.values()), None)

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments by the names of ``call``'s parameters, the first one first."""
        names = [name for name in parameter_names(type(self.layer).call) if name != "self"]
        positional = dict(zip(names, self.args, strict=False))
        return {**positional, **self.kwargs}

    @property
    def parents(self) -> list[Node]:
        return [tensor.node for tensor in self.inputs]


@cache
def parameter_names(call: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters of a class's ``call``, ``self`` included."""
    return tuple(inspect.signature(call).parameters)
