"""What an HDF5 file holds of a model's weights, before any of it is read.

Only what is in the file itself is read: links and datasets that refer to somewhere else (soft and external links,
external storage, virtual datasets) are refused. A dataset that claims more values than its bytes can hold is refused
before memory is taken for it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn, cast

import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS, read_list, read_number, read_text
from reference_impl.formats.hdf5.matching import Weight
from reference_impl.tracking import Array

_RATIO = 1100
"""Deflate makes at most 1032 bytes of one."""
_SLACK = 1 << 20
"""Bytes a dataset may claim beyond that: one that was never written holds its fill value and takes no room."""


@dataclass(frozen=True)
class StoredLayer:
    """A layer's group: name, weights as recorded, and where it is (for messages)."""

    name: str
    group: Any
    weights: tuple[Weight, ...]
    place: str


@dataclass(frozen=True)
class StoredWeights:
    """The layers of a group in order, and who wrote them: ``version`` of Keras and ``backend``, as far as said."""

    layers: tuple[StoredLayer, ...]
    version: str | None
    backend: str | None

    @property
    def is_keras_1(self) -> bool:
        """Whether Keras 1 or something before it wrote them; later versions say that they did."""
        return self.version is None or self.version.startswith(("0.", "1."))

    @cached_property
    def is_theano(self) -> bool:
        """Whether the kernels are those of Theano. Keras 1 does not say it, but only TensorFlow's names have ``:0``."""
        if self.backend is not None or not self.is_keras_1:
            return self.backend == "theano"
        names = [weight.name for layer in self.layers for weight in layer.weights]
        return not any(re.search(r":\d+$|(^|/)param_\d+$", name) for name in names)


def has_weights(group: Any) -> bool:
    """Whether ``group`` is laid out as Keras does it."""
    return any(name in group.attrs for name in ("layer_names", "layer_names0", "nb_layers"))


def read_layers(group: Any, place: str) -> StoredWeights:
    """All layers of ``group`` in order. ``LoadError`` if the group is none of a model's weights."""
    version, backend = (read_text(group.attrs, name, place) for name in ("keras_version", "backend"))
    names = read_list(group.attrs, "layer_names", place)
    if names is None:
        count = read_number(group.attrs, "nb_layers", place)
        if count is None:
            fail(place, "no attribute layer_names", "the weights of a Keras model")
        layers = tuple(_read_numbered(group, index, place) for index in range(count))
    else:
        layers = tuple(read_layer(group, name, place) for name in names)
    return StoredWeights(layers, version, backend)


def read_layer(group: Any, name: str, place: str) -> StoredLayer:
    """One layer of ``group``: names and shapes, not yet values."""
    found = member(group, name, f"{place}: {name}", "group", "one, for layer_names has the layer")
    place = f"{place}: {name}"
    names = read_list(found.attrs, "weight_names", place)
    if names is None:
        fail(place, "no attribute weight_names", "the names of the layer's weights")
    return StoredLayer(name, found, tuple(Weight(n, _shape(found, n, place)) for n in names), place)


def _read_numbered(group: Any, index: int, place: str) -> StoredLayer:
    """A layer as files before Keras 1 have it: ``layer_0`` with ``nb_params`` datasets ``param_0``, …."""
    name = f"layer_{index}"
    found = member(group, name, f"{place}: {name}", "group", "one, for nb_layers counts the layer")
    place = f"{place}: {name}"
    names = [f"param_{number}" for number in range(read_number(found.attrs, "nb_params", place) or 0)]
    return StoredLayer(name, found, tuple(Weight(n, _shape(found, n, place)) for n in names), place)


def member(group: Any, path: str, place: str, kind: str, expected: str) -> Any:
    """What is at ``path`` in ``group``: a ``kind`` ("group", "dataset"). ``LoadError`` if nothing is, or only a link."""
    import h5py  # pyright: ignore[reportMissingTypeStubs]

    found: Any = group
    try:
        # Links are looked at in passing; what a name in between refers to need not be opened.
        direct = _is_hard(group, path.split("/"))
        if direct:
            found = group[path]
        for part in () if direct else path.split("/"):
            link: Any = found.get(part, getlink=True) if part not in ("", ".") else None
            if link is None:
                fail(place, f"no {kind} {path}", expected)
            if not isinstance(link, h5py.HardLink):
                fail(place, f"a {type(link).__name__} {path}", f"a {kind}; what a file only refers to is not read")
            found = found[part]
    except LoadError:
        raise
    except (*H5PY_ERRORS, AttributeError) as error:
        raise LoadError(f"{place}: found no readable {kind} {path} ({error}), expected {expected}") from error
    if not isinstance(found, h5py.Dataset if kind == "dataset" else h5py.Group):
        fail(place, f"a {type(found).__name__.lower()} {path}", f"a {kind}")
    return found


def _is_hard(group: Any, parts: list[str]) -> bool:
    """Whether every step of the way is a link to something in the file itself."""
    import h5py  # pyright: ignore[reportMissingTypeStubs]

    if "" in parts or "." in parts:
        return False
    hard = cast("Any", h5py).h5l.TYPE_HARD
    links: Any = group.id.links
    try:
        ways = ("/".join(parts[: count + 1]) for count in range(len(parts)))
        return all(links.get_info(way.encode()).type == hard for way in ways)
    except (KeyError, *H5PY_ERRORS):
        return False


def read_value(layer: StoredLayer, weight: Weight, dtype: str) -> Array:
    """The value of ``weight`` as ``dtype``. ``LoadError`` for values of another kind or data that is damaged."""
    wanted, place = numpy_dtype(dtype), f"{layer.place}/{weight.name}"
    try:
        stored = layer.group[weight.name]
        if stored.dtype.kind not in "biufc" or not np.can_cast(stored.dtype, wanted, "same_kind"):
            fail(place, f"values of {stored.dtype}", dtype)
        return np.asarray(stored[()]).astype(wanted, copy=False)
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found data that cannot be read: {error}") from error


def _shape(group: Any, name: str, place: str) -> tuple[int, ...]:
    found = member(group, name, place, "dataset", "one, for weight_names has it")
    place = f"{place}/{name}"
    try:
        shape, room = found.shape, found.id.get_storage_size()
        if found.external or found.is_virtual:
            fail(
                place, "a dataset whose values are in other files", "the values; what a file only refers to is not read"
            )
        if shape is None:
            fail(place, "an empty dataset", "values")
        claimed = math.prod(shape) * found.dtype.itemsize
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found a dataset that cannot be read: {error}") from error
    if claimed > room * _RATIO + _SLACK:
        fail(
            place,
            f"shape {tuple(shape)}, which is {claimed} bytes, in {room} bytes of the file",
            "as many as it claims",
        )
    return tuple(shape)


def fail(place: str, found: str, expected: str) -> NoReturn:
    """Raise ``LoadError``."""
    raise LoadError(f"{place}: found {found}, expected {expected}")
