"""Normalising over a batch in one op, as graphs have it.

``FusedBatchNormV3`` gives, besides the normalised values, the mean and the (unbiased) variance of the batch, or new moving
ones where ``exponential_avg_factor`` is not 1, and two reserves from which the gradient is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply_several

Array = npt.NDArray[Any]


def _axes(rank: int, data_format: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that are normalised over, and the shape in which a number a channel broadcasts."""
    channel = 1 if data_format.startswith("NC") else rank - 1
    return tuple(axis for axis in range(rank) if axis != channel), tuple(-1 if i == channel else 1 for i in range(rank))


def _normalized(
    x: Array,
    scale: Array,
    offset: Array,
    mean: Array,
    variance: Array,
    epsilon: float = 1e-4,
    exponential_avg_factor: float = 1.0,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> list[Array]:
    axes, form = _axes(x.ndim, data_format)
    wide = x.astype(scale.dtype, copy=False)
    if is_training:
        of_batch = wide.mean(axis=axes), wide.var(axis=axes)
        count = x.size // max(len(scale), 1)
        unbiased = of_batch[1] * (count / max(count - 1, 1))
        given = of_batch[0], unbiased.astype(scale.dtype)
        if exponential_avg_factor != 1:
            factor = scale.dtype.type(exponential_avg_factor)
            given = tuple((1 - factor) * old + factor * new for old, new in zip((mean, variance), given, strict=True))
    else:
        of_batch = given = mean, variance
    gain = scale / np.sqrt(of_batch[1] + scale.dtype.type(epsilon))
    y = (wide - of_batch[0].reshape(form)) * gain.reshape(form) + offset.reshape(form)
    return [y.astype(x.dtype, copy=False), given[0], given[1], of_batch[0], of_batch[1]]


def _back(
    y_backprop: Array,
    x: Array,
    scale: Array,
    mean: Array,
    variance: Array,
    epsilon: float = 1e-4,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> list[Array]:
    axes, form = _axes(x.ndim, data_format)
    dy, wide = y_backprop.astype(scale.dtype, copy=False), x.astype(scale.dtype, copy=False)
    deviation = 1 / np.sqrt(variance + scale.dtype.type(epsilon))
    hat = (wide - mean.reshape(form)) * deviation.reshape(form)
    of_scale, of_offset = (dy * hat).sum(axis=axes), dy.sum(axis=axes)
    if is_training:
        count = x.size // max(len(scale), 1)
        dy = dy - (of_offset / count).reshape(form) - hat * (of_scale / count).reshape(form)
    of_x = dy * (scale * deviation).reshape(form)
    nothing = np.zeros((0,), scale.dtype)
    return [of_x.astype(x.dtype, copy=False), of_scale, of_offset, nothing, nothing]


def _shapes(count: int) -> Any:
    def rule(x: Tensor, scale: Tensor, *_: Tensor, **__: Any) -> list[TensorShape]:
        return [x.shape, *[scale.shape] * 4, *[TensorShape((0,))] * (count - 5)]

    return rule


def _dtypes(count: int) -> Any:
    def rule(x: Tensor, scale: Tensor, *_: Tensor, **__: Any) -> list[DType]:
        return [x.dtype, *[scale.dtype] * (count - 1)]

    return rule


def _gradient(dys: Sequence[Tensor | None], ys: Sequence[Tensor], *inputs: Tensor, **attrs: Any) -> Sequence[Any]:
    """Only what the normalised values are used for counts."""
    if dys[0] is None:
        return ()
    x, scale = inputs[:2]
    taken = {name: attrs[name] for name in ("epsilon", "data_format", "is_training") if name in attrs}
    reserves = [ys[3], ys[4], ys[3]]
    return apply_several("FusedBatchNormGradV3", dys[0], x, scale, *reserves, **taken)[:3]


def _third_version(x: Array, scale: Array, offset: Array, mean: Array, variance: Array, **attrs: Any) -> list[Array]:
    return [*_normalized(x, scale, offset, mean, variance, **attrs), np.zeros((0,), scale.dtype)]


def _third_version_back(dy: Array, x: Array, scale: Array, mean: Array, variance: Array, _: Array, **attrs: Any) -> Any:
    return _back(dy, x, scale, mean, variance, **attrs)


define("FusedBatchNorm", _normalized, _shapes(5), _gradient, _dtypes(5), several=True)
define("FusedBatchNormV2", _normalized, _shapes(5), _gradient, _dtypes(5), several=True)
define("FusedBatchNormV3", _third_version, _shapes(6), _gradient, _dtypes(6), several=True)


def _back_shapes(dy: Tensor, x: Tensor, scale: Tensor, *_: Tensor, **__: Any) -> list[TensorShape]:
    return [x.shape, scale.shape, scale.shape, TensorShape((0,)), TensorShape((0,))]


def _back_dtypes(dy: Tensor, x: Tensor, scale: Tensor, *_: Tensor, **__: Any) -> list[DType]:
    return [x.dtype, *[scale.dtype] * 4]


define("FusedBatchNormGradV3", _third_version_back, _back_shapes, None, _back_dtypes, several=True)
define("FusedBatchNormGradV2", _back, _back_shapes, None, _back_dtypes, several=True)
define("FusedBatchNormGrad", _back, _back_shapes, None, _back_dtypes, several=True)
