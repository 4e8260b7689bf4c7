"""Functions that move blocks of pixels between space, channels and batch."""

from __future__ import annotations

from typing import Any

from reference_impl.functions.api import api
from reference_impl.tensors import Tensor, apply, convert


@api("nn.space_to_depth", "compat.v1.space_to_depth")
def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    return apply("SpaceToDepth", convert(input), block_size=int(block_size), data_format=data_format)


@api("nn.depth_to_space", "compat.v1.depth_to_space")
def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    return apply("DepthToSpace", convert(input), block_size=int(block_size), data_format=data_format)


@api("space_to_batch_nd", "space_to_batch")
def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    return apply("SpaceToBatchND", convert(input), convert(block_shape, hint="int32"), convert(paddings, hint="int32"))


@api("batch_to_space", "compat.v1.batch_to_space_nd")
def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    return apply("BatchToSpaceND", convert(input), convert(block_shape, hint="int32"), convert(crops, hint="int32"))


@api("nn.local_response_normalization")
def local_response_normalization(
    input: Any,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    name: str | None = None,
) -> Tensor:
    """Each element divided by (bias + alpha · Σ of squares in the channels around it) ** beta."""
    return apply("LRN", convert(input), depth_radius=int(depth_radius), bias=bias, alpha=alpha, beta=beta)
