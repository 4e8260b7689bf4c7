"""How large the result of an op may be.

A few numbers in a graph can ask for any amount of memory. The ops whose result can be much larger than their inputs are
asked for its size first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from reference_impl.graph.attributes import LARGEST, checked_size

Sizes = Callable[..., Iterable[Any]]


def _given(shape: Any, *_: Any) -> Iterable[Any]:
    return np.ravel(shape).tolist()


def _second(_: Any, shape: Any, *__: Any) -> Iterable[Any]:
    return np.ravel(shape).tolist()


def _tiled(input: Any, multiples: Any) -> Iterable[Any]:
    return [size * int(n) for size, n in zip(input.shape, multiples.tolist(), strict=True)]


def _padded(input: Any, paddings: Any, *_: Any) -> Iterable[Any]:
    return [size + int(sum(pair)) for size, pair in zip(input.shape, paddings.tolist(), strict=True)]


def _counted(start: Any, limit: Any, delta: Any) -> Iterable[Any]:
    return [max(0, int((float(limit) - float(start)) / float(delta)) + 1) if delta else 0]


def _hot(indices: Any, depth: Any, *_: Any) -> Iterable[Any]:
    return [indices.size, int(depth)]


def _third(start: Any, stop: Any, num: Any) -> Iterable[Any]:
    return [int(num)]


def _segments(data: Any, segments: Any, num: Any) -> Iterable[Any]:
    return [int(num), *data.shape[segments.ndim :]]


def _resized(images: Any, size: Any, *_: Any) -> Iterable[Any]:
    return [images.shape[0], *np.ravel(size).tolist(), images.shape[-1]]


def _scattered(indices: Any, updates: Any, shape: Any) -> Iterable[Any]:
    return np.ravel(shape).tolist()


RESULTS: dict[str, Sizes] = {
    **dict.fromkeys(
        (
            "Fill",
            "RandomUniform",
            "RandomUniformInt",
            "RandomStandardNormal",
            "TruncatedNormal",
            "StatelessRandomUniform",
            "StatelessRandomUniformV2",
            "StatelessRandomNormal",
            "StatelessRandomNormalV2",
            "StatelessTruncatedNormal",
            "StatelessTruncatedNormalV2",
            "StatelessRandomUniformInt",
            "StatelessRandomUniformIntV2",
            "Conv2DBackpropInput",
            "Conv3DBackpropInputV2",
            "DepthwiseConv2dNativeBackpropInput",
            "StridedSliceGrad",
            "Empty",
        ),
        _given,
    ),
    "BroadcastTo": _second,
    "Tile": _tiled,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _padded),
    "Range": _counted,
    "LinSpace": _third,
    "OneHot": _hot,
    **dict.fromkeys(
        ("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin", "UnsortedSegmentProd"), _segments
    ),
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea"), _resized),
    "ScatterNd": _scattered,
}
"""The sizes of an op's result, from its inputs."""


def guarded(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """``kernel``, not called where the result would have more elements than a tensor may; ``ValueError`` then."""
    sizes = RESULTS[name]

    def call(*inputs: Any) -> Any:
        wanted = list(sizes(*inputs))
        count = 1
        for size in wanted:
            count *= max(int(size), 0)
        if count > LARGEST // 4:
            checked_size([int(size) for size in wanted], "float32")
        return kernel(*inputs)

    return call
