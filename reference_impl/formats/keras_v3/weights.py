"""A model's variables in an HDF5 file laid out as the model is.

::

    <path of an object>/vars    a group an object (see ``walk``); attribute: name (Keras 3)
      0, 1, …                   datasets: its own variables, those that are trainable first
      idf_weights               the one variable of a lookup layer that weighs its tokens

Before Keras 3 no names were stored. Here they are, as an attribute of the group above ``vars``, where other readers do
not look: paths tell only the classes of layers, and their order.

The file is ``model.weights.h5`` in an archive, or one of its own, ``….weights.h5``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from reference_impl.dtypes import as_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS, read_text
from reference_impl.formats.hdf5.matching import stem
from reference_impl.formats.hdf5.stored import find_weight, subgroup
from reference_impl.formats.keras_v3.walk import LAYERS, Generation, Place, Value, places
from reference_impl.metrics import Metric
from reference_impl.tracking import Array

_KINDS = "biufV"
"""Kinds of dtypes that a variable's values can be of; bfloat16 is V."""

Assignments = list[tuple[Callable[[Array], None], Array]]


def write(file: Any, model: Any, generation: Generation, optimizer: bool = True) -> None:
    """Write all variables of ``model``; ``optimizer``: its state too. ``ValueError`` for bfloat16 weights."""
    for place in places(model, generation, optimizer):
        group = file.create_group(f"{place.path}/vars" if place.path else "vars")
        if generation == "keras-3":
            group.attrs["name"] = place.name
        elif place.path:
            group.parent.attrs["name"] = place.name
        for key, entry in place.entries.items():
            value = np.asarray(entry.read())
            if as_dtype(value.dtype) == "bfloat16":
                raise ValueError(
                    f"{place.path}: the weight {entry.name!r} is bfloat16, which HDF5 has no type for; cast it"
                )
            group.create_dataset(key, data=value)


def is_v3(file: Any) -> bool:
    """Whether ``file`` is laid out as above. ``LoadError`` if it is too damaged to tell."""
    try:
        return "layer_names" not in file.attrs and (
            "vars" in file or "layers" in file or "_layer_checkpoint_dependencies" in file
        )
    except H5PY_ERRORS as error:
        raise LoadError(
            f"{file.file.filename}: found an HDF5 file that is damaged ({error}), expected a whole one"
        ) from error


def generation_of(file: Any) -> Generation:
    """Keras 3 writes names, its predecessors do not; 2.12 does not look into ``layers``."""

    def look(name: str, item: Any) -> Generation | None:
        last = name.rsplit("/", 1)[-1]
        if last == LAYERS["keras-2.12"]:
            return "keras-2.12"
        return "keras-3" if last == "vars" and "name" in item.attrs else None

    return file.visititems(look) or ("keras-2.15" if "layers" in file else "keras-2.12")


def load(file: Any, model: Any, place: str, optimizer: bool = False, skip_mismatch: bool = False) -> None:
    """Give ``model`` the variables in ``file``, all or, if any does not fit, none (``LoadError``)."""
    load_parts([file], model, place, optimizer, skip_mismatch)


def load_parts(
    files: Sequence[Any], model: Any, place: str, optimizer: bool = False, skip_mismatch: bool = False
) -> None:
    """The same from several files, in each of which is a part."""
    plan: Assignments = []
    fresh: list[str] = []
    try:
        found = [generation_of(file) for file in files]
        generation: Generation = "keras-2.12" if "keras-2.12" in found else "keras-2.15"
        generation = "keras-3" if "keras-3" in found else generation
        targets = places(model, generation, optimizer)
        claimed = {target.path for target in targets}
        left = list(dict.fromkeys(path for file in files for path in _left_over(file, claimed)))
        names = _names(files, targets, place)
    except H5PY_ERRORS as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(f"{place}: found data that cannot be read: {error}") from error
    if left and not skip_mismatch:
        _fail(place, f"variables of {', '.join(left)}, which {model.name!r} has no layers for", "those of its layers")
    if [stem(stored) for stored, _ in names] != [stem(present) for _, present in names] or _is_moved(names):
        stored, present = (", ".join(map(repr, side[:8])) for side in zip(*names, strict=True))
        warnings.warn(
            f"{place}: weights go by the order and the classes of layers, but their names differ: stored {stored}, "
            f"present {present}",
            stacklevel=3,
        )
    for target in targets:
        try:
            plan += _of_place(files, target, place, fresh)
        except LoadError as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"skipping {target.path!r}: {error}", stacklevel=3)
    for assign, value in plan:
        assign(value)
    if fresh:
        warnings.warn(
            f"{place}: holds nothing for {', '.join(fresh)}: containers in containers were not stored by Keras before "
            "3.15, nor are metrics of layers by Keras 3; what is in them stays fresh",
            stacklevel=3,
        )


def _left_over(file: Any, claimed: set[str]) -> list[str]:
    """The paths of layers that ``file`` has variables of and that are not ``claimed``."""
    found: dict[str, None] = {}

    def look(path: str, item: Any) -> None:
        parts = path.split("/")
        if parts[-2:-1] == ["vars"] and not hasattr(item, "keys"):
            layers = ("/".join(parts[: end + 2]) for end, part in enumerate(parts[:-3]) if part in LAYERS.values())
            found.update((layer, None) for layer in layers if layer not in claimed)

    file.visititems(look)
    return list(found)


def _names(files: Sequence[Any], targets: list[Place], place: str) -> list[tuple[str, str]]:
    """The stored and the present names of layers with variables, where they are stored."""
    names: list[tuple[str, str]] = []
    for target in targets:
        if not target.entries or "/layers/" not in f"/{target.path}":
            continue
        groups = [group for file in files if (group := file.get(f"{target.path}/vars")) is not None]
        stored = [read_text(g.attrs, "name", place) or read_text(g.parent.attrs, "name", place) for g in groups]
        names += [(name, target.name) for name in stored if name][:1]
    return names


def _is_moved(names: list[tuple[str, str]]) -> bool:
    stored, present = [stored for stored, _ in names], [present for _, present in names]
    return stored != present and sorted(stored) == sorted(present)


def _of_place(files: Sequence[Any], target: Place, place: str, fresh: list[str]) -> Assignments:
    path = f"{target.path}/vars" if target.path else "vars"
    where = f"{place}: {path}"
    try:
        groups = [subgroup(file, path, place, "the variables of an object") for file in files if path in file]
        holders = {name: group for group in reversed(groups) for name in group}
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        raise LoadError(f"{where}: found data that cannot be read: {error}") from error
    if not target.entries:
        return []
    if not holders and ("/container" in f"/{target.path}" or isinstance(target.target, Metric)):
        fresh.append(repr(target.path))
        return []
    entries = target.entries
    if target.path == "optimizer" and holders and all(key in entries and entries[key].shape == () for key in holders):
        entries = {
            key: entry for key, entry in entries.items() if key in holders
        }  # saved before the first step: no slots
    if len(holders) != len(entries):
        _fail(where, f"{len(holders)} variables", f"{len(target.entries)}, as {target.name!r} has")
    group = groups[0]
    return [(entry.write, _value(holders.get(key, group), key, entry, where)) for key, entry in entries.items()]


def _value(group: Any, name: str, entry: Value, where: str) -> Array:
    try:
        found = find_weight(group, name, where, entry.name)
        if entry.shape is not None and found.shape != entry.shape:
            _fail(f"{where}/{name}", f"shape {found.shape}", f"{entry.shape} of {entry.name}")
        if found.dtype.kind not in _KINDS or found.dtype.names is not None:
            _fail(f"{where}/{name}", f"values of {found.dtype}", f"numbers, as {entry.name} has")
        return np.asarray(group[name][()])
    except LoadError:
        raise
    except (*H5PY_ERRORS, AttributeError, TypeError) as error:
        raise LoadError(
            f"{where}/{name}: found no dataset that can be read ({error}), expected {entry.name}"
        ) from error


def _fail(place: str, found: str, expected: str) -> NoReturn:
    raise LoadError(f"{place}: found {found}, expected {expected}")
