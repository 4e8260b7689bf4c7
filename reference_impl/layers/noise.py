"""Layers that disturb their inputs in training and pass them on otherwise."""

from __future__ import annotations

import math
from typing import Any

from reference_impl import functions
from reference_impl.layers.base import Layer
from reference_impl.layers.core import Dropout
from reference_impl.layers.input_spec import InputSpec
from reference_impl.ops.elementwise import SELU_ALPHA, SELU_SCALE


class _Noise(Layer):
    """``disturb`` in training. ``seed`` (an argument later than TensorFlow 2.4) selects a stream of random numbers."""

    supports_masking = True

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self.disturb(inputs) if training else functions.identity(inputs)

    def disturb(self, x: Any) -> Any:
        raise NotImplementedError

    def normal(self, x: Any, mean: float, stddev: float) -> Any:
        return functions.random_normal(functions.shape(x), mean, stddev, dtype=x.dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **({} if self.seed is None else {"seed": self.seed})}


class GaussianNoise(_Noise):
    """In training, normal noise of deviation ``stddev`` is added."""

    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev

    def disturb(self, x: Any) -> Any:
        return x + self.normal(x, 0.0, self.stddev)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(_Noise):
    """In training, times normal noise of mean 1 and variance rate / (1 - rate)."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def disturb(self, x: Any) -> Any:
        if not 0 < self.rate < 1:
            return functions.identity(x)
        return x * self.normal(x, 1.0, math.sqrt(self.rate / (1.0 - self.rate)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(_Noise):
    """In training, elements become selu's lower bound with probability ``rate``; mean and variance stay.

    ``noise_shape``: the shape of the draw, broadcast against the inputs. TensorFlow 2.4 leaves it and ``seed`` out of
    the config.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape

    def disturb(self, x: Any) -> Any:
        if not 0 < self.rate < 1:
            return functions.identity(x)
        shape = functions.shape(x) if self.noise_shape is None else self.noise_shape
        kept = functions.cast_to(
            functions.greater_equal(functions.random_uniform(shape, seed=self.seed), self.rate), x.dtype
        )
        bound = -SELU_ALPHA * SELU_SCALE
        factor = ((1 - self.rate) * (1 + self.rate * bound**2)) ** -0.5
        return (x * kept + bound * (1 - kept)) * factor - factor * bound * self.rate

    def get_config(self) -> dict[str, Any]:
        return {**Layer.get_config(self), "rate": self.rate}


class _SpatialDropout(Dropout):
    """Whole feature maps dropped: the draw has the shape (batch, 1, …, channels)."""

    rank: int

    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = data_format or "channels_last"
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f"{self.name}: found data_format {self.data_format!r}, expected channels_last or channels_first"
            )
        self.input_spec = InputSpec(ndim=self.rank)

    def get_config(self) -> dict[str, Any]:
        # TensorFlow forgets it in configs, and takes it from them.
        extra = {"data_format": self.data_format} if self.data_format != "channels_last" else {}
        return {**super().get_config(), **extra}

    def draw_shape(self, inputs: Any) -> Any:
        sizes = functions.shape(inputs)
        if self.data_format == "channels_first":
            return functions.stack([sizes[0], sizes[1], *[1] * (self.rank - 2)])
        return functions.stack([sizes[0], *[1] * (self.rank - 2), sizes[self.rank - 1]])


class SpatialDropout1D(_SpatialDropout):
    """Drops whole sequences of one feature. Inputs (batch, steps, channels)."""

    rank = 3

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Drops whole feature maps. Inputs (batch, rows, columns, channels), or channels first."""

    rank = 4


class SpatialDropout3D(_SpatialDropout):
    """Drops whole feature maps. Inputs (batch, three sizes, channels), or channels first."""

    rank = 5
