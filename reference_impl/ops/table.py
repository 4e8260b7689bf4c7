"""The one table of operations.

Everything this library computes is a call of an :class:`Op` of this table, known by its TensorFlow name. An entry has
a NumPy kernel, a shape rule and, where it has one, a gradient that is itself written in ops. So the same layer code

* runs on arrays (the kernel),
* runs on symbolic tensors, which know shape and dtype only and remember the call that made them (the shape rule),
* is differentiated for training (the gradient),

and what a SavedModel stores as NodeDefs has the same names, the same inputs and the same attributes.

Conventions, for every op: ``inputs`` are what TensorFlow's op has as inputs (axes, shapes and permutations too, as
integer tensors), ``attrs`` its attributes by their names. A kernel takes arrays and attributes and returns an array.
A shape rule takes tensors and attributes and returns a shape. A dtype rule takes the same; by default the result has
the dtype of the first input. A gradient takes (gradient of the output, output, *inputs, **attributes) and returns one
tensor for each input, None for one that has no gradient; inputs missing at the end have none.

An op of several outputs (``several``) has a kernel that returns a sequence of arrays, and rules that return a sequence
of shapes and of dtypes. Its gradient takes sequences likewise, the gradient of an output that nothing depends on being
None: (gradients of the outputs, outputs, *inputs, **attributes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

if TYPE_CHECKING:
    from reference_impl.dtypes import DType
    from reference_impl.shapes import TensorShape
    from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]
Kernel = Callable[..., Any]
ShapeRule = Callable[..., "TensorShape | Sequence[TensorShape]"]
DtypeRule = Callable[..., "DType | Sequence[DType]"]
Gradient = Callable[..., "Sequence[Tensor | None]"]


@dataclass(frozen=True)
class Op:
    """One entry of the table."""

    name: str
    kernel: Kernel
    shape: ShapeRule
    dtype: DtypeRule
    gradient: Gradient | None
    several: bool = False
    stateful: bool = False


OPS: dict[str, Op] = {}


def _dtype_of_first(first: Tensor, *_: Tensor, **__: Any) -> DType:
    return first.dtype


def define(
    name: str,
    kernel: Kernel,
    shape: ShapeRule,
    gradient: Gradient | None = None,
    dtype: DtypeRule = _dtype_of_first,
    several: bool = False,
    stateful: bool = False,
) -> Op:
    """Put an op into the table. A second entry of one name is a mistake: ``ValueError``.

    ``stateful``: what it returns is not a function of its inputs (it reads a variable, it draws at random), so that a
    traced function must call it each time and cannot keep a result.
    """
    if name in OPS:
        raise ValueError(f"op {name} is defined twice")
    OPS[name] = Op(name, kernel, shape, dtype, gradient, several, stateful)
    return OPS[name]
