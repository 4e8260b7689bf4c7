"""Metrics: numbers gathered over batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from reference_impl import functions, losses, naming
from reference_impl.dtypes import numpy_dtype
from reference_impl.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    hinge,
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
from reference_impl.tensors import Tensor, convert
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable


class Metric(Trackable):
    """``update_state`` with each batch, ``result`` for the number, ``reset_states`` to start anew."""

    _untracked = frozenset({"name", "dtype", "variables_"})

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        self.name: str = naming.unique_name(naming.snake_case(type(self).__name__)) if name is None else name
        self.dtype: str = "float32" if dtype is None else str(dtype)
        self.variables_: list[Variable] = []

    def add_weight(self, name: str, shape: Any = (), initializer: Any = None, dtype: Any = None) -> Variable:
        """A number to keep between batches, at first zero."""
        with naming.name_scope("", absolute=True):
            variable = Variable(np.zeros(shape, numpy_dtype(dtype or self.dtype)), trainable=False, name=name)
        self.variables_.append(variable)
        self._track(name, variable)
        return variable

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("Must be implemented in subclasses.")

    def result(self) -> Any:
        raise NotImplementedError("Must be implemented in subclasses.")

    def reset_states(self) -> None:
        for variable in self.variables_:
            variable.assign(np.zeros_like(variable.array))

    reset_state = reset_states

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update and give the result, which remembers its metric (``add_metric`` asks)."""
        inputs = [leaf for leaf in (*args, *kwargs.values()) if isinstance(leaf, Tensor)]
        if not any(tensor.symbolic for tensor in inputs):
            self.update_state(*args, **kwargs)
        result = convert(self.result())
        result.metric = self
        return result

    @property
    def weights(self) -> list[Variable]:
        return list(self.variables_)

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        return []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return self.weights

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


class _Total(Metric):
    """A sum, and for means what it is divided by."""

    counted = True

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight("total")
        if self.counted:
            self.count = self.add_weight("count")

    def accumulate(self, values: Any, sample_weight: Any = None) -> None:
        """Add ``values`` (any shape), each counted with its weight."""
        numbers = functions.cast_to(values, self.dtype).value
        count = np.float32(numbers.size)
        if sample_weight is not None:
            weight = functions.cast_to(sample_weight, self.dtype).value
            while 0 < weight.ndim < numbers.ndim:
                weight = weight[..., None]
            if weight.ndim == numbers.ndim + 1 and weight.shape[-1] == 1:
                weight = weight[..., 0]
            numbers = numbers * weight
            count = np.sum(np.broadcast_to(weight, numbers.shape), dtype=np.float32)
        self.total.assign_add(convert(np.asarray(np.sum(numbers), self.total.array.dtype)))
        if self.counted:
            self.count.assign_add(convert(np.asarray(count, self.count.array.dtype)))

    def result(self) -> Any:
        if not self.counted:
            return self.total.as_tensor()
        return functions.divide_no_nan(self.total.as_tensor(), self.count.as_tensor())


class _Values(_Total):
    """Gathers the values it is given."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        self.accumulate(values, sample_weight)


class Mean(_Values):
    """The mean of all values."""

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


class Sum(_Values):
    """The sum of all values."""

    counted = False

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


class MeanMetricWrapper(_Total):
    """The mean over samples of a function of (y_true, y_pred); ``arguments`` are passed to it."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **arguments: Any) -> None:
        super().__init__(name=getattr(fn, "__name__", None) if name is None else name, dtype=dtype)
        self.__dict__["fn"] = fn
        self.__dict__["arguments"] = arguments

    fn: Callable[..., Any]
    arguments: dict[str, Any]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        predicted = functions.cast_to(y_pred, self.dtype)
        true = functions.cast_to(y_true, self.dtype)
        true, predicted = _squeezed(true, predicted)
        self.accumulate(self.fn(true, predicted, **self.arguments), sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": generic.serialize(self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        if cls is MeanMetricWrapper:
            return cls(**{**config, "fn": get(config["fn"])})
        return cls(**config)


def _squeezed(true: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
    """A last axis of size 1 that only one side has goes away."""
    difference = len(predicted.shape) - len(true.shape)
    if difference == 1 and predicted.shape[-1] == 1:
        predicted = functions.squeeze(predicted, -1)
    elif difference == -1 and true.shape[-1] == 1:
        true = functions.squeeze(true, -1)
    return true, predicted


# -- functions ---------------------------------------------------------------------------------------------------


def accuracy(y_true: Any, y_pred: Any) -> Any:
    true, predicted = _squeezed(convert(y_true), convert(y_pred))
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


# -- classes of functions ----------------------------------------------------------------------------------------


class MeanSquaredError(MeanMetricWrapper):
    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class RootMeanSquaredError(_Total):
    """The square root of the mean squared error."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, predicted = _squeezed(functions.cast_to(y_true, self.dtype), functions.cast_to(y_pred, self.dtype))
        self.accumulate(functions.squared_difference(predicted, true), sample_weight)

    def result(self) -> Any:
        return functions.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class Accuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            categorical_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, axis=axis)


class CosineSimilarity(MeanMetricWrapper):
    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class Hinge(MeanMetricWrapper):
    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class KLDivergence(MeanMetricWrapper):
    def __init__(self, name: str | None = "kullback_leibler_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)


class LogCoshError(MeanMetricWrapper):
    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


# -- names -------------------------------------------------------------------------------------------------------

_CLASSES: tuple[type[Metric], ...] = (
    Mean, Sum, MeanMetricWrapper, MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Accuracy, BinaryAccuracy, CategoricalAccuracy,
    SparseCategoricalAccuracy, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
    CosineSimilarity, Hinge, SquaredHinge, KLDivergence, Poisson, LogCoshError,
)  # fmt: skip
BUILTIN: dict[str, Any] = losses.FUNCTIONS | {
    "cosine_similarity": cosine_similarity, "cosine_proximity": cosine_similarity, "binary_accuracy": binary_accuracy,
    "categorical_accuracy": categorical_accuracy, "sparse_categorical_accuracy": sparse_categorical_accuracy,
    **{cls.__name__: cls for cls in _CLASSES},
}  # fmt: skip
KIND = generic.Kind("metric function", lambda: BUILTIN)


def serialize(metric: Any) -> Any:
    """The config form of a metric object, the name of a function."""
    return generic.serialize(metric)


def deserialize(config: Any, custom_objects: Objects | None = None) -> Any:
    """``LoadError`` ("Unknown metric function: …") if it is known nowhere."""
    return generic.deserialize(KIND, config, custom_objects)


def get(identifier: Any) -> Any:
    """The metric for a name, a config form, a class, an object or function (itself)."""
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, Metric) or callable(identifier):
        return identifier
    return deserialize(identifier)
