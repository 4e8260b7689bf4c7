"""What metrics have in common, and the means they are mostly made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reference_impl import functions, naming
from reference_impl.dtypes import numpy_dtype
from reference_impl.serialization import generic
from reference_impl.tensors import Tensor, convert, present_trace
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


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
        if present_trace() is not None or not any(tensor.symbolic for tensor in inputs):
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


def weighting(values: Array, weight: Array, mean: bool = True) -> tuple[Array, Array]:
    """``values`` and the weight of each: axes that the weights do not have are averaged, or summed, away first."""
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    elif weight.ndim == values.ndim - 1 > 0:
        weight = weight[..., None]
    fits = weight.ndim in (0, values.ndim) and all(
        w in (1, v) for w, v in zip(weight.shape, values.shape, strict=False)
    )
    if not fits:
        extra = tuple(range(weight.ndim, values.ndim))
        values = values.mean(extra) if mean else values.sum(extra)
    return values, np.broadcast_to(weight, values.shape)


class Total(Metric):
    """A sum, and for means what it is divided by."""

    counted = True

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight("total")
        if self.counted:
            self.count = self.add_weight("count")

    def accumulate(self, values: Any, sample_weight: Any = None) -> None:
        """Add ``values`` (any shape), each counted with its weight."""
        tensor = functions.cast_to(values, self.dtype)
        if tensor.symbolic:
            self._accumulate_symbolically(tensor, sample_weight)
            return
        numbers = tensor.value
        count: Any = np.float32(numbers.size)
        if sample_weight is not None:
            numbers, weight = weighting(numbers, functions.cast_to(sample_weight, self.dtype).value, self.counted)
            numbers = numbers * weight
            count = np.sum(weight, dtype=np.float32)
        self.total.assign_add(convert(np.asarray(np.sum(numbers), self.total.array.dtype)))
        if self.counted:
            self.count.assign_add(convert(np.asarray(count, self.count.array.dtype)))

    def _accumulate_symbolically(self, values: Tensor, sample_weight: Any) -> None:
        """In a trace: ``sample_weight`` has the shape of the values, or one that is broadcast to it."""
        weight = functions.ones_like(values)
        if sample_weight is not None:
            weight = weight * functions.cast_to(sample_weight, self.dtype)
        self.total.assign_add(functions.reduce_sum(values * weight))
        if self.counted:
            self.count.assign_add(functions.reduce_sum(weight))

    def result(self) -> Any:
        if not self.counted:
            return self.total.as_tensor()
        return functions.divide_no_nan(self.total.as_tensor(), self.count.as_tensor())


class Values(Total):
    """Gathers the values it is given."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        self.accumulate(values, sample_weight)


class Mean(Values):
    """The mean of all values."""

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


class Sum(Values):
    """The sum of all values."""

    counted = False

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


class MeanTensor(Metric):
    """The mean of each element of arrays of one shape, which the first one sets."""

    def __init__(self, name: str | None = "mean_tensor", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total: Any = None
        self.count: Any = None

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        numbers = functions.cast_to(values, self.dtype).value
        if self.total is None:
            self.total, self.count = (self.add_weight(name, numbers.shape) for name in ("total", "count"))
        elif numbers.shape != tuple(self.total.shape):
            raise ValueError(
                "MeanTensor input values must always have the same shape. Expected shape (set during the first call): "
                f"{tuple(self.total.shape)}. Got: {numbers.shape}"
            )
        weight: Array = np.ones_like(numbers)
        if sample_weight is not None:
            numbers, weight = weighting(numbers, functions.cast_to(sample_weight, self.dtype).value)
        self.total.assign_add(convert(numbers * weight))
        self.count.assign_add(convert(weight))

    def result(self) -> Any:
        if self.total is None:
            raise ValueError(
                "MeanTensor does not have any result yet. Please call the MeanTensor instance or use "
                "`.update_state(value)` before retrieving the result."
            )
        return functions.divide_no_nan(self.total.as_tensor(), self.count.as_tensor())


class MeanMetricWrapper(Total):
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
        true, predicted = squeezed(true, predicted)
        self.accumulate(self.fn(true, predicted, **self.arguments), sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": generic.serialize(self.fn)} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        if cls is MeanMetricWrapper:
            from reference_impl.metrics import get

            return cls(**{**config, "fn": get(config["fn"])})
        return cls(**config)


def squeezed(true: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
    """A last axis of size 1 that only one side has goes away."""
    difference = len(predicted.shape) - len(true.shape)
    if difference == 1 and predicted.shape[-1] == 1:
        predicted = functions.squeeze(predicted, -1)
    elif difference == -1 and true.shape[-1] == 1:
        true = functions.squeeze(true, -1)
    return true, predicted
