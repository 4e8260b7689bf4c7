"""What operations answer, as frozen values. Their members are those of operations.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Handle(str):
    """The name of an object that stays in the adapter, as "model:1". Valid until the next reset."""

    __slots__ = ()


@dataclass(frozen=True)
class Message:
    """Something the library said during an operation; `channel` is warning, log or stdout."""

    channel: str
    text: str


@dataclass(frozen=True)
class Hello:
    """Who the adapter says it is. `capabilities` are claims; `layers` is family -> class names."""

    protocol: str
    name: str
    version: str
    libraries: Mapping[str, str]
    python: str | None
    capabilities: tuple[str, ...]
    layers: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """The answer to `hello`, as the protocol's JSON."""
        return {
            "protocol": self.protocol,
            "name": self.name,
            "version": self.version,
            "libraries": dict(self.libraries),
            "python": self.python,
            "capabilities": list(self.capabilities),
            "layers": {family: list(names) for family, names in self.layers.items()},
        }


@dataclass(frozen=True)
class LayerInfo:
    """One layer of a described object; `weights` is how many it has."""

    name: str
    class_name: str
    trainable: bool | None
    weights: int


@dataclass(frozen=True)
class TensorInfo:
    """An input or output; `shape` includes the batch dimension, None is unknown."""

    name: str | None
    shape: tuple[int | None, ...] | None
    dtype: str | None


@dataclass(frozen=True)
class Description:
    """What an object is. `has` is method name -> whether it has it; `marker` the class attribute of that name."""

    class_name: str
    module: str
    mro: tuple[str, ...] = field()  # without it, dataclass takes type.mro for its default
    kind: str
    name: str | None
    built: bool | None
    compiled: bool | None
    trainable: bool | None
    has: Mapping[str, bool]
    layers: tuple[LayerInfo, ...]
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    marker: str | None


@dataclass(frozen=True, eq=False)
class WeightInfo:
    """A weight under the name its library gives it. `trainable` is None where the library does not say."""

    name: str
    trainable: bool | None
    value: NDArray[Any]


@dataclass(frozen=True, eq=False)
class VariableInfo:
    """A variable of an optimizer."""

    name: str
    value: NDArray[Any]


@dataclass(frozen=True, eq=False)
class OptimizerInfo:
    """A model's optimizer; without one `present` is False and the rest None or empty."""

    present: bool
    class_name: str | None
    iterations: int | None
    config: Any
    variables: tuple[VariableInfo, ...]

    def values(self) -> list[NDArray[Any]]:
        """The variables' values, in their order."""
        return [np.asarray(variable.value) for variable in self.variables]


@dataclass(frozen=True, eq=False)
class Config:
    """A config's value, and `object`, a handle of the live dict that get_config returned."""

    config: Any
    object: Handle


@dataclass(frozen=True, eq=False)
class FromConfig:
    """What from_config made, and the config it was given as it is afterwards."""

    object: Handle
    config_after: Any


@dataclass(frozen=True)
class CheckpointListing:
    """The keys of a checkpoint: their dtypes' names and their shapes."""

    dtypes: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
