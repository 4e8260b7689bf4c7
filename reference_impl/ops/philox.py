"""Random numbers that are a function of a key and a counter: Philox 4x32-10, as TensorFlow's stateless ops draw.

Uniform and integer numbers are bit for bit TensorFlow's, normal ones up to the rounding of sine, cosine and logarithm.
Truncated normal and half precision numbers have the same distribution and no more.
"""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType, as_dtype, numpy_dtype
from reference_impl.ops.arrays import known_sizes
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_STEPS = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_SCRAMBLING_KEY = 0x02461E293EC8F720
_MASK = (1 << 64) - 1


def _blocks(key: int, counter: int, count: int) -> Array:
    """``count`` blocks of four 32-bit numbers, of ``counter`` (128 bits) and those that follow it."""
    steps = np.arange(count, dtype=np.uint64)
    low = np.uint64(counter & _MASK) + steps
    high = np.uint64(counter >> 64 & _MASK) + (low < steps).astype(np.uint64)
    c0, c1, c2, c3 = low & _LOW, low >> _32, high & _LOW, high >> _32
    k0, k1 = key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF
    for _ in range(10):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (second >> _32) ^ c1 ^ np.uint64(k0),
            second & _LOW,
            (first >> _32) ^ c3 ^ np.uint64(k1),
            first & _LOW,
        )
        k0, k1 = (k0 + _STEPS[0]) & 0xFFFFFFFF, (k1 + _STEPS[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def _bits32(key: int, counter: int, size: int) -> Array:
    return _blocks(key, counter, -(-size // 4)).ravel()[:size]


def _bits64(key: int, counter: int, size: int) -> Array:
    pairs = _blocks(key, counter, -(-size // 2)).reshape(-1, 2).astype(np.uint64)
    return (pairs[:, 0] | pairs[:, 1] << _32)[:size]


def _unit32(bits: Array) -> Array:
    """Numbers from 0 up to 1: the lower 23 bits are the mantissa."""
    return ((bits & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)


def _unit64(bits: Array) -> Array:
    """As :func:`_unit32`, of 20 bits of the first number and all of the second."""
    mantissa = (bits & np.uint64(0xFFFFF)) << _32 | bits >> _32
    return (mantissa | np.uint64(0x3FF0000000000000)).view(np.float64) - 1.0


def uniform(key: int, counter: int, shape: Array, dtype: str) -> Array:
    """Numbers from 0 up to 1."""
    size = math.prod(int(n) for n in shape)
    wide = _unit64(_bits64(key, counter, size)) if dtype == "float64" else _unit32(_bits32(key, counter, size))
    return wide.astype(numpy_dtype(dtype)).reshape(tuple(shape))


def normal(key: int, counter: int, shape: Array, dtype: str) -> Array:
    """Two numbers of the normal distribution from two uniform ones, by Box and Muller."""
    size = math.prod(int(n) for n in shape)
    even = size + size % 2
    wide = _unit64(_bits64(key, counter, even)) if dtype == "float64" else _unit32(_bits32(key, counter, even))
    first, second = np.maximum(wide[0::2], wide.dtype.type(1e-7)), wide[1::2]
    angle, radius = wide.dtype.type(2 * math.pi) * second, np.sqrt(wide.dtype.type(-2) * np.log(first))
    pairs = np.stack([np.sin(angle) * radius, np.cos(angle) * radius], axis=1)
    return pairs.ravel()[:size].astype(numpy_dtype(dtype)).reshape(tuple(shape))


def truncated(key: int, counter: int, shape: Array, dtype: str) -> Array:
    """Normal numbers drawn again while they are more than two standard deviations from the mean."""
    source = np.random.default_rng([key, counter])
    drawn = source.standard_normal(tuple(shape))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = source.standard_normal(int(outside.sum()))
    return drawn.astype(numpy_dtype(dtype))


def integers(key: int, counter: int, shape: Array, dtype: str) -> Array:
    """Integers, each of the dtype's as likely as any other."""
    size = math.prod(int(n) for n in shape)
    bits = _bits64(key, counter, size) if dtype in ("int64", "uint64") else _bits32(key, counter, size)
    return bits.view(numpy_dtype(dtype)).reshape(tuple(shape))


def between(key: int, counter: int, shape: Array, low: Array, high: Array) -> Array:
    """Integers from ``low`` up to ``high``."""
    if int(high) <= int(low):
        raise ValueError(f"integers from {int(low)} up to {int(high)}: there is none")
    unsigned = "uint64" if low.dtype.itemsize == 8 else "uint32"
    bits = integers(key, counter, shape, unsigned)
    return (low.astype(unsigned) + bits % bits.dtype.type(int(high) - int(low))).view(low.dtype)


def scrambled(seed: Array) -> tuple[int, int]:
    """The key and the counter that a seed of two numbers stands for."""
    first, second = (int(part) & _MASK for part in seed)
    mixed = [int(part) for part in _blocks(_SCRAMBLING_KEY, first | second << 64, 1)[0]]
    return mixed[0] | mixed[1] << 32, (mixed[2] | mixed[3] << 32) << 64


def key_of(key: Array) -> int:
    return int(np.ravel(key)[0]) & _MASK


def counter_of(counter: Array) -> int:
    low, high = (int(part) & _MASK for part in np.ravel(counter)[:2])
    return low | high << 64


# -- ops ---------------------------------------------------------------------------------------------------------


def _shape(shape: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return known_sizes(shape)


def _dtype_attribute(default: str) -> Any:
    return lambda *_, dtype=default: as_dtype(dtype)


def _no_gradient(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _of_seed(draw: Any, default: str) -> Any:
    return lambda shape, seed, dtype=default: draw(*scrambled(seed), shape, dtype)


def _of_key(draw: Any, default: str) -> Any:
    return lambda shape, key, counter, alg, dtype=default: draw(key_of(key), counter_of(counter), shape, dtype)


for _name, _draw, _default in (
    ("StatelessRandomUniform", uniform, "float32"),
    ("StatelessRandomNormal", normal, "float32"),
    ("StatelessTruncatedNormal", truncated, "float32"),
    ("StatelessRandomUniformFullInt", integers, "uint64"),
):
    define(_name, _of_seed(_draw, _default), _shape, _no_gradient, _dtype_attribute(_default))
    define(_name + "V2", _of_key(_draw, _default), _shape, _no_gradient, _dtype_attribute(_default))

define(
    "StatelessRandomUniformInt",
    lambda shape, seed, low, high: between(*scrambled(seed), shape, low, high),
    _shape,
    _no_gradient,
    lambda shape, seed, low, high: low.dtype,
)
define(
    "StatelessRandomUniformIntV2",
    lambda shape, key, counter, alg, low, high: between(key_of(key), counter_of(counter), shape, low, high),
    _shape,
    _no_gradient,
    lambda shape, key, counter, alg, low, high: low.dtype,
)


def _key_and_counter(seed: Array) -> tuple[Array, Array]:
    key, counter = scrambled(seed)
    return np.array([key], np.uint64), np.array([counter & _MASK, counter >> 64], np.uint64)


_UINT64, _INT32 = DType("uint64"), DType("int32")
_PHILOX = np.array(1, np.int32)

define(
    "StatelessRandomGetKeyCounter",
    _key_and_counter,
    lambda seed: [TensorShape((1,)), TensorShape((2,))],
    _no_gradient,
    lambda seed: [_UINT64, _UINT64],
    several=True,
)
define("StatelessRandomGetAlg", lambda: _PHILOX, lambda: TensorShape(()), _no_gradient, lambda: _INT32, stateful=True)
define(
    "StatelessRandomGetKeyCounterAlg",
    lambda seed: (*_key_and_counter(seed), _PHILOX),
    lambda seed: [TensorShape((1,)), TensorShape((2,)), TensorShape(())],
    _no_gradient,
    lambda seed: [_UINT64, _UINT64, _INT32],
    several=True,
)
