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

What was written by another generation is told in the terms of 2.4 as it comes in: configurations by
:mod:`reference_impl.serialization.legacy` and :mod:`reference_impl.serialization.later`.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any, cast

from reference_impl import dialects
from reference_impl.errors import LoadError
from reference_impl.formats import optimizers
from reference_impl.formats.hdf5 import optimizer as optimizer_module
from reference_impl.formats.hdf5 import weights as weights_module
from reference_impl.formats.hdf5.attributes import read_text, write_text
from reference_impl.formats.hdf5.stored import has_weights, subgroup
from reference_impl.serialization import generic, jsonable, keras_3, later, legacy

MODEL_WEIGHTS = "model_weights"

NOT_COMPILED = "No training configuration found in the save file, so the model was *not* compiled. Compile it manually."


# -- writing -----------------------------------------------------------------------------------------------


def write_model(open_file: Any, model: Any, include_optimizer: bool = True) -> None:
    """Write ``model`` into the file that ``open_file()`` gives, which is called when all that can fail
    early is done.

    ``model`` is Sequential or Functional; one that is not built is stored without weights. Without ``include_optimizer`` the optimizer's variables
    are left out; loss, metrics and the optimizer's configuration stay.
    """
    texts = {
        "keras_version": dialects.keras_version(),
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
            optimizer_module.write(file, model)


def _model_config(model: Any) -> str:
    from reference_impl.serialization import serialize_model

    told = generic.without_modules(serialize_model(model))
    return jsonable.dumps(told, f"the config of {model.name!r}")


def _training_config(model: Any) -> str | None:
    if model._compiled is None:
        return None
    from reference_impl.training.config import training_config

    form = training_config(model)
    form["optimizer_config"] = optimizers.told(form["optimizer_config"], model.optimizer)
    told = keras_3.form_of(form) if dialects.current() == "keras-3" else generic.without_modules(form)
    return jsonable.dumps(told, f"the compile information of {model.name!r}")


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
        what = "a file of weights" if has_weights(file) else "an HDF5 file without a model"
        raise LoadError(
            f"{place}: found {what} (no attribute model_config), expected a whole model; build the model and use "
            "load_weights"
        )
    group = subgroup(file, MODEL_WEIGHTS, place, "the model's weights; the file is damaged")

    with dialects.reading(read_text(file.attrs, "keras_version", place)):
        model = _naming(place, "model_config", lambda: deserialize_model(config, custom_objects))
    weights_module.load_weights(group, model, f"{place}: {MODEL_WEIGHTS}", own=True)
    if not compile:
        return model
    training = _read_json(file, "training_config", place)
    if training is None:
        warnings.warn(NOT_COMPILED, stacklevel=4)
        return model
    from reference_impl.serialization.registry import get_registered_object
    from reference_impl.training.config import compile_from_config

    def compile_model() -> None:
        is_custom = get_registered_object(later.optimizer_name(training), custom_objects) is not None
        known = later.training_config(legacy.training_config(training), is_custom)
        compile_from_config(model, known, custom_objects)

    _naming(place, "training_config", compile_model)
    if optimizer_module.OPTIMIZER_WEIGHTS in file:
        optimizer_module.restore(file, model, place)
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
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError, MemoryError) as error:
        raise LoadError(
            f"{place}: attribute {name}: found a config that its classes refuse: {type(error).__name__}: {error}"
        ) from error
