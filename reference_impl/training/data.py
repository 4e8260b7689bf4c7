"""Arrays in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from reference_impl import backend, structure
from reference_impl.dtypes import numpy_dtype
from reference_impl.ops.randomness import generator
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Batch:
    """A part of the data: inputs, targets and weights in the structures they were given in; None where missing."""

    x: Any
    y: Any
    sample_weight: Any
    size: int


def prepare(data: Any) -> Any:
    """Arrays as a model takes them: floating ones in ``floatx``, vectors as columns."""
    return None if data is None else structure.map_leaves(_prepared, _columns(data))


def _columns(data: Any) -> Any:
    """A list of numbers is one array, not many."""
    listed = cast("list[Any]", data) if isinstance(data, list) else []
    numbers = bool(listed) and not isinstance(listed[0], np.ndarray | Tensor | Mapping)
    return np.asarray(listed) if numbers else cast("Any", data)


def _prepared(leaf: Any) -> Any:
    if leaf is None:
        return None
    array = np.asarray(leaf)
    if array.dtype.kind == "f":
        array = array.astype(numpy_dtype(backend.floatx()), copy=False)
    return array[:, None] if array.ndim == 1 else array


def count(data: Any) -> int:
    """The number of samples; ``ValueError`` if arrays differ in it."""
    sizes = {len(leaf) for leaf in structure.flatten(data) if leaf is not None}
    if len(sizes) != 1:
        raise ValueError(f"Data cardinality is ambiguous: arrays of {sorted(sizes)} samples; all must have as many")
    return sizes.pop()


def batches(
    x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None, shuffle: bool = False
) -> Iterator[Batch]:
    """The data in parts of ``batch_size`` (default 32), the last one shorter, shuffled or in order."""
    x, y = prepare(x), prepare(y)
    weights = None if sample_weight is None else structure.map_leaves(np.asarray, _columns(sample_weight))
    whole = count([x, y, weights])
    order = generator().permutation(whole) if shuffle else None
    size = batch_size or 32
    for start in range(0, whole, size):
        stop = min(start + size, whole)
        picked = slice(start, stop) if order is None else order[start:stop]
        yield Batch(*(_pick(part, picked) for part in (x, y, weights)), size=stop - start)


def _pick(data: Any, index: Any) -> Any:
    return structure.map_leaves(lambda leaf: None if leaf is None else leaf[index], data)


def batch_count(x: Any, batch_size: int | None) -> int:
    """How many batches :func:`batches` gives."""
    return -(-count(prepare(x)) // (batch_size or 32))
