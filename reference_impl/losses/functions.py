"""Losses as functions of (y_true, y_pred): they reduce the last axis and give one number for each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference_impl import backend, functions
from reference_impl.tensors import Tensor, convert

LossFunction = Callable[..., Any]


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
    """``y_true``: class numbers, of the shape of ``y_pred`` without its ``axis``, on which the classes are."""
    y_pred = convert(y_pred)
    labels = functions.cast_to(y_true, "int64")
    if len(labels.shape) == len(y_pred.shape) and labels.shape[-1] == 1:
        labels = functions.squeeze(labels, -1)
    logits = y_pred if from_logits else _logits_behind(y_pred)
    if logits is None:
        epsilon = backend.epsilon()
        logits = functions.log(functions.clip_by_value(y_pred, epsilon, 1.0 - epsilon))
    rank = len(logits.shape)
    if axis % rank != rank - 1:
        order = [place for place in range(rank) if place != axis % rank]
        logits = functions.transpose(logits, [*order, axis % rank])
    return functions.sparse_softmax_cross_entropy_with_logits(labels, logits)
