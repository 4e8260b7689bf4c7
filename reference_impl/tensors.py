"""Tensors, and how an op is applied to them.

There is one class of tensor. Given an array it is a value; without one it is *symbolic*: a shape, a dtype and the call
that would make it. :func:`apply` runs the kernel when all inputs have values and the shape rule otherwise.

Calls are remembered on the tensor they produced (``producer``): always for symbolic tensors, for values inside
:func:`recording`, so that :mod:`reference_impl.gradients` can walk back from a loss. Inside :func:`tracing` they are also
written down in order, so that :mod:`reference_impl.graph.trace` can make a function of them.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.ops.table import OPS, Op
from reference_impl.shapes import TensorShape, as_shape

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Call:
    """One application of an op. ``results``: what it gave, of an op of several outputs."""

    op: Op
    inputs: tuple[Tensor, ...]
    attrs: dict[str, Any]
    results: list[Tensor] = field(default_factory=list[Any], repr=False)


class Operators:
    """Python's arithmetic for everything that stands for a tensor."""

    __array_priority__ = 100
    # NumPy must leave ``array + tensor`` to us.
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Any:
        return _functions().operator_add(self, other, name=None)

    def __radd__(self, other: Any) -> Any:
        return _functions().operator_add(other, self, name=None)

    def __sub__(self, other: Any) -> Any:
        return _functions().subtract(self, other, name=None)

    def __rsub__(self, other: Any) -> Any:
        return _functions().subtract(other, self, name=None)

    def __mul__(self, other: Any) -> Any:
        return _functions().multiply(self, other, name=None)

    def __rmul__(self, other: Any) -> Any:
        return _functions().multiply(other, self, name=None)

    def __truediv__(self, other: Any) -> Any:
        return _functions().divide(self, other, name=None)

    def __rtruediv__(self, other: Any) -> Any:
        return _functions().divide(other, self, name=None)

    def __pow__(self, other: Any) -> Any:
        return _functions().pow(self, other, name=None)

    def __rpow__(self, other: Any) -> Any:
        return _functions().pow(other, self, name=None)

    def __matmul__(self, other: Any) -> Any:
        return _functions().matmul(self, other)

    def __neg__(self) -> Any:
        return _functions().negative(self, name=None)

    def __abs__(self) -> Any:
        return _functions().abs(self, name=None)

    def __gt__(self, other: Any) -> Any:
        return _functions().greater(self, other, name=None)

    def __ge__(self, other: Any) -> Any:
        return _functions().greater_equal(self, other, name=None)

    def __lt__(self, other: Any) -> Any:
        return _functions().less(self, other, name=None)

    def __le__(self, other: Any) -> Any:
        return _functions().less_equal(self, other, name=None)

    def __getitem__(self, key: Any) -> Any:
        return _functions().getitem(self, key)


class Tensor(Operators):
    """An array with a static shape and a dtype, or, without an array, a symbolic tensor.

    Attributes: ``shape`` (:class:`TensorShape`), ``dtype`` (:class:`DType`), ``array`` (None when symbolic),
    ``producer`` (the call that made it, where remembered), ``name``, ``metric`` (the metric whose result it is), ``mask``
    (a bool tensor that says which steps count, set by layers; the result of an op has none).
    """

    __slots__ = ("array", "dtype", "mask", "metric", "name", "producer", "shape")

    def __init__(
        self,
        array: Array | None,
        shape: TensorShape | None = None,
        dtype: DType | None = None,
        producer: Call | None = None,
        name: str | None = None,
    ) -> None:
        self.array = array
        self.shape = shape if array is None and shape is not None else TensorShape(np.shape(cast("Any", array)))
        self.dtype = dtype if dtype is not None else as_dtype(cast("Array", array).dtype)
        self.producer = producer
        self.name = name
        self.metric: Any = None
        self.mask: Tensor | None = None

    @property
    def symbolic(self) -> bool:
        return self.array is None

    @property
    def value(self) -> Array:
        """The array itself; ``TypeError`` for a symbolic tensor."""
        if self.array is None:
            raise TypeError(f"{self!r} is symbolic: it has a shape and a dtype but no value; call the model on data")
        return self.array

    def numpy(self) -> Any:
        """The value as an array of its own, or as a NumPy scalar when the shape is ()."""
        return self.value.copy()[()]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def get_shape(self) -> TensorShape:
        return self.shape

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype=dtype)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[index] for index in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return self.value.__index__()

    def __format__(self, spec: str) -> str:
        return format(self.value[()] if self.array is not None and self.array.ndim == 0 else str(self), spec)

    def __repr__(self) -> str:
        value = "" if self.array is None else f", numpy={_shown(self.array)}"
        return f"<tf.Tensor: shape={tuple(self.shape)}, dtype={self.dtype.name}{value}>"

    __hash__ = object.__hash__


def _shown(array: Array) -> str:
    return str(array[()]) if array.ndim == 0 else repr(array)


class Trace:
    """What is written down inside :func:`tracing`: the calls on symbolic tensors, in order.

    ``effects`` are those to be made even if nothing needs what they give: assignments. ``outer`` is the trace that this
    one is made within, of the body of a loop.
    """

    def __init__(self, name: str, outer: Trace | None = None, assigned: Container[int] = ()) -> None:
        self.name = name
        self.calls: list[Call] = []
        self.effects: list[Call] = []
        self.outer = outer
        self._assigned = assigned
        self._number = -1

    @property
    def root(self) -> Trace:
        """The outermost trace."""
        return self if self.outer is None else self.outer.root

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def add(self, call: Call) -> None:
        trace = self
        if call.op.name == "ReadVariableOp":
            # What a loop does not assign (``assigned``: ids) is read before it.
            while trace.outer is not None and id(call.attrs["variable"]) not in trace._assigned:
                trace = trace.outer
        trace.calls.append(call)


class _Tracing(threading.local):
    trace: Trace | None = None


_tracing = _Tracing()


def present_trace() -> Trace | None:
    """The trace that is being written, None outside :func:`tracing`."""
    return _tracing.trace


@contextmanager
def tracing(trace: Trace | None) -> Generator[None]:
    """Inside, calls on symbolic tensors go into ``trace``, and what ops of state give is symbolic.

    With None nothing is traced: a layer that is built inside a trace makes its weights then and there.
    """
    outer = _tracing.trace
    _tracing.trace = trace
    try:
        yield
    finally:
        _tracing.trace = outer


class _Recording(threading.local):
    depth = 0


_recording = _Recording()


@contextmanager
def recording() -> Generator[None]:
    """Inside, values remember the calls that made them."""
    _recording.depth += 1
    try:
        yield
    finally:
        _recording.depth -= 1


def is_recording() -> bool:
    """Whether this is inside :func:`recording`."""
    return _recording.depth > 0


def apply(name: str, *inputs: Tensor, **attrs: Any) -> Tensor:
    """Apply the op ``name`` of the table. Errors of kernel or shape rule name the op and the inputs' shapes."""
    op = OPS[name]
    if not any(tensor.symbolic for tensor in inputs) and not (op.stateful and _tracing.trace is not None):
        result = np.asarray(_checked(op.kernel, op, inputs, [tensor.array for tensor in inputs], attrs))
        return Tensor(result, producer=Call(op, inputs, attrs) if _recording.depth else None)
    shape: Any = _checked(op.shape, op, inputs, inputs, attrs)
    dtype: Any = op.dtype(*inputs, **attrs)
    return Tensor(None, shape, dtype, _written(Call(op, inputs, attrs)))


def apply_several(name: str, *inputs: Tensor, **attrs: Any) -> tuple[Tensor, ...]:
    """Apply the op ``name``, one of several outputs. Errors as of :func:`apply`."""
    op = OPS[name]
    if not any(tensor.symbolic for tensor in inputs) and not (op.stateful and _tracing.trace is not None):
        arrays = _checked(op.kernel, op, inputs, [tensor.array for tensor in inputs], attrs)
        producer = Call(op, inputs, attrs) if _recording.depth else None
        results = tuple(Tensor(np.asarray(array), producer=producer) for array in arrays)
    else:
        producer = _written(Call(op, inputs, attrs))
        shapes: Any = _checked(op.shape, op, inputs, inputs, attrs)
        dtypes: Any = op.dtype(*inputs, **attrs)
        results = tuple(Tensor(None, shape, dtype, producer) for shape, dtype in zip(shapes, dtypes, strict=True))
    if producer is not None:
        producer.results.extend(results)
    return results


def _written(call: Call) -> Call:
    if _tracing.trace is not None:
        _tracing.trace.add(call)
    return call


def _no_rule(*_: Any, **__: Any) -> Any:
    raise AssertionError("the op has no rule: its results were given with the call")


def call_symbolically(
    name: str, inputs: Sequence[Tensor], results: Iterable[tuple[TensorShape, DType]], **attrs: Any
) -> tuple[Tensor, ...]:
    """A call of an op that the table does not have; it gives symbolic tensors of the shapes and dtypes ``results``."""
    call = _written(
        Call(Op(name, _no_rule, _no_rule, _no_rule, None, several=True, stateful=True), tuple(inputs), attrs)
    )
    call.results.extend(Tensor(None, shape, dtype, call) for shape, dtype in results)
    return tuple(call.results)


def _checked(function: Any, op: Op, inputs: tuple[Tensor, ...], args: Any, attrs: dict[str, Any]) -> Any:
    try:
        return function(*args, **attrs)
    except ValueError as error:
        raise ValueError(f"{_described(op, inputs)}: {error}") from None


def _described(op: Op, inputs: tuple[Tensor, ...]) -> str:
    return f"{op.name}({', '.join(str(tuple(tensor.shape)) for tensor in inputs)})"


def symbolic(shape: Any, dtype: str = "float32", name: str | None = None) -> Tensor:
    """A symbolic tensor that nothing made: the argument of a function."""
    return Tensor(None, as_shape(shape), as_dtype(dtype), name=name)


def convert(value: Any, dtype: str | None = None, hint: str | None = None) -> Tensor:
    """``value`` as a tensor.

    Python floats become float32 and integers int32, arrays keep their dtype. ``dtype`` is the dtype the result must
    have: Python values and arrays are cast, a tensor of another dtype is a ``ValueError``. ``hint`` is a dtype to cast
    to if ``value`` is not a tensor and can take it without becoming an integer.
    """
    if not isinstance(value, Tensor):
        # Variables and Keras tensors say themselves how they become tensors.
        read: Any = getattr(cast("Any", type(value)), "as_tensor", None)
        if read is not None:
            value = read(value)
    if isinstance(value, Tensor):
        if dtype is not None and value.dtype != dtype:
            raise ValueError(f"a tensor of dtype {value.dtype.name} where {dtype} was expected; cast it: {value!r}")
        return value
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        if any(isinstance(item, Operators) for item in items):
            return _functions().stack([convert(item, dtype, hint) for item in items])
    return Tensor(_as_array(value, dtype, hint))


def _as_array(value: Any, dtype: str | None, hint: str | None) -> Array:
    array: Array = np.asarray(value)
    if array.dtype.kind in "US":
        encoded = [item.encode() if isinstance(item, str) else item for item in array.ravel().tolist()]
        return np.array(encoded, dtype=object).reshape(array.shape)
    wanted = dtype or (hint if hint is not None and _castable(array, hint) else None)
    if wanted is None and not isinstance(value, (np.ndarray, np.generic)):
        wanted = {"f": "float32", "i": "int32"}.get(array.dtype.kind)
    return array if wanted is None else array.astype(numpy_dtype(wanted), copy=False)


def _castable(array: Array, hint: str) -> bool:
    return array.dtype.kind in "iufV" and (as_dtype(hint).is_floating or array.dtype.kind in "iu")


def _functions() -> Any:
    from reference_impl import functions

    return functions
