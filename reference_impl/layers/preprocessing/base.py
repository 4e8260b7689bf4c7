"""What preprocessing layers have in common: they learn from data by ``adapt``, not by training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from reference_impl import functions
from reference_impl.layers.base import Layer
from reference_impl.tensors import Tensor, convert

Array = npt.NDArray[Any]
NamedValue = tuple[tuple[int, ...] | None, Callable[[], Array], Callable[[Array], None]]
"""Shape (None: any), how to get, how to set."""


class PreprocessingLayer(Layer):
    """A layer whose state comes from data, or from its arguments."""

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn from ``data``: an array, a list, or an iterable of batches; from scratch at each call."""


class CombinerLayer(PreprocessingLayer):
    """A layer that in TensorFlow 2.4 has ``state_variables``, by name; in its ``later`` form it has just weights."""

    def __init__(self, later: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not later:
            self.state_variables: dict[str, Any] = {}

    def add_state_variable(self, name: str, shape: Any, dtype: str, initializer: str) -> Any:
        variable = self.add_weight(
            name, shape=shape, dtype=dtype, initializer=initializer, trainable=False, autocast=False
        )
        if "state_variables" in self.__dict__:
            self.state_variables[name] = variable
        return variable

    def build_for(self, data: Array) -> None:
        """Build as TensorFlow 2.4 does when it adapts: from now on the config has the rank of the batches."""
        if self.built:
            return
        if self._state.batch_input_shape is None:
            self._state.batch_input_shape = (None,) * data.ndim
        self._ensure_built(convert(data))


def batches(data: Any) -> Iterator[Array]:
    """The arrays in ``data``: itself if it is one (or a list of numbers or strings), else its elements."""
    if isinstance(data, np.ndarray | Tensor | list | tuple):
        yield convert(data).value
        return
    for batch in cast("Iterable[Any]", data):
        yield convert(batch).value


def encode(indices: Any, output_mode: str, depth: int, dtype: str = "float32", weights: Any = None) -> Any:
    """Rows of indices to one vector of ``depth`` numbers each: how often each index is in the row.

    ``output_mode`` ``one_hot`` makes each index a row of its own; it and ``multi_hot`` (``binary``) give 1 for any
    number of times. An index outside 0 … depth - 1 counts nothing. ``weights`` multiply each index's part.
    """
    if output_mode == "one_hot" and indices.shape[-1:] != (1,):
        indices = functions.expand_dims(indices, -1)
    if len(indices.shape) > 2:
        raise ValueError(
            f"found indices of shape {tuple(indices.shape)}, expected rank 1 or 2 for the output mode {output_mode!r}"
        )
    hot = functions.one_hot(indices, depth, dtype=dtype)
    if weights is not None:
        hot = hot * functions.expand_dims(functions.cast_to(weights, dtype), -1)
    counts = functions.reduce_sum(hot, axis=-2)
    return functions.minimum(counts, 1.0) if output_mode in ("binary", "multi_hot", "one_hot") else counts


def inverse_document_frequency(documents: Any, total: int) -> Array:
    """log(1 + total / (1 + documents)), for each token the number of documents that have it."""
    return np.log(1 + total / (1 + np.asarray(documents, np.float64)))
