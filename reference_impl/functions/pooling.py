"""Pooling. Windows and strides are given for the space alone."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api
from reference_impl.functions.arrays import expand_dims, squeeze
from reference_impl.functions.convolution import one_for_space, whole
from reference_impl.tensors import Tensor, apply, convert


def _pool(op: str, input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None) -> Tensor:
    x = convert(input)
    rank = len(x.shape) - 2
    first = data_format is not None and data_format.startswith("NC")
    ksize, strides = one_for_space(ksize, rank, first), one_for_space(strides, rank, first)
    if rank == 1:
        axis = 3 if first else 2
        wide = _pool(op, expand_dims(x, axis), [*_listed(ksize), 1], [*_listed(strides), 1], padding, data_format)
        return squeeze(wide, axis)
    formats = ("NCHW", "NHWC") if rank == 2 else ("NCDHW", "NDHWC")
    return apply(
        op if rank == 2 else f"{op}3D",
        x,
        ksize=whole(ksize, rank, first),
        strides=whole(strides, rank, first),
        padding=padding.upper(),
        data_format=formats[0 if first else 1],
    )


def _listed(value: Any) -> list[int]:
    return [int(value)] if isinstance(value, int) else [int(item) for item in value]


@api("nn.max_pool", "nn.max_pool1d", "nn.max_pool2d", "nn.max_pool3d")
def max_pool(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """The largest element of each window."""
    return _pool("MaxPool", input, ksize, strides, padding, data_format)


@api("nn.avg_pool", "nn.avg_pool1d", "nn.avg_pool2d", "nn.avg_pool3d")
def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """The mean of each window's elements, padding left out."""
    return _pool("AvgPool", input, ksize, strides, padding, data_format)
