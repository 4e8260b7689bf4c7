"""Numbers shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl import backend, dialects, functions
from reference_impl.layers.preprocessing.base import Array, CombinerLayer, batches
from reference_impl.variables import Variable


class Normalization(CombinerLayer):
    """(x - mean) / √variance, with a mean and a variance for each index along ``axis`` (None: one for all).

    They are learned by ``adapt``, or given as ``mean`` and ``variance``. State: ``mean``, ``variance`` (sizes of the
    axes), ``count`` () int64. In the later form, which has ``mean``, ``variance`` and ``invert`` in its config, given
    values are not state. ``invert``: x · √variance + mean.
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, **kwargs: Any) -> None:
        # The configs of 2.5 to 2.12 have no ``invert``: one that gives values then looks like one of 2.4.
        self.__dict__["_later"] = "invert" in kwargs or (mean is not None and dialects.of_file() != "keras-2.4")
        invert = kwargs.pop("invert", False)
        super().__init__(self.__dict__["_later"], **kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if 0 in self.axis and not self.__dict__["_later"]:
            raise ValueError("The argument 'axis' may not be 0.")
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Got mean: {mean} and variance: {variance}"
            )
        self.__dict__["_given"] = None if mean is None else (np.asarray(mean), np.asarray(variance))
        if self.__dict__["_later"]:
            self.input_mean, self.input_variance = mean, variance
        self.invert = invert

    mean: Any
    variance: Any

    def build(self, input_shape: Any) -> None:
        shape = [*input_shape, 1] if len(input_shape) == 1 and not self.__dict__["_later"] else list(input_shape)
        axes = sorted(axis % len(shape) for axis in self.axis)
        if any(shape[axis] is None for axis in axes):
            raise ValueError(f"{self.name}: the sizes of the axes {axes} must be defined, found {tuple(shape)}")
        if self.__dict__["_later"]:
            self._keep_axis = axes
            self._reduce_axis = [axis for axis in range(len(shape)) if axis not in axes]
            self._reduce_axis_mask = [int(axis not in axes) for axis in range(len(shape))]
        self._broadcast_shape = [size if axis in axes else 1 for axis, size in enumerate(shape)]
        sizes = [shape[axis] for axis in axes]
        given: tuple[Array, Array] | None = self.__dict__["_given"]
        full = None if given is None else [np.broadcast_to(value, sizes).astype(np.float32) for value in given]
        if full is not None and self.__dict__["_later"]:
            self.__dict__["mean"], self.__dict__["variance"] = full
        else:
            self.mean = self._statistic("mean", sizes, "zeros")
            self.variance = self._statistic("variance", sizes, "ones")
            self.count = self.add_state_variable("count", (), "int64", "zeros")
            if full is not None:
                self.mean.assign(full[0])
                self.variance.assign(full[1])
        self.built = True

    def _statistic(self, name: str, sizes: Sequence[int], initializer: str) -> Variable:
        variable = self.add_state_variable(name, sizes, "float32", initializer)
        if self.__dict__["_later"]:
            # Two edges to one variable, as later generations have it.
            setattr(self, f"adapt_{name}", variable)
        return variable

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take mean and variance of ``data``, and the number of elements each of them is of."""
        if self.__dict__["_later"] and self.__dict__["_given"] is not None:
            raise ValueError(f"{self.name}: its mean and variance were given, so there is nothing to adapt")
        count, mean, variance = 0, np.float64(0), np.float64(0)
        for batch in batches(data):
            self.build_for(batch)
            values = batch.reshape(-1, 1) if batch.ndim == 1 else batch
            axes = [axis for axis in range(values.ndim) if axis not in self._kept(values.ndim)]
            n = int(np.prod([values.shape[axis] for axis in axes], dtype=np.int64))
            new_mean = np.mean(values, axis=tuple(axes), dtype=np.float64)
            new_variance = np.var(values, axis=tuple(axes), dtype=np.float64)
            whole = (mean * count + new_mean * n) / (count + n)
            variance = (
                count * (variance + np.square(mean - whole)) + n * (new_variance + np.square(new_mean - whole))
            ) / (count + n)
            count, mean = count + n, whole
        self.mean.assign(np.asarray(mean, np.float32))
        self.variance.assign(np.asarray(variance, np.float32))
        self.count.assign(np.int64(count))

    def _kept(self, rank: int) -> Sequence[int]:
        return [axis % rank for axis in self.axis]

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype if self.__dict__["_later"] else backend.floatx()
        x = functions.expand_dims(inputs, 1) if len(inputs.shape) == 1 and len(self._broadcast_shape) == 2 else inputs
        x = functions.cast_to(x, dtype)
        mean = functions.cast_to(functions.reshape(self.mean, self._broadcast_shape), dtype)
        variance = functions.cast_to(functions.reshape(self.variance, self._broadcast_shape), dtype)
        deviation = functions.maximum(functions.sqrt(variance), backend.epsilon())
        return mean + x * deviation if self.invert else (x - mean) / deviation

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "axis": self.axis}
        given: tuple[Array, Array] | None = self.__dict__["_given"]
        mean, variance = (None, None) if given is None else (value.tolist() for value in given)
        if not self.__dict__["_later"]:
            # TensorFlow 2.4 takes both from a config, and writes neither.
            return config if given is None else {**config, "mean": mean, "variance": variance}
        return {**config, "invert": self.invert, "mean": mean, "variance": variance}
