"""Numbers to the interval between boundaries that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _above(input: Array, boundaries: Sequence[float]) -> Array:
    """A number on a boundary belongs to the interval above it."""
    return np.searchsorted(np.asarray(boundaries, np.float32), input, side="right").astype(np.int32)


def _below(float_values: Array, bucket_boundaries: Array) -> Array:
    """A number on a boundary belongs to the interval below it; there is none above the last boundary."""
    found = np.searchsorted(bucket_boundaries, float_values, side="left")
    return np.minimum(found, len(bucket_boundaries) - 1).astype(np.int32)


def _shape(input: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return input.shape


def _int32(*_: Any, **__: Any) -> DType:
    return DType("int32")


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


define("Bucketize", _above, _shape, _no_gradient, _int32)
define("BoostedTreesBucketize", _below, _shape, _no_gradient, _int32)
