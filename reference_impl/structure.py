"""Nested lists, tuples and dicts of things. Dicts are taken in the order of their sorted keys, as TensorFlow does.

Every call of a layer and every op comes through here. So classes are asked about as tuples: ``list | tuple`` is an object
made anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from reference_impl.shapes import TensorShape


def flatten(structure: Any) -> list[Any]:
    """The leaves in order; a thing that is no container is its own single leaf."""
    if isinstance(structure, (list, tuple)):
        if isinstance(structure, TensorShape):
            return [structure]
        return [leaf for item in cast("list[Any]", structure) for leaf in flatten(item)]
    if is_mapping(cast("type[Any]", type(structure))):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    return [structure]


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same structure with ``function`` applied to each leaf."""
    if isinstance(structure, (list, tuple)):
        if isinstance(structure, TensorShape):
            return function(structure)
        items = [map_leaves(function, item) for item in cast("list[Any]", structure)]
        return items if isinstance(structure, list) else tuple(items)
    if is_mapping(cast("type[Any]", type(structure))):
        return {key: map_leaves(function, item) for key, item in structure.items()}
    return function(structure)


def pack_as(structure: Any, leaves: list[Any]) -> Any:
    """``leaves`` in the shape of ``structure``; as many as it has."""
    rest = iter(leaves)
    packed = _fill(structure, rest)
    if next(rest, rest) is not rest:
        raise ValueError(f"{len(leaves)} values for a structure of {len(flatten(structure))}")
    return packed


@lru_cache(maxsize=1024)
def is_mapping(kind: type) -> bool:
    """Whether a class is one of mappings; without a memory that is a slow question, and asked of every leaf."""
    return issubclass(kind, Mapping)


def _fill(structure: Any, rest: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        mapping = cast("Mapping[Any, Any]", structure)
        filled = {key: _fill(mapping[key], rest) for key in sorted(mapping)}
        return {key: filled[key] for key in mapping}
    if isinstance(structure, (list, tuple)) and not isinstance(structure, TensorShape):
        items = [_fill(item, rest) for item in cast("list[Any]", structure)]
        return items if isinstance(structure, list) else tuple(items)
    return next(rest)
