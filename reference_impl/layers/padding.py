"""Zeros around the space, cutting it, and repeating its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from reference_impl import functions
from reference_impl.layers.base import Layer
from reference_impl.layers.convolution import format_of, numbers
from reference_impl.layers.input_spec import InputSpec

Pairs = tuple[tuple[int, int], ...]


def _pairs(value: Any, rank: int, what: str) -> Pairs:
    """``value`` as (before, after) for each axis: one number, one for each axis, or pairs."""
    if isinstance(value, int):
        return ((value, value),) * rank
    listed = list(cast("Sequence[Any]", value))
    if rank == 1:
        listed = [listed] if len(listed) == 2 and all(isinstance(item, int) for item in listed) else listed
    if len(listed) != rank:
        raise ValueError(f"`{what}` should have {rank} elements. Found: {value}")
    found = [(item, item) if isinstance(item, int) else tuple(int(n) for n in item) for item in listed]
    if any(len(pair) != 2 for pair in found):
        raise ValueError(f"`{what}` should have pairs (before, after). Found: {value}")
    return cast("Pairs", tuple(found))


class _Space(Layer):
    """A layer over the space of its inputs, which may come before or after the channels."""

    rank = 2

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def start(self) -> int:
        """The first axis of the space."""
        return 2 if self.data_format == "channels_first" else 1

    def format_config(self) -> dict[str, Any]:
        """In one dimension TensorFlow has channels last and no such argument."""
        return {"data_format": self.data_format} if self.rank > 1 else {}


class _ZeroPadding(_Space):
    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding: Any = _pairs(padding, self.rank, "padding")
        if self.rank == 1:
            self.padding = self.padding[0]

    def call(self, inputs: Any) -> Any:
        pairs = [list(pair) for pair in ([self.padding] if self.rank == 1 else self.padding)]
        around = [[0, 0]]
        return functions.pad(inputs, [*around * self.start, *pairs, *around * (2 - self.start)])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, **self.format_config()}


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps."""

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around rows and columns."""


class ZeroPadding3D(_ZeroPadding):
    """Zeros around three axes."""

    rank = 3


class _Cropping(_Space):
    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping: Any = _pairs(cropping, self.rank, "cropping")
        if self.rank == 1:
            self.cropping = self.cropping[0]

    def call(self, inputs: Any) -> Any:
        pairs = [self.cropping] if self.rank == 1 else self.cropping
        for axis, (before, after) in enumerate(pairs, start=self.start):
            size = inputs.shape[axis]
            if size is not None and before + after >= size:
                raise ValueError(f"{self.name!r}: nothing is left of {size} when {before} and {after} are cut off")
        cuts = tuple(slice(before, -after if after else None) for before, after in pairs)
        return inputs[(slice(None),) * self.start + cuts]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping, **self.format_config()}


class Cropping1D(_Cropping):
    """Steps cut off at both ends."""

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)


class Cropping2D(_Cropping):
    """Rows and columns cut off."""


class Cropping3D(_Cropping):
    """Cut off at the ends of three axes."""

    rank = 3

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class UpSampling1D(_Space):
    """Each step ``size`` times."""

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = int(size)

    def call(self, inputs: Any) -> Any:
        return functions.repeat_elements(inputs, self.size, 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


class UpSampling2D(_Space):
    """Rows and columns ``size`` times; ``interpolation`` nearest or bilinear."""

    def __init__(
        self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = numbers(size, 2, "size")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f'`interpolation` argument should be one of "nearest" or "bilinear". Received: {interpolation}'
            )
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        images = functions.transpose(inputs, [0, 2, 3, 1]) if first else inputs
        sizes = functions.shape(images)
        known = images.shape[1:3]
        wanted = [sizes[1 + i] * n if known[i] is None else known[i] * n for i, n in enumerate(self.size)]
        resized = functions.resize(images, functions.stack(wanted), self.interpolation)
        return functions.transpose(resized, [0, 3, 1, 2]) if first else resized

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


class UpSampling3D(_Space):
    """Each element of three axes ``size`` times."""

    rank = 3

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = numbers(size, 3, "size")

    def call(self, inputs: Any) -> Any:
        for axis, count in enumerate(self.size, start=self.start):
            inputs = functions.repeat_elements(inputs, count, axis)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
