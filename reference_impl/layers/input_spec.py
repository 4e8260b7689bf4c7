"""What a layer expects of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from reference_impl.shapes import TensorShape


@dataclass(frozen=True)
class InputSpec:
    """Rank (exact, least, greatest) and sizes of single axes."""

    ndim: int | None = None
    min_ndim: int | None = None
    max_ndim: int | None = None
    axes: Mapping[int, int | None] = field(default_factory=dict[int, int | None])

    def check(self, shape: TensorShape, index: int, layer_name: str) -> None:
        """``ValueError`` naming the layer and the first thing that does not fit."""
        start = f"Input {index} of layer {layer_name} is incompatible with the layer: "
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            raise ValueError(f"{start}: expected ndim={self.ndim}, found ndim={rank}. {_received(shape)}")
        if self.max_ndim is not None and rank > self.max_ndim:
            raise ValueError(f"{start}: expected max_ndim={self.max_ndim}, found ndim={rank}. {_received(shape)}")
        if self.min_ndim is not None and rank < self.min_ndim:
            raise ValueError(f"{start}: expected min_ndim={self.min_ndim}, found ndim={rank}. {_received(shape)}")
        for axis, size in self.axes.items():
            found = shape[axis]
            if size is not None and found not in (size, None):
                raise ValueError(
                    f"{start}expected axis {axis} of input shape to have value {size} but received input with shape "
                    f"{tuple(shape)}"
                )


def _received(shape: TensorShape) -> str:
    return f"Full shape received: {tuple(shape)}"


def check_all(specs: Any, shapes: list[TensorShape], layer_name: str) -> None:
    """Check each input against its spec; one spec serves all inputs of a layer that has one."""
    listed = list(cast("list[Any]", specs)) if isinstance(specs, list | tuple) else [specs]
    if len(listed) > 1 and len(listed) != len(shapes):
        raise ValueError(f"Layer {layer_name} expects {len(listed)} input(s), but it received {len(shapes)}")
    for index, shape in enumerate(shapes):
        spec = listed[index] if len(listed) > 1 else listed[0]
        if spec is not None:
            spec.check(shape, index, layer_name)
