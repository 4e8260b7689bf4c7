"""Layers that join several inputs into one."""

from __future__ import annotations

import copy
import string
from collections.abc import Callable
from functools import reduce
from typing import Any, cast

from reference_impl import functions
from reference_impl.layers.base import Layer


class _Merge(Layer):
    """Inputs of broadcast shapes, batch axis included, combined element by element."""

    supports_masking = True

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

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where all the inputs that have a mask have it."""
        masks = [] if mask is None else [part for part in mask if part is not None]
        return reduce(functions.logical_and, masks) if masks else None

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

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks side by side; an input without one counts everywhere."""
        if mask is None or all(part is None for part in mask):
            return None
        parts = [self._whole(part, x) for part, x in zip(mask, inputs, strict=True)]
        return functions.reduce_all(functions.concat(parts, axis=self.axis), axis=-1)

    def _whole(self, mask: Any, x: Any) -> Any:
        if mask is None:
            return functions.cast_to(functions.ones_like(x), "bool")
        return functions.expand_dims(mask, -1) if len(mask.shape) < len(x.shape) else mask

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """The products of two inputs, summed along ``axes`` (one for both, or one for each; the batch axis is 0).

    The result has the other axes of the first input, then those of the second; (batch, 1) if there are none.
    ``normalize``: both are first divided by their lengths along the axes.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int) and (not isinstance(axes, list | tuple) or len(cast("list[Any]", axes)) != 2):
            raise ValueError(f"{self.name}: axes must be an integer or two, found {axes!r}")
        self.axes: Any = axes
        self.normalize = normalize

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"A `Dot` layer ({self.name}) should be called on a list of 2 inputs.")
        sizes = [shape[axis] for shape, axis in zip(input_shape, self._axes(input_shape), strict=True)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"{self.name}: Dimension incompatibility {sizes[0]} != {sizes[1]} along the axes {self.axes} of "
                f"{tuple(input_shape[0])} and {tuple(input_shape[1])}"
            )

    def _axes(self, shapes: Any) -> list[int]:
        given = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        return [axis % len(shape) for axis, shape in zip(given, shapes, strict=True)]

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        first, second = self._axes([x.shape, y.shape])
        if self.normalize:
            x, y = functions.l2_normalize(x, axis=first), functions.l2_normalize(y, axis=second)
        letters = string.ascii_letters
        of_x = list(letters[: len(x.shape)])
        of_y = [of_x[0], *letters[len(of_x) : len(of_x) + len(y.shape) - 1]]
        of_y[second] = of_x[first]
        left = [letter for letter in of_x if letter != of_x[first]]
        result = "".join(left + [letter for letter in of_y[1:] if letter != of_x[first]])
        product = functions.einsum(f"{''.join(of_x)},{''.join(of_y)}->{result}", x, y)
        return functions.expand_dims(product, 1) if len(result) == 1 else product

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": copy.copy(self.axes), "normalize": self.normalize}


def _function(cls: type[Layer]) -> Callable[..., Any]:
    def merge(inputs: Any, **kwargs: Any) -> Any:
        return cls(**kwargs)(inputs)

    return merge


add, subtract, multiply = _function(Add), _function(Subtract), _function(Multiply)
average, maximum, minimum = _function(Average), _function(Maximum), _function(Minimum)
concatenate, dot = _function(Concatenate), _function(Dot)
