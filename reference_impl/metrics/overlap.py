"""Intersection over union."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.metrics.base import Metric
from reference_impl.metrics.confusion import ratio
from reference_impl.tensors import convert


class MeanIoU(Metric):
    """The mean over classes of true positives / (true positives + false positives + false negatives).

    y_true, y_pred: class numbers below ``num_classes``, of any equal shape. ``total_confusion_matrix``: rows are the
    labels, columns the predictions. Classes that occur in neither do not count.
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", (num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, predicted = (np.asarray(convert(y).value).astype(np.int64).reshape(-1) for y in (y_true, y_pred))
        for what, numbers in (("y_true", true), ("y_pred", predicted)):
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.num_classes:
                raise ValueError(
                    f"{self.name}: {what} holds classes from {numbers.min()} to {numbers.max()}; expected 0 to "
                    f"{self.num_classes - 1}"
                )
        weight = 1.0 if sample_weight is None else np.asarray(convert(sample_weight).value).reshape(-1)
        counted = np.zeros((self.num_classes, self.num_classes))
        np.add.at(counted, (true, predicted), weight)
        self.total_cm.assign_add(convert(counted.astype(self.total_cm.array.dtype)))

    def result(self) -> Any:
        matrix = self.total_cm.array
        hits = np.diag(matrix)
        union = matrix.sum(0) + matrix.sum(1) - hits
        return convert(np.float32(ratio(np.sum(ratio(hits, union)), np.sum(union != 0))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
