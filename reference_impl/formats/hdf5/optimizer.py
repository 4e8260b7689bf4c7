"""The state of an optimizer in an HDF5 file: the group ``optimizer_weights``, laid out like a layer.

The list and its names are those of the generation that wrote it (see :mod:`reference_impl.optimizers.layouts`). Before
2.4 names said nothing (``training/Adam/Variable_3:0``) and lists were shorter or longer: RMSprop, Adagrad and Adadelta
did not store the step count, Adam stored placeholders for what it did not use, SGD momentum that it did not have. Such
a list goes by its order; one that does not fit is left, with a warning, as Keras leaves it. So is the state beside
weights that had another layout (see :mod:`reference_impl.formats.hdf5.legacy_weights`), for it is laid out as they were.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reference_impl.dtypes import as_dtype
from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import read_text
from reference_impl.formats.hdf5.legacy_weights import Origin, changes
from reference_impl.formats.hdf5.matching import Weight, match
from reference_impl.formats.hdf5.stored import StoredLayer, StoredWeight, read_layer, read_value
from reference_impl.formats.hdf5.weights import distinct_names, write_list_of_weights, write_values
from reference_impl.formats.optimizers import stored_generation
from reference_impl.optimizers.later import Generation
from reference_impl.optimizers.layouts import Entry, layout
from reference_impl.tracking import Array

OPTIMIZER_WEIGHTS = "optimizer_weights"

Assignments = list[tuple[Callable[[Array], None], Array]]


def write(file: Any, model: Any) -> None:
    """Write the state of the model's optimizer, as the generation lists it in whose way it is stored."""
    optimizer = model.optimizer
    generation = stored_generation(optimizer)
    if generation == "keras-2.4":
        write_list_of_weights(file, OPTIMIZER_WEIGHTS, optimizer.weights, _names(optimizer, model))
        return
    entries = layout(optimizer, optimizer.built_for or model.trainable_weights, generation, _by_id(model))
    write_values(file, OPTIMIZER_WEIGHTS, [entry.name for entry in entries], [entry.read() for entry in entries])


def restore(file: Any, model: Any, place: str) -> None:
    """Give the optimizer of ``model`` its stored state, all or (``LoadError``) none.

    A file may hold slots for fewer variables than the model now trains, for flags inside custom layers are
    not in the configuration; then the others begin anew, with a warning.
    """
    stored = read_layer(file, OPTIMIZER_WEIGHTS, place)
    generation = _generation(stored)
    entries = layout(model.optimizer, _trained(model, stored), generation, _by_id(model))
    if generation == "keras-2.4":
        names = _names(model.optimizer, model)
        entries = [replace(entry, name=name) for entry, name in zip(entries, names, strict=True)]
    version = read_text(file.attrs, "keras_version", place) or "1"
    found = [weight for weight in stored.weights if generation != "keras-2.11" or not _is_rate(weight)]
    if version.startswith(("1", "2.0", "2.1", "2.2", "2.3")) and generation == "keras-2.4":
        theano = read_text(file.attrs, "backend", place) == "theano"
        if changes(model, Origin(version.startswith("1"), theano)):
            _begin_anew(
                f"{stored.place}: found the state beside weights of Keras {version}{' on Theano' if theano else ''} that "
                "were put into another order as they were read; the state is not"
            )
            return
        plan = _by_name(stored, found, entries, False) or _by_order(stored, found, entries)
        if plan is None:
            _begin_anew(
                f"{stored.place}: found {len(found)} variables of Keras {version}, which are not those of this optimizer"
            )
            return
    elif generation == "keras-3":
        plan = _in_order(stored, found, entries)
    else:
        plan = _by_name(stored, found, entries, True)
    for assign, value in plan or ():
        assign(value)


def _by_id(model: Any) -> dict[int, str]:
    """The names of all the model's weights, equal ones numbered in their order."""
    return {id(weight): name for weight, name in zip(model.weights, distinct_names(model.weights), strict=True)}


def _names(optimizer: Any, model: Any) -> list[str]:
    """The names of ``optimizer.weights``. A slot bears that of its weight, in which equal ones are told apart.

    They are numbered in the order of all the model's weights, for which of them have slots, and in which order, hangs
    on what was trained when. (Keras 2.4 does not save equal names, and reads any by their order.)
    """
    renamed: dict[int, str] = {}
    distinct_by_id = _by_id(model)
    for weight in model.weights:
        distinct = distinct_by_id[id(weight)]
        for name in optimizer.get_slot_names() if distinct != weight.name else ():
            slot = optimizer._slot(weight, name)
            if slot is not None:
                scope = slot.name.removesuffix(f"{weight.name.removesuffix(':0')}/{name}:0")
                renamed[id(slot)] = f"{scope}{distinct.removesuffix(':0')}/{name}:0"
    return [renamed.get(id(variable), str(variable.name)) for variable in optimizer.weights]


def _trained(model: Any, stored: StoredLayer) -> list[Any]:
    """The weights the optimizer has slots for: those that train, and those that did before they were frozen."""
    training = {id(variable) for variable in model.trainable_weights}
    if len(training) == len(model.weights):
        return list(model.trainable_weights)
    names = "\n".join(weight.name for weight in stored.weights)
    distinct = distinct_names(model.weights)

    def had_slots(name: str) -> bool:
        stem = name.removesuffix(":0")
        return any(f"/{form}" in names for form in (name, f"{stem}/", f"{stem.replace('/', '_')}_"))

    frozen = [v for v, name in zip(model.weights, distinct, strict=True) if id(v) not in training and had_slots(name)]
    if not frozen:
        return list(model.trainable_weights)
    kept = training | {id(variable) for variable in frozen}
    return [variable for variable in model.weights if id(variable) in kept]


def _begin_anew(reason: str) -> None:
    warnings.warn(f"{reason}; the optimizer begins anew, with its configuration as it was", stacklevel=5)


def _generation(stored: StoredLayer) -> Generation:
    names = [weight.name for weight in stored.weights]
    if any(name.endswith("/iteration") for name in names):
        return "keras-3"
    return "keras-2.11" if "iteration:0" in names else "keras-2.4"


def _is_rate(weight: Weight) -> bool:
    return weight.name.endswith("learning_rate:0")


def _read(stored: StoredLayer, weight: StoredWeight, entry: Entry) -> tuple[Callable[[Array], None], Array]:
    if weight.shape != entry.shape:
        raise LoadError(
            f"{stored.place}/{weight.name}: found shape {weight.shape}, expected {entry.shape} of {entry.name}"
        )
    # Step counts were float32 in Keras 1 and with Theano.
    dtype = entry.read().dtype
    kept = dtype.kind == "i" and weight.dtype.kind == "f"
    return entry.write, read_value(stored, weight, "float64" if kept else as_dtype(dtype))


def _by_name(
    stored: StoredLayer, found: Sequence[StoredWeight], entries: Sequence[Entry], strict: bool
) -> Assignments | None:
    present = [Weight(entry.name, entry.shape) for entry in entries]
    order: Sequence[int | None] | None = match(found, present) if len(found) == len(present) else None
    if order is None and not strict:
        return None
    order = order if order is not None else _fewer(stored.place, found, present)
    pairs = zip(order, entries, strict=True)
    return [_read(stored, found[index], entry) for index, entry in pairs if index is not None]


def _fewer(place: str, found: Sequence[Weight], present: Sequence[Weight]) -> list[int | None]:
    indices = {weight.name: index for index, weight in enumerate(found)}
    if list(indices) == [
        "iter:0"
    ]:  # Keras 2.4 before the first step: the counter has no scope yet, slots there are none
        return [0, *[None] * (len(present) - 1)]
    unknown = [name for name in indices if all(name != weight.name for weight in present)]
    if unknown or len(indices) < len(found):
        raise LoadError(
            f"{place}: found {[weight.name for weight in found]}, expected the optimizer's "
            f"{[weight.name for weight in present]}; load with compile=False and compile it anew"
        )
    order = [indices.get(weight.name) for weight in present]
    fresh = [weight.name for weight, index in zip(present, order, strict=True) if index is None]
    warnings.warn(f"{place}: holds nothing for {', '.join(fresh)}, which begin anew", stacklevel=2)
    return order


def _in_order(stored: StoredLayer, found: Sequence[StoredWeight], entries: Sequence[Entry]) -> Assignments:
    if all(weight.name.endswith(("/iteration", "/learning_rate")) for weight in found):
        entries = entries[: len(found)]  # saved before the first step: there are no slots yet
    if len(found) != len(entries):
        raise LoadError(
            f"{stored.place}: found {[weight.name for weight in found]}, expected the optimizer's "
            f"{[entry.name for entry in entries]}; load with compile=False and compile it anew"
        )
    by_name = {weight.name: weight for weight in found}
    if by_name.keys() == {entry.name for entry in entries}:
        found = [by_name[entry.name] for entry in entries]
    return [_read(stored, weight, entry) for weight, entry in zip(found, entries, strict=True)]


def _by_order(stored: StoredLayer, found: Sequence[StoredWeight], entries: Sequence[Entry]) -> Assignments | None:
    """As Keras before 2.4 listed it: without the step count, or with something after what is used today."""
    rest = entries[1:]
    if _fits(found, rest) and rest:
        start: Assignments = [(entries[0].write, np.zeros((), np.int64))]
        return start + [_read(stored, weight, entry) for weight, entry in zip(found, rest, strict=True)]
    used = found[: len(entries)]
    # Adam's placeholders stand for its slots, SGD's momentum for its own: each a slot for all variables.
    if not _fits(used, entries):
        return None
    return [_read(stored, weight, entry) for weight, entry in zip(used, entries, strict=True)]


def _fits(found: Sequence[Weight], entries: Sequence[Entry]) -> bool:
    return [weight.shape for weight in found] == [entry.shape for entry in entries]
