"""Elementwise operations: one argument, two arguments with broadcasting, comparisons, selection."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.ops.table import Gradient, Kernel, define
from reference_impl.shapes import TensorShape, broadcast
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def scalar(value: float, like: Tensor) -> Tensor:
    """A constant of the dtype of ``like``."""
    return convert(np.asarray(value, dtype=numpy_dtype(like.dtype)))


def sum_to(gradient: Tensor, like: Tensor) -> Tensor:
    """``gradient`` summed over the axes along which ``like`` was broadcast."""
    if gradient.shape == like.shape:
        return gradient
    extra = len(gradient.shape) - len(like.shape)
    padded = (1,) * extra + tuple(like.shape)
    axes = [axis for axis, size in enumerate(padded) if size == 1 and gradient.shape[axis] != 1]
    summed = apply("Sum", gradient, convert(np.array(axes, np.int32)), keep_dims=True)
    return apply("Reshape", summed, convert(np.array(like.shape, np.int32)))


# -- one argument -----------------------------------------------------------------------------------------------


def _shape_of_first(x: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return x.shape


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def _sigmoid(x: Array) -> Array:
    positive = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + positive), positive / (1 + positive)).astype(x.dtype, copy=False)


def _softplus(features: Array) -> Array:
    return np.maximum(features, 0) + np.log1p(np.exp(-np.abs(features)))


def _elu(features: Array) -> Array:
    return np.where(features > 0, features, np.expm1(np.minimum(features, 0)))


def _selu(features: Array) -> Array:
    scale, alpha = features.dtype.type(SELU_SCALE), features.dtype.type(SELU_SCALE * SELU_ALPHA)
    return np.where(features > 0, scale * features, alpha * np.expm1(np.minimum(features, 0)))


def _leaky_relu(features: Array, alpha: float = 0.2) -> Array:
    return np.where(features > 0, features, features * features.dtype.type(alpha))


def _where_positive(x: Tensor, positive: Tensor, otherwise: Tensor) -> Tensor:
    return apply("SelectV2", apply("Greater", x, scalar(0, x)), positive, otherwise)


def _zero_like(x: Tensor) -> Tensor:
    return apply("ZerosLike", x)


def _selu_gradient(dy: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
    return (_where_positive(x, dy * SELU_SCALE, dy * (y + SELU_SCALE * SELU_ALPHA)),)


_UNARY: dict[str, tuple[Kernel, Gradient]] = {
    "Identity": (np.copy, lambda dy, y, x: (dy,)),
    "StopGradient": (np.copy, _no_gradient),
    "Neg": (np.negative, lambda dy, y, x: (-dy,)),
    "Abs": (np.abs, lambda dy, y, x: (dy * apply("Sign", x),)),
    "Sign": (np.sign, _no_gradient),
    "Floor": (np.floor, _no_gradient),
    "Round": (np.round, _no_gradient),
    "Square": (np.square, lambda dy, y, x: (dy * (x * 2),)),
    "Sqrt": (np.sqrt, lambda dy, y, x: (dy * 0.5 / y,)),
    "Rsqrt": (lambda x: 1 / np.sqrt(x), lambda dy, y, x: (dy * y * y * y * -0.5,)),
    "Reciprocal": (np.reciprocal, lambda dy, y, x: (-dy * y * y,)),
    "Exp": (np.exp, lambda dy, y, x: (dy * y,)),
    "Expm1": (np.expm1, lambda dy, y, x: (dy * (y + 1),)),
    "Log": (np.log, lambda dy, y, x: (dy / x,)),
    "Log1p": (np.log1p, lambda dy, y, x: (dy / (x + 1),)),
    "Sin": (np.sin, lambda dy, y, x: (dy * apply("Cos", x),)),
    "Cos": (np.cos, lambda dy, y, x: (-dy * apply("Sin", x),)),
    "Tanh": (np.tanh, lambda dy, y, x: (dy * (1 - y * y),)),
    "Sigmoid": (_sigmoid, lambda dy, y, x: (dy * y * (1 - y),)),
    "Erf": (_erf, lambda dy, y, x: (dy * apply("Exp", -(x * x)) * (2 / math.sqrt(math.pi)),)),
    "Relu": (lambda x: np.maximum(x, x.dtype.type(0)), lambda dy, y, x: (_where_positive(x, dy, _zero_like(dy)),)),
    "Relu6": (
        lambda x: np.clip(x, x.dtype.type(0), x.dtype.type(6)),
        lambda dy, y, x: (_where_positive(y * (6 - y), dy, _zero_like(dy)),),
    ),
    "Softplus": (_softplus, lambda dy, y, x: (dy * apply("Sigmoid", x),)),
    "Softsign": (lambda x: x / (1 + np.abs(x)), lambda dy, y, x: (dy / apply("Square", apply("Abs", x) + 1),)),
    "Elu": (_elu, lambda dy, y, x: (_where_positive(x, dy, dy * (y + 1)),)),
    "Selu": (_selu, _selu_gradient),
    "LeakyRelu": (
        _leaky_relu,
        lambda dy, y, x, alpha=0.2: (_where_positive(x, dy, dy * alpha),),
    ),
    "ZerosLike": (np.zeros_like, _no_gradient),
    "OnesLike": (np.ones_like, _no_gradient),
}
for _name, (_kernel, _gradient) in _UNARY.items():
    define(_name, _kernel, _shape_of_first, _gradient)


def _cast_dtype(x: Tensor, DstT: str, **_: Any) -> DType:  # noqa: N803
    return as_dtype(DstT)


define(
    "Cast",
    kernel=lambda x, DstT: x.astype(numpy_dtype(DstT)),  # noqa: N803 (TensorFlow's attribute)
    shape=_shape_of_first,
    dtype=_cast_dtype,
    gradient=lambda dy, y, x, DstT: (  # noqa: N803
        apply("Cast", dy, DstT=x.dtype) if x.dtype.is_floating else None,
    ),
)


# -- two arguments, broadcast ------------------------------------------------------------------------------------


def _broadcast_shape(x: Tensor, y: Tensor, **_: Any) -> TensorShape:
    return broadcast(x.shape, y.shape)


def _pow_gradient(dz: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    of_base = sum_to(dz * y * apply("Pow", x, y - scalar(1, y)), x)
    safe = apply("SelectV2", apply("Greater", x, scalar(0, x)), x, apply("OnesLike", x))
    return of_base, sum_to(dz * z * apply("Log", safe), y)


def _choice_gradient(comparison: str) -> Gradient:
    def gradient(dz: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        first, nothing = apply(comparison, x, y), apply("ZerosLike", dz)
        return sum_to(apply("SelectV2", first, dz, nothing), x), sum_to(apply("SelectV2", first, nothing, dz), y)

    return gradient


def _divide(x: Array, y: Array) -> Array:
    return np.true_divide(x, y)


_BINARY: dict[str, tuple[Kernel, Gradient]] = {
    "AddV2": (np.add, lambda dz, z, x, y: (sum_to(dz, x), sum_to(dz, y))),
    "Sub": (np.subtract, lambda dz, z, x, y: (sum_to(dz, x), sum_to(-dz, y))),
    "Mul": (np.multiply, lambda dz, z, x, y: (sum_to(dz * y, x), sum_to(dz * x, y))),
    "RealDiv": (_divide, lambda dz, z, x, y: (sum_to(dz / y, x), sum_to(-dz * x / y / y, y))),
    "FloorDiv": (np.floor_divide, _no_gradient),
    "FloorMod": (np.mod, _no_gradient),
    "Pow": (np.power, _pow_gradient),
    "Maximum": (np.maximum, _choice_gradient("GreaterEqual")),
    "Minimum": (np.minimum, _choice_gradient("LessEqual")),
    "SquaredDifference": (
        lambda x, y: np.square(x - y),
        lambda dz, z, x, y: (sum_to(dz * ((x - y) * 2), x), sum_to(dz * ((y - x) * 2), y)),
    ),
    "DivNoNan": (
        lambda x, y: np.divide(x, y, out=np.zeros(np.broadcast_shapes(x.shape, y.shape), x.dtype), where=y != 0),
        lambda dz, z, x, y: (
            sum_to(apply("DivNoNan", dz, y), x),
            sum_to(-dz * apply("DivNoNan", apply("DivNoNan", x, y), y), y),
        ),
    ),
}
for _name, (_kernel, _gradient) in _BINARY.items():
    define(_name, _kernel, _broadcast_shape, _gradient)


def _bool(*_: Any, **__: Any) -> DType:
    return DType("bool")


_COMPARISONS: dict[str, Kernel] = {
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "Less": np.less,
    "LessEqual": np.less_equal,
    "Equal": np.equal,
    "NotEqual": np.not_equal,
    "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or,
}
for _name, _kernel in _COMPARISONS.items():
    define(_name, _kernel, _broadcast_shape, _no_gradient, _bool)
define("LogicalNot", np.logical_not, _shape_of_first, _no_gradient, _bool)


def _select_shape(condition: Tensor, t: Tensor, e: Tensor) -> TensorShape:
    return broadcast(condition.shape, broadcast(t.shape, e.shape))


def _select_gradient(dz: Tensor, z: Tensor, condition: Tensor, t: Tensor, e: Tensor) -> tuple[Tensor | None, ...]:
    nothing = apply("ZerosLike", dz)
    return (
        None,
        sum_to(apply("SelectV2", condition, dz, nothing), t),
        sum_to(apply("SelectV2", condition, nothing, dz), e),
    )


define(
    "SelectV2",
    kernel=np.where,
    shape=_select_shape,
    dtype=lambda condition, t, e: t.dtype,
    gradient=_select_gradient,
)
