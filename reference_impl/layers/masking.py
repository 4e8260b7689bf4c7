"""The layer that makes a mask."""

from __future__ import annotations

from typing import Any

from reference_impl import functions
from reference_impl.layers.base import Layer


class Masking(Layer):
    """Steps whose features all equal ``mask_value`` do not count: their mask is False, and they become zeros."""

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return functions.reduce_any(functions.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        counts = functions.reduce_any(functions.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * functions.cast_to(counts, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
