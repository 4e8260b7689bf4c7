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
from typing import Any

import numpy as np

from reference_impl import dialects
from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import write_list, write_text
from reference_impl.formats.hdf5.legacy_weights import Origin, converted, cudnn_biases
from reference_impl.formats.hdf5.matching import Weight, match, stem
from reference_impl.formats.hdf5.stored import StoredLayer, StoredWeights, fail, read_layer, read_layers, read_value
from reference_impl.tracking import Array

BACKEND = "tensorflow"
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
    taken: set[str] = set()
    folders: set[str] = set()
    for weight in weights:
        base, colon, number = weight.name.rpartition(":")
        if not colon:
            base, number = weight.name, ""
        name, count = weight.name, 0
        while name in taken or name in folders or not taken.isdisjoint(_folders_of(name)):
            count += 1
            name = f"{base}_{count}{colon}{number}"
        names.append(name)
        taken.add(name)
        folders.update(_folders_of(name))
    return names


def _folders_of(name: str) -> list[str]:
    return [name[:end] for end, character in enumerate(name) if character == "/"]


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
    for layer in layers:
        if any(getattr(inner, "holds_table", False) for inner in (*layer.submodules, layer)):
            raise NotImplementedError(
                f"HDF5: layer {layer.name!r} has a vocabulary, a table that is no weight, and HDF5 holds weights only; "
                "save in the TensorFlow format"
            )
    check_names([layer.name for layer in layers], "layer")
    write_list(group.attrs, "layer_names", [layer.name for layer in layers])
    write_text(group.attrs, "backend", BACKEND)
    write_text(group.attrs, "keras_version", dialects.keras_version())
    for layer in layers:
        write_list_of_weights(group, layer.name, ordered_weights(layer))
    top_level = top_level_weights(model)
    if top_level:
        write_list_of_weights(group, TOP_LEVEL, top_level)


def write_list_of_weights(parent: Any, name: str, weights: Sequence[Any], names: list[str] | None = None) -> None:
    """Write ``weights`` into the group ``name``, their names into its attribute ``weight_names``.

    ``names``: other names than :func:`distinct_names` gives them.
    """
    names = distinct_names(weights) if names is None else names
    write_values(parent, name, names, [weight.array for weight in weights])


def write_values(parent: Any, name: str, names: Sequence[str], values: Sequence[Array]) -> None:
    """Write ``values`` into the group ``name`` under ``names``, and these, in order, into its attribute ``weight_names``."""
    group = parent.require_group(name)
    check_names(names, "weight")
    write_list(group.attrs, "weight_names", list(names))
    for weight_name, value in zip(names, values, strict=True):
        if weight_name in group:
            raise ValueError(
                f"HDF5: the weight {weight_name!r} and the layer {name!r}/{weight_name!r} clash; rename one"
            )
        if as_dtype(value.dtype) == "bfloat16":
            raise ValueError(
                f"HDF5: the weight {weight_name!r} is bfloat16, which Keras cannot read from HDF5; cast it"
            )
        group.create_dataset(weight_name, data=np.asarray(value))


# -- reading -----------------------------------------------------------------------------------------------


def load_weights(
    group: Any, model: Any, place: str, *, by_name: bool = False, skip_mismatch: bool = False, own: bool = False
) -> None:
    """Give ``model`` the weights in ``group``, all or, if any does not fit, none (``LoadError``).

    ``place`` is the file's name, for messages. ``by_name`` takes what has a layer of its name and leaves
    the rest; ``skip_mismatch`` then passes over weights that do not fit, with a warning. ``own``: the model was made
    from the configuration in the same file, so that layers of equal names are the same.
    """
    stored = read_layers(group, place)
    if by_name:
        plan = _plan_by_name(stored, model, skip_mismatch)
    else:
        plan = _plan_by_order(stored, model, place, own) + _plan_top_level(group, model, place)
    for variable, value in plan:
        variable.assign(value)


def pair(stored: StoredLayer, weights: Sequence[Any], whose: str) -> Plan:
    """The values of ``stored`` for ``weights``. ``LoadError`` if count or shape differ or the pairs are unknowable."""
    order, present = _matched(stored, weights, whose)
    plan: Plan = []
    for index, variable, wanted in zip(order, weights, present, strict=True):
        found = stored.weights[index]
        if not variable.takes(found.shape):
            fail(f"{stored.place}/{found.name}", f"shape {found.shape}", f"{wanted.shape} of {wanted.name}")
        plan.append((variable, read_value(stored, found, variable.dtype)))
    return plan


def _matched(stored: StoredLayer, weights: Sequence[Any], whose: str) -> tuple[list[int], list[Weight]]:
    if len(stored.weights) != len(weights):
        fail(stored.place, f"{len(stored.weights)} weights", f"{len(weights)}, as {whose} has")
    present = [Weight(name, tuple(w.shape)) for name, w in zip(distinct_names(weights), weights, strict=True)]
    order = match(stored.weights, present)
    if order is None:
        fail(
            stored.place,
            f"weights named {[w.name for w in stored.weights]}",
            f"names that correspond to {[w.name for w in present]}: by order alone weights could change places; give "
            f"the sublayers of {whose} the names they had",
        )
    return order, present


def _pair_layer(stored: StoredLayer, layer: Any, origin: Origin) -> Plan:
    """The values of a layer, turned into today's where ``origin`` or their shapes say that they are others."""
    whose = f"layer {layer.name!r}"
    if not origin and not _is_cudnn(stored, layer):
        return pair(stored, ordered_weights(layer), whose)
    raw = [read_value(stored, weight, "float32" if origin else layer.dtype) for weight in stored.weights]
    try:
        pairs = converted(layer, raw, origin)
    except (ValueError, IndexError, AttributeError) as error:
        raise LoadError(
            f"{stored.place}: found {error}, expected the weights of {whose} as Keras 1 or cuDNN kept them"
        ) from error
    for variable, value in pairs:
        if tuple(variable.shape) != value.shape:
            fail(stored.place, f"shape {value.shape} (as it is today)", f"{tuple(variable.shape)} of {variable.name}")
    return [(variable, value.astype(numpy_dtype(variable.dtype), copy=False)) for variable, value in pairs]


def _is_cudnn(stored: StoredLayer, layer: Any) -> bool:
    """Whether a bias is there that only cuDNN's layers have."""
    biases = {weight.shape for weight in stored.weights if len(weight.shape) == 1}
    return any((size,) in biases for size in cudnn_biases(layer))


def _plan_by_order(stored: StoredWeights, model: Any, place: str, own: bool) -> Plan:
    found = [layer for layer in stored.layers if layer.weights]
    layers = [layer for layer in model.layers if layer.weights]
    if len(found) != len(layers):
        fail(
            place,
            f"{len(found)} layers with weights ({_list(layer.name for layer in found)})",
            f"{len(layers)}, as {model.name} has ({_list(layer.name for layer in layers)})",
        )
    names = [layer.name for layer in found]
    if (
        (own or stored.is_keras_1)
        and len(set(names)) == len(names)
        and sorted(names) == sorted(layer.name for layer in layers)
    ):
        by_name = {layer.name: layer for layer in found}
        found = [by_name[layer.name] for layer in layers]
    else:
        _warn_of_names(names, [layer.name for layer in layers], place)
    origin = Origin(stored.is_keras_1, stored.is_theano)
    plan: Plan = []
    for there, here in zip(found, layers, strict=True):
        plan += _pair_layer(there, here, origin)
    return plan


def _plan_top_level(group: Any, model: Any, place: str) -> Plan:
    weights = top_level_weights(model)
    # Before 2.12 the name was free: then it may be a layer's.
    is_a_layer = any(layer.name == TOP_LEVEL for layer in model.layers)
    stored = read_layer(group, TOP_LEVEL, place) if TOP_LEVEL in group and not is_a_layer else None
    if stored is None and weights:
        warnings.warn(
            f"{place}: holds no weights of the model itself, as files before Keras 2.12 do not; "
            f"{_list(weight.name for weight in weights)} keep their values",
            stacklevel=2,
        )
    return pair(stored, weights, f"model {model.name!r}") if stored and (stored.weights or weights) else []


def _plan_by_name(stored: StoredWeights, model: Any, skip_mismatch: bool) -> Plan:
    layers: dict[str, list[Any]] = {}
    for layer in model.layers:
        layers.setdefault(layer.name, []).append(layer)
    origin = Origin(stored.is_keras_1, stored.is_theano)
    plan: Plan = []
    for there in stored.layers:
        for layer in layers.get(there.name, []):
            if not layer.weights and not there.weights:
                continue
            try:
                plan += _pair_layer(there, layer, origin)
            except LoadError as error:
                if not skip_mismatch:
                    raise
                warnings.warn(f"skipping layer {layer.name!r}: {error}", stacklevel=2)
    if not plan and model.weights:
        warnings.warn(
            f"by_name=True: nothing was loaded: no layer of {model.name!r} ({_list(layers)}) has the name of a stored one "
            f"({_list(layer.name for layer in stored.layers)})",
            stacklevel=2,
        )
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


def _list(names: Any, limit: int = 8) -> str:
    listed = list(names)
    return ", ".join(map(repr, listed[:limit])) + (f" and {len(listed) - limit} more" if len(listed) > limit else "")
