"""From objects to configs and back: the registry of names, the config forms, and JSON."""

from __future__ import annotations

from typing import Any

from reference_impl.serialization.registry import Objects


def serialize_model(model: Any) -> dict[str, Any]:
    """See :func:`reference_impl.serialization.models.serialize_model`."""
    from reference_impl.serialization import models

    return models.serialize_model(model)


def deserialize_model(form: Any, custom_objects: Objects | None = None) -> Any:
    """See :func:`reference_impl.serialization.models.deserialize_model`."""
    from reference_impl.serialization import models

    return models.deserialize_model(form, custom_objects)
