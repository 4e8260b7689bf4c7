"""Layers that tensor functions become when they are called on a Functional model's symbolic tensors."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
from typing import Any

from reference_impl import functions, naming
from reference_impl.errors import LoadError
from reference_impl.layers.base import Layer


class TFOpLambda(Layer):
    """A tensor function as a layer. ``function``: its TensorFlow name, ``math.multiply``."""

    def __init__(self, function: str, name: str | None = None, **kwargs: Any) -> None:
        found = functions.FUNCTIONS.get(function)
        if found is None:
            raise LoadError(f"TFOpLambda: unknown function {function!r}; expected one of those in functions.FUNCTIONS")
        super().__init__(name=naming.unique_name(f"tf.{function}") if name is None else name, **kwargs)
        self.function = function
        self.built = True
        self.__dict__["_function"] = found

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__["_function"](*args, **kwargs)

    def _cast(self, leaf: Any) -> Any:
        # A function takes its operands as they are.
        return leaf

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "function": self.function}


class SlicingOpLambda(TFOpLambda):
    """``tensor[slices]`` as a layer."""


def call_as_layer(symbol: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the function ``symbol`` on symbolic tensors by way of a new layer.

    All arguments but the first are kept by name, which is what configs hold.
    """
    bound = inspect.signature(functions.FUNCTIONS[symbol]).bind(*args, **kwargs)
    (_, first), *rest = bound.arguments.items()
    layer_class = SlicingOpLambda if symbol == "__operators__.getitem" else TFOpLambda
    return layer_class(symbol)(first, **dict(rest))


class AddLoss(Layer):
    """Passes its input on, and adds it to the model's losses."""

    def __init__(self, unconditional: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unconditional = unconditional
        self.built = True

    def call(self, inputs: Any) -> Any:
        self.add_loss(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unconditional": self.unconditional}


class AddMetric(Layer):
    """Passes its input on, and reports its mean under ``metric_name``."""

    def __init__(self, aggregation: str | None = None, metric_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aggregation = aggregation
        self.metric_name = metric_name
        self.built = True

    def call(self, inputs: Any) -> Any:
        self.add_metric(inputs, name=self.metric_name, aggregation=self.aggregation)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "aggregation": self.aggregation, "metric_name": self.metric_name}
