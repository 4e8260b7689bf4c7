"""Whole models as configs and as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from reference_impl import dialects
from reference_impl.errors import LoadError
from reference_impl.layers import KIND
from reference_impl.models import Model
from reference_impl.serialization import generic, jsonable, keras_3, later, legacy
from reference_impl.serialization.registry import Objects, get_custom_objects


def serialize_model(model: Model) -> dict[str, Any]:
    """``{"class_name", "config"}`` of a model; ``NotImplementedError`` if it, or a layer of it, has no config."""
    form = generic.serialize(model)
    return keras_3.form_of(form) if dialects.current() == "keras-3" else form


def deserialize_model(form: Any, custom_objects: Objects | None = None) -> Model:
    """The model of ``{"class_name", "config"}`` of any generation, with fresh weights; other keys are ignored.

    ``LoadError`` if a class is unknown ("Unknown layer: NAME"), a config does not fit, or the form is no model's.
    """
    if not isinstance(form, Mapping):
        raise LoadError(f"a model's config is a dict with 'class_name' and 'config', found {form!r:.80}")
    custom = {*get_custom_objects(), *(custom_objects or ())}
    try:
        restored = jsonable.restore_values(cast("Mapping[str, Any]", form))
        told = later.model_config(legacy.model_config(restored, custom))
    except LoadError:
        raise
    except generic.REFUSALS as error:
        raise LoadError(
            f"a model's config is not laid out as any generation of Keras does: {type(error).__name__}: {error}"
        ) from error
    found = generic.deserialize(KIND, told, custom_objects)
    if not isinstance(found, Model):
        name = cast("Mapping[str, Any]", form).get("class_name")
        raise LoadError(f"{name!r} is a layer, not a model; use `layers.deserialize`")
    return found


def model_from_json(text: str, custom_objects: Objects | None = None) -> Model:
    """The model of a JSON text as ``to_json`` writes it, here or in any generation of Keras."""
    try:
        form = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise LoadError(f"not JSON: {error}; expected the text that `to_json` gave") from error
    return deserialize_model(form, custom_objects)
