"""Boxes on images (top, left, bottom, right): cutting them out, and choosing those that overlap little."""

# The entries are called with tensors or arrays only; spelling that out for every lambda would bury the formulas.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import DType
from reference_impl.ops.table import define
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor

Array = npt.NDArray[Any]


def _cut_out(
    image: Array,
    boxes: Array,
    box_ind: Array,
    crop_size: Array,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
) -> Array:
    """Each box (in parts of the image), of the image that ``box_ind`` names, resized to ``crop_size``."""
    height, width = (int(size) for size in crop_size)
    crops = np.full((len(boxes), height, width, image.shape[3]), extrapolation_value, np.float32)
    for crop, box, index in zip(crops, boxes, box_ind, strict=True):
        source = image[int(index)].astype(np.float32)
        rows = _positions(box[0], box[2], height, source.shape[0])
        columns = _positions(box[1], box[3], width, source.shape[1])
        inside = np.ix_((rows >= 0) & (rows <= source.shape[0] - 1), (columns >= 0) & (columns <= source.shape[1] - 1))
        y, x = rows[inside[0].ravel()], columns[inside[1].ravel()]
        crop[inside] = _sampled(source, y, x, method)
    return crops


def _positions(start: Any, stop: Any, count: int, size: int) -> Array:
    if count == 1:
        return np.array([0.5 * (start + stop) * (size - 1)], np.float32)
    step = (stop - start) * np.float32(size - 1) / np.float32(count - 1)
    return (start * np.float32(size - 1) + np.arange(count, dtype=np.float32) * step).astype(np.float32)


def _sampled(source: Array, y: Array, x: Array, method: str) -> Array:
    if method == "nearest":
        return source[np.ix_(np.round(y).astype(int), np.round(x).astype(int))]
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    bottom, right = np.ceil(y).astype(int), np.ceil(x).astype(int)
    down, across = (y - top)[:, None, None], (x - left)[None, :, None]
    upper = source[np.ix_(top, left)] * (1 - across) + source[np.ix_(top, right)] * across
    lower = source[np.ix_(bottom, left)] * (1 - across) + source[np.ix_(bottom, right)] * across
    return upper * (1 - down) + lower * down


define(
    "CropAndResize",
    _cut_out,
    lambda image, boxes, box_ind, crop_size, **_: TensorShape(
        (boxes.shape[0], *(int(size) for size in crop_size.value), image.shape[3])
    ),
    dtype=lambda *_, **__: DType("float32"),
)


def _overlap(box: Array, others: Array) -> Array:
    """Intersection over union of ``box`` with each of ``others``."""

    def sides(boxes: Array) -> tuple[Array, Array, Array, Array]:
        top, bottom = np.minimum(boxes[..., 0], boxes[..., 2]), np.maximum(boxes[..., 0], boxes[..., 2])
        left, right = np.minimum(boxes[..., 1], boxes[..., 3]), np.maximum(boxes[..., 1], boxes[..., 3])
        return top, left, bottom, right

    t, l, b, r = sides(box)  # noqa: E741
    ts, ls, bs, rs = sides(others)
    shared = np.maximum(np.minimum(b, bs) - np.maximum(t, ts), 0) * np.maximum(np.minimum(r, rs) - np.maximum(l, ls), 0)
    area, areas = (b - t) * (r - l), (bs - ts) * (rs - ls)
    with np.errstate(all="ignore"):
        return np.where((area > 0) & (areas > 0), shared / (area + areas - shared), 0)


def _chosen(boxes: Array, scores: Array, count: int, iou_threshold: float, score_threshold: float) -> list[int]:
    """From the highest score downwards those that no box chosen before overlaps by more than the threshold."""
    chosen: list[int] = []
    for place in np.argsort(-scores, kind="stable").tolist():
        if len(chosen) >= count or not scores[place] > score_threshold:
            break
        if not chosen or (_overlap(boxes[place], boxes[chosen]) <= iou_threshold).all():
            chosen.append(place)
    return chosen


def _not_overlapping(
    boxes: Array, scores: Array, max_output_size: Array, iou_threshold: Array, score_threshold: Array
) -> Array:
    chosen = _chosen(boxes, scores, int(max_output_size), float(iou_threshold), float(score_threshold))
    return np.array(chosen, np.int32)


def _unknown(*_: Tensor, **__: Any) -> TensorShape:
    return TensorShape((None,))


define("NonMaxSuppressionV3", _not_overlapping, _unknown, dtype=lambda *_: DType("int32"))


def _softly_chosen(
    boxes: Array,
    scores: Array,
    max_output_size: Array,
    iou_threshold: Array,
    score_threshold: Array,
    soft_nms_sigma: Array,
    pad_to_max_output_size: bool = False,
) -> tuple[Array, Array, Array]:
    """As V3; with a sigma, boxes that overlap are not left out: their scores become less, and the order with them.

    TensorFlow 2.4 leaves out those beyond the threshold even so; this is what 2.15 and later do.
    """
    sigma, least, most = float(soft_nms_sigma), float(score_threshold), int(max_output_size)
    waiting = [(-float(score), place, 0) for place, score in enumerate(scores) if score > least]
    heapq.heapify(waiting)
    chosen: list[int] = []
    found: list[float] = []
    while waiting and len(chosen) < most:
        negative, place, seen = heapq.heappop(waiting)
        score = -negative
        for other in reversed(chosen[seen:]):
            overlap = float(_overlap(boxes[place], boxes[[other]])[0])
            if sigma > 0:
                score *= math.exp(-0.5 / sigma * overlap * overlap)
            elif overlap > float(iou_threshold):
                score = 0.0
            if score <= least:
                break
        if score == -negative:
            chosen.append(place)
            found.append(score)
        elif score > least:
            heapq.heappush(waiting, (-score, place, len(chosen)))
    size = max(most, 0) if pad_to_max_output_size else len(chosen)
    padded = np.zeros(size, np.int32), np.zeros(size, scores.dtype)
    padded[0][: len(chosen)], padded[1][: len(chosen)] = chosen, found
    return padded[0], padded[1], np.array(len(chosen), np.int32)


define(
    "NonMaxSuppressionV5",
    _softly_chosen,
    lambda *_, **__: [TensorShape((None,)), TensorShape((None,)), TensorShape(())],
    dtype=lambda boxes, *_, **__: [DType("int32"), boxes.dtype, DType("int32")],
    several=True,
)


def _of_classes(
    boxes: Array,
    scores: Array,
    max_output_size_per_class: Array,
    max_total_size: Array,
    iou_threshold: Array,
    score_threshold: Array,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
) -> tuple[Array, Array, Array, Array]:
    """For each image the best boxes of all classes, filled up with zeros, and how many there are."""
    batch, classes = scores.shape[0], scores.shape[2]
    per_class, total = int(max_output_size_per_class), int(max_total_size)
    size = min(total, per_class * classes) if pad_per_class else total
    found = [np.zeros((batch, size, *rest), np.float32) for rest in ((4,), (), ())]
    counts = np.zeros(batch, np.int32)
    for image in range(batch):
        best: list[tuple[float, int, Array]] = []
        for number in range(classes):
            of_class = boxes[image, :, number if boxes.shape[2] > 1 else 0]
            column = scores[image, :, number]
            for place in _chosen(of_class, column, per_class, float(iou_threshold), float(score_threshold)):
                best.append((float(column[place]), number, of_class[place]))
        best.sort(key=lambda item: -item[0])
        for i, (score, number, box) in enumerate(best[:size]):
            found[0][image, i] = np.clip(box, 0, 1) if clip_boxes else box
            found[1][image, i], found[2][image, i] = score, number
        counts[image] = min(len(best), size)
    return found[0], found[1], found[2], counts


define(
    "CombinedNonMaxSuppression",
    _of_classes,
    lambda boxes, scores, *_, **__: [
        TensorShape((boxes.shape[0], None, 4)),
        *[TensorShape((boxes.shape[0], None))] * 2,
        TensorShape((boxes.shape[0],)),
    ],
    dtype=lambda *_, **__: [*[DType("float32")] * 3, DType("int32")],
    several=True,
)
