"""Integers as vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl import functions
from reference_impl.layers.preprocessing.base import CombinerLayer, batches, encode, inverse_document_frequency


class CategoryEncoding(CombinerLayer):
    """Rows of integers (batch, n) to (batch, max_tokens): which integers there are, or how often.

    ``output_mode``: ``binary``, ``count``, or ``tf-idf``, which multiplies counts by the weights ``idf`` (max_tokens,).
    ``max_tokens`` None is learned by ``adapt``. Later generations say ``num_tokens``, and ``multi_hot``, ``one_hot``,
    ``count``. ``count_weights``: of the shape of the inputs, in the mode ``count``.
    """

    def __init__(
        self, max_tokens: int | None = None, output_mode: str | None = None, sparse: bool = False, **kwargs: Any
    ) -> None:
        later = "num_tokens" in kwargs
        tokens = kwargs.pop("num_tokens", max_tokens)
        super().__init__(later, **kwargs)
        mode = output_mode or ("multi_hot" if later else "binary")
        expected = ("multi_hot", "one_hot", "count") if later else ("binary", "count", "tf-idf", "multi_hot", "one_hot")
        if mode not in expected:
            raise ValueError(f"{self.name}: found output_mode {mode!r}, expected one of {expected}")
        if sparse:
            raise ValueError(f"{self.name}: sparse outputs are not supported; leave out sparse=True")
        if tokens is not None and tokens < 1:
            raise ValueError(f"{self.name}: max_tokens must be at least 1, found {tokens}")
        self.__dict__["_later"] = later
        self.max_tokens = tokens
        self.output_mode = mode
        self.tf_idf_weights = None
        if mode == "tf-idf" and tokens is not None:
            self._make_weights(tokens)

    def _make_weights(self, size: int) -> None:
        self.tf_idf_weights = self.add_state_variable("idf", (size,), "float32", "zeros")

    def set_num_elements(self, num_elements: int) -> None:
        """Say how long the vectors are, when the arguments did not."""
        self.max_tokens = int(num_elements)

    def set_tfidf_data(self, tfidf_data: Any) -> None:
        """Set the weights; too few are repeated, as in TensorFlow."""
        values = np.asarray(tfidf_data, np.float32)
        if values.ndim != 1 or self.output_mode != "tf-idf":
            raise ValueError(f"{self.name}: TF-IDF data must be a vector, in the output mode 'tf-idf'")
        size = len(values) if self.max_tokens is None else self.max_tokens
        if len(values) > size:
            raise ValueError(f"{self.name}: found {len(values)} TF-IDF weights, expected at most {size}")
        if self.tf_idf_weights is None:
            self._make_weights(size)
        assert self.tf_idf_weights is not None
        self.tf_idf_weights.assign(np.resize(values, (size,)))

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        rows: list[list[int]] = []
        for batch in batches(data):
            self.build_for(batch)
            rows += (batch.reshape(-1, 1) if batch.ndim < 2 else batch).tolist()
        self.adapt_to(rows)

    def adapt_to(self, rows: Sequence[Sequence[int]]) -> None:
        """Learn the length of the vectors and the weights from rows of integers, which may be of different lengths."""
        if self.max_tokens is None:
            self.set_num_elements(max((value for row in rows for value in row), default=0) + 1)
        if self.output_mode == "tf-idf":
            containing = Counter(value for row in rows for value in set(row))
            size = self.max_tokens or 0
            self.set_tfidf_data(inverse_document_frequency([containing[value] for value in range(size)], len(rows)))

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if self.max_tokens is None:
            raise RuntimeError(f"{self.name} has no max_tokens: `adapt` it, or give the argument, before using it")
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"{self.name}: count_weights has a meaning in the output mode 'count' only")
        if len(inputs.shape) == 1 and not self.__dict__["_later"]:
            inputs = functions.expand_dims(inputs, 1)
        indices = inputs if inputs.dtype.is_integer else functions.cast_to(inputs, "int64")
        # TensorFlow 2.4 lets the number behind the last one through, and counts nothing for it.
        last = self.max_tokens - 1 if self.__dict__["_later"] else self.max_tokens
        if (
            indices.array is not None
            and indices.array.size
            and not 0 <= indices.array.min() <= indices.array.max() <= last
        ):
            raise ValueError(
                f"{self.name}: Input values must be in the range 0 <= values < {self.max_tokens}, found "
                f"{indices.array.min()} to {indices.array.max()}"
            )
        return self.encode(indices, count_weights)

    def encode(self, indices: Any, count_weights: Any = None) -> Any:
        """The vectors of rows of integers; those outside of the range count nothing."""
        dtype = self.compute_dtype if self.__dict__["_later"] else "float32"
        counts = encode(indices, self.output_mode, self.max_tokens or 0, dtype, count_weights)
        return counts if self.tf_idf_weights is None else counts * self.tf_idf_weights

    def get_config(self) -> dict[str, Any]:
        name = "num_tokens" if self.__dict__["_later"] else "max_tokens"
        return {**super().get_config(), name: self.max_tokens, "output_mode": self.output_mode, "sparse": False}
