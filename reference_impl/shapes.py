"""Shapes with unknown dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex, cast

Dim = int | None


class TensorShape(tuple[Dim, ...]):
    """A shape: a tuple of sizes, None where a size is not known. Equal to the same tuple or list."""

    __slots__ = ()

    @property
    def rank(self) -> int:
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[Dim]:
        return list(self)

    def as_list(self) -> list[Dim]:
        return list(self)

    def num_elements(self) -> int | None:
        """The product of the sizes; None while one is not known."""
        product = 1
        for size in self:
            if size is None:
                return None
            product *= size
        return product

    def is_fully_defined(self) -> bool:
        return None not in self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list):
            other = tuple(cast("list[Any]", other))
        return super().__eq__(cast("Any", other)) if isinstance(other, tuple) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        found: Any = super().__getitem__(key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"


def as_shape(shape: Any) -> TensorShape:
    """``shape`` (an int, or sizes and None) as a :class:`TensorShape`."""
    if isinstance(shape, TensorShape):
        return shape
    if shape is None:
        raise TypeError("a shape of unknown rank (None) where a list of sizes was expected; give the sizes")
    if isinstance(shape, int):
        return TensorShape((shape,))
    sizes = cast("Iterable[Any]", shape)
    return TensorShape(None if size is None else int(size) for size in sizes)


def broadcast(first: Sequence[Dim], second: Sequence[Dim]) -> TensorShape:
    """The shape of an elementwise operation on two shapes; ``ValueError`` if they do not fit."""
    rank = max(len(first), len(second))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in (first, second)]
    return TensorShape(_broadcast_size(a, b, first, second) for a, b in zip(*padded, strict=True))


def _broadcast_size(a: Dim, b: Dim, first: Sequence[Dim], second: Sequence[Dim]) -> Dim:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if a is None or b is None:
        return a if b is None else b
    raise ValueError(f"Incompatible shapes: {tuple(first)} and {tuple(second)} do not broadcast")


def fits(actual: Sequence[Dim], expected: Sequence[Dim]) -> bool:
    """Whether the two agree wherever both are known."""
    return len(actual) == len(expected) and all(
        a is None or b is None or a == b for a, b in zip(actual, expected, strict=True)
    )
