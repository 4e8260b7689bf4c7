"""Nested lists, tuples and dicts of things. Dicts are taken in the order of their sorted keys, as TensorFlow does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast


def flatten(structure: Any) -> list[Any]:
    """The leaves in order; a thing that is no container is its own single leaf."""
    if isinstance(structure, Mapping):
        mapping = cast("Mapping[Any, Any]", structure)
        return [leaf for key in sorted(mapping) for leaf in flatten(mapping[key])]
    if isinstance(structure, list | tuple) and not _is_shape(structure):
        return [leaf for item in cast("list[Any]", structure) for leaf in flatten(item)]
    return [structure]


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same structure with ``function`` applied to each leaf."""
    if isinstance(structure, Mapping):
        mapping = cast("Mapping[Any, Any]", structure)
        return {key: map_leaves(function, item) for key, item in mapping.items()}
    if isinstance(structure, list | tuple) and not _is_shape(structure):
        items = [map_leaves(function, item) for item in cast("list[Any]", structure)]
        return items if isinstance(structure, list) else tuple(items)
    return function(structure)


def pack_as(structure: Any, leaves: list[Any]) -> Any:
    """``leaves`` in the shape of ``structure``; as many as it has."""
    rest = iter(leaves)
    packed = _fill(structure, rest)
    if next(rest, rest) is not rest:
        raise ValueError(f"{len(leaves)} values for a structure of {len(flatten(structure))}")
    return packed


def _fill(structure: Any, rest: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        mapping = cast("Mapping[Any, Any]", structure)
        filled = {key: _fill(mapping[key], rest) for key in sorted(mapping)}
        return {key: filled[key] for key in mapping}
    if isinstance(structure, list | tuple) and not _is_shape(structure):
        items = [_fill(item, rest) for item in cast("list[Any]", structure)]
        return items if isinstance(structure, list) else tuple(items)
    return next(rest)


def _is_shape(structure: Any) -> bool:
    from reference_impl.shapes import TensorShape

    return isinstance(structure, TensorShape)
