"""Drawing integers, orders and choices. They have the distributions of TensorFlow's ops, not the same numbers."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype
from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.philox import scrambled
from reference_impl.ops.randomness import generator
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _integers(shape: Array, minval: Array, maxval: Array, seed: int | None = None) -> Array:
    return generator(seed).integers(int(minval), int(maxval), tuple(shape), dtype=minval.dtype)


def _shuffled(value: Array, seed: int | None = None) -> Array:
    return generator(seed).permutation(value, axis=0)


def _choices(source: np.random.Generator, logits: Array, num_samples: Array, dtype: str) -> Array:
    """For each row of logits so many classes: that of the largest sum of a logit and a Gumbel number."""
    noise = source.gumbel(size=(len(logits), int(num_samples), logits.shape[1]))
    return (logits[:, None, :] + noise).argmax(axis=-1).astype(dtype)


def _multinomial(logits: Array, num_samples: Array, output_dtype: str = "int64", seed: int | None = None) -> Array:
    return _choices(generator(seed), logits, num_samples, output_dtype)


def _multinomial_of_seed(logits: Array, num_samples: Array, seed: Array, output_dtype: str = "int64") -> Array:
    return _choices(np.random.default_rng(list(scrambled(seed))), logits, num_samples, output_dtype)


def _choices_shape(logits: Tensor, num_samples: Tensor, *_: Any, **__: Any) -> TensorShape:
    return TensorShape((logits.shape[0], None if num_samples.array is None else int(num_samples.value)))


def _choices_dtype(*_: Any, output_dtype: str = "int64", **__: Any) -> DType:
    return as_dtype(output_dtype)


define(
    "RandomUniformInt",
    _integers,
    lambda shape, *_, **__: known_sizes(shape),
    _no_gradient,
    lambda shape, minval, maxval, **_: minval.dtype,
    stateful=True,
)
define("RandomShuffle", _shuffled, lambda value, **_: value.shape, _no_gradient, stateful=True)
define("Multinomial", _multinomial, _choices_shape, _no_gradient, _choices_dtype, stateful=True)
define("StatelessMultinomial", _multinomial_of_seed, _choices_shape, _no_gradient, _choices_dtype)


def _gamma(shape: Array, alpha: Array, seed: int | None = None) -> Array:
    return generator(seed).standard_gamma(alpha, (*(int(size) for size in shape), *alpha.shape)).astype(alpha.dtype)


define(
    "RandomGamma",
    _gamma,
    lambda shape, alpha, **_: TensorShape((*known_sizes(shape), *alpha.shape)),
    _no_gradient,
    lambda shape, alpha, **_: alpha.dtype,
    stateful=True,
)
