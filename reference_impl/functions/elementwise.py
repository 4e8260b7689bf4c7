"""Functions that work element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_impl.dtypes import as_dtype
from reference_impl.functions.api import api, pair
from reference_impl.tensors import Tensor, apply, convert


@api("cast")
def cast_to(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    tensor = convert(x)
    wanted = as_dtype(dtype)
    return tensor if tensor.dtype == wanted else apply("Cast", tensor, DstT=wanted)


@api("identity")
def identity(input: Any, name: str | None = None) -> Tensor:
    return apply("Identity", convert(input))


@api("stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    return apply("StopGradient", convert(input))


def _unary(symbol: str, op: str, *aliases: str) -> Callable[..., Any]:
    def function(x: Any, name: str | None = None) -> Tensor:
        return apply(op, convert(x))

    function.__name__ = symbol.rsplit(".", 1)[-1]
    function.__doc__ = f"The op {op}, elementwise."
    return api(symbol, *aliases)(function)


negative = _unary("math.negative", "Neg")
abs = _unary("math.abs", "Abs")
sign = _unary("math.sign", "Sign")
floor = _unary("math.floor", "Floor")
round = _unary("math.round", "Round")
ceil = _unary("math.ceil", "Ceil")
rint = _unary("math.rint", "Rint")
square = _unary("math.square", "Square")
sqrt = _unary("math.sqrt", "Sqrt")
rsqrt = _unary("math.rsqrt", "Rsqrt")
exp = _unary("math.exp", "Exp")
expm1 = _unary("math.expm1", "Expm1")
log = _unary("math.log", "Log")
log1p = _unary("math.log1p", "Log1p")
sin = _unary("math.sin", "Sin")
cos = _unary("math.cos", "Cos")
tan = _unary("math.tan", "Tan")
asin = _unary("math.asin", "Asin")
acos = _unary("math.acos", "Acos")
atan = _unary("math.atan", "Atan")
sinh = _unary("math.sinh", "Sinh")
cosh = _unary("math.cosh", "Cosh")
asinh = _unary("math.asinh", "Asinh")
acosh = _unary("math.acosh", "Acosh")
atanh = _unary("math.atanh", "Atanh")
tanh = _unary("math.tanh", "Tanh", "nn.tanh")
sigmoid = _unary("math.sigmoid", "Sigmoid", "nn.sigmoid")
erf = _unary("math.erf", "Erf")
erfc = _unary("math.erfc", "Erfc")
lgamma = _unary("math.lgamma", "Lgamma")
digamma = _unary("math.digamma", "Digamma")
relu = _unary("nn.relu", "Relu")
relu6 = _unary("nn.relu6", "Relu6")
softplus = _unary("math.softplus", "Softplus", "nn.softplus")
softsign = _unary("nn.softsign", "Softsign")
elu = _unary("nn.elu", "Elu")
selu = _unary("nn.selu", "Selu")
logical_not = _unary("math.logical_not", "LogicalNot")
is_nan = _unary("math.is_nan", "IsNan")
is_inf = _unary("math.is_inf", "IsInf")
is_finite = _unary("math.is_finite", "IsFinite")
zeros_like = _unary("zeros_like", "ZerosLike")
ones_like = _unary("ones_like", "OnesLike")


def _binary(symbol: str, op: str) -> Callable[..., Any]:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return apply(op, *pair(x, y))

    function.__name__ = symbol.rsplit(".", 1)[-1]
    function.__doc__ = f"The op {op} of two broadcast operands of one dtype."
    return api(symbol)(function)


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
multiply_no_nan = _binary("math.multiply_no_nan", "MulNoNan")
xdivy = _binary("math.xdivy", "Xdivy")
xlogy = _binary("math.xlogy", "Xlogy")
xlog1py = _binary("math.xlog1py", "Xlog1py")
greater = _binary("math.greater", "Greater")
greater_equal = _binary("math.greater_equal", "GreaterEqual")
less = _binary("math.less", "Less")
less_equal = _binary("math.less_equal", "LessEqual")
equal = _binary("math.equal", "Equal")
not_equal = _binary("math.not_equal", "NotEqual")
logical_and = _binary("math.logical_and", "LogicalAnd")
logical_or = _binary("math.logical_or", "LogicalOr")


@api("math.truediv", "math.divide")
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True division; integers are divided as float64, as in TensorFlow."""
    first, second = pair(x, y)
    if not first.dtype.is_floating:
        first, second = cast_to(first, "float64"), cast_to(second, "float64")
    return apply("RealDiv", first, second)


@api("math.atan2")
def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point (``x``, ``y``)."""
    return apply("Atan2", *pair(y, x))


@api("math.logical_xor")
def logical_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)))


@api("where")
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """``x`` where ``condition`` and ``y`` elsewhere; of a condition alone the places (int64) where it is True."""
    if x is None and y is None:
        return apply("Where", convert(condition))
    return apply("SelectV2", convert(condition), *pair(x, y))


@api("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Tensor:
    return maximum(minimum(t, clip_value_max), clip_value_min)


@api("ensure_shape")
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """``x``; ``ValueError`` if its shape does not fit ``shape``, in which None is any size."""
    tensor = convert(x)
    wanted, found = list(shape), list(tensor.shape)
    fits = all(None in (size, there) or size == there for size, there in zip(wanted, found, strict=False))
    if len(wanted) != len(found) or not fits:
        raise ValueError(f"ensure_shape: found {tuple(found)}, expected {tuple(wanted)}")
    return apply("Identity", tensor)


@api("convert_to_tensor")
def _as_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    return convert(value, None if dtype is None else as_dtype(dtype), dtype_hint)


@api("debugging.check_numerics")
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """``tensor``; ``ValueError`` with ``message`` if an element is NaN or infinite. In a trace nothing is checked."""
    values = convert(tensor)
    if not values.symbolic and not apply("IsFinite", values).value.all():
        raise ValueError(f"{message}: Tensor had NaN or Inf values")
    return apply("Identity", values)


@api("nn.leaky_relu")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    return apply("LeakyRelu", convert(features), alpha=float(alpha))
