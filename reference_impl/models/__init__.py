"""Models, and the functions that make, load and save them."""

from __future__ import annotations

import os
from typing import Any

from reference_impl.models.cloning import clone_model
from reference_impl.models.functional import Functional
from reference_impl.models.model import Model
from reference_impl.models.sequential import Sequential
from reference_impl.serialization.registry import Objects

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "save_model",
]


def save_model(
    model: Model,
    filepath: str | os.PathLike[str] | Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Save architecture, weights, compile information and optimizer state to ``filepath``.

    ``save_format`` is ``"h5"`` or ``"tf"``; without it the suffix decides (``.h5``, ``.hdf5``, ``.keras`` are HDF5).
    """
    model.save(filepath, overwrite, include_optimizer, save_format, **kwargs)


def load_model(
    filepath: str | os.PathLike[str] | Any, custom_objects: Objects | None = None, compile: bool = True, **kwargs: Any
) -> Any:
    """The model saved at ``filepath``, with its optimizer's state; ``LoadError`` if it cannot be loaded."""
    from reference_impl import loading

    return loading.load_model(filepath, custom_objects=custom_objects, compile=compile, **kwargs)


def model_from_json(json_string: str, custom_objects: Objects | None = None) -> Any:
    """A model with fresh weights from what ``to_json`` gave. ``LoadError`` if the text is no model."""
    from reference_impl.serialization.models import model_from_json as from_json

    return from_json(json_string, custom_objects)


def model_from_config(config: Any, custom_objects: Objects | None = None) -> Any:
    """A model with fresh weights from ``{"class_name", "config"}``."""
    from reference_impl.serialization.models import deserialize_model

    return deserialize_model(config, custom_objects)
