"""The kernels of pooling against their definition, window by window, and their gradients against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl import functions
from reference_impl.gradients import gradients
from reference_impl.tensors import Tensor, apply, convert, recording, symbolic
from tests.reference.direct import Windows, check_gradients, numbers, windows

Array = npt.NDArray[Any]

RANKS = {"MaxPool": 2, "AvgPool": 2, "MaxPool3D": 3, "AvgPool3D": 3}


def pooled(op: str, x: Array, plan: Windows) -> Array:
    """For each output the largest, or the mean, of what its window has in the input; channels last.

    The largest of nothing is less than any number.
    """
    read: dict[tuple[int, ...], list[Array]] = {}
    for output, _, place in plan.reads():
        read.setdefault(output, []).append(x[(slice(None), *place)])
    y = np.full((len(x), *plan.outputs, x.shape[-1]), -np.inf if x.dtype.kind == "f" else 0, x.dtype)
    for output, values in read.items():
        y[(slice(None), *output)] = np.max(values, axis=0) if op.startswith("Max") else np.mean(values, axis=0)
    return y


def pool(op: str, x: Tensor, plan: Windows) -> Tensor:
    return apply(op, x, **plan.attrs(ksize=plan.whole(plan.window)))


def drawn(data: st.DataObject, op: str, *more: str) -> Windows:
    return data.draw(windows(RANKS[op], ("VALID", "SAME", *more), dilated=False))


def known(op: str) -> tuple[str, ...]:
    """Paddings that only some have."""
    return ("EXPLICIT",) if op == "MaxPool" else ()


@pytest.mark.parametrize("op", RANKS)
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_each_window_for_itself(op: str, data: st.DataObject) -> None:
    plan = drawn(data, op, *known(op))
    x = numbers(1, 2, *plan.sizes, 3)
    y = pool(op, convert(plan.there(x)), plan)
    np.testing.assert_allclose(plan.back(y.value), pooled(op, x, plan), rtol=1e-12)


@pytest.mark.parametrize("op", ["MaxPool", "MaxPool3D"])
@pytest.mark.parametrize("dtype", ["float32", "int32", "int8"])
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_padding_is_less_than_anything(op: str, dtype: str, data: st.DataObject) -> None:
    plan = drawn(data, op)
    x = (-1 - np.arange(np.prod(plan.sizes) * 2) % 127).astype(dtype).reshape(1, *plan.sizes, 2)
    y = pool(op, convert(plan.there(x)), plan)
    assert y.dtype == dtype
    np.testing.assert_array_equal(plan.back(y.value), pooled(op, x, plan))


@pytest.mark.parametrize("op", RANKS)
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_gradients(op: str, data: st.DataObject) -> None:
    plan = drawn(data, op)
    check_gradients(lambda x: pool(op, x, plan), plan.there(numbers(1, 1, *plan.sizes, 2)))


def test_the_first_of_equal_elements_has_the_gradient() -> None:
    x = convert(np.array([[1.0, 3, 3], [3, 0, 3]]).reshape(1, 2, 3, 1))
    with recording():
        y = apply("MaxPool", x, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="VALID")
        loss = functions.reduce_sum(y * convert(np.array([2.0, 5]).reshape(1, 1, 2, 1)))
    (dx,) = gradients(loss, [x])
    assert dx is not None
    np.testing.assert_array_equal(dx.value.reshape(2, 3), [[0, 7, 0], [0, 0, 0]])


@pytest.mark.parametrize("function", [functions.max_pool, functions.avg_pool])
@settings(max_examples=15, deadline=None)
@given(plan=windows(2, dilated=False))
def test_one_axis(function: Any, plan: Windows) -> None:
    """The second axis of two, the first of which has one element."""
    row = Windows(
        *((1, values[1]) for values in (plan.sizes, plan.window, plan.strides, plan.dilations)),
        padding=plan.padding, before=(0, plan.before[1]), outputs=(1, plan.outputs[1]), explicit=(), first=False,
    )  # fmt: skip
    x = numbers(1, 2, *row.sizes, 3)
    flat = np.moveaxis(x[:, 0], -1, 1) if plan.first else x[:, 0]
    y = function(flat, plan.window[1], plan.strides[1], plan.padding, "NCW" if plan.first else "NWC").value
    expected = pooled("MaxPool" if function is functions.max_pool else "AvgPool", x, row)[:, 0]
    np.testing.assert_allclose(np.moveaxis(y, 1, -1) if plan.first else y, expected, rtol=1e-12)


@pytest.mark.parametrize("op", RANKS)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_shape_rule_agrees_with_the_kernel(op: str, data: st.DataObject) -> None:
    plan = drawn(data, op, *known(op))
    x = plan.there(numbers(1, 2, *plan.sizes, 3))
    y = pool(op, convert(x), plan)
    assert pool(op, symbolic(x.shape, "float64"), plan).shape == y.shape
    axis = data.draw(st.integers(0, x.ndim - 1))
    found = pool(op, symbolic([None if n == axis else size for n, size in enumerate(x.shape)], "float64"), plan).shape
    assert found == tuple(None if n == axis else size for n, size in enumerate(y.shape))


@pytest.mark.parametrize("x", [convert(np.ones((1, 2, 5, 1))), symbolic((1, 2, 5, 1), "float64")])
def test_a_window_that_does_not_fit(x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"MaxPool\(.*: a window of 3 does not fit into 2"):
        apply("MaxPool", x, ksize=[1, 3, 3, 1], strides=[1, 1, 1, 1], padding="VALID")
