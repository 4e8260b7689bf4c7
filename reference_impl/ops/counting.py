"""How often each number comes."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.table import define
from reference_impl.shapes import Dim, TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _counts(rows: list[Array], row_weights: list[Array], size: int, dtype: Any, binary_output: bool) -> Array:
    """Numbers of ``size`` and above are not counted; a negative one is a mistake."""
    counted = np.zeros((len(rows), size), dtype)
    for row, (numbers, weights) in enumerate(zip(rows, row_weights, strict=True)):
        if numbers.size and numbers.min() < 0:
            raise ValueError(f"numbers from 0 on are counted, found {numbers.min()}")
        inside = numbers < size
        if binary_output:
            counted[row, numbers[inside]] = 1
        else:
            np.add.at(counted[row], numbers[inside], weights[inside] if weights.size else 1)
    return counted


def _dense(input: Array, size: Array, weights: Array, binary_output: bool = False) -> Array:
    rows = list(input) if input.ndim == 2 else [input]
    row_weights = [weights] * len(rows) if weights.size == 0 else list(weights.reshape(len(rows), -1))
    counted = _counts(rows, row_weights, int(size), weights.dtype, binary_output)
    return counted if input.ndim == 2 else counted[0]


def _ragged(splits: Array, values: Array, size: Array, weights: Array, binary_output: bool = False) -> Array:
    rows = np.split(values, splits[1:-1])
    row_weights = [weights] * len(rows) if weights.size == 0 else np.split(weights, splits[1:-1])
    return _counts(rows, row_weights, int(size), weights.dtype, binary_output)


def _single(arr: Array, size: Array, weights: Array) -> Array:
    return _dense(arr.ravel(), size, weights.ravel())


def _size(size: Tensor) -> Dim:
    return None if size.array is None else int(size.array)


def _weights_dtype(*inputs: Tensor, **_: Any) -> DType:
    return inputs[-1].dtype


def _dense_shape(input: Tensor, size: Tensor, weights: Tensor, **_: Any) -> TensorShape:
    return TensorShape((*input.shape[:-1], _size(size)))


def _ragged_shape(splits: Tensor, values: Tensor, size: Tensor, weights: Tensor, **_: Any) -> TensorShape:
    rows = splits.shape[0]
    return TensorShape((None if rows is None else rows - 1, _size(size)))


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


define("DenseBincount", _dense, _dense_shape, _no_gradient, _weights_dtype)
define("RaggedBincount", _ragged, _ragged_shape, _no_gradient, _weights_dtype)
define("Bincount", _single, lambda arr, size, weights: TensorShape((_size(size),)), _no_gradient, _weights_dtype)


def _histogram(values: Array, value_range: Array, nbins: Array, dtype: str = "int32") -> Array:
    """Numbers outside of the range are counted in the first and the last bin."""
    low, high = (float(bound) for bound in value_range)
    places = np.floor((values.astype(np.float64) - low) / (high - low) * int(nbins))
    return np.bincount(np.clip(places, 0, int(nbins) - 1).astype(np.int64).ravel(), minlength=int(nbins)).astype(dtype)


define(
    "HistogramFixedWidth",
    _histogram,
    lambda values, value_range, nbins, dtype="int32": TensorShape((_size(nbins),)),
    _no_gradient,
    lambda values, value_range, nbins, dtype="int32": DType(dtype),
)
