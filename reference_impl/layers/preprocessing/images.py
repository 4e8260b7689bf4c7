"""Images: scaled, cut, and disturbed in training.

All take (batch, height, width, channels). What is random is random in training only, and otherwise passes images on.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from reference_impl import functions
from reference_impl.layers.input_spec import InputSpec
from reference_impl.layers.preprocessing.base import PreprocessingLayer
from reference_impl.tensors import present_trace
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

_INTERPOLATIONS = (
    "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic",
)  # fmt: skip


class Rescaling(PreprocessingLayer):
    """x · scale + offset, for numbers of any shape."""

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        scale, offset = (functions.cast_to(functions.constant(value), dtype) for value in (self.scale, self.offset))
        return functions.cast_to(inputs, dtype) * scale + offset

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


class _Images(PreprocessingLayer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=4)


class Resizing(_Images):
    """Images of the size (height, width), float32 unless ``nearest``.

    ``crop_to_aspect_ratio``: cut before, so that nothing is stretched. Generations that have this argument give the
    dtype they compute in.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_interpolation(self, interpolation)
        self.height, self.width = height, width
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio

    def call(self, inputs: Any) -> Any:
        if self.crop_to_aspect_ratio is None:
            return _resized(inputs, self.height, self.width, self.interpolation)
        return functions.cast_to(self._fitted(inputs), self.compute_dtype)

    def _fitted(self, inputs: Any) -> Any:
        if not self.crop_to_aspect_ratio:
            return _resized(inputs, self.height, self.width, self.interpolation)
        height, width = _sizes(inputs, self.name)
        kept_height = min(height, int(width * self.height / self.width))
        kept_width = min(width, int(height * self.width / self.height))
        return _resized(_centre(inputs, kept_height, kept_width), self.height, self.width, self.interpolation)

    def get_config(self) -> dict[str, Any]:
        crop = self.crop_to_aspect_ratio
        later = {} if crop is None else {"crop_to_aspect_ratio": crop}
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            **later,
        }


class CenterCrop(_Images):
    """The middle (height, width) of each image, which must not be smaller."""

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, inputs: Any) -> Any:
        height, width = inputs.shape[1:3]
        if (height or self.height) < self.height or (width or self.width) < self.width:
            raise ValueError(
                f"{self.name}: The crop size {self.height} × {self.width} should not be greater than the images', "
                f"{height} × {width}"
            )
        return _centre(inputs, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


class _State(Trackable):
    """What TensorFlow 2.4 keeps of a generator in checkpoints: three numbers. Carried, not used: see ``_Random``."""

    def __init__(self, seed: int | None) -> None:
        self._state_var = Variable(np.array([0, 0, seed or 0], np.int64), trainable=False)


class _Random(_Images):
    """``disturb`` in training, which is also the default of a direct call.

    Numbers are drawn from this library's streams: no other library's could be repeated from a stored state.
    """

    keeps_state = True

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        # What kind of generator tf_keras draws from has no meaning here.
        kwargs.pop("rng_type", None)
        super().__init__(**kwargs)
        self.seed = seed
        if self.keeps_state:
            self._rng = _State(seed)

    def _later_children(self) -> list[tuple[str, Trackable]]:
        return [(name, child) for name, child in super()._later_children() if name != "_rng"]

    def call(self, inputs: Any, training: Any = True) -> Any:
        return self.disturb(inputs) if training else functions.identity(inputs)

    def disturb(self, images: Any) -> Any:
        raise NotImplementedError

    def uniform(self, images: Any, low: float, high: float) -> Any:
        """One number for each image, (batch, 1)."""
        batch = functions.shape(images)[:1]
        shape = functions.concat([batch, np.array([1], np.int32)], axis=0)
        return functions.random_uniform(shape, low, high, seed=self.seed)

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments of this class, which a config has before ``seed``."""
        return {}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.arguments(), "seed": self.seed}


class RandomFlip(_Random):
    """Each image mirrored or not: ``horizontal``, ``vertical`` or ``horizontal_and_vertical``."""

    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(f"{self.name}: found mode {mode!r}, expected horizontal, vertical or both")
        self.mode = mode

    def disturb(self, images: Any) -> Any:
        for word, flipped in (("horizontal", images[:, :, ::-1]), ("vertical", None)):
            if word in self.mode:
                turned = images[:, ::-1] if flipped is None else flipped
                chosen = functions.reshape(functions.greater(self.uniform(images, 0.0, 1.0), 0.5), [-1, 1, 1, 1])
                images = functions.where(chosen, turned, images)
        return images

    def arguments(self) -> dict[str, Any]:
        return {"mode": self.mode}


class _Transformation(_Random):
    """Images read through a projection. ``fill_mode``: reflect, wrap, constant (``fill_value``) or nearest."""

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        if fill_mode not in ("reflect", "wrap", "constant", "nearest") or interpolation not in ("nearest", "bilinear"):
            raise NotImplementedError(
                f"{self.name}: found fill_mode {fill_mode!r} and interpolation {interpolation!r}, expected reflect, "
                "wrap, constant or nearest, and nearest or bilinear"
            )
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def disturb(self, images: Any) -> Any:
        sizes = functions.cast_to(functions.shape(images)[1:3], "float32")
        rows = functions.concat(
            [convert_column(part, images) for part in self.projection(images, sizes[0], sizes[1])], axis=1
        )
        return functions.transform(images, rows, self.interpolation, self.fill_mode, self.fill_value)

    def projection(self, images: Any, height: Any, width: Any) -> list[Any]:
        """Its eight numbers, each one number or (batch, 1)."""
        raise NotImplementedError

    def arguments(self) -> dict[str, Any]:
        return {"fill_mode": self.fill_mode, "fill_value": self.fill_value, "interpolation": self.interpolation}


def convert_column(part: Any, images: Any) -> Any:
    """A number as (batch, 1)."""
    if not isinstance(part, int | float):
        return part
    shape = functions.concat([functions.shape(images)[:1], np.array([1], np.int32)], axis=0)
    return functions.fill(shape, np.float32(part))


class RandomTranslation(_Transformation):
    """Moved by parts of height and width: up to a factor either way, or between two."""

    def __init__(self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect", **kwargs: Any) -> None:
        super().__init__(fill_mode, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        for factor in (height_factor, width_factor):
            _bounds(self, factor, 1.0)

    def projection(self, images: Any, height: Any, width: Any) -> list[Any]:
        down = self.uniform(images, *_bounds(self, self.height_factor)) * height
        right = self.uniform(images, *_bounds(self, self.width_factor)) * width
        return [1.0, 0.0, -right, 0.0, 1.0, -down, 0.0, 0.0]

    def arguments(self) -> dict[str, Any]:
        return {"height_factor": self.height_factor, "width_factor": self.width_factor, **super().arguments()}


class RandomRotation(_Transformation):
    """Turned around the centre by parts of 2π: up to a factor either way, or between two."""

    def __init__(self, factor: Any, fill_mode: str = "reflect", **kwargs: Any) -> None:
        super().__init__(fill_mode, **kwargs)
        self.factor = factor
        _bounds(self, factor)

    def projection(self, images: Any, height: Any, width: Any) -> list[Any]:
        low, high = _bounds(self, self.factor)
        angle = self.uniform(images, low * 2 * math.pi, high * 2 * math.pi)
        sin, cos = functions.sin(angle), functions.cos(angle)
        x = ((width - 1.0) - (cos * (width - 1.0) - sin * (height - 1.0))) / 2.0
        y = ((height - 1.0) - (sin * (width - 1.0) + cos * (height - 1.0))) / 2.0
        return [cos, -sin, x, sin, cos, y, 0.0, 0.0]

    def arguments(self) -> dict[str, Any]:
        return {"factor": self.factor, **super().arguments()}


class RandomZoom(_Transformation):
    """Zoomed around the centre; positive factors show more. ``width_factor`` None: as the height."""

    def __init__(self, height_factor: Any, width_factor: Any = None, fill_mode: str = "reflect", **kwargs: Any) -> None:
        super().__init__(fill_mode, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        for factor in (height_factor, width_factor or height_factor):
            _bounds(self, factor)

    def projection(self, images: Any, height: Any, width: Any) -> list[Any]:
        down = self.uniform(images, *_bounds(self, self.height_factor)) + 1.0
        right = down if self.width_factor is None else self.uniform(images, *_bounds(self, self.width_factor)) + 1.0
        x, y = (width - 1.0) / 2.0 * (1.0 - right), (height - 1.0) / 2.0 * (1.0 - down)
        return [right, 0.0, x, 0.0, down, y, 0.0, 0.0]

    def arguments(self) -> dict[str, Any]:
        return {"height_factor": self.height_factor, "width_factor": self.width_factor, **super().arguments()}


class RandomContrast(_Random):
    """Differences from the mean of each channel times a factor around 1, the same for the whole batch.

    ``value_range`` (Keras 3 only): the result is kept in it.
    """

    keeps_state = False

    def __init__(self, factor: Any, seed: int | None = None, value_range: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.factor: Any = factor
        self.__dict__["value_range"] = None if value_range is None else list(value_range)

    def disturb(self, images: Any) -> Any:
        factor = self.factor
        low, high = cast("Any", factor) if isinstance(factor, list | tuple) else (factor, factor)
        drawn = functions.random_uniform([], 1.0 - low, 1.0 + high, seed=self.seed)
        factor = functions.cast_to(drawn, images.dtype)
        mean = functions.reduce_mean(images, [1, 2], keepdims=True)
        changed = (images - mean) * factor + mean
        return changed if self.value_range is None else functions.clip_by_value(changed, *map(float, self.value_range))

    value_range: list[float] | None

    def arguments(self) -> dict[str, Any]:
        kept = {} if self.value_range is None else {"value_range": list(self.value_range)}
        return {"factor": self.factor, **kept, **super().arguments()}


class RandomBrightness(_Random):
    """A part of the ``value_range`` added to each image, and the result kept in the range. (Later than 2.4.)"""

    keeps_state = False

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self._factor = list(_bounds(self, factor, 1.0))
        self._value_range = list(value_range)

    def disturb(self, images: Any) -> Any:
        low, high = self._value_range
        drawn = functions.cast_to(self.uniform(images, *self._factor), images.dtype)
        change = functions.reshape(drawn, [-1, 1, 1, 1]) * float(high - low)
        return functions.clip_by_value(images + change, float(low), float(high))

    def arguments(self) -> dict[str, Any]:
        return {"factor": list(self._factor), "value_range": list(self._value_range)}


class RandomCrop(_Random):
    """A part (height, width), the same for the whole batch; otherwise the middle, resized to fit."""

    def __init__(self, height: int, width: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.height, self.width = height, width

    def call(self, inputs: Any, training: Any = True) -> Any:
        height, width = _sizes(inputs, self.name)
        if training:
            if height < self.height or width < self.width:
                raise ValueError(
                    f"{self.name}: found images of {height} × {width}, expected at least {self.height} × {self.width}"
                )
            top, left = (
                functions.cast_to(functions.random_uniform([], 0.0, 1.0, seed=self.seed) * (size - kept + 1), "int32")
                for size, kept in ((height, self.height), (width, self.width))
            )
            size = [-1, self.height, self.width, inputs.shape[3] or -1]
            return functions.slice_of(inputs, functions.stack([0, top, left, 0]), size)
        taller = height / width > self.height / self.width
        resized_height = int(self.width * height / width) if taller else self.height
        resized_width = self.width if taller else int(self.height * width / height)
        return _centre(_resized(inputs, resized_height, resized_width), self.height, self.width)

    def arguments(self) -> dict[str, Any]:
        return {"height": self.height, "width": self.width}


class _RandomSize(_Random):
    """One side resized by a factor around 1, the same for the whole batch."""

    axis: int

    def __init__(self, factor: Any, interpolation: str = "bilinear", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        _check_interpolation(self, interpolation)
        self.factor = factor
        self.interpolation = interpolation

    def disturb(self, images: Any) -> Any:
        low, high = _bounds(self, self.factor)
        if images.symbolic and present_trace() is None:
            return functions.identity(images)
        sizes = _space(images)
        drawn = functions.random_uniform([], 1.0 + low, 1.0 + high, seed=self.seed)
        size = functions.cast_to(functions.cast_to(sizes[self.axis - 1], "float32") * drawn, "int32")
        sizes[self.axis - 1] = size
        return _resized(images, sizes[0], sizes[1], self.interpolation)

    def arguments(self) -> dict[str, Any]:
        return {"factor": self.factor, "interpolation": self.interpolation}


class RandomHeight(_RandomSize):
    """Height times a factor around 1, the same for the whole batch."""

    axis = 1


class RandomWidth(_RandomSize):
    """Width times a factor around 1, the same for the whole batch."""

    axis = 2


# -- what the layers share -----------------------------------------------------------------------------------------


def _check_interpolation(layer: PreprocessingLayer, interpolation: str) -> None:
    if interpolation.lower() not in _INTERPOLATIONS:
        raise NotImplementedError(
            f"{layer.name}: found interpolation {interpolation!r}, expected one of {_INTERPOLATIONS}"
        )


def _bounds(layer: PreprocessingLayer, factor: Any, most: float = math.inf) -> tuple[float, float]:
    """Both bounds of a factor, which is one number for -x … x, or two."""
    low, high = cast("Any", factor) if isinstance(factor, list | tuple) else (-factor, factor)
    if high < low or max(abs(low), abs(high)) > most:
        raise ValueError(f"{layer.name}: found the factor {factor!r}, expected bounds in order, of at most {most}")
    return float(low), float(high)


def _sizes(images: Any, name: str) -> tuple[int, int]:
    height, width = images.shape[1:3]
    if height is None or width is None:
        raise ValueError(f"{name}: height and width of the images must be defined, found {tuple(images.shape)}")
    return height, width


def _space(images: Any) -> list[Any]:
    """Height and width: numbers where they are known, tensors where they are not."""
    sizes = functions.shape(images)
    return [sizes[axis] if size is None else size for axis, size in enumerate(images.shape)][1:3]


def _centre(images: Any, height: int, width: int) -> Any:
    top, left = (
        (size - kept) // 2 if isinstance(size, int) else functions.floordiv(size - kept, 2)
        for size, kept in zip(_space(images), (height, width), strict=True)
    )
    if isinstance(top, int) and isinstance(left, int):
        return images[:, top : top + height, left : left + width]
    return functions.slice_of(images, functions.stack([0, top, left, 0]), [-1, height, width, images.shape[3] or -1])


def _resized(images: Any, height: Any, width: Any, interpolation: str = "bilinear") -> Any:
    x = images if interpolation == "nearest" else functions.cast_to(images, "float32")
    return functions.resize(x, [height, width], method=interpolation)
