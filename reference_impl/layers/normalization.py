"""Normalisation over the batch, or over each sample.

All of these compute in float32 when their inputs have 16 bits, and their weights are float32 then: a variance does not
fit into a half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from reference_impl import constraints, functions, initializers, regularizers
from reference_impl.dtypes import as_dtype
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.tensors import Tensor
from reference_impl.variables import Variable

_HALVES = ("float16", "bfloat16")


class _Affine(Layer):
    """gamma and beta, which scale and move what is normalised."""

    supports_masking = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def settle_axes(self, input_shape: Sequence[int | None]) -> list[int]:
        """``axis`` as the list of its positive forms, which from now on is what the config has, as in TensorFlow.

        ``ValueError`` for an axis that the inputs do not have, one named twice, or one of unknown size.
        """
        rank = len(input_shape)
        given: list[int] = [self.axis] if isinstance(self.axis, int) else self.axis
        axes = [axis + rank if axis < 0 else axis for axis in given]
        if any(not 0 <= axis < rank for axis in axes) or len(set(axes)) != len(axes):
            raise ValueError(f"{self.name}: found axis {given}, expected distinct axes of inputs of rank {rank}")
        if any(input_shape[axis] is None for axis in axes):
            raise ValueError(
                f"{self.name}: the sizes of the axes {axes} must be defined, found the input shape {tuple(input_shape)}"
            )
        self.axis = axes
        return axes

    def add_affine(self, sizes: Sequence[int]) -> None:
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if self.scale:
            self.gamma = self.add_parameter("gamma", sizes, self.gamma_initializer, True)
        if self.center:
            self.beta = self.add_parameter("beta", sizes, self.beta_initializer, True)

    def add_parameter(self, name: str, sizes: Sequence[int], initializer: Any, trainable: bool = False) -> Variable:
        return self.add_weight(
            name,
            shape=sizes,
            dtype="float32" if self.dtype in _HALVES else self.dtype,
            initializer=initializer,
            regularizer=getattr(self, f"{name}_regularizer", None),
            constraint=getattr(self, f"{name}_constraint", None),
            trainable=trainable,
            autocast=False,
        )

    def affine_config(self) -> dict[str, Any]:
        return {
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
        }

    def penalty_config(self) -> dict[str, Any]:
        return {
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }

    def axis_config(self) -> dict[str, Any]:
        return {"axis": self.axis if isinstance(self.axis, int) else list(self.axis)}


def _widened(inputs: Tensor) -> Tensor:
    return functions.cast_to(inputs, "float32") if inputs.dtype in _HALVES else inputs


def moments(x: Any, axes: Sequence[int], keepdims: bool = True) -> tuple[Tensor, Tensor]:
    """Mean and (biased) variance along ``axes``."""
    mean = functions.reduce_mean(x, axes, keepdims=True)
    variance = functions.reduce_mean(
        functions.squared_difference(x, functions.stop_gradient(mean)), axes, keepdims=keepdims
    )
    return (mean if keepdims else functions.squeeze(mean, list(axes))), variance


def normalize(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: float) -> Any:
    """(x - mean) / √(variance + ε) · scale + offset, in TensorFlow's order of operations."""
    factor = functions.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    return x * factor + (-mean * factor if offset is None else offset - mean * factor)


class BatchNormalization(_Affine):
    """Normalises along ``axis`` (one, or several) with the batch's mean and variance in training, else the moving ones.

    In training the moving ones go ``1 - momentum`` of the way to the batch's. A frozen layer (``trainable`` False)
    normalises as in inference. ``renorm``: batch renormalisation, with ``renorm_clipping`` (``rmax``, ``rmin``,
    ``dmax``) and ``renorm_momentum``. Weights have the size of the axis, or, for several axes, the rank of the inputs
    with 1 elsewhere. ``ValueError`` for ``virtual_batch_size`` and ``adjustment``.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        for argument, value in (("virtual_batch_size", virtual_batch_size), ("adjustment", adjustment)):
            if value is not None:
                raise ValueError(f"BatchNormalization {self.name!r}: {argument} is not supported, found {value!r}")
        self.momentum = momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = renorm
        self.fused = fused
        if renorm:
            self.renorm_clipping = dict(renorm_clipping or {})
            unknown = set(self.renorm_clipping) - {"rmax", "rmin", "dmax"}
            if unknown:
                raise ValueError(
                    f"renorm_clipping of {self.name!r}: found {sorted(unknown)}, expected rmax, rmin, dmax"
                )
            self.renorm_momentum = renorm_momentum

    def build(self, input_shape: Any) -> None:
        axes = self.settle_axes(input_shape)
        rank = len(input_shape)
        self.input_spec = InputSpec(ndim=rank, axes={axis: input_shape[axis] for axis in axes})
        sizes = [input_shape[axes[0]]] if len(axes) == 1 else _kept(input_shape, axes)
        self.add_affine(sizes)
        self.moving_mean = self.add_parameter("moving_mean", sizes, self.moving_mean_initializer)
        self.moving_variance = self.add_parameter("moving_variance", sizes, self.moving_variance_initializer)
        if self.renorm:
            self.moving_stddev = self.add_parameter("moving_stddev", sizes, self._initial_stddev)
            self.renorm_mean = self.add_parameter("renorm_mean", sizes, self.moving_mean_initializer)
            self.renorm_stddev = self.add_parameter("renorm_stddev", sizes, self._initial_stddev)
        self.built = True

    def _initial_stddev(self, shape: Any, dtype: Any = None) -> Any:
        return functions.sqrt(cast("Any", self.moving_variance_initializer)(shape, dtype=dtype))

    def call(self, inputs: Any, training: Any = None) -> Any:
        x = _widened(inputs)
        broadcast = _kept(x.shape, self.axis)
        scale, offset = (
            None if weight is None else functions.reshape(weight, broadcast) for weight in (self.gamma, self.beta)
        )
        if not training or not self.trainable:
            mean, variance = (functions.reshape(v, broadcast) for v in (self.moving_mean, self.moving_variance))
        else:
            mean, variance = self.batch_moments(x, [axis for axis in range(len(x.shape)) if axis not in self.axis])
            if self.renorm:
                scale, offset = self._renormalize(mean, variance, scale, offset)
            else:
                _move(self.moving_mean, mean, self.momentum)
                _move(self.moving_variance, variance * self._correction(x), self.momentum)
        return functions.cast_to(normalize(x, mean, variance, offset, scale, self.epsilon), inputs.dtype)

    def batch_moments(self, x: Any, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
        return moments(x, axes)

    def _correction(self, x: Tensor) -> Any:
        """TensorFlow's fused kernel, used for rank 4, moves towards the unbiased variance n / (n - 1)."""
        fused = len(x.shape) == 4 and self.axis in ([1], [3]) and x.dtype == "float32" and self.fused is not False
        count = x.shape.num_elements()
        if not fused or count is None:
            return 1.0
        n = count // x.shape[self.axis[0]]
        return n / max(n - 1, 1)

    def _renormalize(self, mean: Any, variance: Any, scale: Any, offset: Any) -> tuple[Any, Any]:
        """Move the statistics; scale and offset with the correction r, d towards the moving ones in them."""
        broadcast = _kept(mean.shape, self.axis)
        stddev = functions.sqrt(variance + self.epsilon)
        known = functions.maximum(functions.reshape(self.renorm_stddev, broadcast), np.sqrt(np.float32(self.epsilon)))
        clip = self.renorm_clipping
        r = stddev / known
        d = (mean - functions.reshape(self.renorm_mean, broadcast)) / known
        r = r if clip.get("rmin") is None else functions.maximum(r, clip["rmin"])
        r = r if clip.get("rmax") is None else functions.minimum(r, clip["rmax"])
        d = d if clip.get("dmax") is None else functions.clip_by_value(d, -clip["dmax"], clip["dmax"])
        r, d = functions.stop_gradient(r), functions.stop_gradient(d)
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, stddev, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, stddev, self.momentum)
        moved = self.moving_stddev.as_tensor()
        self.moving_variance.assign(functions.relu(moved * moved - self.epsilon))
        if scale is not None:
            r, d = r * scale, d * scale
        return r, (d if offset is None else d + offset)

    def get_config(self) -> dict[str, Any]:
        renorm = {"renorm": True, "renorm_clipping": dict(self.renorm_clipping)} if self.renorm else {}
        return {
            **super().get_config(),
            **self.axis_config(),
            "momentum": self.momentum,
            **self.affine_config(),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            **self.penalty_config(),
            **renorm,
            **({"renorm_momentum": self.renorm_momentum} if self.renorm else {}),
        }


class SyncBatchNormalization(BatchNormalization):
    """BatchNormalization whose statistics are those of all replicas; here there is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "fused": False})

    def batch_moments(self, x: Any, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
        # The mean of the squares is what replicas can add up.
        mean = functions.reduce_mean(x, axes, keepdims=True)
        return mean, functions.reduce_mean(functions.square(x), axes, keepdims=True) - functions.square(mean)


def _kept(shape: Sequence[int | None], axes: Sequence[int]) -> list[Any]:
    """The sizes of ``axes`` and 1 for all others."""
    return [size if axis in axes else 1 for axis, size in enumerate(shape)]


def _move(variable: Variable, target: Any, momentum: float) -> None:
    value = functions.reshape(target, variable.shape)
    variable.assign_sub((variable - value) * np.asarray(1.0 - momentum, variable.array.dtype))


class LayerNormalization(_Affine):
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
        x = _widened(inputs)
        mean, variance = moments(x, self.axis)
        broadcast = _kept(x.shape, self.axis)
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


class GroupNormalization(_Affine):
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
        x = _widened(inputs)
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
