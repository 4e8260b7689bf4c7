"""Elements by their places: which there are, picking them, putting them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply

Array = npt.NDArray[Any]


def _where(input: Array) -> Array:
    """The places of all elements that are not zero, a row each."""
    return np.argwhere(input).astype(np.int64)


def _where_shape(input: Tensor) -> TensorShape:
    return TensorShape((None, len(input.shape)))


def _int64(*_: Any) -> DType:
    return DType("int64")


def _no_gradient(*_: Any) -> tuple[()]:
    return ()


def _checked(indices: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    sizes = np.array(shape[: indices.shape[-1]])
    if indices.size and ((indices < 0).any() or (indices >= sizes).any()):
        raise ValueError(f"found places outside of the shape {shape}")
    return tuple(np.moveaxis(indices, -1, 0))


def _gather(params: Array, indices: Array) -> Array:
    """The elements, or parts, of ``params`` at places, which are the last axis of ``indices``."""
    return params[_checked(indices, params.shape)]


def _gathered_shape(params: Tensor, indices: Tensor) -> TensorShape:
    return TensorShape((*indices.shape[:-1], *params.shape[indices.shape[-1] or 0 :]))


def _gather_gradient(dy: Tensor, y: Tensor, params: Tensor, indices: Tensor) -> tuple[Tensor]:
    return (apply("ScatterNd", indices, dy, apply("Shape", params, out_type=indices.dtype)),)


def _scatter(indices: Array, updates: Array, shape: Array) -> Array:
    """Zeros, to which ``updates`` are added at their places."""
    result = np.zeros(tuple(int(size) for size in shape), updates.dtype)
    np.add.at(result, _checked(indices, result.shape), updates)
    return result


def _scatter_gradient(dy: Tensor, y: Tensor, indices: Tensor, updates: Tensor, shape: Tensor) -> tuple[None, Tensor]:
    return None, apply("GatherNd", dy, indices)


def _scattered_shape(indices: Tensor, updates: Tensor, shape: Tensor) -> TensorShape:
    return known_sizes(shape)


def _of_updates(indices: Tensor, updates: Tensor, shape: Tensor) -> DType:
    return updates.dtype


define("Where", _where, _where_shape, _no_gradient, _int64)
define("GatherNd", _gather, _gathered_shape, _gather_gradient)
define("ScatterNd", _scatter, _scattered_shape, _scatter_gradient, _of_updates)
