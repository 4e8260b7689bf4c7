"""Normalisation over the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from reference_impl import functions, initializers
from reference_impl.layers.affine import Affine, kept, moments, normalize, widened
from reference_impl.layers.input_spec import InputSpec
from reference_impl.tensors import Tensor, present_trace
from reference_impl.variables import Variable


class BatchNormalization(Affine):
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
        sizes = [input_shape[axes[0]]] if len(axes) == 1 else kept(input_shape, axes)
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
        x = widened(inputs)
        broadcast = kept(x.shape, self.axis)
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
        if not fused or (count is None and not present_trace()):
            return 1.0
        if count is None:
            sizes = functions.cast_to(functions.shape(x), "float32")
            n: Any = functions.reduce_prod(sizes) / float(x.shape[self.axis[0]])
            return n / functions.maximum(n - 1.0, 1.0)
        n = count // x.shape[self.axis[0]]
        return n / max(n - 1, 1)

    def _renormalize(self, mean: Any, variance: Any, scale: Any, offset: Any) -> tuple[Any, Any]:
        """Move the statistics; scale and offset with the correction r, d towards the moving ones in them."""
        broadcast = kept(mean.shape, self.axis)
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


def _move(variable: Variable, target: Any, momentum: float) -> None:
    value = functions.reshape(target, variable.shape)
    variable.assign_sub((variable - value) * np.asarray(1.0 - momentum, variable.array.dtype))
