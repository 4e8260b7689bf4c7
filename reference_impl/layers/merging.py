"""Layers that join several inputs into one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import reduce
from typing import Any, cast

from reference_impl import functions
from reference_impl.layers.base import Layer


class _Merge(Layer):
    """Inputs of broadcast shapes, batch axis included, combined element by element."""

    fewest = 2

    def build(self, input_shape: Any) -> None:
        shapes = cast("list[Any]", input_shape)
        if not isinstance(shapes[0], list | tuple):
            raise ValueError(f"A merge layer ({self.name}) should be called on a list of inputs.")
        if len(shapes) < self.fewest:
            raise ValueError(
                f"{self.name} should be called on a list of at least {self.fewest} inputs, got {len(shapes)}"
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.combine(self._of_equal_rank(inputs))

    def combine(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def _of_equal_rank(self, inputs: Any) -> list[Any]:
        """Lower ranks get axes of size 1 behind the batch axis."""
        rank = max(len(x.shape) for x in inputs)
        return [reduce(lambda x, _: functions.expand_dims(x, 1), range(rank - len(x.shape)), x) for x in inputs]


class Add(_Merge):
    """The sum of the inputs."""

    def combine(self, inputs: list[Any]) -> Any:
        return reduce(functions.add, inputs)


class Subtract(_Merge):
    """The first input minus the second."""

    def combine(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ValueError("A `Subtract` layer should be called on exactly 2 inputs")
        return functions.subtract(inputs[0], inputs[1])


class Multiply(_Merge):
    """The product of the inputs."""

    def combine(self, inputs: list[Any]) -> Any:
        return reduce(functions.multiply, inputs)


class Average(_Merge):
    """The mean of the inputs."""

    def combine(self, inputs: list[Any]) -> Any:
        return reduce(functions.add, inputs) / len(inputs)


class Maximum(_Merge):
    """The greatest of the inputs."""

    def combine(self, inputs: list[Any]) -> Any:
        return reduce(functions.maximum, inputs)


class Minimum(_Merge):
    """The least of the inputs."""

    def combine(self, inputs: list[Any]) -> Any:
        return reduce(functions.minimum, inputs)


class Concatenate(_Merge):
    """The inputs side by side along ``axis``; all other sizes equal."""

    fewest = 1

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return functions.concat(list(inputs), axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """The products of two inputs, summed along ``axes`` (one for both, or one for each; the batch axis is 0)."""

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__["axes"] = axes
        self.normalize = normalize

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        axes = self.__dict__["axes"]
        first, second = (axes, axes) if isinstance(axes, int) else axes
        first, second = first % len(x.shape), second % len(y.shape)
        if self.normalize:
            x, y = functions.l2_normalize(x, axis=first), functions.l2_normalize(y, axis=second)
        flat = len(x.shape) == 2 and len(y.shape) == 2
        left = x if len(x.shape) > 2 else functions.expand_dims(x, 1)
        right = y if len(y.shape) > 2 else functions.expand_dims(y, 2)
        left = _axis_to(left, first if len(x.shape) > 2 else 2, -1)
        right = _axis_to(right, second if len(y.shape) > 2 else 1, 1)
        if len(left.shape) > 3 or len(right.shape) > 3:
            raise ValueError("Dot: inputs of more than 3 dimensions are not supported")
        product = functions.matmul(left, right)
        if flat:
            return functions.squeeze(product, 2)
        if len(x.shape) == 2:
            return functions.squeeze(product, 1)
        return functions.squeeze(product, 2) if len(y.shape) == 2 else product

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": copy.copy(self.__dict__["axes"]), "normalize": self.normalize}


def _axis_to(x: Any, axis: int, place: int) -> Any:
    order = [other for other in range(len(x.shape)) if other != axis]
    order.insert(place % len(x.shape), axis)
    return functions.transpose(x, order)


def _function(cls: type[Layer]) -> Callable[..., Any]:
    def merge(inputs: Any, **kwargs: Any) -> Any:
        return cls(**kwargs)(inputs)

    return merge


add, subtract, multiply = _function(Add), _function(Subtract), _function(Multiply)
average, maximum, minimum = _function(Average), _function(Maximum), _function(Minimum)
concatenate, dot = _function(Concatenate), _function(Dot)
