"""The area under a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.metrics.confusion import (
    FALSE_NEGATIVES,
    FALSE_POSITIVES,
    TRUE_NEGATIVES,
    TRUE_POSITIVES,
    Counting,
    inner,
    ratio,
)
from reference_impl.tensors import convert

Array = npt.NDArray[Any]
_CURVES, _METHODS = ("ROC", "PR"), ("interpolation", "minoring", "majoring")


class AUC(Counting):
    """The area under the curve of recall over false positive rate ("ROC"), or of precision over recall ("PR").

    The curve's points are those of ``num_thresholds`` thresholds, or of ``thresholds``. Between them it is a line
    ("interpolation"; for PR the precision of true and false positives that are), or the lower ("minoring") or upper
    ("majoring") of the two points. ``multi_label``: each label of the last axis has its curve, and the mean of the
    areas counts, weighted by ``label_weights``; else these weight the predictions of each label.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        label_weights: Any = None,
        num_labels: int | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        names = {"roc": "ROC", "pr": "PR"}
        self.curve = names.get(str(curve).lower(), str(curve))
        self.summation_method = str(summation_method).lower()
        for argument, value, known in (
            ("curve", self.curve, _CURVES),
            ("summation_method", self.summation_method, _METHODS),
        ):
            if value not in known:
                raise ValueError(f"AUC: found {argument} {value!r}, expected one of {known}")
        if thresholds is not None:
            between = sorted(float(threshold) for threshold in thresholds)
            if any(not 0 <= value <= 1 for value in between):
                raise ValueError(f"Threshold values must be in [0, 1]. Invalid values: {between}")
        else:
            if num_thresholds <= 1:
                raise ValueError("`num_thresholds` must be > 1.")
            between = [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.num_thresholds = len(between) + 2
        self.__dict__["thresholds"] = inner(between)
        self.multi_label, self.from_logits = multi_label, from_logits
        self.__dict__["label_weights"] = label_weights
        self.__dict__["made"] = False
        if not multi_label:
            self._make()
        elif num_labels is not None:
            self._make(num_labels)

    label_weights: Any
    made: bool

    def _make(self, *labels: int) -> None:
        self.make_counts(*labels)
        self.__dict__["made"] = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.from_logits:
            y_pred = 1 / (1 + np.exp(-np.asarray(convert(y_pred).value, np.float32)))
        true, predicted, weight = self.prepared(y_true, y_pred, sample_weight)
        if self.multi_label:
            if predicted.ndim != 2:
                raise ValueError(f"{self.name}: multi_label needs predictions of rank 2, found {predicted.shape}")
            if not self.made:
                self._make(predicted.shape[1])
        elif self.label_weights is not None:
            labels = np.asarray(self.label_weights, np.float32)
            weight = np.broadcast_to(labels if weight is None else weight * labels, predicted.shape)
        if weight is not None:
            weight = np.broadcast_to(weight, predicted.shape)
        if not self.multi_label:
            true, predicted = true.reshape(-1), predicted.reshape(-1)
            weight = None if weight is None else weight.reshape(-1)
        self.count(true, predicted, weight)

    def result(self) -> Any:
        """0 for no data at all, like any ratio here."""
        if not self.made:
            return convert(np.float32(0))
        counts = self.numbers()
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._under_precision(counts)
        else:
            recall = ratio(counts[TRUE_POSITIVES], counts[TRUE_POSITIVES] + counts[FALSE_NEGATIVES])
            if self.curve == "ROC":
                x, y = ratio(counts[FALSE_POSITIVES], counts[FALSE_POSITIVES] + counts[TRUE_NEGATIVES]), recall
            else:
                x, y = recall, ratio(counts[TRUE_POSITIVES], counts[TRUE_POSITIVES] + counts[FALSE_POSITIVES])
            areas = np.sum((x[:-1] - x[1:]) * self._heights(y), 0, dtype=np.float32)
        if not self.multi_label:
            return convert(np.float32(areas))
        if self.label_weights is None:
            return convert(np.float32(np.mean(areas)))
        labels = np.asarray(self.label_weights, np.float32)
        return convert(np.float32(ratio(np.sum(areas * labels), np.sum(labels))))

    def _heights(self, y: Array) -> Any:
        if self.summation_method == "interpolation":
            return (y[:-1] + y[1:]) / np.float32(2)
        return np.minimum(y[:-1], y[1:]) if self.summation_method == "minoring" else np.maximum(y[:-1], y[1:])

    def _under_precision(self, counts: dict[str, Array]) -> Any:
        """The integral where true and false positives, not precision, are interpolated (Davis and Goadrich 2006)."""
        hits, yes = counts[TRUE_POSITIVES], counts[TRUE_POSITIVES] + counts[FALSE_POSITIVES]
        more = hits[:-1] - hits[1:]
        slope = ratio(more, np.maximum(yes[:-1] - yes[1:], 0))
        intercept = hits[1:] - slope * yes[1:]
        both = (yes[:-1] > 0) & (yes[1:] > 0)
        share = np.where(both, ratio(yes[:-1], np.maximum(yes[1:], 0)), np.float32(1))
        positive = np.maximum(hits[1:] + counts[FALSE_NEGATIVES][1:], 0)
        return np.sum(ratio(slope * (more + intercept * np.log(share)), positive), 0, dtype=np.float32)

    def get_config(self) -> dict[str, Any]:
        own: dict[str, Any] = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "label_weights": self.label_weights,
        }
        return {**super().get_config(), **own, "thresholds": self.thresholds[1:-1]}
