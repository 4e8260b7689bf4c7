"""Padding, cutting, blocks and resizing: kernels against their definition element by element, gradients against
differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl.tensors import Tensor, apply, convert, symbolic
from tests.reference.direct import check_gradients, numbers

Array = npt.NDArray[Any]


def ints(values: Any) -> Tensor:
    return convert(np.array(values, np.int32))


sizes = st.lists(st.integers(3, 6), min_size=2, max_size=3, unique=True)
"""No axis is like another."""
pairs = st.tuples(st.integers(0, 2), st.integers(0, 2))


# -- padding and cutting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["zeros", "constant", "REFLECT", "SYMMETRIC"])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_padding(mode: str, data: st.DataObject) -> None:
    shape = data.draw(sizes)
    paddings = [data.draw(pairs) for _ in shape]
    x = numbers(1, *shape)

    def padded(x: Tensor) -> Tensor:
        if mode == "zeros":
            return apply("Pad", x, ints(paddings))
        if mode == "constant":
            return apply("PadV2", x, ints(paddings), convert(np.array(7.5)))
        return apply("MirrorPad", x, ints(paddings), mode=mode)

    y = padded(convert(x)).value
    assert y.shape == padded(symbolic(shape, "float64")).shape
    for index in np.ndindex(*y.shape):
        source = [i - before for i, (before, _) in zip(index, paddings, strict=True)]
        if mode in ("REFLECT", "SYMMETRIC"):
            edge = 0 if mode == "REFLECT" else 1  # whether the border itself is in the mirror image
            source = [-i - edge if i < 0 else i if i < n else 2 * (n - 1) - i + edge
                      for i, n in zip(source, shape, strict=True)]  # fmt: skip
        inside = all(0 <= i < n for i, n in zip(source, shape, strict=True))
        assert y[index] == (x[tuple(source)] if inside else 7.5 if mode == "constant" else 0)
    if mode in ("zeros", "constant"):
        check_gradients(padded, x)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_slices(data: st.DataObject) -> None:
    shape = data.draw(sizes)
    begin = [data.draw(st.integers(0, n - 1)) for n in shape]
    size = [data.draw(st.sampled_from([-1, *range(1, n - b + 1)])) for n, b in zip(shape, begin, strict=True)]
    x = numbers(1, *shape)

    def cut(x: Tensor) -> Tensor:
        return apply("Slice", x, ints(begin), ints(size))

    y = cut(convert(x)).value
    assert y.shape == tuple(n - b if s < 0 else s for n, b, s in zip(shape, begin, size, strict=True))
    assert cut(symbolic(shape, "float64")).shape == y.shape
    for index in np.ndindex(*y.shape):
        assert y[index] == x[tuple(i + b for i, b in zip(index, begin, strict=True))]
    check_gradients(cut, x)


@settings(max_examples=20, deadline=None)
@given(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.data())
def test_blocks_go_into_the_batch_and_back(block: tuple[int, int], data: st.DataObject) -> None:
    """Batch ``(offset within the block) · batch + n`` has the pixels at that offset."""
    before = [data.draw(st.integers(0, 2)) for _ in block]
    space = [b * data.draw(st.integers(2, 3)) + k for b, k in zip(block, (0, 1), strict=True)]
    paddings = [(p, -(p + n) % b) for p, n, b in zip(before, space, block, strict=True)]
    x = numbers(1, 2, *space, 3)

    def split(x: Tensor) -> Tensor:
        return apply("SpaceToBatchND", x, ints(block), ints(paddings))

    y = split(convert(x))
    assert split(symbolic(x.shape, "float64")).shape == y.shape
    for part, row, column in np.ndindex(*y.shape[:3]):
        (down, right), n = divmod(part // 2, block[1]), part % 2
        source = row * block[0] + down - paddings[0][0], column * block[1] + right - paddings[1][0]
        inside = all(0 <= i < size for i, size in zip(source, space, strict=True))
        np.testing.assert_array_equal(y.value[part, row, column], x[(n, *source)] if inside else 0)
    whole = apply("BatchToSpaceND", y, ints(block), ints(paddings))
    np.testing.assert_array_equal(whole.value, x)
    assert apply("BatchToSpaceND", symbolic(y.shape, "float64"), ints(block), ints(paddings)).shape == x.shape
    check_gradients(split, x)
    check_gradients(lambda y: apply("BatchToSpaceND", y, ints(block), ints(paddings)), y.value)


# -- resizing ----------------------------------------------------------------------------------------------------

CENTERS = {
    "corners": {"align_corners": False, "half_pixel_centers": False},
    "aligned": {"align_corners": True, "half_pixel_centers": False},
    "centers": {"align_corners": False, "half_pixel_centers": True},
}
"""What corresponds: the upper left corners, the pixels in the corners, or the centers of pixels."""


def place(number: int, count: int, size: int, how: str) -> float:
    """Where output ``number`` of ``count`` lies among ``size`` inputs."""
    if how == "aligned":
        return number * (size - 1) / (count - 1) if count > 1 else 0.0
    if how == "centers":
        return (number + 0.5) * size / count - 0.5
    return number * size / count


def nearest(at: float, size: int, how: str) -> int:
    """The input next to a place; with corners, the one that the place is in. A half goes up."""
    found = math.floor(at + 1e-6) if how == "corners" else math.floor(at + 0.5 + 1e-6)
    return min(max(found, 0), size - 1)


def neighbours(at: float, size: int) -> list[tuple[int, float]]:
    """The inputs on both sides of a place, and how much each counts; outside the image is its border."""
    below = math.floor(at)
    return [(min(max(i, 0), size - 1), share) for i, share in ((below, 1 - at + below), (below + 1, at - below))]


shapes = st.tuples(st.permutations([2, 3, 4, 5, 7]), st.sampled_from([1, 2, 3]))


@pytest.mark.parametrize("how", CENTERS)
@settings(max_examples=25, deadline=None)
@given(shapes)
def test_nearest(how: str, drawn: tuple[list[int], int]) -> None:
    (height, width, rows, columns, _), channels = drawn
    x = numbers(1, 2, height, width, channels)

    def resized(x: Tensor) -> Tensor:
        return apply("ResizeNearestNeighbor", x, ints([rows, columns]), **CENTERS[how])

    y = resized(convert(x))
    assert resized(symbolic((None, height, width, channels), "float64")).shape == (None, *y.shape[1:])
    for row, column in np.ndindex(rows, columns):
        top = nearest(place(row, rows, height, how), height, how)
        left = nearest(place(column, columns, width, how), width, how)
        np.testing.assert_array_equal(y.value[:, row, column], x[:, top, left])
    check_gradients(resized, x)


@pytest.mark.parametrize("how", CENTERS)
@settings(max_examples=25, deadline=None)
@given(shapes)
def test_bilinear(how: str, drawn: tuple[list[int], int]) -> None:
    (height, width, rows, columns, _), channels = drawn
    x = numbers(1, 2, height, width, channels)

    def resized(x: Tensor) -> Tensor:
        return apply("ResizeBilinear", x, ints([rows, columns]), **CENTERS[how])

    y = resized(convert(x))
    assert y.dtype == "float32"
    assert resized(symbolic((None, height, width, channels), "float64")).shape == (None, *y.shape[1:])
    for row, column in np.ndindex(rows, columns):
        expected = np.zeros((2, channels))
        for top, down in neighbours(place(row, rows, height, how), height):
            for left, right in neighbours(place(column, columns, width, how), width):
                expected += down * right * x[:, top, left]
        np.testing.assert_allclose(y.value[:, row, column], expected, rtol=1e-5, atol=1e-5)
    check_gradients(resized, x, tolerance=1e-4)


def test_one_output_is_aligned_to_the_first_pixel() -> None:
    x = convert(np.arange(4.0).reshape(1, 2, 2, 1))
    for op in ("ResizeNearestNeighbor", "ResizeBilinear"):
        assert apply(op, x, ints([1, 1]), **CENTERS["aligned"]).value.item() == 0
