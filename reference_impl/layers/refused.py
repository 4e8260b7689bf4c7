"""Layers that are known and refused, each with its reason; a config that has one is a ``LoadError`` that names it."""

from __future__ import annotations

from typing import Any

from reference_impl.errors import LoadError
from reference_impl.layers.base import Layer

_REASONS = {
    "DenseFeatures": "its feature columns are objects of TensorFlow's, not layers; convert them to preprocessing layers",
    "SequenceFeatures": "its feature columns are objects of TensorFlow's, not layers",
    "ClassMethod": "it makes ragged tensors, which this library does not have",
    "InstanceMethod": "it takes ragged or sparse tensors apart, which this library does not have",
    "InstanceProperty": "it takes ragged or sparse tensors apart, which this library does not have",
}  # fmt: skip


def _refusing(name: str, reason: str) -> type[Layer]:
    message = f"a layer of class {name} cannot be made: {reason}"

    def init(self: Layer, *args: Any, **kwargs: Any) -> None:
        raise ValueError(f"{message}; found {kwargs.get('name', name)!r}")

    def from_config(cls: type[Layer], config: dict[str, Any]) -> Any:
        raise LoadError(f"{message}; found {config.get('name', name)!r}")

    return type(name, (Layer,), {"__init__": init, "from_config": classmethod(from_config), "__doc__": message})


REFUSED: dict[str, type[Layer]] = {name: _refusing(name, reason) for name, reason in _REASONS.items()}
