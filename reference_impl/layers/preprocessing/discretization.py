"""Numbers into bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl import dialects, functions
from reference_impl.layers.preprocessing.base import Array, NamedValue, PreprocessingLayer, batches, encode
from reference_impl.shapes import Dim, TensorShape
from reference_impl.variables import Variable


class Discretization(PreprocessingLayer):
    """Numbers to the number of their bin.

    ``bins`` (TensorFlow 2.4): boundaries; a number on a boundary belongs below it; int32. Later generations:
    ``bin_boundaries``, where it belongs above; int64; or ``num_bins`` and ``epsilon`` to learn the boundaries by
    ``adapt``, and an ``output_mode`` (``int``, ``one_hot``, ``multi_hot``, ``count``). What ``adapt`` learns is a weight,
    ``summary``: float32, (2, n), not trained.
    """

    later_arguments = frozenset({"bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse"})

    def __init__(self, bins: Any = None, **kwargs: Any) -> None:
        later = {key: kwargs.pop(key) for key in self.later_arguments if key in kwargs}
        self.__dict__["later"] = later if later and bins is None else None
        if self.later is not None and self.later.get("output_mode", "int") == "int":
            kwargs.setdefault("dtype", "int64")
        super().__init__(**kwargs)
        if self.later is None:
            if bins is None:
                raise ValueError(f"{self.name}: expected bins, bin_boundaries or num_bins, found none of them")
            # TensorFlow 2.4 adds infinity each time, and so to the bins in its configs; it parts no numbers.
            given = np.asarray(bins, np.float64)
            self.__dict__["bins"] = given[: np.isfinite(given).sum()] if np.isposinf(given[-1:]).all() else given
            return
        if self.later.get("sparse"):
            raise ValueError(f"{self.name}: sparse outputs are not supported; leave out sparse=True")
        given = self.later.get("bin_boundaries")
        if given is not None and self.later.get("num_bins") is not None:
            raise ValueError(f"{self.name}: found both bin_boundaries and num_bins, expected one of them")
        self.input_bin_boundaries = None if given is None else [float(x) for x in given]

    bins: Array
    summary: Variable
    later: dict[str, Any] | None

    @property
    def bin_boundaries(self) -> list[float]:
        """Those given, else those learned; none before."""
        if self.input_bin_boundaries is not None:
            return list(self.input_bin_boundaries)
        if self.later is None or "summary" not in self.__dict__:
            return []
        boundaries = _compressed(self.summary.array, 1.0 / int(self.later["num_bins"]))[0, :-1]
        return [float(x) for x in boundaries]

    def build(self, input_shape: Any) -> None:
        self._ensure_summary()
        self.built = True

    def _ensure_summary(self) -> None:
        if self.later is None or self.later.get("num_bins") is None or "summary" in self.__dict__:
            return
        summary = _Summary(np.zeros((2, 0), np.float32), trainable=False, name="summary")
        if dialects.current() == "keras-3":
            self.__dict__["summary"] = summary  # no weight there: the boundaries are in the config
        else:
            self.summary = summary
            self._own(summary)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the boundaries that part ``data`` into ``num_bins`` bins of about equal size."""
        if self.later is None or self.input_bin_boundaries is not None:
            raise ValueError(f"{self.name}: its boundaries were given, so there is nothing to adapt")
        epsilon = float(self.later.get("epsilon") or 0.01)
        summary = np.zeros((2, 0), np.float32)
        for batch in batches(data):
            # The boundaries depend on the size of the batches, which TensorFlow makes 32.
            for start in range(0, len(batch), batch_size or 32):
                part = batch[start : start + (batch_size or 32)].astype(np.float32)
                summary = _merged(_summary(part.ravel(), epsilon), summary, epsilon)
        self._ensure_summary()
        self.summary.assign(summary.astype(np.float32))

    def named_values(self) -> dict[str, NamedValue]:
        """What the v3 format of Keras 2.15 keeps: the summary of the data (2, n). Keras 3 has the boundaries in the config."""
        if self.later is None or self.later.get("num_bins") is None or dialects.current() == "keras-3":
            return {}
        self._ensure_summary()
        return {"0": (None, lambda: self.summary.array, self._set_summary)}

    def _set_summary(self, summary: Array) -> None:
        self.summary.assign(summary)

    def call(self, inputs: Any) -> Any:
        x = functions.cast_to(inputs, "float32")
        if self.later is None:
            boundaries = [*self.bins.tolist(), np.inf]
            return functions.cast_to(functions.bucketize(x, boundaries, below=True), "int32")
        numbers = functions.bucketize(x, self.bin_boundaries)
        mode = self.later.get("output_mode", "int")
        if mode == "int":
            return functions.cast_to(numbers, self.compute_dtype)
        return encode(numbers, mode, len(self.bin_boundaries) + 1, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        if self.later is None:
            return {**super().get_config(), "bins": [int(x) if x.is_integer() else x for x in self.bins.tolist()]}
        is_keras_3 = dialects.current() == "keras-3"
        given = self.bin_boundaries if is_keras_3 else self.input_bin_boundaries
        config = super().get_config()
        if is_keras_3 and config["dtype"] == "int64":
            config["dtype"] = "float32"  # there the inputs, too, would become integers
        return {
            **config,
            "bin_boundaries": list(given) if given else None,
            "num_bins": self.later.get("num_bins"),
            "epsilon": self.later.get("epsilon", 0.01),
            "output_mode": self.later.get("output_mode", "int"),
            "sparse": False,
        }


class _Summary(Variable):
    """Shape (2, n), where n hangs on the data: the row of values, and of how many numbers each stands for."""

    def takes(self, shape: Sequence[Dim]) -> bool:
        return len(shape) == 2 and shape[0] == 2

    def _take(self, array: Array) -> None:
        super()._take(array)
        self.__dict__["shape"] = TensorShape(array.shape)


# -- learning boundaries: summaries are rows of values and of how many numbers each stands for ----------------------


def _summary(values: Array, epsilon: float) -> Array:
    step = int(len(values) * epsilon)
    chosen = np.sort(values)[step :: max(step, 1)]
    return np.stack([chosen, np.full_like(chosen, max(step, 1))])


def _interpolated(x: Array, known: Array, values: Array) -> Array:
    interpolate: Any = np.interp
    return interpolate(x, known, values)


def _compressed(summary: Array, epsilon: float) -> Array:
    if summary.shape[1] * epsilon < 1:
        return summary
    percents = epsilon + np.arange(0.0, 1.0, epsilon)
    before = summary[1].cumsum()
    values = _interpolated(percents, before / before[-1], summary[0])
    totals = _interpolated(percents, before / before[-1], before)
    return np.stack([values, np.diff(totals, prepend=0.0)]).astype(np.float32)


def _merged(first: Array, second: Array, epsilon: float) -> Array:
    joined = np.concatenate([first, second], axis=1)
    return _compressed(joined[:, np.argsort(joined[0], kind="stable")], epsilon)
