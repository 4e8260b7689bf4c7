"""Functions that reduce axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_impl.functions.api import api, axes, ints
from reference_impl.functions.elementwise import maximum, rsqrt, square
from reference_impl.tensors import Tensor, apply, convert


def _reduction(symbol: str, op: str) -> Callable[..., Any]:
    def function(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        x = convert(input_tensor)
        return apply(op, x, axes(x, axis), keep_dims=bool(keepdims))

    function.__name__ = symbol.rsplit(".", 1)[-1]
    function.__doc__ = f"The op {op} along ``axis`` (None: all axes)."
    return api(symbol)(function)


reduce_sum = _reduction("math.reduce_sum", "Sum")
reduce_mean = _reduction("math.reduce_mean", "Mean")
reduce_max = _reduction("math.reduce_max", "Max")
reduce_min = _reduction("math.reduce_min", "Min")
reduce_prod = _reduction("math.reduce_prod", "Prod")
reduce_euclidean_norm = _reduction("math.reduce_euclidean_norm", "EuclideanNorm")
reduce_all = _reduction("math.reduce_all", "All")
reduce_any = _reduction("math.reduce_any", "Any")


@api("math.argmax")
def argmax(input: Any, axis: int = 0, output_type: str = "int64", name: str | None = None) -> Tensor:
    return apply("ArgMax", convert(input), ints(axis), output_type=str(output_type))


@api("math.l2_normalize", "nn.l2_normalize")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Tensor:
    tensor = convert(x)
    length = reduce_sum(square(tensor), axis=axis, keepdims=True)
    return tensor * rsqrt(maximum(length, epsilon))
