"""What an HDF5 file holds of a model's weights, before any of it is read.

Only what is in the file itself is read: links and datasets that refer to somewhere else (soft and external links,
external storage, virtual datasets) are refused. A dataset that claims more values than its bytes can hold is refused
before memory is taken for it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np

from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS, element_type, read_list, read_number, read_text
from reference_impl.formats.hdf5.matching import Weight
from reference_impl.tracking import Array

_h5: Any = h5py

_RATIO = 1100
"""Deflate makes at most 1032 bytes of one."""
_SLACK = 1 << 20
"""Bytes a dataset may claim beyond that: one that was never written holds its fill value and takes no room."""


@dataclass(frozen=True)
class StoredWeight(Weight):
    """A weight in the file: its dataset, open and found to be safe to read.

    ``dataset`` is h5py's ``DatasetID``; ``dtype`` what is stored, ``memory_type`` the same for h5py.
    """

    dataset: Any
    dtype: np.dtype[Any]
    memory_type: Any


@dataclass(frozen=True)
class StoredLayer:
    """A layer: its name, its weights as recorded, and where it is (for messages)."""

    name: str
    weights: tuple[StoredWeight, ...]
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
    place = f"{place}: {name}"
    found = subgroup(group, name, place, "one, for layer_names has the layer")
    names = read_list(found.attrs, "weight_names", place)
    if names is None:
        fail(place, "no attribute weight_names", "the names of the layer's weights")
    return _layer(found, name, names, place)


def _read_numbered(group: Any, index: int, place: str) -> StoredLayer:
    """A layer as files before Keras 1 have it: ``layer_0`` with ``nb_params`` datasets ``param_0``, …."""
    name = f"layer_{index}"
    place = f"{place}: {name}"
    found = subgroup(group, name, place, "one, for nb_layers counts the layer")
    count = read_number(found.attrs, "nb_params", place) or 0
    return _layer(found, name, [f"param_{number}" for number in range(count)], place)


def _layer(group: Any, name: str, weights: Iterable[str], place: str) -> StoredLayer:
    checked, expected = set[str](), "one, for weight_names has it"
    return StoredLayer(name, tuple(find_weight(group, weight, place, expected, checked) for weight in weights), place)


def subgroup(group: Any, path: str, place: str, expected: str) -> Any:
    """The group at ``path`` in ``group``. ``LoadError`` if there is none, or only a link to one elsewhere."""
    return _h5.Group(_open(group, path, place, "group", expected, set()))


# h5py's own objects look at much that is not needed here, so what follows uses the layer below them.


def _open(group: Any, path: str, place: str, kind: str, expected: str, checked: set[str]) -> Any:
    """The ``GroupID`` or ``DatasetID`` (``kind``: "group", "dataset") that is in the file itself at ``path``.

    ``checked``: what is known to be in the file, to which this path is added.
    """
    try:
        _check_links(group.id.links, path, place, kind, expected, checked)
        found: Any = _h5.h5o.open(group.id, path.encode())
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found no readable {kind} {path} ({error}), expected {expected}") from error
    if not isinstance(found, _h5.h5d.DatasetID if kind == "dataset" else _h5.h5g.GroupID):
        fail(place, f"a {type(found).__name__.removesuffix('ID').lower()} {path}", f"a {kind}")
    return found


def _check_links(links: Any, path: str, place: str, kind: str, expected: str, checked: set[str]) -> None:
    """``LoadError`` unless every step of the way is a link to something in the file itself."""
    types, parts = _h5.h5l, path.split("/")
    if "" in parts or "." in parts:
        fail(place, f"no {kind} {path}", expected)
    for step in itertools.accumulate(parts, "{}/{}".format):
        if step in checked:
            continue
        try:
            type_of_link = links.get_info(step.encode()).type
        except H5PY_ERRORS:
            if links.exists(step.encode()):
                raise
            fail(place, f"no {kind} {path}", expected)
        if type_of_link != types.TYPE_HARD:
            found = {types.TYPE_SOFT: "SoftLink", types.TYPE_EXTERNAL: "ExternalLink"}.get(type_of_link, "link")
            fail(place, f"a {found} {path}", f"a {kind}; what a file only refers to is not read")
        checked.add(step)


def find_weight(group: Any, name: str, place: str, expected: str, checked: set[str] | None = None) -> StoredWeight:
    """The weight ``name`` in ``group``. ``LoadError`` if its values are not all in the file."""
    dataset = _open(group, name, place, "dataset", expected, set() if checked is None else checked)
    place = f"{place}/{name}"
    try:
        space = dataset.get_space()
        if _is_elsewhere(dataset):
            fail(
                place, "a dataset whose values are in other files", "the values; what a file only refers to is not read"
            )
        if space.get_simple_extent_type() == _h5.h5s.NULL:
            fail(place, "an empty dataset", "values")
        shape, room = space.shape, dataset.get_storage_size()
        dtype, memory_type = element_type(dataset)
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found a dataset that cannot be read: {error}") from error
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > room * _RATIO + _SLACK:
        fail(place, f"shape {shape}, which is {claimed} bytes, in {room} bytes of the file", "as many as it claims")
    return StoredWeight(name, shape, dataset, dtype, memory_type)


def _is_elsewhere(dataset: Any) -> bool:
    """Whether values are in other files: external storage, or a virtual dataset."""
    # Only what is in one piece in this file has a place in it.
    if dataset.get_offset() is not None:
        return False
    properties = dataset.get_create_plist()
    return properties.get_external_count() > 0 or properties.get_layout() == _h5.h5d.VIRTUAL


def read_value(layer: StoredLayer, weight: StoredWeight, dtype: str) -> Array:
    """The value of ``weight`` as ``dtype``. ``LoadError`` for values of another kind or data that is damaged."""
    wanted, place = numpy_dtype(dtype), f"{layer.place}/{weight.name}"
    if weight.dtype.kind not in "biufc" or not np.can_cast(weight.dtype, wanted, "same_kind"):
        fail(place, f"values of {weight.dtype}", dtype)
    try:
        value = np.empty(weight.shape, weight.dtype)
        if value.size:
            weight.dataset.read(_h5.h5s.ALL, _h5.h5s.ALL, value, weight.memory_type)
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found data that cannot be read: {error}") from error
    return value.astype(wanted, copy=False)


def fail(place: str, found: str, expected: str) -> NoReturn:
    """Raise ``LoadError``."""
    raise LoadError(f"{place}: found {found}, expected {expected}")
