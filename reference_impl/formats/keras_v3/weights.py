"""A model's variables in an HDF5 file laid out as the model is.

::

    <path of an object>/vars    a group an object (see ``walk``); attribute: name (Keras 3)
      0, 1, …                   datasets: its own variables, those that are trainable first

The file is ``model.weights.h5`` in an archive, or one of its own, ``….weights.h5``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from reference_impl.dtypes import as_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS
from reference_impl.formats.keras_v3.walk import Generation, Place, places
from reference_impl.tracking import Array

Assignments = list[tuple[Callable[[Array], None], Array]]


def write(file: Any, model: Any, generation: Generation, optimizer: bool = True) -> None:
    """Write all variables of ``model``; ``optimizer``: its state too. ``ValueError`` for bfloat16 weights."""
    for place in places(model, generation, optimizer):
        group = file.create_group(f"{place.path}/vars" if place.path else "vars")
        if generation == "keras-3":
            group.attrs["name"] = place.name
        for number, entry in enumerate(place.entries):
            value = np.asarray(entry.read())
            if as_dtype(value.dtype) == "bfloat16":
                raise ValueError(
                    f"{place.path}: the weight {entry.name!r} is bfloat16, which HDF5 has no type for; cast it"
                )
            group.create_dataset(str(number), data=value)


def is_v3(file: Any) -> bool:
    """Whether ``file`` is laid out as above."""
    return "layer_names" not in file.attrs and (
        "vars" in file or "layers" in file or "_layer_checkpoint_dependencies" in file
    )


def generation_of(file: Any) -> Generation:
    """Keras 3 writes names, its predecessors do not."""
    found: list[bool] = []

    def look(name: str, item: Any) -> bool | None:
        if name.rsplit("/", 1)[-1] == "vars" and "name" in item.attrs:
            found.append(True)
            return True
        return None

    file.visititems(look)
    return "keras-3" if found else "keras-2.15"


def load(file: Any, model: Any, place: str, optimizer: bool = False, skip_mismatch: bool = False) -> None:
    """Give ``model`` the variables in ``file``, all or, if any does not fit, none (``LoadError``)."""
    plan: Assignments = []
    fresh: list[str] = []
    for target in places(model, generation_of(file), optimizer):
        try:
            plan += _of_place(file, target, place, fresh)
        except LoadError as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"skipping {target.path!r}: {error}", stacklevel=3)
    for assign, value in plan:
        assign(value)
    if fresh:
        warnings.warn(
            f"{place}: holds nothing for {', '.join(fresh)}: containers in containers were not stored by Keras before "
            "3.15; what is in them stays fresh",
            stacklevel=3,
        )


def _of_place(file: Any, target: Place, place: str, fresh: list[str]) -> Assignments:
    path = f"{target.path}/vars" if target.path else "vars"
    where = f"{place}: {path}"
    try:
        group = file.get(path)
        if group is not None and (file.get(path, getlink=True) is None or not hasattr(group, "keys")):
            _fail(where, "no group", "the variables of an object")
        names = list(group) if group is not None else []
    except H5PY_ERRORS as error:
        raise LoadError(f"{where}: found data that cannot be read: {error}") from error
    if not target.entries:
        return []
    if not names and "/container" in f"/{target.path}":
        fresh.append(repr(target.path))
        return []
    if len(names) != len(target.entries):
        _fail(where, f"{len(names)} variables", f"{len(target.entries)}, as {target.name!r} has")
    return [(entry.write, _value(group, str(i), entry, where)) for i, entry in enumerate(target.entries)]


def _value(group: Any, name: str, entry: Any, where: str) -> Array:
    try:
        found = group[name]
        if tuple(found.shape) != entry.shape:
            _fail(f"{where}/{name}", f"shape {tuple(found.shape)}", f"{entry.shape} of {entry.name}")
        return np.asarray(found[()])
    except LoadError:
        raise
    except (*H5PY_ERRORS, AttributeError, TypeError) as error:
        raise LoadError(
            f"{where}/{name}: found no dataset that can be read ({error}), expected {entry.name}"
        ) from error


def _fail(place: str, found: str, expected: str) -> NoReturn:
    raise LoadError(f"{place}: found {found}, expected {expected}")
