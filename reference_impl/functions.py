"""TensorFlow's functions, as far as layers, losses and the guide need them.

Each takes tensors, variables, arrays or numbers and is a call or two of the table of ops. Called on the symbolic
inputs of a Functional model (:class:`~reference_impl.models.graph.KerasTensor`) a function becomes a layer of class
``TFOpLambda`` that remembers it under its TensorFlow name (``math.multiply``): :data:`FUNCTIONS` finds it again.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from reference_impl import ops
from reference_impl.dtypes import as_dtype, numpy_dtype
from reference_impl.ops.randomness import set_seed
from reference_impl.tensors import Tensor, apply, convert

__all__ = ["FUNCTIONS", "ops", "set_seed"]

FUNCTIONS: dict[str, Callable[..., Any]] = {}


class KerasSymbol:
    """Base of what stands for a tensor while a Functional model is put together."""

    __slots__ = ()


def _api(symbol: str, *aliases: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def dispatch(*args: Any, **kwargs: Any) -> Any:
            if holds_keras_symbol(args) or holds_keras_symbol(list(kwargs.values())):
                from reference_impl.layers.op_layer import call_as_layer

                return call_as_layer(symbol, args, kwargs)
            return function(*args, **kwargs)

        for key in (symbol, *aliases):
            FUNCTIONS[key] = dispatch
        return dispatch

    return register


def holds_keras_symbol(values: Sequence[Any]) -> bool:
    """Whether a Functional model's symbolic tensor is among ``values``, lists and tuples looked into."""
    return builtins.any(
        isinstance(value, KerasSymbol)
        or (isinstance(value, list | tuple) and holds_keras_symbol(list(cast("Any", value))))
        for value in values
    )


# -- conversion --------------------------------------------------------------------------------------------------


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of one dtype; what is not a tensor takes the other's dtype."""
    if _is_tensor(x):
        first = convert(x)
        second = convert(y, hint=first.dtype)
    else:
        second = convert(y)
        first = convert(x, hint=second.dtype if _is_tensor(y) else None)
    if first.dtype != second.dtype:
        raise TypeError(
            f"operands of dtype {first.dtype.name} and {second.dtype.name}; both must be of one dtype; cast one"
        )
    return first, second


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(value, "as_tensor")


def _ints(values: Any) -> Tensor:
    return convert(np.array(values, np.int32))


def _axes(x: Tensor, axis: Any) -> Tensor:
    if axis is None:
        return _ints(range(len(x.shape)))
    return _ints([int(axis)] if np.ndim(axis) == 0 else list(axis))


@_api("cast")
def cast_to(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    tensor = convert(x)
    wanted = as_dtype(dtype)
    return tensor if tensor.dtype == wanted else apply("Cast", tensor, DstT=wanted)


@_api("identity")
def identity(input: Any, name: str | None = None) -> Tensor:
    return apply("Identity", convert(input))


@_api("stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    return apply("StopGradient", convert(input))


# -- elementwise -------------------------------------------------------------------------------------------------


def _unary(symbol: str, op: str, *aliases: str) -> Callable[..., Any]:
    def function(x: Any, name: str | None = None) -> Tensor:
        return apply(op, convert(x))

    function.__name__ = symbol.rsplit(".", 1)[-1]
    function.__doc__ = f"The op {op}, elementwise."
    return _api(symbol, *aliases)(function)


negative = _unary("math.negative", "Neg")
abs = _unary("math.abs", "Abs")
sign = _unary("math.sign", "Sign")
floor = _unary("math.floor", "Floor")
round = _unary("math.round", "Round")
square = _unary("math.square", "Square")
sqrt = _unary("math.sqrt", "Sqrt")
rsqrt = _unary("math.rsqrt", "Rsqrt")
exp = _unary("math.exp", "Exp")
expm1 = _unary("math.expm1", "Expm1")
log = _unary("math.log", "Log")
log1p = _unary("math.log1p", "Log1p")
sin = _unary("math.sin", "Sin")
cos = _unary("math.cos", "Cos")
tanh = _unary("math.tanh", "Tanh", "nn.tanh")
sigmoid = _unary("math.sigmoid", "Sigmoid", "nn.sigmoid")
erf = _unary("math.erf", "Erf")
relu = _unary("nn.relu", "Relu")
relu6 = _unary("nn.relu6", "Relu6")
softplus = _unary("math.softplus", "Softplus", "nn.softplus")
softsign = _unary("nn.softsign", "Softsign")
elu = _unary("nn.elu", "Elu")
selu = _unary("nn.selu", "Selu")
logical_not = _unary("math.logical_not", "LogicalNot")
zeros_like = _unary("zeros_like", "ZerosLike")
ones_like = _unary("ones_like", "OnesLike")


def _binary(symbol: str, op: str) -> Callable[..., Any]:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return apply(op, *_pair(x, y))

    function.__name__ = symbol.rsplit(".", 1)[-1]
    function.__doc__ = f"The op {op} of two broadcast operands of one dtype."
    return _api(symbol)(function)


add = _binary("math.add", "AddV2")
operator_add = _binary("__operators__.add", "AddV2")
subtract = _binary("math.subtract", "Sub")
multiply = _binary("math.multiply", "Mul")
pow = _binary("math.pow", "Pow")
maximum = _binary("math.maximum", "Maximum")
minimum = _binary("math.minimum", "Minimum")
floordiv = _binary("math.floordiv", "FloorDiv")
mod = _binary("math.floormod", "FloorMod")
squared_difference = _binary("math.squared_difference", "SquaredDifference")
divide_no_nan = _binary("math.divide_no_nan", "DivNoNan")
greater = _binary("math.greater", "Greater")
greater_equal = _binary("math.greater_equal", "GreaterEqual")
less = _binary("math.less", "Less")
less_equal = _binary("math.less_equal", "LessEqual")
equal = _binary("math.equal", "Equal")
not_equal = _binary("math.not_equal", "NotEqual")
logical_and = _binary("math.logical_and", "LogicalAnd")
logical_or = _binary("math.logical_or", "LogicalOr")


@_api("math.truediv", "math.divide")
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True division; integers are divided as float64, as in TensorFlow."""
    first, second = _pair(x, y)
    if not first.dtype.is_floating:
        first, second = cast_to(first, "float64"), cast_to(second, "float64")
    return apply("RealDiv", first, second)


@_api("where")
def where(condition: Any, x: Any, y: Any, name: str | None = None) -> Tensor:
    return apply("SelectV2", convert(condition), *_pair(x, y))


@_api("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Tensor:
    return maximum(minimum(t, clip_value_max), clip_value_min)


@_api("nn.leaky_relu")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    return apply("LeakyRelu", convert(features), alpha=float(alpha))


@_api("nn.softmax")
def softmax(logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    return _along_last("Softmax", convert(logits), axis)


@_api("nn.log_softmax")
def log_softmax(logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    return _along_last("LogSoftmax", convert(logits), axis)


def _along_last(op: str, x: Tensor, axis: int) -> Tensor:
    """The op knows only the last axis; another one is brought there and back."""
    rank = len(x.shape)
    place = axis % rank
    if place == rank - 1:
        return apply(op, x)
    swap = list(range(rank))
    swap[place], swap[-1] = swap[-1], swap[place]
    return apply("Transpose", apply(op, apply("Transpose", x, _ints(swap))), _ints(swap))


@_api("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    features = convert(logits)
    return apply("SoftmaxCrossEntropyWithLogits", features, convert(labels, hint=features.dtype))


@_api("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    return apply("SparseSoftmaxCrossEntropyWithLogits", convert(logits), cast_to(labels, "int64"))


@_api("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """max(x, 0) - x·z + log(1 + exp(-|x|)), which never overflows."""
    x, z = _pair(logits, labels)
    return relu(x) - x * z + log1p(exp(-_magnitude(x)))


def _magnitude(x: Tensor) -> Tensor:
    return where(greater_equal(x, 0.0), x, -x)


# -- products ----------------------------------------------------------------------------------------------------


@_api("linalg.matmul")
def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: str | None = None) -> Tensor:
    """The product of two matrices, or of two broadcast stacks of matrices."""
    x, y = _pair(a, b)
    if len(x.shape) == 2 and len(y.shape) == 2:
        return apply("MatMul", x, y, transpose_a=transpose_a, transpose_b=transpose_b)
    return apply("BatchMatMulV2", x, y, adj_x=transpose_a, adj_y=transpose_b)


@_api("nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    return apply("BiasAdd", *_pair(value, bias))


# -- reductions --------------------------------------------------------------------------------------------------


def _reduction(symbol: str, op: str) -> Callable[..., Any]:
    def function(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        x = convert(input_tensor)
        return apply(op, x, _axes(x, axis), keep_dims=bool(keepdims))

    function.__name__ = symbol.rsplit(".", 1)[-1]
    function.__doc__ = f"The op {op} along ``axis`` (None: all axes)."
    return _api(symbol)(function)


reduce_sum = _reduction("math.reduce_sum", "Sum")
reduce_mean = _reduction("math.reduce_mean", "Mean")
reduce_max = _reduction("math.reduce_max", "Max")
reduce_min = _reduction("math.reduce_min", "Min")
reduce_prod = _reduction("math.reduce_prod", "Prod")
reduce_all = _reduction("math.reduce_all", "All")
reduce_any = _reduction("math.reduce_any", "Any")


@_api("math.argmax")
def argmax(input: Any, axis: int = 0, output_type: str = "int64", name: str | None = None) -> Tensor:
    return apply("ArgMax", convert(input), _ints(axis), output_type=str(output_type))


@_api("math.l2_normalize", "nn.l2_normalize")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Tensor:
    tensor = convert(x)
    length = reduce_sum(square(tensor), axis=axis, keepdims=True)
    return tensor * rsqrt(maximum(length, epsilon))


# -- arrangement -------------------------------------------------------------------------------------------------


@_api("shape")
def shape(input: Any, out_type: str = "int32", name: str | None = None) -> Tensor:
    tensor = convert(input)
    if tensor.shape.is_fully_defined():
        return convert(np.array(tensor.shape, dtype=numpy_dtype(out_type)))
    return apply("Shape", tensor, out_type=str(out_type))


@_api("reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    return apply("Reshape", convert(tensor), convert(shape, hint="int32"))


@_api("transpose")
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Tensor:
    x = convert(a)
    return apply("Transpose", x, _ints(list(reversed(range(len(x.shape)))) if perm is None else list(perm)))


@_api("expand_dims")
def expand_dims(input: Any, axis: int, name: str | None = None) -> Tensor:
    return apply("ExpandDims", convert(input), _ints(axis))


@_api("squeeze")
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    dims: list[int] = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    return apply("Squeeze", convert(input), squeeze_dims=dims)


@_api("concat")
def concat(values: Any, axis: int, name: str = "concat") -> Tensor:
    return apply("ConcatV2", *_of_one_dtype(values), _ints(axis))


@_api("stack")
def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    return apply("Pack", *_of_one_dtype(values), axis=axis)


def _of_one_dtype(values: Sequence[Any]) -> list[Tensor]:
    known = next((convert(value).dtype for value in values if _is_tensor(value)), None)
    return [convert(value, hint=known) for value in values]


@_api("tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    return apply("Tile", convert(input), convert(multiples, hint="int32"))


@_api("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    return apply("BroadcastTo", convert(input), convert(shape, hint="int32"))


@_api("gather")
def gather(params: Any, indices: Any, axis: int = 0, name: str | None = None) -> Tensor:
    return apply("GatherV2", convert(params), convert(indices), _ints(axis))


@_api("one_hot")
def one_hot(
    indices: Any, depth: int, on_value: Any = 1.0, off_value: Any = 0.0, axis: int = -1, dtype: str = "float32"
) -> Tensor:
    return apply(
        "OneHot",
        convert(indices),
        _ints(depth),
        convert(on_value, hint=dtype),
        convert(off_value, hint=dtype),
        axis=axis,
    )


@_api("__operators__.getitem")
def getitem(x: Any, slice_spec: Any) -> Tensor:
    """``x[slice_spec]`` for integers, slices, ``...`` and None."""
    parts = list(cast("Any", slice_spec)) if isinstance(slice_spec, list | tuple) else [slice_spec]
    begin, end, strides = [0] * len(parts), [0] * len(parts), [1] * len(parts)
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    for i, part in enumerate(parts):
        if part is Ellipsis:
            masks["ellipsis_mask"] |= 1 << i
        elif part is None:
            masks["new_axis_mask"] |= 1 << i
        elif isinstance(part, slice):
            part = cast("Any", part)
            begin[i], end[i], strides[i] = (_bound(part.start, 0), _bound(part.stop, 0), _bound(part.step, 1))
            masks["begin_mask"] |= (part.start is None) << i
            masks["end_mask"] |= (part.stop is None) << i
        else:
            begin[i], end[i] = int(part), int(part) + 1
            masks["shrink_axis_mask"] |= 1 << i
    return apply("StridedSlice", convert(x), _ints(begin), _ints(end), _ints(strides), **masks)


def _bound(value: Any, default: int) -> int:
    return default if value is None else int(value)


# -- making ------------------------------------------------------------------------------------------------------


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """``value`` as a tensor, repeated to ``shape`` when one is given."""
    wanted = None if dtype is None else as_dtype(dtype)
    tensor = convert(value if wanted is None or not _is_tensor(value) else np.asarray(value), wanted)
    return tensor if shape is None else Tensor(np.broadcast_to(tensor.value, tuple(shape)).copy())


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    return convert(value, None if dtype is None else as_dtype(dtype), dtype_hint)


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    return apply("Fill", convert(dims, hint="int32"), convert(value))


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return fill(shape, np.zeros((), numpy_dtype(as_dtype(dtype))))


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return fill(shape, np.ones((), numpy_dtype(as_dtype(dtype))))


def random_uniform(
    shape: Any, minval: float = 0, maxval: float | None = None, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Uniform in [minval, maxval); ``maxval`` None is 1. ``seed`` selects a stream of its own."""
    drawn = apply("RandomUniform", convert(shape, hint="int32"), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * ((1 if maxval is None else maxval) - minval) + minval


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    drawn = apply("RandomStandardNormal", convert(shape, hint="int32"), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * stddev + mean


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Normal, drawn again while more than two standard deviations from the mean."""
    drawn = apply("TruncatedNormal", convert(shape, hint="int32"), dtype=str(as_dtype(dtype)), seed=seed)
    return drawn * stddev + mean


@_api("nn.dropout")
def dropout(x: Any, rate: float, noise_shape: Any = None, seed: int | None = None, name: str | None = None) -> Tensor:
    """Each element zero with probability ``rate``, else divided by ``1 - rate``."""
    tensor = convert(x)
    noise = random_uniform(shape(tensor) if noise_shape is None else noise_shape, dtype=tensor.dtype, seed=seed)
    kept = cast_to(greater_equal(noise, rate), tensor.dtype)
    return tensor * (1.0 / (1.0 - rate)) * kept
