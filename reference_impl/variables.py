"""Variables: named values that are trained, saved and restored."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl import naming
from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.ops import table
from reference_impl.shapes import Dim, TensorShape, fits
from reference_impl.tensors import (
    Operators,
    Tensor,
    apply,
    call_symbolically,
    convert,
    is_recording,
    present_trace,
    tracing,
)
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
    stateful=True,
)


class _Reading(threading.local):
    dtype: DType | None = None


_reading = _Reading()


@contextmanager
def reading_as(dtype: DType | None) -> Generator[None]:
    """Inside, weights that are ``autocast`` are read as ``dtype``; with None as they are."""
    outer = _reading.dtype
    _reading.dtype = dtype
    try:
        yield
    finally:
        _reading.dtype = outer


class _Deferring(threading.local):
    awaiting: list[Variable] | None = None
    most: int | None = None


_deferring = _Deferring()


@contextmanager
def deferred(most: int | None = None) -> Generator[None]:
    """Inside, initial values that are functions are computed when they are first read, or else at the end.

    For loading: nearly every variable is given its value before. After an error nothing is computed. ``most``: the bytes
    that one of these values may have; a larger one is a ``LoadError``, for a text may ask for any shape.
    """
    if _deferring.awaiting is not None:
        yield
        return
    awaiting = _deferring.awaiting = []
    _deferring.most = most
    try:
        try:
            yield
        finally:
            _deferring.awaiting = None
        for variable in awaiting:
            _ = variable.array
    finally:
        _deferring.most = None


class Variable(Operators, Trackable):
    """A value of fixed shape and dtype that can be assigned.

    ``initial_value``: array, tensor, number, or a function of no arguments giving one; that can be :func:`deferred` where
    ``dtype`` and ``gives`` say the dtype and shape of what it gives. ``name`` is prefixed by the layers being called and
    ends in ``:0``. ``constraint`` is a function applied by optimizers after each update.
    """

    _untracked = frozenset(
        {"array", "trainable", "shape", "dtype", "name", "constraint", "automatically_named", "autocast"}
    )
    shape: TensorShape
    dtype: DType
    trainable: bool
    constraint: Callable[[Any], Any] | None
    autocast: bool
    automatically_named: bool
    name: str

    def __init__(
        self,
        initial_value: Any,
        trainable: bool | None = None,
        name: str | None = None,
        dtype: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
        *,
        gives: TensorShape | None = None,
    ) -> None:
        self.__dict__["_initial"] = (initial_value, dtype)
        if _deferring.awaiting is not None and gives is not None and dtype is not None and callable(initial_value):
            self.__dict__.update(shape=gives, dtype=as_dtype(dtype))
            _deferring.awaiting.append(self)
        else:
            self.__dict__["array"] = self._first()
        self.__dict__.update(
            trainable=True if trainable is None else trainable,
            constraint=constraint,
            autocast=False,
            automatically_named=name is None,
            name=naming.scoped(name or "Variable") + ":0",
        )

    # -- reading -------------------------------------------------------------------------------------------

    @cached_property
    def array(self) -> Array:
        """The present value. It is replaced by assignments and never written into, so that tensors may hold it."""
        return self._first()

    def _first(self) -> Array:
        value, dtype = self.__dict__["_initial"]
        if _deferring.most is not None and "shape" in self.__dict__:
            size = math.prod(size or 0 for size in self.shape) * numpy_dtype(self.dtype).itemsize
            if size > _deferring.most:
                raise LoadError(
                    f"{self.name}: found no value yet for its shape {tuple(self.shape)}, and a new one has {size} bytes, expected "
                    f"at most {_deferring.most} for a file of this size"
                )
        with tracing(None):
            tensor = convert(value() if callable(value) else value, hint=dtype)
            if dtype is not None and tensor.dtype != dtype:
                tensor = convert(tensor.value, dtype)
        self.__dict__.update(shape=tensor.shape, dtype=as_dtype(tensor.dtype))
        del self.__dict__["_initial"]
        return tensor.value.copy()

    def as_tensor(self) -> Tensor:
        """The present value; in the layer's compute dtype while a layer that is to cast it is being called."""
        if "array" not in self.__dict__ and present_trace() is None and not is_recording():
            value: Tensor = _Unread(self)
        else:
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

    def takes(self, shape: Sequence[Dim]) -> bool:
        """Whether a value of this shape can be assigned."""
        return tuple(shape) == tuple(self.shape)

    def assign(self, value: Any) -> Variable:
        """Replace the value by a copy of ``value``; ``ValueError`` if the shape or a tensor's dtype does not fit.

        In a trace it is an effect, and the value stays.
        """
        tensor = convert(value, hint=self.dtype)
        trace = present_trace()
        if tensor.symbolic and trace is None:
            # Building a model from symbolic tensors computes nothing, so there is nothing to store.
            return self
        if tensor.dtype != self.dtype:
            if isinstance(value, Tensor | Variable):
                raise ValueError(
                    f"{self.name} is {self.dtype.name}; a {tensor.dtype.name} tensor was assigned; cast it"
                )
            tensor = convert(tensor.value, self.dtype)
        if not self.takes(tensor.shape) and (trace is None or not fits(tensor.shape, self.shape)):
            raise ValueError(
                f"{self.name} has shape {tuple(self.shape)}; a value of shape {tuple(tensor.shape)} was assigned"
            )
        if trace is not None:
            call_symbolically("AssignVariableOp", [tensor], [], variable=self)
            trace.effects.append(trace.calls[-1])
            return self
        self._take(tensor.value.copy())
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
        if not self.takes(value.shape):
            return f"{self.name} has shape {tuple(self.shape)}, the stored value {tuple(value.shape)}"
        if as_dtype(value.dtype) != self.dtype:
            return f"{self.name} has dtype {self.dtype.name}, the stored value {as_dtype(value.dtype).name}"
        return None

    def _value_names(self) -> Collection[str]:
        return (VARIABLE_VALUE,)

    def _restore_value(self, name: str, value: Array) -> None:
        self._take(value)  # frees the old array before the new one takes its memory
        self._take(np.array(value))

    def _take(self, array: Array) -> None:
        self.__dict__["array"] = array
        self.__dict__.pop("_initial", None)


class _Unread(Tensor):
    """The value of a variable that has not computed its initial one; asked for it, it has to.

    Where all else is symbolic nobody asks, only shape and dtype count.
    """

    __slots__ = ("_variable",)

    def __init__(self, variable: Variable) -> None:
        self._variable = variable
        self.shape, self.dtype = variable.shape, variable.dtype
        self.producer = self.name = self.mask = None
        self.metric = None

    @property
    def array(self) -> Array:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._variable.array

    @property
    def symbolic(self) -> bool:
        return False
