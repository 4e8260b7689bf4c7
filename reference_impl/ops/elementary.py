"""Elementwise operations that graphs have and layers do not call by themselves."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.ops.elementwise import scalar, sum_to
from reference_impl.ops.table import Gradient, Kernel, define
from reference_impl.shapes import TensorShape, broadcast
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _shape_of_first(x: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return x.shape


def _broadcast_shape(x: Tensor, y: Tensor, **_: Any) -> TensorShape:
    return broadcast(x.shape, y.shape)


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _bool(*_: Any, **__: Any) -> DType:
    return DType("bool")


def each(function: Any) -> Kernel:
    """A function of numbers as one of arrays."""
    return lambda x: np.vectorize(function, otypes=[x.dtype])(x)


# -- one argument ------------------------------------------------------------------------------------------------


def _derivative(name: str) -> Any:
    return lambda dy, y, x: (dy * apply(name, x),)


_UNARY: dict[str, tuple[Kernel, Gradient]] = {
    "Tan": (np.tan, lambda dy, y, x: (dy * (y * y + 1),)),
    "Sinh": (np.sinh, _derivative("Cosh")),
    "Cosh": (np.cosh, _derivative("Sinh")),
    "Asin": (np.arcsin, lambda dy, y, x: (dy / apply("Sqrt", 1 - x * x),)),
    "Acos": (np.arccos, lambda dy, y, x: (-dy / apply("Sqrt", 1 - x * x),)),
    "Atan": (np.arctan, lambda dy, y, x: (dy / (x * x + 1),)),
    "Asinh": (np.arcsinh, lambda dy, y, x: (dy / apply("Cosh", y),)),
    "Acosh": (np.arccosh, lambda dy, y, x: (dy / apply("Sinh", y),)),
    "Atanh": (np.arctanh, lambda dy, y, x: (dy / (1 - x * x),)),
    "Inv": (np.reciprocal, lambda dy, y, x: (-dy * y * y,)),
    "Ceil": (np.ceil, _no_gradient),
    "Rint": (np.rint, _no_gradient),
    "Erfc": (each(math.erfc), lambda dy, y, x: (dy * apply("Exp", -(x * x)) * (-2 / math.sqrt(math.pi)),)),
    "Lgamma": (each(math.lgamma), _derivative("Digamma")),
    "Invert": (np.invert, _no_gradient),
}
for _name, (_kernel, _gradient) in _UNARY.items():
    define(_name, _kernel, _shape_of_first, _gradient)


def _digamma(x: float) -> float:
    """Reflected for negative numbers, shifted upwards until the asymptotic series is exact."""
    if x <= 0 and x == math.floor(x):
        return math.nan
    if x < 0:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * x)
    shift = 0.0
    while x < 10:
        shift -= 1 / x
        x += 1
    square = 1 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return shift + math.log(x) - 0.5 / x - series


define("Digamma", each(_digamma), _shape_of_first)

for _name, _kernel in {"IsNan": np.isnan, "IsInf": np.isinf, "IsFinite": np.isfinite}.items():
    define(_name, _kernel, _shape_of_first, _no_gradient, _bool)


# -- two arguments -----------------------------------------------------------------------------------------------


def _truncated_quotient(x: Array, y: Array) -> Array:
    """Rounded towards zero, as C does; the quotient itself of floating numbers."""
    if x.dtype.kind == "f":
        return np.true_divide(x, y)
    quotient = np.floor_divide(np.abs(x), np.abs(y))
    return np.where((x < 0) != (y < 0), -quotient, quotient).astype(x.dtype)


def _where_not_zero(function: Any) -> Kernel:
    """``x`` times a function of ``y``, 0 wherever ``x`` is."""

    def kernel(x: Array, y: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.where(x == 0, x.dtype.type(0), x * function(y)).astype(x.dtype)

    return kernel


def _sum_gradient(dz: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return sum_to(dz, x), sum_to(dz, y)


def _quotient_gradient(dz: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return sum_to(dz / y, x), sum_to(-dz * x / y / y, y)


def _atan2_gradient(dz: Tensor, z: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    scaled = dz / (x * x + y * y)
    return sum_to(x * scaled, y), sum_to(-y * scaled, x)


def _is_not_zero(x: Tensor) -> Tensor:
    return apply("Cast", apply("NotEqual", x, scalar(0, x)), DstT=x.dtype)


_BINARY: dict[str, tuple[Kernel, Gradient]] = {
    "Add": (np.add, _sum_gradient),
    "Div": (_truncated_quotient, _quotient_gradient),
    "TruncateDiv": (_truncated_quotient, _no_gradient),
    "TruncateMod": (np.fmod, _no_gradient),
    "Mod": (np.fmod, _no_gradient),
    "Atan2": (np.arctan2, _atan2_gradient),
    "BitwiseAnd": (np.bitwise_and, _no_gradient),
    "BitwiseOr": (np.bitwise_or, _no_gradient),
    "BitwiseXor": (np.bitwise_xor, _no_gradient),
    "LeftShift": (np.left_shift, _no_gradient),
    "RightShift": (np.right_shift, _no_gradient),
    "NextAfter": (np.nextafter, _no_gradient),
    "MulNoNan": (
        lambda x, y: np.where(y == 0, x.dtype.type(0), x * y),
        lambda dz, z, x, y: (sum_to(apply("MulNoNan", dz, y), x), sum_to(apply("MulNoNan", x, dz), y)),
    ),
    "Xdivy": (
        _where_not_zero(lambda y: 1 / y),
        lambda dz, z, x, y: (
            sum_to(dz * apply("Xdivy", _is_not_zero(x), y), x),
            sum_to(dz * apply("Xdivy", -x, y * y), y),
        ),
    ),
    "Xlogy": (
        _where_not_zero(np.log),
        lambda dz, z, x, y: (
            sum_to(dz * apply("Xlogy", _is_not_zero(x), y), x),
            sum_to(dz * apply("Xdivy", x, y), y),
        ),
    ),
    "Xlog1py": (
        _where_not_zero(np.log1p),
        lambda dz, z, x, y: (
            sum_to(dz * apply("Xlog1py", _is_not_zero(x), y), x),
            sum_to(dz * apply("Xdivy", x, y + 1), y),
        ),
    ),
}
for _name, (_kernel, _gradient) in _BINARY.items():
    define(_name, _kernel, _broadcast_shape, _gradient)

define(
    "ApproximateEqual",
    lambda x, y, tolerance=1e-5: np.abs(x - y) < tolerance,
    _broadcast_shape,
    _no_gradient,
    _bool,
)


# -- more --------------------------------------------------------------------------------------------------------


def _select(condition: Array, t: Array, e: Array) -> Array:
    """A condition of rank 1 chooses whole rows."""
    return np.where(condition.reshape(condition.shape + (1,) * (t.ndim - condition.ndim)), t, e)


def _select_gradient(dy: Tensor, y: Tensor, condition: Tensor, t: Tensor, e: Tensor) -> tuple[Tensor | None, ...]:
    nothing = apply("ZerosLike", dy)
    return None, apply("Select", condition, dy, nothing), apply("Select", condition, nothing, dy)


define(
    "Select",
    kernel=_select,
    shape=lambda condition, t, e: t.shape,
    gradient=_select_gradient,
    dtype=lambda condition, t, e: t.dtype,
)


def _clip_gradient(dy: Tensor, y: Tensor, t: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    nothing = apply("ZerosLike", dy)
    below, above = apply("Less", t, low), apply("Greater", t, high)
    outside = apply("LogicalOr", below, above)
    return (
        apply("SelectV2", outside, nothing, dy),
        sum_to(apply("SelectV2", below, dy, nothing), low),
        sum_to(apply("SelectV2", above, dy, nothing), high),
    )


define(
    "ClipByValue",
    kernel=lambda t, low, high: np.minimum(np.maximum(t, low), high),
    shape=_shape_of_first,
    gradient=_clip_gradient,
)
define(
    "AddN",
    kernel=lambda *inputs: reduce(np.add, inputs),
    shape=_shape_of_first,
    gradient=lambda dy, y, *inputs: [dy] * len(inputs),
)
define(
    "AccumulateNV2",
    kernel=lambda *inputs, shape=None: reduce(np.add, inputs),
    shape=_shape_of_first,
    gradient=lambda dy, y, *inputs, shape=None: [dy] * len(inputs),
)
define(
    "L2Loss",
    kernel=lambda t: np.sum(np.square(t)) / t.dtype.type(2),
    shape=lambda t: TensorShape(()),
    gradient=lambda dy, y, t: (dy * t,),
)


# -- gradients of activations, as TensorFlow has them -------------------------------------------------------------


def _elu_back(gradients: Array, outputs: Array) -> Array:
    return np.where(outputs < 0, gradients * (outputs + 1), gradients)


def _leaky_back(gradients: Array, features: Array, alpha: float = 0.2) -> Array:
    return np.where(features > 0, gradients, gradients * features.dtype.type(alpha))


def _sigmoid_of(x: Array) -> Array:
    return (1 / (1 + np.exp(-x))).astype(x.dtype)


_BACK: dict[str, Kernel] = {
    "SigmoidGrad": lambda y, dy: dy * y * (1 - y),
    "TanhGrad": lambda y, dy: dy * (1 - y * y),
    "SqrtGrad": lambda y, dy: dy * y.dtype.type(0.5) / y,
    "RsqrtGrad": lambda y, dy: dy * y.dtype.type(-0.5) * y * y * y,
    "ReciprocalGrad": lambda y, dy: -dy * y * y,
    "InvGrad": lambda y, dy: -dy * y * y,
    "ReluGrad": lambda gradients, features: gradients * (features > 0),
    "Relu6Grad": lambda gradients, features: gradients * ((features > 0) & (features < 6)),
    "LeakyReluGrad": _leaky_back,
    "EluGrad": _elu_back,
    "SeluGrad": lambda gradients, outputs: np.where(
        outputs < 0,
        gradients * (outputs + outputs.dtype.type(1.0507009873554805 * 1.6732632423543772)),
        gradients * outputs.dtype.type(1.0507009873554805),
    ),
    "SoftplusGrad": lambda gradients, features: gradients * _sigmoid_of(features),
    "SoftsignGrad": lambda gradients, features: gradients / np.square(1 + np.abs(features)),
}
for _name, _kernel in _BACK.items():
    define(_name, _kernel, _shape_of_first)


# -- bits and complex numbers ------------------------------------------------------------------------------------


def _bitcast(input: Array, type: str) -> Array:
    """The same bytes as numbers of another width: a narrower type adds a last axis, a wider one takes it."""
    target = numpy_dtype(type)
    array = np.ascontiguousarray(input)
    if target.itemsize == array.itemsize:
        return array.view(target)
    if target.itemsize < array.itemsize:
        return array[..., None].view(target)
    return array.view(target)[..., 0]


def _bitcast_shape(input: Tensor, type: str) -> TensorShape:
    ratio = numpy_dtype(input.dtype).itemsize / numpy_dtype(type).itemsize
    if ratio == 1:
        return input.shape
    return TensorShape((*input.shape, int(ratio)) if ratio > 1 else input.shape[:-1])


define("Bitcast", _bitcast, _bitcast_shape, _no_gradient, lambda input, type: as_dtype(type))


def _of_type(default: str) -> Any:
    return lambda *inputs, **attrs: DType(attrs.get("Tout", default))


def _complex(real: Array, imag: Array, Tout: str = "complex64") -> Array:  # noqa: N803 (TensorFlow's attribute)
    return (real + 1j * imag).astype(Tout)


define("Complex", _complex, _broadcast_shape, dtype=_of_type("complex64"))
for _name, _kernel in {"Real": np.real, "Imag": np.imag, "ComplexAbs": np.abs, "Angle": np.angle}.items():
    define(
        _name,
        lambda x, Tout="float32", function=_kernel: function(x).astype(Tout),  # noqa: N803
        _shape_of_first,
        dtype=_of_type("float32"),
    )
define("Conj", np.conj, _shape_of_first)


# -- reductions and running products -----------------------------------------------------------------------------


def _length(input: Array, reduction_indices: Array, keep_dims: bool = False) -> Array:
    axes = tuple(int(axis) for axis in np.ravel(reduction_indices))
    return np.sqrt(np.sum(np.square(input), axis=axes, keepdims=keep_dims)).astype(input.dtype)


def _length_shape(input: Tensor, reduction_indices: Tensor, keep_dims: bool = False) -> TensorShape:
    axes = {int(axis) % len(input.shape) for axis in np.ravel(reduction_indices.value)}
    sizes = [1 if axis in axes else size for axis, size in enumerate(input.shape) if keep_dims or axis not in axes]
    return TensorShape(sizes)


def _length_gradient(dy: Tensor, y: Tensor, input: Tensor, axes: Tensor, keep_dims: bool = False) -> tuple[Tensor]:
    ratio = apply("DivNoNan", dy, y)
    kept = [
        1 if axis in {int(a) % len(input.shape) for a in np.ravel(axes.value)} else size
        for axis, size in enumerate(input.shape)
    ]
    return (input * apply("Reshape", ratio, convert(np.array(kept, np.int32))),)


define("EuclideanNorm", _length, _length_shape, _length_gradient)


def _running_product(x: Array, axis: Array, exclusive: bool = False, reverse: bool = False) -> Array:
    place = int(axis)
    turned = np.flip(x, place) if reverse else x
    products = np.cumprod(turned, axis=place, dtype=x.dtype)
    if exclusive:
        ones = np.ones_like(np.take(products, [0], axis=place))
        products = np.concatenate([ones, np.delete(products, -1, axis=place)], axis=place)
    return np.flip(products, place) if reverse else products


define("Cumprod", _running_product, _shape_of_first)
