"""Losses: functions of (y_true, y_pred) that give one number for each sample, and objects that average them.

The functions reduce the last axis. A :class:`Loss` weights the samples and reduces them to one number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from reference_impl import backend, functions
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects
from reference_impl.tensors import Tensor, convert

LossFunction = Callable[..., Any]


class Reduction:
    """How a loss reduces its samples; ``auto`` is ``sum_over_batch_size``, the mean over all elements."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    ALL = (AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE)


# -- functions ---------------------------------------------------------------------------------------------------


def _both(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    prediction = convert(y_pred)
    return functions.cast_to(y_true, prediction.dtype), prediction


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    return functions.reduce_mean(functions.squared_difference(y_pred, y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    return functions.reduce_mean(functions.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    return (
        functions.reduce_mean(
            functions.abs((y_true - y_pred) / functions.maximum(functions.abs(y_true), backend.epsilon())), axis=-1
        )
        * 100.0
    )


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    first, second = (functions.log(functions.maximum(y, backend.epsilon()) + 1.0) for y in (y_pred, y_true))
    return functions.reduce_mean(functions.squared_difference(first, second), axis=-1)


def _signs(y_true: Tensor) -> Tensor:
    """Labels 0 and 1 become -1 and 1; other labels stay."""
    binary = bool(np.isin(y_true.value, (0, 1)).all()) if not y_true.symbolic else False
    return y_true * 2.0 - 1.0 if binary else y_true


def hinge(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    return functions.reduce_mean(functions.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    return functions.reduce_mean(functions.square(functions.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    positive = functions.reduce_sum(y_true * y_pred, axis=-1)
    negative = functions.reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return functions.maximum(negative - positive + 1.0, 0.0)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the square of errors up to ``delta``, then linear."""
    y_true, y_pred = _both(y_true, y_pred)
    error = y_pred - y_true
    size = functions.abs(error)
    return functions.reduce_mean(
        functions.where(
            functions.less_equal(size, delta), functions.square(error) * 0.5, size * delta - 0.5 * delta * delta
        ),
        axis=-1,
    )


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    error = y_pred - y_true
    return functions.reduce_mean(error + functions.softplus(error * -2.0) - np.log(2.0), axis=-1)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    true, predicted = (functions.clip_by_value(y, backend.epsilon(), 1.0) for y in (y_true, y_pred))
    return functions.reduce_sum(true * functions.log(true / predicted), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    return functions.reduce_mean(y_pred - y_true * functions.log(y_pred + backend.epsilon()), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """-1 for equal directions, 1 for opposite ones."""
    y_true, y_pred = _both(y_true, y_pred)
    return -functions.reduce_sum(
        functions.l2_normalize(y_true, axis=axis) * functions.l2_normalize(y_pred, axis=axis), axis=axis
    )


def _logits_behind(y_pred: Tensor) -> Tensor | None:
    """What a softmax or sigmoid made ``y_pred`` from, where that is remembered.

    TensorFlow goes back to the logits too. Which of the two activations it was makes no difference to it, so a
    categorical crossentropy of sigmoid outputs is, in training, one of the softmax of their logits.
    """
    call = y_pred.producer
    if call is not None and call.op.name == "Identity":
        return _logits_behind(call.inputs[0])
    return call.inputs[0] if call is not None and call.op.name in ("Softmax", "Sigmoid") else None


def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    logits = y_pred if from_logits else _logits_behind(y_pred)
    if logits is not None:
        return functions.reduce_mean(functions.sigmoid_cross_entropy_with_logits(y_true, logits), axis=-1)
    epsilon = backend.epsilon()
    p = functions.clip_by_value(y_pred, epsilon, 1.0 - epsilon)
    return functions.reduce_mean(
        -(y_true * functions.log(p + epsilon) + (1.0 - y_true) * functions.log(1.0 - p + epsilon)), axis=-1
    )


def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0) -> Any:
    y_true, y_pred = _both(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[-1]
    logits = y_pred if from_logits else _logits_behind(y_pred)
    if logits is not None:
        return functions.softmax_cross_entropy_with_logits(y_true, logits)
    epsilon = backend.epsilon()
    p = functions.clip_by_value(y_pred / functions.reduce_sum(y_pred, axis=-1, keepdims=True), epsilon, 1.0 - epsilon)
    return -functions.reduce_sum(y_true * functions.log(p), axis=-1)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1) -> Any:
    y_pred = convert(y_pred)
    labels = functions.cast_to(y_true, "int64")
    if len(labels.shape) == len(y_pred.shape) and labels.shape[-1] == 1:
        labels = functions.squeeze(labels, -1)
    logits = y_pred if from_logits else _logits_behind(y_pred)
    if logits is None:
        epsilon = backend.epsilon()
        logits = functions.log(functions.clip_by_value(y_pred, epsilon, 1.0 - epsilon))
    return functions.sparse_softmax_cross_entropy_with_logits(labels, logits)


# -- objects -----------------------------------------------------------------------------------------------------


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


class MeanSquaredError(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_squared_error") -> None:
        super().__init__(mean_squared_error, reduction, name)


class MeanAbsoluteError(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_absolute_error") -> None:
        super().__init__(mean_absolute_error, reduction, name)


class MeanAbsolutePercentageError(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_absolute_percentage_error") -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name)


class MeanSquaredLogarithmicError(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_squared_logarithmic_error") -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name)


class BinaryCrossentropy(FunctionLoss):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str = Reduction.AUTO,
        name: str | None = "binary_crossentropy",
    ) -> None:
        super().__init__(binary_crossentropy, reduction, name, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(FunctionLoss):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str = Reduction.AUTO,
        name: str | None = "categorical_crossentropy",
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, from_logits=from_logits, label_smoothing=label_smoothing
        )


class SparseCategoricalCrossentropy(FunctionLoss):
    def __init__(
        self,
        from_logits: bool = False,
        reduction: str = Reduction.AUTO,
        name: str | None = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(sparse_categorical_crossentropy, reduction, name, from_logits=from_logits)


class Hinge(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "hinge") -> None:
        super().__init__(hinge, reduction, name)


class SquaredHinge(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "squared_hinge") -> None:
        super().__init__(squared_hinge, reduction, name)


class CategoricalHinge(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "categorical_hinge") -> None:
        super().__init__(categorical_hinge, reduction, name)


class Poisson(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "poisson") -> None:
        super().__init__(poisson, reduction, name)


class LogCosh(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "log_cosh") -> None:
        super().__init__(log_cosh, reduction, name)


class KLDivergence(FunctionLoss):
    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "kl_divergence") -> None:
        super().__init__(kl_divergence, reduction, name)


class Huber(FunctionLoss):
    def __init__(self, delta: float = 1.0, reduction: str = Reduction.AUTO, name: str | None = "huber_loss") -> None:
        super().__init__(huber, reduction, name, delta=delta)


class CosineSimilarity(FunctionLoss):
    def __init__(self, axis: int = -1, reduction: str = Reduction.AUTO, name: str | None = "cosine_similarity") -> None:
        super().__init__(cosine_similarity, reduction, name, axis=axis)


# -- names -------------------------------------------------------------------------------------------------------

_FUNCTIONS: tuple[LossFunction, ...] = (
    mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error, hinge,
    squared_hinge, categorical_hinge, huber, log_cosh, kl_divergence, poisson, cosine_similarity, binary_crossentropy,
    categorical_crossentropy, sparse_categorical_crossentropy,
)  # fmt: skip
_CLASSES: tuple[type[Loss], ...] = (
    MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, BinaryCrossentropy,
    CategoricalCrossentropy, SparseCategoricalCrossentropy, Hinge, SquaredHinge, CategoricalHinge, Poisson, LogCosh,
    KLDivergence, Huber, CosineSimilarity,
)  # fmt: skip
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
bce = BCE = binary_crossentropy
logcosh = log_cosh

FUNCTIONS: dict[str, LossFunction] = {function.__name__: function for function in _FUNCTIONS} | {
    "mse": mse, "MSE": mse, "mae": mae, "MAE": mae, "mape": mape, "MAPE": mape, "msle": msle, "MSLE": msle,
    "kld": kld, "KLD": kld, "kullback_leibler_divergence": kld, "bce": bce, "BCE": bce, "logcosh": log_cosh,
    "huber_loss": huber,
}  # fmt: skip
BUILTIN: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES} | FUNCTIONS
KIND = generic.Kind("loss function", lambda: BUILTIN)


def serialize(loss: Any) -> Any:
    """The config form of a loss object, the name of a function."""
    return generic.serialize(loss)


def deserialize(name: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown loss function: …") if it is known nowhere."""
    return generic.deserialize(KIND, name, custom_objects)


def get(identifier: Any) -> Any:
    """The loss for a name, a config form, a class, an object or function (itself) or None."""
    if identifier is None:
        return None
    if isinstance(identifier, type):
        return identifier()
    return identifier if callable(identifier) else deserialize(identifier)
