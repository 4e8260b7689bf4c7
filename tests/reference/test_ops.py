"""The table of ops: kernels against NumPy, shape rules against kernels, gradients against differences."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from reference_impl import functions
from reference_impl.gradients import gradients
from reference_impl.ops.table import OPS, define
from reference_impl.tensors import Tensor, apply, convert, recording, symbolic

X = np.random.default_rng(0).uniform(0.2, 2.0, (2, 3, 4)).astype("float64")
SIGNED = np.random.default_rng(1).normal(size=(2, 3, 4))
ONE_ARGUMENT = ["Neg", "Abs", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Exp", "Expm1", "Log", "Log1p",
                                  "Sin", "Cos", "Tanh", "Sigmoid", "Erf", "Relu", "Relu6", "Softplus", "Softsign",
                                  "Elu", "Selu", "LeakyRelu", "Identity", "Softmax", "LogSoftmax"]  # fmt: skip
TWO_ARGUMENTS = ["AddV2", "Sub", "Mul", "RealDiv", "Pow", "Maximum", "Minimum", "SquaredDifference", "DivNoNan"]


def ints(*values: int) -> Tensor:
    return convert(np.array(values, np.int32))


CALLS: dict[str, Any] = {
    **{name: (lambda x, name=name: apply(name, x)) for name in ONE_ARGUMENT},
    **{name: (lambda x, name=name: apply(name, x, convert(X[:1, :, :1] + 0.3))) for name in TWO_ARGUMENTS},
    **{f"{name} second": (lambda x, name=name: apply(name, convert(X[:1, :, :1] + 0.3), x)) for name in TWO_ARGUMENTS},
    "SelectV2": lambda x: apply("SelectV2", convert(SIGNED > 0), x, convert(X[0])),
    "Sum": lambda x: apply("Sum", x, ints(0, 2), keep_dims=False),
    "Mean kept": lambda x: apply("Mean", x, ints(-1), keep_dims=True),
    "Max": lambda x: apply("Max", x, ints(1), keep_dims=False),
    "Min": lambda x: apply("Min", x, ints(1), keep_dims=False),
    "Prod": lambda x: apply("Prod", x, ints(1), keep_dims=False),
    "Reshape": lambda x: apply("Reshape", x, ints(2, -1)),
    "Transpose": lambda x: apply("Transpose", x, ints(2, 0, 1)),
    "ExpandDims": lambda x: apply("ExpandDims", x, ints(1)[0]),
    "Squeeze": lambda x: apply("Squeeze", x[:, :1], squeeze_dims=[1]),
    "BroadcastTo": lambda x: apply("BroadcastTo", x, ints(5, 2, 3, 4)),
    "Tile": lambda x: apply("Tile", x, ints(2, 1, 3)),
    "ConcatV2": lambda x: apply("ConcatV2", x, convert(X[:, :1]), x, ints(1)[0]),
    "Pack": lambda x: apply("Pack", x, convert(X), axis=1),
    "GatherV2": lambda x: apply("GatherV2", x, convert(np.array([[2, 0], [2, 1]])), ints(1)[0]),
    "StridedSlice": lambda x: x[..., 1:3] * x[:, 0:1, ::2],
    "shrinking slice": lambda x: x[:, -1],
    "MatMul": lambda x: apply("MatMul", x[0], convert(X[1]), transpose_a=True, transpose_b=False),
    "MatMul transposed": lambda x: apply("MatMul", convert(X[1]), x[0], transpose_a=False, transpose_b=True),
    "BatchMatMulV2": lambda x: apply("BatchMatMulV2", x, convert(X[0]), adj_x=False, adj_y=True),
    "BatchMatMulV2 second": lambda x: apply("BatchMatMulV2", convert(X), x[0], adj_x=True, adj_y=False),
    "BiasAdd": lambda x: apply("BiasAdd", convert(X), x[0, 0]),
    "SoftmaxCrossEntropyWithLogits": lambda x: apply(
        "SoftmaxCrossEntropyWithLogits", x, convert(X / X.sum(-1, keepdims=True))
    ),
    "SparseSoftmaxCrossEntropyWithLogits": lambda x: apply(
        "SparseSoftmaxCrossEntropyWithLogits", x, convert(np.array([[0, 1, 3], [2, 2, 1]]))
    ),
    "StopGradient": lambda x: x * functions.stop_gradient(x),
}


@pytest.mark.parametrize("name", CALLS)
def test_gradient_is_the_limit_of_differences(name: str) -> None:
    values = X if name in ("Sqrt", "Rsqrt", "Log", "Log1p", "Reciprocal", "Pow second", "Pow", "Prod") else SIGNED
    held = convert(values.copy())
    weights = np.random.default_rng(2).normal(size=CALLS[name](held).shape)

    def loss(x: Tensor) -> Tensor:
        return functions.reduce_sum(CALLS[name](x) * weights)

    with recording():
        found = gradients(loss(held), [held])[0]
    assert found is not None
    step = 1e-6
    expected = np.zeros_like(values)
    for place in itertools.product(*map(range, values.shape)):
        for sign in (1, -1):
            moved = values.copy()
            moved[place] += sign * step
            expected[place] += sign * float(loss(convert(moved))) / (2 * step)
    if name == "StopGradient":
        expected = expected / 2
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CALLS)
def test_shape_rule_agrees_with_the_kernel(name: str) -> None:
    value, symbol = CALLS[name](convert(X)), CALLS[name](symbolic(X.shape, "float64"))
    assert symbol.symbolic
    assert symbol.shape == value.shape
    assert symbol.dtype == value.dtype


@pytest.mark.parametrize("name", [*ONE_ARGUMENT, *TWO_ARGUMENTS, "Sum", "Mean kept", "Transpose", "ConcatV2", "Tile",
                                  "BatchMatMulV2", "shrinking slice", "StridedSlice"])  # fmt: skip
def test_unknown_batch_stays_unknown(name: str) -> None:
    known = CALLS[name](convert(X)).shape
    if name in TWO_ARGUMENTS or name in ONE_ARGUMENT:
        assert CALLS[name](symbolic((None, 3, 4), "float64")).shape == (None, *known[1:])
    else:
        found = CALLS[name](symbolic((None, 3, 4), "float64")).shape
        assert len(found) == len(known)
        assert all(a in (None, b) for a, b in zip(found, known, strict=True))


def test_extremes_do_not_overflow() -> None:
    with np.errstate(over="raise", invalid="raise"):
        ends = convert(np.array([-1e4, 1e4], np.float32))
        np.testing.assert_array_equal(apply("Sigmoid", ends).value, [0, 1])
        np.testing.assert_array_equal(apply("Softplus", ends).value, [0, 1e4])
        np.testing.assert_array_equal(apply("Softmax", ends).value, [0, 1])


def test_ops_keep_float32() -> None:
    for name in (*ONE_ARGUMENT, *TWO_ARGUMENTS):
        inputs = [convert(X.astype("float32"))] * (2 if name in TWO_ARGUMENTS else 1)
        assert apply(name, *inputs).dtype == "float32", name


def test_erf_is_the_error_function() -> None:
    assert float(functions.erf(0.5)) == pytest.approx(math.erf(0.5), abs=1e-7)


def test_error_names_op_and_shapes() -> None:
    with pytest.raises(ValueError, match=r"MatMul\(\(2, 3\), \(2, 3\)\)"):
        functions.matmul(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"AddV2\(\(None, 3\), \(4,\)\): Incompatible shapes"):
        functions.add(symbolic((None, 3)), symbolic((4,)))


def test_an_op_without_gradient_is_named() -> None:
    x = convert(np.ones((2, 2)))
    with recording():
        y = apply("All", apply("Cast", x, DstT="bool"), ints(0), keep_dims=False)
        loss = functions.reduce_sum(functions.cast_to(y, "float64"))
    assert gradients(loss, [x]) == [None]
    with recording():
        loss = functions.reduce_sum(apply("StridedSliceGrad", ints(4), ints(0), ints(2), ints(1), x[0]))
    with pytest.raises(LookupError, match="StridedSliceGrad"):
        gradients(loss, [x])


def test_dtypes_must_agree() -> None:
    with pytest.raises(TypeError, match="float32 and int32"):
        functions.multiply(functions.constant([1.0]), functions.constant([1]))


def test_one_name_one_entry() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        define("MatMul", np.matmul, OPS["MatMul"].shape)
