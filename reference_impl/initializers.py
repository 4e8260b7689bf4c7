"""Initial values of weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reference_impl import functions
from reference_impl.dtypes import numpy_dtype
from reference_impl.ops.randomness import generator
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects
from reference_impl.tensors import Tensor, convert


class Initializer:
    """Called with a shape and a dtype it gives a tensor; its config is its constructor's arguments."""

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        # TensorFlow 1 wrote these too; it called initializers with the dtype of the weight all the same.
        return cls(**{key: value for key, value in config.items() if key not in ("dtype", "verify_shape")})


class Zeros(Initializer):
    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        return functions.zeros(shape, dtype)


class Ones(Initializer):
    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        return functions.ones(shape, dtype)


class Constant(Initializer):
    """Every element ``value``, or the elements of ``value`` when it is a list or an array."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        values = np.asarray(self.value, numpy_dtype(dtype))
        return convert(values.reshape(tuple(shape)) if values.ndim else np.full(tuple(shape), values))

    def get_config(self) -> dict[str, Any]:
        return {"value": copy.copy(self.value)}


class RandomNormal(Initializer):
    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        return functions.random_normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        return functions.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


class RandomUniform(Initializer):
    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        return functions.random_uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal", "normal")


class VarianceScaling(Initializer):
    """Random with variance ``scale / n``; n is the number of inputs, outputs, or their mean (``mode``)."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float, found {scale}")
        for name, value, known in (("mode", mode, _MODES), ("distribution", distribution, _DISTRIBUTIONS)):
            if value not in known:
                raise ValueError(f"Invalid `{name}` argument: {value}; expected one of {', '.join(known)}")
        self.scale, self.mode, self.seed = scale, mode, seed
        # "normal" is what Keras before 2.2 called it.
        self.distribution = "truncated_normal" if distribution == "normal" else distribution

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        fan_in, fan_out = _fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return functions.random_uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return functions.random_normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        # Truncating at two standard deviations shrinks the deviation by this factor.
        return functions.truncated_normal(shape, 0.0, math.sqrt(variance) / 0.87962566103423978, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


def _fans(shape: Sequence[int]) -> tuple[float, float]:
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


class _Scaled(VarianceScaling):
    """A VarianceScaling with its arguments fixed but for the seed."""

    arguments: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.arguments, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Scaled):
    arguments = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    arguments = (1.0, "fan_avg", "truncated_normal")


class HeNormal(_Scaled):
    arguments = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    arguments = (2.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    arguments = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    arguments = (1.0, "fan_in", "uniform")


class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer, of the matrix (product of all axes but the last, last axis)."""

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        if len(shape) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = generator(self.seed).standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))
        q = q.T if rows < columns else q
        return convert((self.gain * q).reshape(tuple(shape)).astype(numpy_dtype(dtype)))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


class Identity(Initializer):
    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: str = "float32", **kwargs: Any) -> Tensor:
        if len(shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        return convert((self.gain * np.eye(shape[0], shape[1])).astype(numpy_dtype(dtype)))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


_CLASSES: tuple[type[Initializer], ...] = (
    Zeros, Ones, Constant, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
    GlorotNormal, HeNormal, HeUniform, LecunNormal, LecunUniform, Orthogonal, Identity,
)  # fmt: skip


def _aliases() -> dict[str, type[Initializer]]:
    from reference_impl.naming import snake_case

    return {snake_case(cls.__name__): cls for cls in _CLASSES} | {
        "uniform": RandomUniform,
        "normal": RandomNormal,
        "one": Ones,
        "zero": Zeros,
        # Later names.
        "identity_initializer": Identity,
        "IdentityInitializer": Identity,
        "orthogonal_initializer": Orthogonal,
        "OrthogonalInitializer": Orthogonal,
    }


ALIASES = _aliases()
# TensorFlow 1.13 to 2.3 wrote class names with the version of the interface.
_VERSIONED = {f"{cls.__name__}{version}": cls for cls in _CLASSES for version in ("V1", "V2")}
BUILTIN: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES} | ALIASES | _VERSIONED
KIND = generic.Kind("initializer", lambda: BUILTIN)
globals().update(ALIASES)


def serialize(initializer: Any) -> Any:
    return generic.serialize(initializer)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown initializer: …") if it is known nowhere."""
    return generic.deserialize(KIND, config, custom_objects)


def get(identifier: Any) -> Callable[..., Any] | None:
    """The initializer for a name, a config form, a class, a function (itself) or None."""
    if identifier is None:
        return None
    if isinstance(identifier, type):
        return identifier()
    return identifier if callable(identifier) else deserialize(identifier)
