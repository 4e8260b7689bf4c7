"""What kernels are checked against: windows found with loops, and gradients as differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from reference_impl import functions
from reference_impl.gradients import gradients
from reference_impl.tensors import Tensor, convert, recording

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Windows:
    """How windows lie over the space: all numbers are for the axes of the space alone.

    ``before``: zeros before each axis. ``outputs``: how many windows there are.
    """

    sizes: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: str
    before: tuple[int, ...]
    outputs: tuple[int, ...]
    explicit: tuple[int, ...]
    first: bool

    @property
    def rank(self) -> int:
        return len(self.sizes)

    def attrs(self, **more: Any) -> dict[str, Any]:
        """The attributes of an op, as TensorFlow has them."""
        formats = ("NCHW", "NHWC") if self.rank == 2 else ("NCDHW", "NDHWC")
        explicit = {"explicit_paddings": self._whole(self.explicit, 0, 2)} if self.padding == "EXPLICIT" else {}
        return {
            "strides": self.whole(self.strides),
            "padding": self.padding,
            "data_format": formats[0 if self.first else 1],
            **explicit,
            **more,
        }

    def whole(self, values: Sequence[int]) -> list[int]:
        """``values`` with ones for batch and channels."""
        return self._whole(values, 1, 1)

    def _whole(self, values: Sequence[int], other: int, count: int) -> list[int]:
        around = [other] * count
        return [*around, *around, *values] if self.first else [*around, *values, *around]

    def reads(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
        """Each output, each place in its window, and what is read there; nothing for places in the padding."""
        for output in np.ndindex(*self.outputs):
            for place in np.ndindex(*self.window):
                read = tuple(
                    o * s + k * d - b
                    for o, s, k, d, b in zip(output, self.strides, place, self.dilations, self.before, strict=True)
                )
                if all(0 <= r < n for r, n in zip(read, self.sizes, strict=True)):
                    yield output, place, read

    def there(self, array: Array) -> Array:
        """``array``, channels last, as the op is to be given it."""
        return np.moveaxis(array, -1, 1) if self.first else array

    def back(self, array: Array) -> Array:
        """``array``, as the op gave it, with its channels last."""
        return np.moveaxis(array, 1, -1) if self.first else array


@st.composite
def windows(
    draw: st.DrawFn,
    rank: int,
    paddings: Sequence[str] = ("VALID", "SAME"),
    dilated: bool = True,
) -> Windows:
    """Windows over axes of different sizes, where no axis is like another."""
    largest = 3 if rank == 2 else 2
    window = tuple(draw(st.integers(1, largest)) for _ in range(rank))
    strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    dilations = tuple(draw(st.integers(1, 2)) if dilated else 1 for _ in range(rank))
    covered = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    padding = draw(st.sampled_from(paddings))
    smallest = largest * 2 - 1
    sizes = tuple(draw(st.lists(st.integers(smallest, smallest + 3), min_size=rank, max_size=rank, unique=True)))
    explicit = tuple(draw(st.integers(0, 2)) if padding == "EXPLICIT" else 0 for _ in range(2 * rank))
    pads: list[tuple[int, int]] = [(explicit[2 * i], explicit[2 * i + 1]) for i in range(rank)]
    if padding == "SAME":
        counts = [-(-n // s) for n, s in zip(sizes, strides, strict=True)]
        totals = [max((c - 1) * s + w - n, 0) for c, s, w, n in zip(counts, strides, covered, sizes, strict=True)]
        pads = [(total // 2, total - total // 2) for total in totals]
    outputs = tuple((n + b + a - w) // s + 1 for n, (b, a), w, s in zip(sizes, pads, covered, strides, strict=True))
    before = tuple(b for b, _ in pads)
    return Windows(sizes, window, strides, dilations, padding, before, outputs, explicit, draw(st.booleans()))


def numbers(seed: int, *shape: int) -> Array:
    """Numbers of both signs, no two alike, a quarter at least apart: small steps do not change their order."""
    count = int(np.prod(shape))
    order = np.random.default_rng(seed).permutation(count)
    return ((order - count // 2) / 4 + 0.1).reshape(shape)


def check_gradients(
    function: Callable[[Tensor], Tensor] | Callable[[Tensor, Tensor], Tensor],
    *values: Array,
    step: float = 0.125,
    tolerance: float = 1e-7,
) -> None:
    """The gradients of ``function`` in each of its arguments against differences; no two outputs count alike.

    For a function that is linear in each argument, where it does not jump within ``step``, they are the same.
    """
    call = cast("Callable[..., Tensor]", function)
    inputs = [convert(value.copy()) for value in values]
    with recording():
        outputs = call(*inputs)
        weights = np.random.default_rng(5).normal(size=outputs.value.shape)
        found = gradients(functions.reduce_sum(outputs * weights.astype(outputs.dtype)), inputs)
    for place, (value, gradient) in enumerate(zip(values, found, strict=True)):
        assert gradient is not None
        assert gradient.dtype == inputs[place].dtype
        expected = np.zeros(value.shape)
        for index in np.ndindex(*value.shape):
            moved = value.copy()
            moved[index] += step
            changed = call(*inputs[:place], convert(moved), *inputs[place + 1 :])
            expected[index] = np.sum((changed.value - outputs.value) * weights) / step
        np.testing.assert_allclose(gradient.value, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
