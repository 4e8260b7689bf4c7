"""Normalisation of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl import functions
from reference_impl.dtypes import as_dtype
from reference_impl.layers.affine import Affine, kept, moments, normalize, widened
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec


class LayerNormalization(Affine):
    """Normalises each sample along ``axis`` (one, or a list)."""

    def __init__(self, *args: Any, rms_scaling: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if rms_scaling:
            raise ValueError(f"LayerNormalization {self.name!r}: rms_scaling is not supported")

    def build(self, input_shape: Any) -> None:
        axes = self.settle_axes(input_shape)
        self.add_affine([input_shape[axis] for axis in axes])
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = widened(inputs)
        mean, variance = moments(x, self.axis)
        broadcast = kept(x.shape, self.axis)
        scale, offset = (
            None if weight is None else functions.reshape(weight, broadcast) for weight in (self.gamma, self.beta)
        )
        if not self._normalizes_first(len(inputs.shape)):
            return functions.cast_to(normalize(x, mean, variance, offset, scale, self.epsilon), inputs.dtype)
        y = functions.cast_to(normalize(x, mean, variance, None, None, self.epsilon), inputs.dtype)
        y = y if scale is None else y * functions.cast_to(scale, y.dtype)
        return y if offset is None else y + functions.cast_to(offset, y.dtype)

    def _normalizes_first(self, rank: int) -> bool:
        """Whether TensorFlow uses its fused kernel, and rounds to the inputs' dtype before gamma and beta."""
        last = sorted(self.axis) == list(range(rank - len(self.axis), rank))
        return last and self.epsilon >= 1.001e-5 and as_dtype(self.dtype) == "float32"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.axis_config(), **self.affine_config(), **self.penalty_config()}


class GroupNormalization(Affine):
    """Normalises groups of channels of each sample. (Later than TensorFlow 2.4.)

    ``groups``: how many, dividing the size of ``axis``; -1: one a channel.
    """

    supports_masking = True

    def __init__(self, groups: int = 32, axis: int = -1, *args: Any, **kwargs: Any) -> None:
        super().__init__(axis, *args, **kwargs)
        self.groups = groups

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self.axis]
        if channels is None or (self.groups != -1 and channels % self.groups):
            raise ValueError(
                f"GroupNormalization {self.name!r}: found {channels} channels, expected a multiple of {self.groups}"
            )
        if self.groups == -1:
            self.groups = channels
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.add_affine([channels])
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = widened(inputs)
        rank, axis = len(x.shape), self.axis % len(x.shape)
        sizes = functions.shape(x)
        grouped = [sizes[place] for place in range(rank)]
        per_group = x.shape[axis] // self.groups
        grouped[axis : axis + 1] = [np.int32(self.groups), np.int32(per_group)]
        parts = functions.reshape(x, functions.stack(grouped))
        mean, variance = moments(parts, [place for place in range(1, rank + 1) if place != axis])
        broadcast = [1] * (rank + 1)
        broadcast[axis : axis + 2] = [self.groups, per_group]
        scale, offset = (
            None if weight is None else functions.reshape(weight, broadcast) for weight in (self.gamma, self.beta)
        )
        y = normalize(parts, mean, variance, offset, scale, self.epsilon)
        return functions.cast_to(functions.reshape(y, sizes), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            **self.axis_config(),
            **self.affine_config(),
            **self.penalty_config(),
        }


class UnitNormalization(Layer):
    """Each sample divided by its length along ``axis``. (Later than TensorFlow 2.4.)"""

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis: Any = axis if isinstance(axis, int) else list(axis)

    def build(self, input_shape: Any) -> None:
        axes: list[int] = [self.axis] if isinstance(self.axis, int) else self.axis
        self.axis = [axis % len(input_shape) for axis in axes]
        self.built = True

    def call(self, inputs: Any) -> Any:
        return functions.l2_normalize(inputs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis if isinstance(self.axis, int) else list(self.axis)}
