"""Variables: named values that are trained, saved and restored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl import naming
from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops import table
from reference_impl.shapes import TensorShape, fits
from reference_impl.tensors import Operators, Tensor, apply, convert
from reference_impl.tracking import VARIABLE_VALUE, SavedValue, Trackable

Array = npt.NDArray[Any]


def _read(variable: Variable) -> Array:
    return variable.array


def _shape(variable: Variable) -> TensorShape:
    return variable.shape


def _dtype(variable: Variable) -> DType:
    return variable.dtype


table.define(
    "ReadVariableOp",
    kernel=_read,
    shape=_shape,
    dtype=_dtype,
)


class _Reading(threading.local):
    dtype: DType | None = None


_reading = _Reading()


@contextmanager
def reading_as(dtype: DType) -> Generator[None]:
    """Inside, weights that are ``autocast`` are read as ``dtype``."""
    outer = _reading.dtype
    _reading.dtype = dtype
    try:
        yield
    finally:
        _reading.dtype = outer


class Variable(Operators, Trackable):
    """A value of fixed shape and dtype that can be assigned.

    ``initial_value``: array, tensor, number, or a function of no arguments giving one. ``name`` is prefixed by the
    layers being called and ends in ``:0``. ``constraint`` is a function applied by optimizers after each update.
    """

    _untracked = frozenset(
        {"array", "trainable", "shape", "dtype", "name", "constraint", "automatically_named", "autocast"}
    )

    def __init__(
        self,
        initial_value: Any,
        trainable: bool | None = None,
        name: str | None = None,
        dtype: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
    ) -> None:
        value = initial_value() if callable(initial_value) else initial_value
        tensor = convert(value, hint=dtype)
        if dtype is not None and tensor.dtype != dtype:
            tensor = convert(tensor.value, dtype)
        # The array is replaced by assignments and never written into, so that tensors may hold it.
        self.array: Array = tensor.value.copy()
        self.trainable: bool = True if trainable is None else trainable
        self.shape: TensorShape = tensor.shape
        self.dtype: DType = as_dtype(tensor.dtype)
        self.constraint = constraint
        self.autocast = False
        self.automatically_named = name is None
        self.name: str = naming.scoped(name or "Variable") + ":0"

    # -- reading -------------------------------------------------------------------------------------------

    def as_tensor(self) -> Tensor:
        """The present value; in the layer's compute dtype while a layer that is to cast it is being called."""
        value = apply("ReadVariableOp", variable=self)
        if self.autocast and _reading.dtype is not None and _reading.dtype != self.dtype:
            return apply("Cast", value, DstT=_reading.dtype)
        return value

    value = read_value = as_tensor

    def numpy(self) -> Any:
        """A copy of the value; a NumPy scalar when the shape is ()."""
        return self.array.copy()[()]

    def get_shape(self) -> TensorShape:
        """The shape, always fully known."""
        return self.shape

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype)

    def __float__(self) -> float:
        return float(self.array)

    def __int__(self) -> int:
        return int(self.array)

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return (
            f"<tf.Variable '{self.name}' shape={tuple(self.shape)} dtype={self.dtype.name}, numpy={self.array[()]!r}>"
        )

    __hash__ = object.__hash__

    # -- writing -------------------------------------------------------------------------------------------

    def assign(self, value: Any) -> Variable:
        """Replace the value by a copy of ``value``; ``ValueError`` if the shape or a tensor's dtype does not fit."""
        tensor = convert(value, hint=self.dtype)
        if tensor.symbolic:
            # Building a model from symbolic tensors computes nothing, so there is nothing to store.
            return self
        if tensor.dtype != self.dtype:
            if isinstance(value, Tensor | Variable):
                raise ValueError(
                    f"{self.name} is {self.dtype.name}; a {tensor.dtype.name} tensor was assigned; cast it"
                )
            tensor = convert(tensor.value, self.dtype)
        if tensor.shape != self.shape:
            raise ValueError(
                f"{self.name} has shape {tuple(self.shape)}; a value of shape {tuple(tensor.shape)} was assigned"
            )
        self.__dict__["array"] = tensor.value.copy()
        return self

    def assign_add(self, delta: Any) -> Variable:
        """Add ``delta`` to the value."""
        return self.assign(apply("ReadVariableOp", variable=self) + delta)

    def assign_sub(self, delta: Any) -> Variable:
        """Subtract ``delta`` from the value."""
        return self.assign(apply("ReadVariableOp", variable=self) - delta)

    # -- in checkpoints ------------------------------------------------------------------------------------

    def _checkpoint_values(self) -> Mapping[str, SavedValue]:
        return {VARIABLE_VALUE: SavedValue(self.array, self.name.removesuffix(":0"))}

    def _check_value(self, name: str, value: Array) -> str | None:
        if not fits(value.shape, self.shape):
            return f"{self.name} has shape {tuple(self.shape)}, the stored value {tuple(value.shape)}"
        if as_dtype(value.dtype) != self.dtype:
            return f"{self.name} has dtype {self.dtype.name}, the stored value {as_dtype(value.dtype).name}"
        return None

    def _restore_value(self, name: str, value: Array) -> None:
        self.__dict__["array"] = value  # frees the old array before the new one takes its memory
        self.__dict__["array"] = np.array(value)
