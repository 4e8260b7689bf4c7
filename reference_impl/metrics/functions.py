"""Metrics as functions of (y_true, y_pred) that give one number for each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl import functions, losses
from reference_impl.metrics.base import squeezed
from reference_impl.tensors import convert


def accuracy(y_true: Any, y_pred: Any) -> Any:
    true, predicted = squeezed(convert(y_true), convert(y_pred))
    return functions.cast_to(functions.equal(functions.cast_to(true, predicted.dtype), predicted), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    predicted = convert(y_pred)
    rounded = functions.cast_to(functions.greater(predicted, threshold), predicted.dtype)
    return functions.reduce_mean(
        functions.cast_to(functions.equal(functions.cast_to(y_true, predicted.dtype), rounded), "float32"), axis=-1
    )


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    return functions.cast_to(
        functions.equal(functions.argmax(y_true, axis=-1), functions.argmax(y_pred, axis=-1)), "float32"
    )


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    true, predicted = convert(y_true), convert(y_pred)
    if len(true.shape) == len(predicted.shape) and true.shape[-1] == 1:
        true = functions.squeeze(true, -1)
    return functions.cast_to(
        functions.equal(functions.cast_to(true, "int64"), functions.argmax(predicted, axis=-1)), "float32"
    )


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """1 for equal directions; the loss of this name is its negative."""
    return -losses.cosine_similarity(y_true, y_pred, axis=axis)


def _among_largest(targets: npt.NDArray[Any], predictions: npt.NDArray[Any], k: int) -> Any:
    """1 where fewer than ``k`` predictions are greater than the target's."""
    own = np.take_along_axis(predictions, targets.astype(np.int64)[:, None], -1)
    found = (np.sum(predictions > own, -1) < k) & np.isfinite(own[:, 0])
    return convert(found.astype(np.float32))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """y_true: (batch, classes), one hot; y_pred likewise."""
    return _among_largest(np.argmax(convert(y_true).value, -1), convert(y_pred).value, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """y_true: classes; y_pred: (…, classes). One number for each prediction, in one axis."""
    predictions = convert(y_pred).value
    return _among_largest(convert(y_true).value.reshape(-1), predictions.reshape(-1, predictions.shape[-1]), k)
