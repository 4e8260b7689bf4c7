"""Facts about an HDF5 file that Keras wrote: attributes with their string types, groups, datasets.

A whole model has the root attributes ``model_config`` and ``training_config`` (JSON) and the groups ``model_weights``
and ``optimizer_weights``. A weights file is the contents of ``model_weights`` at the root: ``layer_names`` lists the
groups, each group's ``weight_names`` its datasets. A list too long for one attribute goes on in NAME0, NAME1, … . A
``.weights.h5`` file has none of these lists: its datasets are ``…/vars/0``, ``1``, … .
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import numpy.typing as npt

from conformance.witness.error import WitnessError, json_object

h5py: Any = _h5py  # it has no types


@dataclass(frozen=True)
class Attribute:
    """An attribute: its value (text decoded) and how the file types it: ``fixed|vlen ascii|utf-8``, or the dtype."""

    value: Any
    type: str


@dataclass(frozen=True)
class Weight:
    """One weight as the file lists it: the listed name, the dataset's path, its value."""

    name: str
    path: str
    value: npt.NDArray[Any]


@dataclass(frozen=True)
class WeightGroup:
    """A layer's group and its weights, in the order of ``weight_names``."""

    name: str
    weights: tuple[Weight, ...]


@dataclass(frozen=True)
class Hdf5:
    """The facts. ``attributes`` is path of the object ("" the root) → name → attribute.

    ``weight_groups`` are in the order of ``layer_names``; ``optimizer_weights`` in that of the group's own list. What
    a file does not have is empty.
    """

    path: str
    attributes: Mapping[str, Mapping[str, Attribute]]
    datasets: Mapping[str, npt.NDArray[Any]]
    weight_groups: tuple[WeightGroup, ...]
    optimizer_weights: tuple[Weight, ...]
    model_config: dict[str, Any]
    training_config: dict[str, Any]

    @property
    def root(self) -> Mapping[str, Attribute]:
        """The attributes of the root."""
        return self.attributes[""]

    @property
    def groups(self) -> tuple[str, ...]:
        """The paths of all groups but the root."""
        return tuple(path for path in self.attributes if path and path not in self.datasets)


@dataclass(frozen=True)
class Array:
    """A dataset that was not read: ``stored`` is its size in the file (bytes), ``external`` the files that hold it."""

    shape: tuple[int, ...]
    dtype: str
    stored: int
    external: tuple[str, ...] = ()
    virtual: bool = False


@dataclass(frozen=True)
class Outline:
    """What the file has, with no value read and no link followed.

    ``links`` are the soft and the external ones, path → what it names. ``weight_groups`` are layers and their paths,
    in the order of ``layer_names``.
    """

    path: str
    attributes: Mapping[str, Mapping[str, Attribute]]
    arrays: Mapping[str, Array]
    links: Mapping[str, str]
    weight_groups: Mapping[str, tuple[str, ...]]
    optimizer_weights: tuple[str, ...]

    @property
    def root(self) -> Mapping[str, Attribute]:
        """The attributes of the root."""
        return self.attributes[""]


def outline(path: str | Path, stream: BinaryIO | None = None) -> Outline:
    """What the file at ``path``, or ``stream`` under that name, has. Raises WitnessError."""
    try:
        with h5py.File(stream or str(path), "r") as file:
            return _outline(file, str(path))
    except (OSError, RuntimeError) as error:
        raise WitnessError(path, "file", f"h5py cannot read it: {error}") from None


def _outline(file: Any, path: str) -> Outline:
    attributes: dict[str, Mapping[str, Attribute]] = {}
    arrays: dict[str, Array] = {}
    links: dict[str, str] = {}
    seen: set[int] = set()

    def visit(item: Any, place: str) -> None:
        attributes[place] = _attributes(item)
        if isinstance(item, h5py.Dataset):
            arrays[place] = _array(item)
        elif isinstance(item, h5py.Group):
            for name in item:
                below = f"{place}/{name}" if place else name
                link = item.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    links[below] = f"{link.filename}:{link.path}"
                elif isinstance(link, h5py.SoftLink):
                    links[below] = link.path
                else:
                    child = item[name]
                    if (address := _address(child)) not in seen:
                        seen.add(address)
                        visit(child, below)

    visit(file, "")
    root = "model_weights" if "model_weights" in attributes else ""
    groups = {
        layer: tuple(f"{place}/{name}" for name in _listed(attributes.get(place, {}), "weight_names"))
        for layer in _listed(attributes[root], "layer_names")
        for place in [f"{root}/{layer}" if root else layer]
    }
    optimizer = _listed(attributes.get("optimizer_weights", {}), "weight_names")
    return Outline(path, attributes, arrays, links, groups, tuple(f"optimizer_weights/{name}" for name in optimizer))


def _array(item: Any) -> Array:
    return Array(
        shape=tuple(item.shape or ()),
        dtype="string" if h5py.check_string_dtype(item.dtype) else str(item.dtype),
        stored=int(item.id.get_storage_size()),
        external=tuple(str(name) for name, _, _ in item.external or ()),
        virtual=bool(item.is_virtual),
    )


def _address(item: Any) -> int:
    """Where the object is in the file: the same by every hard link to it."""
    return int(h5py.h5o.get_info(item.id).addr)


def read(path: str | Path, stream: BinaryIO | None = None) -> Hdf5:
    """The facts of the file at ``path``, or of ``stream`` under that name. Raises WitnessError."""
    try:
        with h5py.File(stream or str(path), "r") as file:
            return _read(file, str(path))
    except (OSError, RuntimeError) as error:
        raise WitnessError(path, "file", f"h5py cannot read it: {error}") from None


def _read(file: Any, path: str) -> Hdf5:
    attributes = {"": _attributes(file)}
    datasets: dict[str, npt.NDArray[Any]] = {}

    def visit(name: str, item: Any) -> None:
        attributes[name] = _attributes(item)
        if isinstance(item, h5py.Dataset):
            datasets[name] = np.asarray(item[()])

    file.visititems(visit)
    root = "model_weights" if "model_weights" in attributes else ""
    groups = tuple(
        WeightGroup(layer, _weights(attributes, datasets, path, root, layer))
        for layer in _listed(attributes[root], "layer_names")
    )
    return Hdf5(
        path=path,
        attributes=attributes,
        datasets=datasets,
        weight_groups=groups,
        optimizer_weights=_weights(attributes, datasets, path, "optimizer_weights"),
        model_config=_config(attributes, path, "model_config"),
        training_config=_config(attributes, path, "training_config"),
    )


def _weights(
    attributes: Mapping[str, Mapping[str, Attribute]], datasets: Mapping[str, Any], path: str, *groups: str
) -> tuple[Weight, ...]:
    group = "/".join(part for part in groups if part)
    if group not in attributes:
        if len(groups) == 1:
            return ()
        raise WitnessError(path, group, "the group is listed in layer_names and is not there")
    weights: list[Weight] = []
    for name in _listed(attributes[group], "weight_names"):
        place = f"{group}/{name}"
        if place not in datasets:
            raise WitnessError(path, place, "the dataset is listed in weight_names and is not there")
        weights.append(Weight(name, place, datasets[place]))
    return tuple(weights)


def _config(attributes: Mapping[str, Mapping[str, Attribute]], path: str, name: str) -> dict[str, Any]:
    found = attributes[""].get(name)
    return {} if found is None else json_object(found.value, path, f"attribute {name}")


def _listed(attributes: Mapping[str, Attribute], name: str) -> list[str]:
    """A list of names, gathered from NAME, or from NAME0, NAME1, … ."""
    if name in attributes:
        return _texts(attributes[name])
    result: list[str] = []
    number = 0
    while f"{name}{number}" in attributes:
        result += _texts(attributes[f"{name}{number}"])
        number += 1
    return result


def _texts(attribute: Attribute) -> list[str]:
    # An empty list is written as an empty array of floats.
    return [str(value) for value in np.asarray(attribute.value, object).ravel().tolist()]


def _attributes(item: Any) -> dict[str, Attribute]:
    return {name: _attribute(item, name) for name in item.attrs}


def _attribute(item: Any, name: str) -> Attribute:
    raw_type = item.attrs.get_id(name).get_type()
    value = item.attrs[name]
    if not isinstance(raw_type, h5py.h5t.TypeStringID):
        return Attribute(value, str(getattr(value, "dtype", type(value).__name__)))
    length = "vlen" if raw_type.is_variable_str() else "fixed"
    charset = "utf-8" if raw_type.get_cset() == h5py.h5t.CSET_UTF8 else "ascii"
    return Attribute(_decoded(value), f"{length} {charset}")


def _decoded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_decoded(item) for item in cast("list[Any]", value.ravel().tolist())]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
