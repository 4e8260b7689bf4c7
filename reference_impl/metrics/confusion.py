"""Metrics that count right and wrong decisions at thresholds: a prediction above a threshold is a "yes"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from reference_impl.metrics.base import Metric, squeezed
from reference_impl.tensors import convert

Array = npt.NDArray[Any]
_EPSILON = 1e-7
TRUE_POSITIVES, FALSE_POSITIVES = "true_positives", "false_positives"
TRUE_NEGATIVES, FALSE_NEGATIVES = "true_negatives", "false_negatives"
ALL = (TRUE_POSITIVES, TRUE_NEGATIVES, FALSE_POSITIVES, FALSE_NEGATIVES)


def ratio(numerator: Any, denominator: Any) -> Any:
    """The quotient, 0 where the denominator is."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float32), np.asarray(denominator, np.float32))
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)


class Counting(Metric):
    """Counts in variables of shape (thresholds,), those named in ``counts``.

    y_true: 0 or 1; y_pred: between 0 and 1 (else ``ValueError``), of the same shape. ``top_k``: only the k greatest
    predictions of each last axis can be a yes. ``class_id``: only this place of the last axis counts.
    """

    counts: ClassVar[tuple[str, ...]] = ALL
    top_k: int | None = None
    class_id: int | None = None
    thresholds: list[float]
    true_positives: Any
    true_negatives: Any
    false_positives: Any
    false_negatives: Any

    def make_counts(self, *more: int) -> None:
        for name in self.counts:
            setattr(self, name, self.add_weight(name, (len(self.thresholds), *more)))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, predicted, weight = self.prepared(y_true, y_pred, sample_weight)
        if self.top_k is not None:
            least = np.sort(predicted, -1)[..., -self.top_k, None]
            # Of equal predictions the first ones count.
            above, equal = predicted > least, predicted == least
            room = self.top_k - above.sum(-1, keepdims=True)
            predicted = np.where(above | (equal & (np.cumsum(equal, -1) <= room)), predicted, -np.inf)
        if self.class_id is not None:
            true, predicted = true[..., self.class_id], predicted[..., self.class_id]
            weight = None if weight is None else weight[..., 0] if weight.ndim > true.ndim else weight
        if weight is not None:
            weight = np.broadcast_to(weight, predicted.shape).reshape(-1)
        self.count(true.reshape(-1), predicted.reshape(-1), weight)

    def prepared(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
        """The arguments as arrays, checked; weights with as many axes as predictions."""
        pair = squeezed(convert(y_true), convert(y_pred))
        true, predicted = (np.asarray(part.value, np.float32) for part in pair)
        if predicted.size and not (predicted.min() >= 0 and predicted.max() <= 1):
            raise ValueError(
                f"{self.name}: predictions must be >= 0 and <= 1; found {predicted.min()} to {predicted.max()}"
            )
        if true.shape != predicted.shape:
            raise ValueError(f"{self.name}: shapes {true.shape} of y_true and {predicted.shape} of y_pred differ")
        if sample_weight is None:
            return true, predicted, None
        weight = np.asarray(convert(sample_weight).value, np.float32)
        if weight.ndim == predicted.ndim + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        while 0 < weight.ndim < predicted.ndim:
            weight = weight[..., None]
        return true, predicted, weight

    def count(self, true: Array, predicted: Array, weight: Array | None) -> None:
        """Count vectors, or (samples, labels) each label apart; ``weight`` has their shape."""
        thresholds = np.asarray(self.thresholds, np.float32).reshape(-1, *(1,) * true.ndim)
        yes, right = predicted[None] > thresholds, (true != 0)[None]
        decided = {
            TRUE_POSITIVES: right & yes,
            FALSE_POSITIVES: ~right & yes,
            TRUE_NEGATIVES: ~right & ~yes,
            FALSE_NEGATIVES: right & ~yes,
        }
        factor = np.float32(1) if weight is None else weight[None]
        for name in self.counts:
            getattr(self, name).assign_add(convert(np.sum(decided[name] * factor, 1, dtype=np.float32)))

    def numbers(self) -> dict[str, Array]:
        """The counts by name."""
        return {name: getattr(self, name).array for name in self.counts}


def _listed(thresholds: Any, default: float = 0.5) -> list[float]:
    given: Any = default if thresholds is None else thresholds
    values: list[float] = np.asarray(given, np.float64).reshape(-1).tolist()
    wrong = [value for value in values if not 0 <= value <= 1 and value != -np.inf]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Invalid values: {wrong}")
    return values


# -- one count ---------------------------------------------------------------------------------------------------


class _One(Counting):
    """One of the four counts, at one threshold or several."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.__dict__["init_thresholds"] = thresholds
        self.__dict__["thresholds"] = _listed(thresholds)
        self.accumulator = self.add_weight("accumulator", (len(self.thresholds),))
        self.__dict__[self.counts[0]] = self.accumulator

    init_thresholds: Any

    def result(self) -> Any:
        values = self.accumulator.array
        return convert(values[0] if len(values) == 1 else values)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_One):
    counts = (TRUE_POSITIVES,)


class FalsePositives(_One):
    counts = (FALSE_POSITIVES,)


class TrueNegatives(_One):
    counts = (TRUE_NEGATIVES,)


class FalseNegatives(_One):
    counts = (FALSE_NEGATIVES,)


# -- precision, recall -------------------------------------------------------------------------------------------


class _Share(Counting):
    """The share of true positives in what ``counts`` names, all or of the ``top_k`` or of one class."""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.__dict__["init_thresholds"] = thresholds
        self.__dict__["thresholds"] = _listed(thresholds, 0.5 if top_k is None else -np.inf)
        self.top_k, self.class_id = top_k, class_id
        self.make_counts()

    init_thresholds: Any

    def result(self) -> Any:
        hits, misses = (getattr(self, name).array for name in self.counts)
        share = ratio(hits, hits + misses)
        return convert(share[0] if len(share) == 1 else share)

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Share):
    """True positives among all predicted positives."""

    counts = (TRUE_POSITIVES, FALSE_POSITIVES)


class Recall(_Share):
    """True positives among all that are positive."""

    counts = (TRUE_POSITIVES, FALSE_NEGATIVES)


# -- one number where another is good enough ---------------------------------------------------------------------

Statistic = Callable[[dict[str, Array]], Array]


def sensitivity(counts: dict[str, Array]) -> Array:
    return ratio(counts[TRUE_POSITIVES], counts[TRUE_POSITIVES] + counts[FALSE_NEGATIVES])


def specificity(counts: dict[str, Array]) -> Array:
    return ratio(counts[TRUE_NEGATIVES], counts[TRUE_NEGATIVES] + counts[FALSE_POSITIVES])


def precision(counts: dict[str, Array]) -> Array:
    return ratio(counts[TRUE_POSITIVES], counts[TRUE_POSITIVES] + counts[FALSE_POSITIVES])


def _even(number: int) -> list[float]:
    """``number`` thresholds at even distances from 0 to 1."""
    return [0.0, *((i + 1) * 1.0 / (number - 1) for i in range(number - 2)), 1.0]


class _AtLeast(Counting):
    """The greatest ``best`` among thresholds where ``needed`` is at least a value; 0 if there are none."""

    needed: ClassVar[Statistic]
    best: ClassVar[Statistic]
    argument: ClassVar[str]

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ValueError(f"`{self.argument}` must be in the range [0, 1], found {value}")
        if num_thresholds <= 0:
            raise ValueError(f"`num_thresholds` must be > 0, found {num_thresholds}")
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        self.__dict__["thresholds"] = [0.5] if num_thresholds == 1 else _even(num_thresholds)
        self.make_counts()

    def result(self) -> Any:
        counts = self.numbers()
        enough = type(self).needed(counts) >= np.float32(self.value)
        return convert(np.float32(type(self).best(counts)[enough].max() if enough.any() else 0.0))

    def get_config(self) -> dict[str, Any]:
        own = {"num_thresholds": self.num_thresholds, self.argument: self.value}
        return {**super().get_config(), **own, **({} if self.class_id is None else {"class_id": self.class_id})}


class SensitivityAtSpecificity(_AtLeast):
    """The best sensitivity (recall) where the specificity is at least ``specificity``."""

    needed, best, argument = specificity, sensitivity, "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_AtLeast):
    """The best specificity where the sensitivity is at least ``sensitivity``."""

    needed, best, argument = sensitivity, specificity, "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_AtLeast):
    """The best precision where the recall is at least ``recall``."""

    needed, best, argument = sensitivity, precision, "recall"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_AtLeast):
    """The best recall where the precision is at least ``precision``."""

    needed, best, argument = precision, sensitivity, "precision"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(precision, num_thresholds, class_id, name, dtype)


def inner(thresholds: Sequence[float]) -> list[float]:
    """Thresholds with one below 0 and one above 1 about them, so that the first says yes to all, the last to none."""
    return [-_EPSILON, *thresholds, 1.0 + _EPSILON]
