"""Boxes inside a tensor, and whether they fill it: the parts of a partitioned tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reference_impl.formats.checkpoint.entry import Extents


def bounds(extents: Extents, shape: Sequence[int]) -> Extents:
    """``extents`` with the lengths of whole dimensions in place of -1."""
    return tuple((start, size if length < 0 else length) for (start, length), size in zip(extents, shape, strict=True))


def check_partition(boxes: Sequence[Extents], shape: Sequence[int]) -> str | None:
    """Why ``boxes`` do not fill ``shape``, each place once; None if they do."""
    for box in boxes:
        if any(start + length > size for (start, length), size in zip(box, shape, strict=True)):
            return f"the slice {list(box)} of {list(shape)}"
    if sum(_volume(box) for box in boxes) != math.prod(shape):
        return f"{len(boxes)} slices that do not fill {list(shape)}"
    full = [box for box in boxes if _volume(box)]
    if not shape or not full:
        return None if len(full) <= 1 else "slices that overlap"
    # Along the axis with the most cuts few boxes stand side by side.
    axis = max(range(len(shape)), key=lambda axis: len({box[axis][0] for box in full}))
    full.sort(key=lambda box: box[axis][0])
    for index, box in enumerate(full):
        end = sum(box[axis])
        for other in full[index + 1 :]:
            if other[axis][0] >= end:
                break
            if all(a < b + m and b < a + n for (a, n), (b, m) in zip(box, other, strict=True)):
                return f"slices that overlap, {list(box)} and {list(other)}"
    return None


def _volume(box: Extents) -> int:
    return math.prod(length for _, length in box)
