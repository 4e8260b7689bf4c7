"""The kernels of convolutions against their definition, a sum over windows, and their gradients against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl import functions
from reference_impl.tensors import Tensor, apply, convert, symbolic
from tests.reference.direct import Windows, check_gradients, numbers, windows

Array = npt.NDArray[Any]

OPS = {2: ("Conv2D", "Conv2DBackpropInput"), 3: ("Conv3D", "Conv3DBackpropInputV2")}
FILTERS = {2: "Conv2DBackpropFilter", 3: "Conv3DBackpropFilterV2"}
PADDINGS = ("VALID", "SAME", "EXPLICIT")
channels = st.integers(1, 3)


def convolved(x: Array, w: Array, plan: Windows) -> Array:
    """The convolution, channels last; ``w`` reads groups of channels, one after the other."""
    inner, outer = w.shape[-2:]
    groups = x.shape[-1] // inner
    y = np.zeros((len(x), *plan.outputs, outer))
    for output, place, read in plan.reads():
        for group in range(groups):
            of, to = (
                slice(group * inner, (group + 1) * inner),
                slice(*(outer // groups * g for g in (group, group + 1))),
            )
            y[(slice(None), *output, to)] += x[(slice(None), *read, of)] @ w[place][:, to]
    return y


def spread(dy: Array, w: Array, plan: Windows) -> Array:
    """A transposed convolution: each number goes, times the filter, where a convolution would read it from."""
    dx = np.zeros((len(dy), *plan.sizes, w.shape[-2]))
    for output, place, read in plan.reads():
        dx[(slice(None), *read)] += dy[(slice(None), *output)] @ w[place].T
    return dx


def sizes(*values: int) -> Tensor:
    return convert(np.array(values, np.int32))


def dilated(plan: Windows) -> dict[str, Any]:
    return plan.attrs(dilations=plan.whole(plan.dilations))


@pytest.mark.parametrize("rank", [2, 3])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_is_the_sum_over_its_windows(rank: int, data: st.DataObject) -> None:
    plan = data.draw(windows(rank, PADDINGS if rank == 2 else PADDINGS[:2]))
    groups, inner, outer = data.draw(st.tuples(st.integers(1, 2), channels, channels))
    x, w = numbers(1, 2, *plan.sizes, groups * inner), numbers(2, *plan.window, inner, groups * outer)
    y = apply(OPS[rank][0], convert(plan.there(x)), convert(w), **dilated(plan))
    np.testing.assert_allclose(plan.back(y.value), convolved(x, w, plan), rtol=1e-12)


@pytest.mark.parametrize("rank", [2, 3])
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_backwards_spreads_over_the_windows(rank: int, data: st.DataObject) -> None:
    plan = data.draw(windows(rank, PADDINGS if rank == 2 else PADDINGS[:2]))
    inner, outer = data.draw(st.tuples(channels, channels))
    w, dy = numbers(1, *plan.window, inner, outer), numbers(2, 2, *plan.outputs, outer)
    shape = plan.there(np.empty((2, *plan.sizes, inner))).shape
    dx = apply(OPS[rank][1], sizes(*shape), convert(w), convert(plan.there(dy)), **dilated(plan))
    np.testing.assert_allclose(plan.back(dx.value), spread(dy, w, plan), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rank", [2, 3])
@settings(max_examples=8, deadline=None)
@given(st.data())
def test_gradients(rank: int, data: st.DataObject) -> None:
    plan = data.draw(windows(rank, PADDINGS if rank == 2 else PADDINGS[:2]))
    groups = data.draw(st.integers(1, 2))
    x, w = numbers(1, 1, *plan.sizes, 2 * groups), numbers(2, *plan.window, 2, groups)
    check_gradients(lambda x, w: apply(OPS[rank][0], x, w, **dilated(plan)), plan.there(x), w)


@pytest.mark.parametrize("rank", [2, 3])
@settings(max_examples=5, deadline=None)
@given(st.data())
def test_gradients_of_the_gradients(rank: int, data: st.DataObject) -> None:
    plan = data.draw(windows(rank))
    x, w, dy = numbers(1, 1, *plan.sizes, 2), numbers(2, *plan.window, 2, 3), numbers(3, 1, *plan.outputs, 3)
    there, attrs = plan.there(x), dilated(plan)
    check_gradients(lambda w, dy: apply(OPS[rank][1], sizes(*there.shape), w, dy, **attrs), w, plan.there(dy))
    check_gradients(lambda x, dy: apply(FILTERS[rank], x, sizes(*w.shape), dy, **attrs), there, plan.there(dy))


# -- depthwise ---------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(windows(2, PADDINGS), channels, channels)
def test_depthwise_has_filters_for_each_channel(plan: Windows, inner: int, multiplier: int) -> None:
    x, w = numbers(1, 2, *plan.sizes, inner), numbers(2, *plan.window, inner, multiplier)
    expected = np.zeros((2, *plan.outputs, inner * multiplier))
    for output, place, read in plan.reads():
        for channel, number in np.ndindex(inner, multiplier):
            found = x[(slice(None), *read, channel)] * w[(*place, channel, number)]
            expected[(slice(None), *output, channel * multiplier + number)] += found
    y = apply("DepthwiseConv2dNative", convert(plan.there(x)), convert(w), **dilated(plan))
    np.testing.assert_allclose(plan.back(y.value), expected, rtol=1e-12)


@settings(max_examples=8, deadline=None)
@given(windows(2, PADDINGS))
def test_gradients_of_depthwise(plan: Windows) -> None:
    x, w, dy = numbers(1, 1, *plan.sizes, 2), numbers(2, *plan.window, 2, 3), numbers(3, 1, *plan.outputs, 6)
    name, there, attrs = "DepthwiseConv2dNative", plan.there(x), dilated(plan)
    check_gradients(lambda x, w: apply(name, x, w, **attrs), there, w)
    shapes = sizes(*there.shape), sizes(*w.shape)
    check_gradients(lambda w, dy: apply(f"{name}BackpropInput", shapes[0], w, dy, **attrs), w, plan.there(dy))
    check_gradients(lambda x, dy: apply(f"{name}BackpropFilter", x, shapes[1], dy, **attrs), there, plan.there(dy))


# -- one axis, shapes, errors ------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(windows(2), channels)
def test_one_axis(plan: Windows, outer: int) -> None:
    """The second axis of two, the first of which has one element."""
    row = Windows(
        *((1, values[1]) for values in (plan.sizes, plan.window, plan.strides, plan.dilations)),
        padding=plan.padding, before=(0, plan.before[1]), outputs=(1, plan.outputs[1]), explicit=(), first=False,
    )  # fmt: skip
    x, w = numbers(1, 2, *row.sizes, 2), numbers(2, *row.window, 2, outer)
    flat, attrs = x[:, 0], (plan.strides[1], plan.padding, "NCW" if plan.first else "NWC", plan.dilations[1])
    y = functions.convolution(np.moveaxis(flat, -1, 1) if plan.first else flat, w[0], *attrs)
    expected = convolved(x, w, row)
    np.testing.assert_allclose(np.moveaxis(y.value, 1, -1) if plan.first else y.value, expected[:, 0], rtol=1e-12)


@pytest.mark.parametrize("op", ["Conv2D", "Conv3D", "DepthwiseConv2dNative"])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_shape_rule_agrees_with_the_kernel(op: str, data: st.DataObject) -> None:
    rank = 3 if op == "Conv3D" else 2
    plan = data.draw(windows(rank, PADDINGS if rank == 2 else PADDINGS[:2]))
    x, w = plan.there(numbers(1, 2, *plan.sizes, 2)), numbers(2, *plan.window, 2, 3)
    y = apply(op, convert(x), convert(w), **dilated(plan))
    assert apply(op, symbolic(x.shape, "float64"), convert(w), **dilated(plan)).shape == y.shape
    axis = data.draw(st.sampled_from([n for n in range(x.ndim) if n != (1 if plan.first else x.ndim - 1)]))
    unknown = [None if n == axis else size for n, size in enumerate(x.shape)]
    found = apply(op, symbolic(unknown, "float64"), convert(w), **dilated(plan)).shape
    assert found == tuple(None if n == axis else size for n, size in enumerate(y.shape))


PLAIN: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "VALID"}


@pytest.mark.parametrize("x", [convert(np.ones((1, 2, 5, 1))), symbolic((1, 2, 5, 1), "float64")])
def test_a_window_that_does_not_fit(x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"Conv2D\(.*: a window of 3 does not fit into 2 with padding VALID"):
        apply("Conv2D", x, convert(np.ones((3, 3, 1, 1))), **PLAIN)


def test_channels_that_no_group_can_read() -> None:
    with pytest.raises(ValueError, match="3 channels cannot be split into groups of 2"):
        apply("Conv2D", convert(np.ones((1, 4, 5, 3))), convert(np.ones((1, 1, 2, 2))), **PLAIN)


def test_a_gradient_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"gives outputs of \(3, 4\); the gradient has \(4, 4\)"):
        apply("Conv2DBackpropInput", sizes(1, 4, 5, 1), convert(np.ones((2, 2, 1, 1))), convert(np.ones((1, 4, 4, 1))),
              **PLAIN)  # fmt: skip
