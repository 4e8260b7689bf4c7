"""Dense and the layers without weights that shape, drop and activate."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from reference_impl import activations, constraints, functions, initializers, regularizers
from reference_impl.errors import UnknownObjectError
from reference_impl.layers.base import Layer
from reference_impl.layers.input_spec import InputSpec
from reference_impl.tensors import Tensor


class Dense(Layer):
    """activation(x · kernel + bias) along the last axis. kernel: (inputs, units), bias: (units,)."""

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        inputs = input_shape[-1]
        if inputs is None:
            raise ValueError(f"Dense {self.name!r}: the last dimension of the inputs must be defined, found None")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})
        self.kernel = self.add_weight(
            "kernel",
            shape=(inputs, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = functions.matmul(inputs, self.kernel)
        if self.bias is not None:
            outputs = functions.bias_add(outputs, self.bias)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Activation(Layer):
    """An activation function as a layer."""

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Identity(Layer):
    """Passes its input on. (Later than TensorFlow 2.4.)"""

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return functions.identity(inputs)


class Dropout(Layer):
    """In training, each element zero with probability ``rate`` and the others divided by ``1 - rate``."""

    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not training or not self.rate:
            return functions.identity(inputs)
        return functions.dropout(inputs, self.rate, self.draw_shape(inputs), self.seed)

    def draw_shape(self, inputs: Tensor) -> Any:
        """The shape of the draw, which is broadcast against the inputs; None: theirs."""
        if self.noise_shape is None:
            return None
        whole = functions.shape(inputs)
        return functions.stack([whole[axis] if size is None else size for axis, size in enumerate(self.noise_shape)])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": copy.copy(self.noise_shape),
            "seed": self.seed,
        }


class ActivityRegularization(Layer):
    """Passes its input on and adds l1 · Σ|x| + l2 · Σx², divided by the batch size, to the losses."""

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}


def _with_batch(inputs: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """``inputs`` reshaped to (batch size, \\*sizes); one of ``sizes`` may be -1."""
    return functions.reshape(inputs, functions.concat([functions.shape(inputs)[:1], np.array(sizes, np.int32)], axis=0))


class Flatten(Layer):
    """(batch, …) to (batch, product of the others)."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or "channels_last"
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = functions.transpose(inputs, [0, *range(2, len(inputs.shape)), 1])
        sizes = inputs.shape[1:]
        return _with_batch(inputs, (-1 if None in sizes else math.prod(sizes),))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """(batch, …) to (batch, \\*target_shape); one size may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Any) -> Any:
        sizes = self.target_shape
        whole = None if None in inputs.shape[1:] else math.prod(inputs.shape[1:])
        if -1 in sizes and whole is not None:
            known = math.prod(size for size in sizes if size != -1)
            sizes = tuple(whole // known if size == -1 else size for size in sizes)
        return _with_batch(inputs, sizes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Axes in another order; ``dims`` counts from 1 and leaves out the batch."""

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Invalid permutation `dims` for Permute Layer: {dims}; expected the numbers 1 to n")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return functions.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """(batch, features) to (batch, n, features)."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return functions.tile(functions.expand_dims(inputs, 1), [1, self.n, 1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


class Lambda(Layer):
    """A function as a layer, in memory only: a config would have to hold its code, and code is never stored or run.

    To save it, write a layer, or use :class:`Activation` with a registered function.
    """

    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = dict(arguments or {})
        self.__dict__["_mask"] = mask
        self.supports_masking = mask is not None

    def call(self, inputs: Any) -> Any:
        return self.function(inputs, **self.arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        given: Any = self.__dict__["_mask"]
        return given(inputs, mask) if callable(given) else given

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Layer {self.name} is a Lambda: its config would hold Python code. "
            "Write a layer class with get_config, or an Activation with a registered function"
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        raise UnknownObjectError(
            f"Lambda layer {config.get('name')!r}: its config holds Python code, which is never run from a file; "
            "give a class of your own as `custom_objects={'Lambda': …}`"
        )
