"""Dilated convolutions as graphs have them: as convolutions of the pixels that lie apart, brought together.

TensorFlow's kernels on a processor know no dilation for some ops, and no gradient of dilation for the others. So a traced
convolution is one without dilation between ``SpaceToBatchND``, which puts pixels at a distance into images of their own,
and ``BatchToSpaceND``. Channels are last, strides are 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reference_impl.functions.api import ints
from reference_impl.functions.arrays import shape, stack
from reference_impl.tensors import Tensor, apply, convert, present_trace


def parts_pixels(dilations: Sequence[int], strides: Sequence[int], first: bool) -> bool:
    """Whether a convolution with these (one for each axis of the space) is to be written so."""
    return present_trace() is not None and not first and max(dilations) > 1 and max(strides) == 1


def convolved(
    x: Tensor, window: Sequence[int], dilations: Sequence[int], padding: str, made: Callable[[Tensor], Tensor]
) -> Tensor:
    """``made`` convolves with a kernel of ``window``, without dilation and without padding."""
    before, after = _around(window, dilations, padding)
    extra = [_missing(size, b + a, d) for size, b, a, d in zip(_space(x), before, after, dilations, strict=True)]
    paddings = _pairs(before, [a + e for a, e in zip(after, extra, strict=True)])
    apart = apply("SpaceToBatchND", x, ints(dilations), paddings)
    return apply("BatchToSpaceND", made(apart), ints(dilations), _pairs([0] * len(window), extra))


def transposed(
    x: Tensor,
    sizes: Sequence[Any],
    window: Sequence[int],
    dilations: Sequence[int],
    padding: str,
    made: Callable[[Tensor, list[Any]], Tensor],
) -> Tensor:
    """``made`` is the gradient of a convolution for inputs of given sizes, without dilation and without padding."""
    before, after = _around(window, dilations, padding)
    batch, *space, channels = sizes
    extra = [_missing(size, b + a, d) for size, b, a, d in zip(space, before, after, dilations, strict=True)]
    apart = apply("SpaceToBatchND", x, ints(dilations), _pairs([0] * len(window), extra))
    whole = [size + (b + a) + e for size, b, a, e in zip(space, before, after, extra, strict=True)]
    inner = [
        size // d if isinstance(size, int) else _quotient(size, d) for size, d in zip(whole, dilations, strict=True)
    ]
    together = made(apart, [batch * int(np.prod(dilations)), *inner, channels])
    return apply(
        "BatchToSpaceND", together, ints(dilations), _pairs(before, [a + e for a, e in zip(after, extra, strict=True)])
    )


def _around(window: Sequence[int], dilations: Sequence[int], padding: str) -> tuple[list[int], list[int]]:
    """Zeros before and after each axis."""
    totals = [(k - 1) * d if padding.upper() == "SAME" else 0 for k, d in zip(window, dilations, strict=True)]
    return [total // 2 for total in totals], [total - total // 2 for total in totals]


def _space(x: Tensor) -> list[Any]:
    """The sizes of the space: numbers where they are known, tensors where they are not."""
    sizes = shape(x)
    return [sizes[axis] if size is None else size for axis, size in enumerate(x.shape)][1:-1]


def _missing(size: Any, around: int, dilation: int) -> Any:
    """What is to be added to ``size + around`` for a multiple of ``dilation``."""
    if isinstance(size, int):
        return -(size + around) % dilation
    return apply("FloorMod", -(size + around), convert(np.int32(dilation)))


def _quotient(size: Any, dilation: int) -> Tensor:
    return apply("FloorDiv", size, convert(np.int32(dilation)))


def _pairs(before: Sequence[Any], after: Sequence[Any]) -> Tensor:
    return stack(
        [stack([convert(b, hint="int32"), convert(a, hint="int32")]) for b, a in zip(before, after, strict=True)]
    )
