"""Data in batches: arrays, a :class:`Sequence` of batches, or anything that yields batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from reference_impl import backend, structure
from reference_impl.dtypes import numpy_dtype
from reference_impl.ops.randomness import generator
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]
_DEFAULT_SIZE = 32


@dataclass(frozen=True)
class Batch:
    """A part of the data: inputs, targets and weights in the structures they were given in; None where missing."""

    x: Any
    y: Any
    sample_weight: Any
    size: int


class Sequence:
    """Batches by number: ``self[i]`` is (x, y) or (x, y, sample_weight), ``len(self)`` how many there are."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


class Source(Protocol):
    """Where batches come from. ``steps``: how many an epoch has, None while unknown."""

    @property
    def steps(self) -> int | None: ...

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch."""
        ...


def source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
) -> Source:
    """The batches of ``x``: arrays in any structure, with ``y`` and ``sample_weight``; or batches.

    Arrays are cut into parts of ``batch_size`` (default 32), the last one shorter, in order or shuffled each epoch.
    ``class_weight`` weights samples by their class. ``steps`` ends epochs of what yields batches without end.
    """
    weights = class_weight or {}
    if isinstance(x, Sequence) or (hasattr(x, "__len__") and hasattr(x, "on_epoch_end")):
        return _Numbered(x, shuffle, weights, steps)
    if isinstance(x, np.ndarray | Tensor | Mapping | list | tuple) or hasattr(x, "__array__"):
        return _Arrays(x, y, sample_weight, batch_size or _DEFAULT_SIZE, shuffle, weights, steps)
    if isinstance(x, Iterable):
        if y is not None or sample_weight is not None:
            raise ValueError("`y` and `sample_weight` must not be given when `x` yields batches: batches contain them")
        return _Yielded(cast("Iterable[Any]", x), weights, steps)
    raise ValueError(
        f"Failed to find data adapter that can handle input: {type(x)}; expected arrays, a Sequence, or a generator of "
        "batches"
    )


# -- arrays ------------------------------------------------------------------------------------------------------


@dataclass
class _Arrays:
    x: Any
    y: Any
    sample_weight: Any
    batch_size: int
    shuffle: bool
    class_weight: Mapping[int, float]
    limit: int | None

    def __post_init__(self) -> None:
        self.x, self.y = prepare(self.x), prepare(self.y)
        if self.sample_weight is not None:
            self.sample_weight = structure.map_leaves(np.asarray, _columns(self.sample_weight))

    @property
    def steps(self) -> int | None:
        whole = -(-count([self.x, self.y, self.sample_weight]) // self.batch_size)
        return whole if self.limit is None else min(whole, self.limit)

    def epoch(self) -> Iterator[Batch]:
        whole = count([self.x, self.y, self.sample_weight])
        order = generator().permutation(whole) if self.shuffle else None
        for start in itertools.islice(range(0, whole, self.batch_size), self.limit):
            stop = min(start + self.batch_size, whole)
            picked = slice(start, stop) if order is None else order[start:stop]
            x, y, weights = (_pick(part, picked) for part in (self.x, self.y, self.sample_weight))
            yield Batch(x, y, by_class(y, weights, self.class_weight), stop - start)


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


def _pick(data: Any, index: Any) -> Any:
    return structure.map_leaves(lambda leaf: None if leaf is None else leaf[index], data)


def split(x: Any, y: Any, sample_weight: Any, share: float) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The first part of arrays to train on, and the last ``share`` of them, between 0 and 1, to validate with."""
    parts = [
        None if part is None else structure.map_leaves(np.asarray, _columns(part)) for part in (x, y, sample_weight)
    ]
    whole = count(parts)
    at = int(whole * (1.0 - share))
    if not 0 < at < whole:
        raise ValueError(
            f"validation_split={share} of {whole} samples leaves {at} to train on and {whole - at} to validate with; "
            "both must be at least 1"
        )
    first, last = ([_pick(part, picked) for part in parts] for picked in (slice(at), slice(at, None)))
    return (first[0], first[1], first[2]), (last[0], last[1], last[2])


# -- batches that are there already ------------------------------------------------------------------------------


def whole(item: Any, class_weight: Mapping[int, float] | None = None) -> Batch:
    """One batch: (x,), (x, y), (x, y, sample_weight), or x alone."""
    parts = tuple(cast("tuple[Any, ...]", item)) if isinstance(item, tuple) else (item,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"a batch of {len(parts)} parts; expected (x,), (x, y) or (x, y, sample_weight)")
    x, y, weights = (*parts, *(None,) * (3 - len(parts)))
    x, y = prepare(x), prepare(y)
    weights = None if weights is None else structure.map_leaves(np.asarray, _columns(weights))
    return Batch(x, y, by_class(y, weights, class_weight or {}), count(x))


@dataclass
class _Numbered:
    batches: Any
    shuffle: bool
    class_weight: Mapping[int, float]
    limit: int | None

    @property
    def steps(self) -> int | None:
        return len(self.batches) if self.limit is None else min(len(self.batches), self.limit)

    def epoch(self) -> Iterator[Batch]:
        numbers = range(len(self.batches))
        order = generator().permutation(len(numbers)).tolist() if self.shuffle else numbers
        for number in itertools.islice(order, self.limit):
            yield whole(self.batches[number], self.class_weight)
        self.batches.on_epoch_end()


@dataclass
class _Yielded:
    batches: Iterable[Any]
    class_weight: Mapping[int, float]
    steps: int | None
    _rest: Iterator[Any] | None = field(default=None)

    def epoch(self) -> Iterator[Batch]:
        if self.steps is None:
            found = 0
            for item in self.batches:
                found += 1
                yield whole(item, self.class_weight)
            self.steps = None if iter(self.batches) is self.batches else found
            return
        self._rest = iter(self.batches) if self._rest is None else self._rest
        for item in itertools.islice(self._rest, self.steps):
            yield whole(item, self.class_weight)


def by_class(y: Any, sample_weight: Any, class_weight: Mapping[int, float]) -> Any:
    """Sample weights times the weights of the samples' classes; ``ValueError`` for several outputs."""
    if not class_weight or y is None:
        return sample_weight
    targets = structure.flatten(y)
    if len(targets) > 1:
        raise ValueError("`class_weight` is only supported for models with a single output.")
    target: Array = np.asarray(targets[0])
    if target.ndim > 2:
        raise ValueError("`class_weight` not supported for 3+ dimensional targets.")
    if sorted(class_weight) != list(range(len(class_weight))):
        raise ValueError(
            f"Expected `class_weight` to be a dict with keys from 0 to one less than the number of classes, found {dict(class_weight)}"
        )
    classes = (
        np.argmax(target, -1) if target.ndim == 2 and target.shape[-1] > 1 else target.reshape(-1).astype(np.int64)
    )
    factors = np.asarray([class_weight[number] for number in range(len(class_weight))], numpy_dtype(backend.floatx()))
    weights = factors[classes]
    return weights if sample_weight is None else np.asarray(sample_weight).reshape(weights.shape) * weights
