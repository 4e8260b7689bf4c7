"""Losses as objects: they weight the samples and reduce them to one number."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from reference_impl import functions
from reference_impl.losses.functions import LossFunction
from reference_impl.tensors import Tensor, convert


class Reduction:
    """How a loss reduces its samples; ``auto`` is ``sum_over_batch_size``, the mean over all elements."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    ALL = (AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE)


class Loss:
    """Called with (y_true, y_pred, sample_weight) it gives one number; subclasses write ``call``."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = None) -> None:
        if reduction not in Reduction.ALL:
            raise ValueError(f"Invalid Reduction Key {reduction}; expected one of {Reduction.ALL}")
        self.reduction = reduction
        self.name = name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return reduce_weighted(convert(self.call(y_true, y_pred)), sample_weight, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError("Must be implemented in subclasses.")

    def get_config(self) -> dict[str, Any]:
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def reduce_weighted(losses: Tensor, sample_weight: Any, reduction: str) -> Tensor:
    """Weight the losses of samples, and reduce them."""
    if sample_weight is not None:
        weight = functions.cast_to(sample_weight, losses.dtype)
        if len(weight.shape) == len(losses.shape) + 1 and weight.shape[-1] == 1:
            weight = functions.squeeze(weight, -1)
        while 0 < len(weight.shape) < len(losses.shape):
            weight = functions.expand_dims(weight, -1)
        losses = losses * weight
    if reduction == Reduction.NONE:
        return losses
    if reduction == Reduction.SUM:
        return functions.reduce_sum(losses)
    count = losses.shape.num_elements() or 1
    return functions.divide_no_nan(functions.reduce_sum(losses), np.float32(count).astype(str(losses.dtype)))


class FunctionLoss(Loss):
    """A loss function as an object; ``arguments`` are passed to it and are in the config."""

    def __init__(
        self, function: LossFunction, reduction: str = Reduction.AUTO, name: str | None = None, **arguments: Any
    ) -> None:
        super().__init__(reduction, name)
        self.function = function
        self.arguments = arguments

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.arguments}
