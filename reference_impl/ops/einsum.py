"""Sums of products over named axes."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.elementwise import sum_to
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape, broadcast
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def labels(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The labels of each operand's axes and of the result's; ``...`` becomes letters, counted from the right.

    ``ValueError`` for an equation without ``->``, or one that does not fit the operands.
    """
    left, arrow, result = equation.replace(" ", "").partition("->")
    operands = left.split(",")
    if not arrow or len(operands) != len(ranks):
        raise ValueError(f"found the equation {equation!r}, expected one of {len(ranks)} operands and a result")
    spare = [letter for letter in string.ascii_letters if letter not in equation]
    widest = 0
    for place, (operand, rank) in enumerate(zip(operands, ranks, strict=True)):
        elided = rank - len(operand.replace("...", ""))
        if elided < 0 or (elided and "..." not in operand):
            raise ValueError(f"operand {place} of {equation!r} has rank {rank}, which {operand!r} does not fit")
        widest = max(widest, elided)
        operands[place] = operand.replace("...", "".join(spare[:elided][::-1]))
    return operands, result.replace("...", "".join(spare[:widest][::-1]))


def _kernel(*inputs: Array, equation: str) -> Array:
    operands, result = labels(equation, [x.ndim for x in inputs])
    dtype = inputs[0].dtype
    narrow = dtype.itemsize == 2 and dtype.kind in "fV"
    arrays = [x.astype(np.float32) if narrow else x for x in inputs]
    return np.einsum(f"{','.join(operands)}->{result}", *arrays, optimize=True).astype(dtype, copy=False)


def _shape(*inputs: Tensor, equation: str) -> TensorShape:
    operands, result = labels(equation, [len(x.shape) for x in inputs])
    sizes: dict[str, Dim] = {}
    for operand, x in zip(operands, inputs, strict=True):
        for label, size in zip(operand, x.shape, strict=True):
            known = sizes.get(label)
            if known in (None, 1):
                sizes[label] = size if size is not None else known
            elif size not in (None, 1, known):
                raise ValueError(f"the axis {label!r} of {equation!r} has the sizes {known} and {size}")
    return TensorShape(sizes[label] for label in result)


def _gradient(dy: Tensor, y: Tensor, *inputs: Tensor, equation: str) -> list[Tensor]:
    """For each operand the product of all the others and the gradient, summed over what it does not have."""
    operands, result = labels(equation, [len(x.shape) for x in inputs])
    gradients: list[Tensor] = []
    for place, (operand, x) in enumerate(zip(operands, inputs, strict=True)):
        if len(set(operand)) != len(operand):
            raise LookupError(f"op Einsum has no gradient for {equation!r}: an operand names an axis twice")
        others = [(operands[i], inputs[i]) for i in range(len(inputs)) if i != place]
        known = set(result).union(*(other for other, _ in others))
        # An axis that only this operand has was summed: its gradient is the same all along.
        kept = "".join(label for label in operand if label in known)
        terms = ",".join([result, *(other for other, _ in others)])
        summed = apply("Einsum", dy, *(other for _, other in others), equation=f"{terms}->{kept}")
        sizes = iter(summed.shape)
        aligned = apply("Reshape", summed, _ints([next(sizes) if label in known else 1 for label in operand]))
        gradients.append(sum_to(apply("BroadcastTo", aligned, _ints(broadcast(aligned.shape, x.shape))), x))
    return gradients


def _ints(values: Any) -> Tensor:
    return convert(np.array(values, np.int32))


define("Einsum", _kernel, _shape, _gradient)
