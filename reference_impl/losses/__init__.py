"""Losses: functions of (y_true, y_pred) that give one number for each sample, and objects that average them.

The functions reduce the last axis. A :class:`Loss` weights the samples and reduces them to one number.
"""

from __future__ import annotations

from typing import Any

from reference_impl.losses.base import FunctionLoss, Loss, Reduction, reduce_weighted
from reference_impl.losses.classes import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from reference_impl.losses.functions import (
    LossFunction,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from reference_impl.serialization import generic
from reference_impl.serialization.registry import Objects

__all__ = [
    "BUILTIN", "FUNCTIONS", "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity",
    "FunctionLoss", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss", "LossFunction", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "Reduction",
    "SparseCategoricalCrossentropy", "SquaredHinge", "binary_crossentropy", "categorical_crossentropy",
    "categorical_hinge", "cosine_similarity", "deserialize", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "reduce_weighted", "serialize", "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip

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
