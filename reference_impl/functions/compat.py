"""TensorFlow 1's spellings of functions, by which later ones record some calls too (``compat.v1.transpose``)."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api
from reference_impl.functions.arrays import gather, shape, size, squeeze, transpose
from reference_impl.functions.convolution import convolution, depthwise_conv2d
from reference_impl.functions.elementwise import floordiv
from reference_impl.functions.images import pad
from reference_impl.functions.nn import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)
from reference_impl.tensors import Tensor


@api("compat.v1.transpose")
def _transpose(a: Any, perm: Any = None, name: str | None = None, conjugate: bool = False) -> Tensor:
    return transpose(a, perm)


@api("compat.v1.squeeze")
def _squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    return squeeze(input, axis)


@api("compat.v1.shape")
def _shape(input: Any, name: str | None = None, out_type: str = "int32") -> Tensor:
    return shape(input, out_type)


@api("compat.v1.gather")
def _gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: int | None = None,
    batch_dims: int = 0,
) -> Tensor:
    return gather(params, indices, axis=axis or batch_dims, batch_dims=batch_dims)


@api("compat.v1.pad")
def _pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    return pad(tensor, paddings, mode, constant_values)


@api("compat.v1.floor_div")
def _floor_div(x: Any, y: Any, name: str | None = None) -> Tensor:
    return floordiv(x, y)


@api("compat.v1.size")
def _size(input: Any, name: str | None = None, out_type: str = "int32") -> Tensor:
    return size(input, out_type)


@api("compat.v1.nn.conv1d")
def _conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: str = "VALID",
    use_cudnn_on_gpu: Any = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    return convolution(value if input is None else input, filters, stride, padding, data_format, dilations)


@api("compat.v1.nn.conv2d")
def _conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: str = "VALID",
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    return convolution(input, filter if filters is None else filters, strides, padding, data_format, dilations)


@api("compat.v1.nn.depthwise_conv2d")
def _depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    return depthwise_conv2d(input, filter, strides, padding, data_format, rate if dilations is None else dilations)


@api("compat.v1.nn.sigmoid_cross_entropy_with_logits")
def _sigmoid_cross_entropy(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    return sigmoid_cross_entropy_with_logits(labels, logits)


@api("compat.v1.nn.softmax_cross_entropy_with_logits_v2")
def _softmax_cross_entropy(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Tensor:
    return softmax_cross_entropy_with_logits(labels, logits, -1 if axis is None else axis)


@api("compat.v1.nn.sparse_softmax_cross_entropy_with_logits")
def _sparse_cross_entropy(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    return sparse_softmax_cross_entropy_with_logits(labels, logits)
