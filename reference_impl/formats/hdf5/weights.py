"""A model's weights in an HDF5 group.

::

    group                 attributes: layer_names (list), backend, keras_version (texts)
      <layer name>        attribute: weight_names (list)
        <weight name>     dataset: the value; contiguous, not compressed
      top_level_model_weights   likewise: weights of the model itself (only when it has any)

The group is ``model_weights`` in a whole-model file and the root in a file of weights. Layers stand in the
model's order; a layer's weights trainable first, then the others. A ``/`` in a name makes a group in the
group.

Reading goes by the order of layers, or by their names if asked to. Within a layer it goes by the weights'
names (see ``matching``). All is compared before anything is assigned.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS, read_list, read_text, write_list, write_text
from reference_impl.formats.hdf5.matching import Weight, match, stem
from reference_impl.tracking import Array

BACKEND = "tensorflow"
KERAS_VERSION = "2.4.0"
TOP_LEVEL = "top_level_model_weights"

Plan = list[tuple[Any, Array]]
"""Variables and the values they are to take."""


# -- the order and the names of weights --------------------------------------------------------------------


def ordered_weights(layer: Any) -> list[Any]:
    """The weights of a layer (or nested model) in the file's order: trainable, then the others."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def top_level_weights(model: Any) -> list[Any]:
    """Weights that belong to the model itself and to none of its layers."""
    in_layers = {id(weight) for layer in model.layers for weight in layer.weights}
    return [weight for weight in ordered_weights(model) if id(weight) not in in_layers]


def distinct_names(weights: Sequence[Any]) -> list[str]:
    """The weights' names, those that were there before numbered: ``w:0``, ``w_1:0``.

    Two names also clash where one is the folder of the other (``w`` and ``w/v``).
    """
    names: list[str] = []
    for weight in weights:
        base, colon, number = weight.name.rpartition(":")
        if not colon:
            base, number = weight.name, ""
        name, count = weight.name, 0
        while any(_clash(name, other) for other in names):
            count += 1
            name = f"{base}_{count}{colon}{number}"
        names.append(name)
    return names


def _clash(first: str, second: str) -> bool:
    return first == second or first.startswith(f"{second}/") or second.startswith(f"{first}/")


def check_names(names: Sequence[str], what: str) -> None:
    """``ValueError`` for a name that is not a path in HDF5, or that comes twice."""
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"HDF5: found {count} {what}s named {name!r}, expected distinct names; rename one")
        if not name or "\0" in name or any(part in ("", ".") for part in name.split("/")):
            raise ValueError(
                f"HDF5: found the {what} name {name!r}, expected one that is a path (no empty part, no '.', no zero "
                "byte); rename it"
            )


# -- writing -----------------------------------------------------------------------------------------------


def write_weights(group: Any, model: Any) -> None:
    """Write all weights of ``model`` into ``group``. ``ValueError`` for names that HDF5 cannot hold."""
    layers = list(model.layers)
    check_names([layer.name for layer in layers], "layer")
    write_list(group.attrs, "layer_names", [layer.name for layer in layers])
    write_text(group.attrs, "backend", BACKEND)
    write_text(group.attrs, "keras_version", KERAS_VERSION)
    for layer in layers:
        write_list_of_weights(group, layer.name, ordered_weights(layer))
    top_level = top_level_weights(model)
    if top_level:
        write_list_of_weights(group, TOP_LEVEL, top_level)


def write_list_of_weights(parent: Any, name: str, weights: Sequence[Any]) -> None:
    """Write ``weights`` into the group ``name``, their names into its attribute ``weight_names``."""
    group = parent.require_group(name)
    names = distinct_names(weights)
    check_names(names, "weight")
    write_list(group.attrs, "weight_names", names)
    for weight_name, weight in zip(names, weights, strict=True):
        if weight_name in group:
            raise ValueError(
                f"HDF5: the weight {weight_name!r} and the layer {name!r}/{weight_name!r} clash; rename one"
            )
        if as_dtype(weight.dtype) == "bfloat16":
            raise ValueError(
                f"HDF5: the weight {weight_name!r} is bfloat16, which Keras cannot read from HDF5; cast it"
            )
        group.create_dataset(weight_name, data=np.asarray(weight.array))


# -- reading -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredLayer:
    """A layer's group: name, weights as recorded, and where it is (for messages)."""

    name: str
    group: Any
    weights: tuple[Weight, ...]
    place: str


def load_weights(group: Any, model: Any, place: str, *, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Give ``model`` the weights in ``group``, all or, if any does not fit, none (``LoadError``).

    ``place`` is the file's name, for messages. ``by_name`` takes what has a layer of its name and leaves
    the rest; ``skip_mismatch`` then passes over weights that do not fit, with a warning.
    """
    plan = _plan_by_name(group, model, place, skip_mismatch) if by_name else _plan_by_order(group, model, place)
    for variable, value in plan:
        variable.assign(value)


def has_weights(group: Any) -> bool:
    """Whether ``group`` is laid out as above."""
    return "layer_names" in group.attrs or "layer_names0" in group.attrs


def read_layers(group: Any, place: str) -> list[StoredLayer]:
    """All layers of ``group`` in order. ``LoadError`` if the group is none of a model's weights."""
    _check_version(group, place)
    names = read_list(group.attrs, "layer_names", place)
    if names is None:
        _fail(place, "no attribute layer_names", "the weights of a Keras 2 model")
    return [read_layer(group, name, place) for name in names]


def read_layer(group: Any, name: str, place: str) -> StoredLayer:
    """One layer of ``group``: names and shapes, not yet values."""
    place = f"{place}: {name}"
    try:
        found = group[name]
        attributes = found.attrs
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: found no group, expected one, for layer_names has the layer") from error
    names = read_list(attributes, "weight_names", place)
    if names is None:
        _fail(place, "no attribute weight_names", "the names of the layer's weights")
    return StoredLayer(name, found, tuple(Weight(n, _shape(found, n, place)) for n in names), place)


def read_value(layer: StoredLayer, weight: Weight, dtype: str) -> Array:
    """The value of ``weight`` as ``dtype``. The caller has compared the shape, which bounds what is read."""
    wanted = numpy_dtype(dtype)
    try:
        value = np.asarray(layer.group[weight.name][()])
        if value.dtype != wanted and not np.can_cast(value.dtype, wanted, "same_kind"):
            _fail(f"{layer.place}/{weight.name}", f"values of {value.dtype}", f"{dtype}")
        return value.astype(wanted)
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        raise LoadError(f"{layer.place}/{weight.name}: found data that cannot be read: {error}") from error


def pair(layer: StoredLayer, weights: Sequence[Any], whose: str) -> Plan:
    """The values of ``layer`` for ``weights``. ``LoadError`` if count or shape differ or the pairs are unknowable."""
    if len(layer.weights) != len(weights):
        _fail(layer.place, f"{len(layer.weights)} weights", f"{len(weights)}, as {whose} has")
    present = [Weight(name, tuple(w.shape)) for name, w in zip(distinct_names(weights), weights, strict=True)]
    order = match(layer.weights, present)
    if order is None:
        _fail(
            layer.place,
            f"weights named {[w.name for w in layer.weights]}",
            f"names that correspond to {[w.name for w in present]}: by order alone weights could change places; give "
            f"the sublayers of {whose} the names they had",
        )
    plan: Plan = []
    for index, variable, wanted in zip(order, weights, present, strict=True):
        stored = layer.weights[index]
        if stored.shape != wanted.shape:
            _fail(f"{layer.place}/{stored.name}", f"shape {stored.shape}", f"{wanted.shape} of {wanted.name}")
        plan.append((variable, read_value(layer, stored, variable.dtype)))
    return plan


def _plan_by_order(group: Any, model: Any, place: str) -> Plan:
    stored = [layer for layer in read_layers(group, place) if layer.weights]
    layers = [layer for layer in model.layers if layer.weights]
    if len(stored) != len(layers):
        _fail(
            place,
            f"{len(stored)} layers with weights ({_list(layer.name for layer in stored)})",
            f"{len(layers)}, as {model.name} has ({_list(layer.name for layer in layers)})",
        )
    _warn_of_names([layer.name for layer in stored], [layer.name for layer in layers], place)
    plan: Plan = []
    for there, here in zip(stored, layers, strict=True):
        plan += pair(there, ordered_weights(here), f"layer {here.name!r}")
    return plan + _plan_top_level(group, model, place)


def _plan_top_level(group: Any, model: Any, place: str) -> Plan:
    weights = top_level_weights(model)
    stored = read_layer(group, TOP_LEVEL, place) if TOP_LEVEL in group else None
    if stored is None and weights:
        warnings.warn(
            f"{place}: holds no weights of the model itself, as files before Keras 2.12 do not; "
            f"{_list(weight.name for weight in weights)} keep their values",
            stacklevel=2,
        )
    return pair(stored, weights, f"model {model.name!r}") if stored and (stored.weights or weights) else []


def _plan_by_name(group: Any, model: Any, place: str, skip_mismatch: bool) -> Plan:
    layers: dict[str, list[Any]] = {}
    for layer in model.layers:
        layers.setdefault(layer.name, []).append(layer)
    plan: Plan = []
    for stored in read_layers(group, place):
        for layer in layers.get(stored.name, []):
            weights = ordered_weights(layer)
            if not weights and not stored.weights:
                continue
            try:
                plan += pair(stored, weights, f"layer {layer.name!r}")
            except LoadError as error:
                if not skip_mismatch:
                    raise
                warnings.warn(f"skipping layer {layer.name!r}: {error}", stacklevel=2)
    return plan


def _warn_of_names(stored: list[str], present: list[str], place: str) -> None:
    """Counters apart, for they depend on what else the process has made."""
    moved = sorted(stored) == sorted(present) and stored != present
    if moved or [stem(name) for name in stored] != [stem(name) for name in present]:
        warnings.warn(
            f"{place}: weights are loaded in the order of layers, but their names differ: stored "
            f"{_list(stored)}, present {_list(present)}; pass by_name=True to go by names",
            stacklevel=2,
        )


def _check_version(group: Any, place: str) -> None:
    version = read_text(group.attrs, "keras_version", place)
    if version is None or version.startswith("1."):
        _fail(place, f"Keras version {version or 'before 1.0'}", "2 or later; not yet supported by this version")


def _shape(group: Any, name: str, place: str) -> tuple[int, ...]:
    try:
        shape = group[name].shape
    except (*H5PY_ERRORS, AttributeError) as error:
        raise LoadError(f"{place}: found no dataset {name}, expected one, for weight_names has it") from error
    if shape is None:
        _fail(f"{place}/{name}", "an empty dataset", "values")
    return tuple(shape)


def _list(names: Any, limit: int = 8) -> str:
    listed = list(names)
    return ", ".join(map(repr, listed[:limit])) + (f" and {len(listed) - limit} more" if len(listed) > limit else "")


def _fail(place: str, found: str, expected: str) -> NoReturn:
    raise LoadError(f"{place}: found {found}, expected {expected}")
