"""Softmax, cross entropies, bias and dropout."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api, ints, pair
from reference_impl.functions.arrays import reshape, shape
from reference_impl.functions.elementwise import cast_to, exp, greater_equal, log1p, relu, where
from reference_impl.functions.making import random_uniform
from reference_impl.tensors import Tensor, apply, convert, present_trace


@api("nn.softmax")
def softmax(logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    return _along_last("Softmax", convert(logits), axis)


@api("nn.log_softmax")
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
    return apply("Transpose", apply(op, apply("Transpose", x, ints(swap))), ints(swap))


@api("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    features = convert(logits)
    return _by_row("SoftmaxCrossEntropyWithLogits", features, convert(labels, hint=features.dtype))


@api("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    return _by_row("SparseSoftmaxCrossEntropyWithLogits", convert(logits), cast_to(labels, "int64"))


def _by_row(op: str, features: Tensor, labels: Tensor) -> Tensor:
    """In a trace the op is given matrices, which is all that TensorFlow's takes."""
    if present_trace() is None or len(features.shape) == 2:
        return apply(op, features, labels)
    sizes = [-1, features.shape[-1]]
    rows = reshape(labels, sizes if len(labels.shape) == len(features.shape) else [-1])
    return reshape(apply(op, reshape(features, sizes), rows), shape(features)[:-1])


@api("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """max(x, 0) - x·z + log(1 + exp(-|x|)), which never overflows."""
    x, z = pair(logits, labels)
    return relu(x) - x * z + log1p(exp(-_magnitude(x)))


def _magnitude(x: Tensor) -> Tensor:
    return where(greater_equal(x, 0.0), x, -x)


@api("nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    first = data_format is not None and data_format.startswith("NC")
    return apply("BiasAdd", *pair(value, bias), **({"data_format": "NCHW"} if first else {}))


@api("nn.dropout")
def dropout(x: Any, rate: float, noise_shape: Any = None, seed: int | None = None, name: str | None = None) -> Tensor:
    """Each element zero with probability ``rate``, else divided by ``1 - rate``."""
    tensor = convert(x)
    noise = random_uniform(shape(tensor) if noise_shape is None else noise_shape, dtype=tensor.dtype, seed=seed)
    kept = cast_to(greater_equal(noise, rate), tensor.dtype)
    return tensor * (1.0 / (1.0 - rate)) * kept
