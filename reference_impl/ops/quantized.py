"""Numbers rounded as if they were stored in a few bits, as training for quantisation does."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor, apply

Array = npt.NDArray[Any]


def _shape_of_first(inputs: Tensor, *_: Tensor, **__: Any) -> TensorShape:
    return inputs.shape


def _nudged(low: Array, high: Array, num_bits: int, narrow_range: bool) -> tuple[Array, Array, Array]:
    """The range moved so that 0 is one of its steps, and the size of a step."""
    first, last = np.float32(1 if narrow_range else 0), np.float32(2**num_bits - 1)
    step = ((high - low) / (last - first)).astype(np.float32)
    zero = first - low / step
    nudged = np.where(zero < first, first, np.where(zero > last, last, np.floor(zero + np.float32(0.5))))
    return ((first - nudged) * step).astype(np.float32), ((last - nudged) * step).astype(np.float32), step


def _rounded(inputs: Array, low: Any, high: Any, num_bits: int = 8, narrow_range: bool = False) -> Array:
    low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
    bottom, top, step = _nudged(low, high, num_bits, narrow_range)
    with np.errstate(all="ignore"):
        steps = np.floor((np.clip(inputs, bottom, top) - bottom) / step + np.float32(0.5))
        rounded = steps * step + bottom
    return np.where((low == 0) & (high == 0), np.float32(0), rounded).astype(np.float32)


def _inside(inputs: Array, low: Any, high: Any, num_bits: int = 8, narrow_range: bool = False) -> Array:
    bottom, top, _ = _nudged(np.asarray(low, np.float32), np.asarray(high, np.float32), num_bits, narrow_range)
    return (inputs >= bottom) & (inputs <= top)


def _fixed(inputs: Array, min: float = -6.0, max: float = 6.0, **attrs: Any) -> Array:
    return _rounded(inputs, min, max, **attrs)


def _of_variables(gradients: Array, inputs: Array, low: Array, high: Array, **attrs: Any) -> tuple[Array, ...]:
    """Of what is inside of the range to the inputs, of the rest to its lower or upper end."""
    bottom, top, _ = _nudged(low, high, attrs.get("num_bits", 8), attrs.get("narrow_range", False))
    axes = tuple(range(inputs.ndim - low.ndim))
    below, above = inputs < bottom, inputs > top
    return (
        np.where(below | above, np.float32(0), gradients),
        np.where(below, gradients, np.float32(0)).sum(axis=axes, dtype=np.float32),
        np.where(above, gradients, np.float32(0)).sum(axis=axes, dtype=np.float32),
    )


def _of_fixed(gradients: Array, inputs: Array, min: float = -6.0, max: float = 6.0, **attrs: Any) -> Array:
    return np.where(_inside(inputs, min, max, **attrs), gradients, np.float32(0))


def _variables_gradient(name: str) -> Any:
    def gradient(dy: Tensor, y: Tensor, *inputs: Tensor, **attrs: Any) -> Any:
        from reference_impl.tensors import apply_several

        return apply_several(name, dy, *inputs, **attrs)

    return gradient


def _three_shapes(gradients: Tensor, inputs: Tensor, low: Tensor, high: Tensor, **_: Any) -> list[TensorShape]:
    return [inputs.shape, low.shape, high.shape]


for _name in ("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"):
    define(_name, _rounded, _shape_of_first, _variables_gradient(_name + "Gradient"))
    define(
        _name + "Gradient",
        _of_variables,
        _three_shapes,
        dtype=lambda gradients, *_, **__: [gradients.dtype] * 3,
        several=True,
    )
define(
    "FakeQuantWithMinMaxArgs",
    _fixed,
    _shape_of_first,
    lambda dy, y, inputs, **attrs: (apply("FakeQuantWithMinMaxArgsGradient", dy, inputs, **attrs),),
)
define("FakeQuantWithMinMaxArgsGradient", _of_fixed, _shape_of_first)
