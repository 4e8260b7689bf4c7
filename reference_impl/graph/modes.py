"""The two ways in which a graph runs, and what an op that is not in the table is given.

Where nothing has to be remembered for gradients, kernels are called with arrays. Inside
:func:`~reference_impl.tensors.recording` ops are applied to tensors, each of which remembers its call. An op that is not
in the table (:mod:`control_flow`, :mod:`lists` …) is a :data:`Handler`, written once for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl import tensors
from reference_impl.graph.function import Library, Node
from reference_impl.ops.table import OPS
from reference_impl.tensors import Array, Tensor

Value = Any
"""What flows along an edge: a tensor (an array where nothing is remembered), or a variable, a table, a list."""


@dataclass(frozen=True)
class Mode:
    """``apply`` and ``apply_several`` call ops of the table; ``tensor`` makes a value of an array, ``array`` reads it."""

    name: str
    apply: Callable[..., Value]
    apply_several: Callable[..., Sequence[Value]]
    tensor: Callable[[Array], Value]
    array: Callable[[Value], Array]


@dataclass(frozen=True)
class Context:
    """Where a handler runs: the node, its attributes in Python's terms, and for each attribute that names a function,
    what runs it (a function of a list of values)."""

    mode: Mode
    library: Library
    node: Node
    attrs: Mapping[str, Any]
    functions: Mapping[str, Sequence[Callable[[Sequence[Value]], list[Value]]]]


Handler = Callable[..., Any]
"""Called with a :class:`Context` and the inputs. Gives the output, or a sequence where the op can have several."""


def _kernel(name: str, *inputs: Array, **attrs: Any) -> Array:
    return np.asarray(OPS[name].kernel(*inputs, **attrs))


def _kernels(name: str, *inputs: Array, **attrs: Any) -> Sequence[Array]:
    return [np.asarray(array) for array in OPS[name].kernel(*inputs, **attrs)]


def _same(array: Array) -> Array:
    return array


def _value(tensor: Tensor) -> Array:
    return tensor.value


ARRAYS = Mode("arrays", _kernel, _kernels, _same, _same)
TENSORS = Mode("tensors", tensors.apply, tensors.apply_several, Tensor, _value)
