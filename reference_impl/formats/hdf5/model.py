"""A whole model in one HDF5 file.

::

    root                 attributes: keras_version, backend, model_config, training_config (texts; the last
    two JSON)
      model_weights      see ``weights``
      optimizer_weights  attribute: weight_names (list); a dataset a variable of the optimizer

``training_config`` is there if the model was compiled; ``optimizer_weights`` if its optimizer has
variables, which it has after the first training step. The model's graph is not stored, only its
configuration: what a custom layer computes, and losses added to the model as functions, are not in the
file.

The optimizer's variables are called ``Adam/iter:0``, ``Adam/<variable>/m:0`` and stand slot by slot.
Optimizers of Keras 2.11 and later call them ``iteration:0``, ``Adam/m/<variable>:0`` and stand variable by
variable.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

from reference_impl.errors import LoadError
from reference_impl.formats.hdf5 import later
from reference_impl.formats.hdf5 import weights as weights_module
from reference_impl.formats.hdf5.attributes import read_text, write_text
from reference_impl.formats.hdf5.matching import Weight, match
from reference_impl.formats.hdf5.weights import Plan, StoredLayer
from reference_impl.serialization import jsonable

MODEL_WEIGHTS = "model_weights"
OPTIMIZER_WEIGHTS = "optimizer_weights"

NOT_COMPILED = "No training configuration found in the save file, so the model was *not* compiled. Compile it manually."

_NEW_SLOTS = {"m": "m", "v": "v", "velocity": "rms", "momentum": "momentum", "average": "mg", "u": "v"}
"""Slot names of optimizers since 2.11 -> those before, where they differ or might."""


# -- writing -----------------------------------------------------------------------------------------------


def write_model(open_file: Any, model: Any, include_optimizer: bool = True) -> None:
    """Write ``model`` into the file that ``open_file()`` gives, which is called when all that can fail
    early is done.

    ``model`` is Sequential or Functional; one that is not built is stored without weights. Without ``include_optimizer`` the optimizer's variables
    are left out; loss, metrics and the optimizer's configuration stay.
    """
    texts = {
        "keras_version": weights_module.KERAS_VERSION,
        "backend": weights_module.BACKEND,
        "model_config": _model_config(model),
    }
    training = _training_config(model)
    if training is not None:
        texts["training_config"] = training
    _warn_of_lost_losses(model)
    with open_file() as file:
        for name, text in texts.items():
            write_text(file.attrs, name, text)
        weights_module.write_weights(file.create_group(MODEL_WEIGHTS), model)
        if training is not None and include_optimizer and model.optimizer.weights:
            weights_module.write_list_of_weights(file, OPTIMIZER_WEIGHTS, model.optimizer.weights)


def _model_config(model: Any) -> str:
    from reference_impl.serialization import serialize_model

    return jsonable.dumps(serialize_model(model), f"the config of {model.name!r}")


def _training_config(model: Any) -> str | None:
    if model._compiled is None:
        return None
    from reference_impl.training.config import training_config

    return jsonable.dumps(training_config(model), f"the compile information of {model.name!r}")


def _warn_of_lost_losses(model: Any) -> None:
    from reference_impl.training.config import external_callables

    lost = external_callables(model)
    if lost:
        warnings.warn(
            f"HDF5 holds no functions; not saved: {', '.join(lost)}; add them again after loading, before training on",
            stacklevel=2,
        )


# -- reading -----------------------------------------------------------------------------------------------


def read_model(file: Any, place: str, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model in ``file``. Raises ``LoadError``; names the custom object that is missing.

    With ``compile`` it is compiled as it was and its optimizer goes on where it stopped; a model that was not
    compiled gives a warning.
    """
    from reference_impl.serialization import deserialize_model

    config = _read_json(file, "model_config", place)
    if config is None:
        what = "a file of weights" if weights_module.has_weights(file) else "an HDF5 file without a model"
        raise LoadError(
            f"{place}: found {what} (no attribute model_config), expected a whole model; build the model and use "
            "load_weights"
        )
    model = _naming(place, "model_config", lambda: deserialize_model(later.model_config(config), custom_objects))
    if MODEL_WEIGHTS not in file:
        raise LoadError(f"{place}: found no group {MODEL_WEIGHTS}, expected the model's weights; the file is damaged")
    weights_module.load_weights(file[MODEL_WEIGHTS], model, f"{place}: {MODEL_WEIGHTS}")
    if not compile:
        return model
    training = _read_json(file, "training_config", place)
    if training is None:
        warnings.warn(NOT_COMPILED, stacklevel=4)
        return model
    from reference_impl.serialization.registry import get_registered_object
    from reference_impl.training.config import compile_from_config

    is_custom = get_registered_object(later.optimizer_name(training), custom_objects) is not None
    known = later.training_config(training, is_custom)
    _naming(place, "training_config", lambda: compile_from_config(model, known, custom_objects))
    if OPTIMIZER_WEIGHTS in file:
        restore_optimizer(file, model, place)
    return model


def _read_json(file: Any, name: str, place: str) -> dict[str, Any] | None:
    text = read_text(file.attrs, name, place)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{place}: attribute {name}: found text that is not JSON ({error}), expected JSON") from error
    if not isinstance(value, dict):
        raise LoadError(f"{place}: attribute {name}: found a {type(value).__name__}, expected a JSON object")
    return cast("dict[str, Any]", value)


def _naming(place: str, name: str, action: Any) -> Any:
    """Do ``action``; its errors become ``LoadError`` and say where the config was."""
    try:
        return action()
    except LoadError as error:
        raise type(error)(f"{error} ({place}: attribute {name})") from error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise LoadError(
            f"{place}: attribute {name}: found a config that its classes refuse: {type(error).__name__}: {error}"
        ) from error


# -- the optimizer's variables -----------------------------------------------------------------------------


def restore_optimizer(file: Any, model: Any, place: str) -> None:
    """Give the optimizer of ``model`` its stored variables, all or (``LoadError``) none.

    A file may hold slots for fewer variables than the model now trains, for flags inside custom layers are
    not in the configuration; then the others begin anew, with a warning.
    """
    stored = weights_module.read_layer(file, OPTIMIZER_WEIGHTS, place)
    model.optimizer.create_slots(model.trainable_weights)
    for variable, value in _pair(stored, model.optimizer.weights, model.optimizer):
        variable.assign(value)


def _pair(stored: StoredLayer, variables: Sequence[Any], optimizer: Any) -> Plan:
    present = [Weight(variable.name, tuple(variable.shape)) for variable in variables]
    old = [_old_name(weight, optimizer) for weight in stored.weights]
    kept = [index for index, weight in enumerate(old) if weight is not None]
    translated = [weight for weight in old if weight is not None]
    order = match(translated, present) if len(translated) == len(present) else None
    if order is None:
        order = _by_name(stored.place, translated, present)
    plan: Plan = []
    for variable, wanted, index in zip(variables, present, order, strict=True):
        if index is None:
            continue
        found = stored.weights[kept[index]]
        if found.shape != wanted.shape:
            raise LoadError(
                f"{stored.place}/{found.name}: found shape {found.shape}, expected {wanted.shape} of {wanted.name}"
            )
        plan.append((variable, weights_module.read_value(stored, found, variable.dtype)))
    return plan


def _by_name(place: str, stored: Sequence[Weight], present: Sequence[Weight]) -> list[int | None]:
    indices = {weight.name: index for index, weight in enumerate(stored)}
    unknown = [name for name in indices if all(name != weight.name for weight in present)]
    if unknown or len(indices) < len(stored):
        raise LoadError(
            f"{place}: found {[weight.name for weight in stored]}, expected the optimizer's "
            f"{[weight.name for weight in present]}; load with compile=False and compile it anew"
        )
    order = [indices.get(weight.name) for weight in present]
    fresh = [weight.name for weight, index in zip(present, order, strict=True) if index is None]
    warnings.warn(f"{place}: holds nothing for {', '.join(fresh)}, which begin anew", stacklevel=2)
    return order


def _old_name(weight: Weight, optimizer: Any) -> Weight | None:
    """``weight`` called as optimizers before 2.11 called it; None for what they had no variable for."""
    name = weight.name
    if name == "iteration:0":
        return Weight(f"{optimizer._name}/iter:0", weight.shape)
    if name.endswith("learning_rate:0"):
        return None
    parts = name.removesuffix(":0").split("/")
    if len(parts) > 2 and parts[1] in _NEW_SLOTS and parts[-1] not in _NEW_SLOTS.values():
        slot = "momentum" if parts[0] == "SGD" else _NEW_SLOTS[parts[1]]
        return Weight(f"{'/'.join([optimizer._name, *parts[2:], slot])}:0", weight.shape)
    return weight
