"""Reductions along axes, softmax, and the crossentropies that TensorFlow computes from logits in one op."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.elementwise import scalar
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply, convert

Array = npt.NDArray[Any]


def _axes(rank: int, reduction_indices: Tensor) -> set[int]:
    return {int(axis) % rank for axis in np.ravel(reduction_indices.value)} if rank else set()


def _reduced_shape(input: Tensor, reduction_indices: Tensor, keep_dims: bool = False) -> TensorShape:
    axes = _axes(len(input.shape), reduction_indices)
    sizes = [1 if axis in axes else size for axis, size in enumerate(input.shape) if keep_dims or axis not in axes]
    return TensorShape(sizes)


def _reducer(function: Any) -> Any:
    def kernel(input: Array, reduction_indices: Array, keep_dims: bool = False) -> Array:
        axes = tuple(int(axis) for axis in np.ravel(reduction_indices))
        result = function(input, axis=axes, keepdims=keep_dims)
        return np.asarray(result, dtype=np.bool_ if function in (np.any, np.all) else input.dtype)

    return kernel


def _expanded(reduced: Tensor, input: Tensor, reduction_indices: Tensor) -> Tensor:
    """``reduced`` with the reduced axes put back as 1, so that it broadcasts against ``input``."""
    shape = _reduced_shape(input, reduction_indices, keep_dims=True)
    return apply("Reshape", reduced, convert(np.array(shape, np.int32)))


def _spread(dy: Tensor, input: Tensor, reduction_indices: Tensor) -> Tensor:
    return apply("BroadcastTo", _expanded(dy, input, reduction_indices), convert(np.array(input.shape, np.int32)))


def _sum_gradient(dy: Tensor, y: Tensor, input: Tensor, axes: Tensor, keep_dims: bool = False) -> tuple[Tensor]:
    return (_spread(dy, input, axes),)


def _mean_gradient(dy: Tensor, y: Tensor, input: Tensor, axes: Tensor, keep_dims: bool = False) -> tuple[Tensor]:
    count = input.value.size / max(y.value.size, 1)
    return (_spread(dy, input, axes) / scalar(count, dy),)


def _extreme_gradient(dy: Tensor, y: Tensor, input: Tensor, axes: Tensor, keep_dims: bool = False) -> tuple[Tensor]:
    hit = apply("Cast", apply("Equal", input, _expanded(y, input, axes)), DstT=dy.dtype)
    hits = apply("Sum", hit, axes, keep_dims=True)
    return (_expanded(dy, input, axes) * (hit / hits),)


def _prod_gradient(dy: Tensor, y: Tensor, input: Tensor, axes: Tensor, keep_dims: bool = False) -> tuple[Tensor]:
    return (_expanded(dy, input, axes) * (_expanded(y, input, axes) / input),)


define("Sum", _reducer(np.sum), _reduced_shape, _sum_gradient)
define("Mean", _reducer(np.mean), _reduced_shape, _mean_gradient)
define("Max", _reducer(np.max), _reduced_shape, _extreme_gradient)
define("Min", _reducer(np.min), _reduced_shape, _extreme_gradient)
define("Prod", _reducer(np.prod), _reduced_shape, _prod_gradient)
define("All", _reducer(np.all), _reduced_shape)
define("Any", _reducer(np.any), _reduced_shape)


def _extreme_shape(input: Tensor, dimension: Tensor, **_: Any) -> TensorShape:
    return _reduced_shape(input, dimension)


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _index_dtype(*_: Any, output_type: str = "int64", **__: Any) -> DType:
    return as_dtype(output_type)


define(
    "ArgMax",
    lambda input, dimension, output_type="int64": np.argmax(input, axis=int(dimension)).astype(output_type),
    _extreme_shape,
    _no_gradient,
    _index_dtype,
)
define(
    "ArgMin",
    lambda input, dimension, output_type="int64": np.argmin(input, axis=int(dimension)).astype(output_type),
    _extreme_shape,
    _no_gradient,
    _index_dtype,
)


# -- softmax -----------------------------------------------------------------------------------------------------


def _shape_of_first(x: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return x.shape


def _softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)


def _log_softmax(logits: Array) -> Array:
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


_LAST = np.array([-1], np.int32)


def _softmax_gradient(dy: Tensor, y: Tensor, logits: Tensor) -> tuple[Tensor]:
    return ((dy - apply("Sum", dy * y, convert(_LAST), keep_dims=True)) * y,)


def _log_softmax_gradient(dy: Tensor, y: Tensor, logits: Tensor) -> tuple[Tensor]:
    return (dy - apply("Exp", y) * apply("Sum", dy, convert(_LAST), keep_dims=True),)


define("Softmax", _softmax, _shape_of_first, _softmax_gradient)
define("LogSoftmax", _log_softmax, _shape_of_first, _log_softmax_gradient)


def _without_last(features: Tensor, labels: Tensor) -> TensorShape:
    return TensorShape(features.shape[:-1])


def _softmax_crossentropy(features: Array, labels: Array) -> Array:
    return -np.sum(labels * _log_softmax(features), axis=-1)


def _softmax_crossentropy_gradient(dy: Tensor, y: Tensor, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    upstream = apply("ExpandDims", dy, convert(np.array(-1, np.int32)))
    return (
        upstream * (apply("Softmax", features) - labels),
        -upstream * apply("LogSoftmax", features),
    )


def _sparse_crossentropy(features: Array, labels: Array) -> Array:
    picked = np.take_along_axis(_log_softmax(features), labels[..., None].astype(np.int64), axis=-1)
    return -picked[..., 0]


def _sparse_crossentropy_gradient(dy: Tensor, y: Tensor, features: Tensor, labels: Tensor) -> tuple[Tensor]:
    classes = features.value.shape[-1]
    hot = convert(np.eye(classes, dtype=features.value.dtype)[labels.value])
    upstream = apply("ExpandDims", dy, convert(np.array(-1, np.int32)))
    return (upstream * (apply("Softmax", features) - hot),)


# TensorFlow's ops have a second output, the gradient for the backward pass; nothing reads it here.
define(
    "SoftmaxCrossEntropyWithLogits",
    _softmax_crossentropy,
    _without_last,
    _softmax_crossentropy_gradient,
)
define(
    "SparseSoftmaxCrossEntropyWithLogits",
    _sparse_crossentropy,
    _without_last,
    _sparse_crossentropy_gradient,
)
