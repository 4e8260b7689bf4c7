"""What was loaded against what the file holds, as the witness read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from conformance.checking.arrays import Array, compare, digest
from conformance.checking.evidence import Evidence, Named, list_names
from conformance.checking.loading import Loaded
from conformance.checking.record import Difference

SHOWN = 4


def lost(loaded: Loaded, evidence: Evidence, again: Callable[[], list[str] | None]) -> tuple[Difference, ...]:
    """What the file holds and the model does not have, or has otherwise; empty if all is there.

    ``again`` loads the model with another seed: weights that change are fresh. Values that the library may rightly
    convert are not compared.
    """
    if evidence.problem or evidence.converts or "weights" in loaded.problems:
        return ()
    return (*_weights(loaded, evidence, again), *_optimizer(loaded, evidence))


def _weights(loaded: Loaded, evidence: Evidence, again: Callable[[], list[str] | None]) -> list[Difference]:
    stored = Counter(digest(_plain(each.value)) for each in evidence.weights)
    foreign: list[int] = []
    for index, weight in enumerate(loaded.weights):
        key = digest(_plain(weight))
        if stored[key] > 0:
            stored[key] -= 1
        else:
            foreign.append(index)
    if not foreign:
        return [] if evidence.mixed else _left_over(loaded, evidence)
    # A weight of a shape that the file does not have was made of others, as layers of another generation do.
    shapes = {each.value.shape for each in evidence.weights}
    foreign = [index for index in foreign if loaded.weights[index].shape in shapes or not evidence.weights]
    if not foreign:
        return []
    other = again()
    fresh = {
        index
        for index in foreign
        if other is not None and len(other) == len(loaded.digests) and other[index] != loaded.digests[index]
    }
    return [_foreign(loaded, evidence, index, index in fresh) for index in foreign]


def _foreign(loaded: Loaded, evidence: Evidence, index: int, is_fresh: bool) -> Difference:
    name, value = f"{index} ({loaded.names[index]})", loaded.weights[index]
    if is_fresh:
        return Difference(
            "weights", name, "fresh: drawn by the initializer, not loaded from the file", value.size, value.size
        )
    in_place = len(evidence.weights) == len(loaded.weights) and not evidence.mixed
    if in_place and evidence.weights[index].value.shape == value.shape:
        stored = _plain(evidence.weights[index].value)
        difference, _ = compare("weights", name, stored, _plain(value), 0.0)
        if difference:
            return Difference(
                *("weights", name, f"not as the file says: {difference.problem}"),
                *(difference.differing, difference.of, difference.max_error, difference.first),
            )
    return Difference("weights", name, "the file holds no such values")


def _left_over(loaded: Loaded, evidence: Evidence) -> list[Difference]:
    """Weights in the file that the model has no place for, although all that it has came from the file."""
    have = Counter(digest(_plain(weight)) for weight in loaded.weights)
    spare: list[Named] = []
    for each in evidence.weights:
        key = digest(_plain(each.value))
        if have[key] > 0:
            have[key] -= 1
        else:
            spare.append(each)
    if not spare:
        return []
    return [
        Difference("weights", list_names(spare), f"{len(spare)} of {len(evidence.weights)} in the file were not loaded")
    ]


def _optimizer(loaded: Loaded, evidence: Evidence) -> list[Difference]:
    """The state of an optimizer that the model has; zeros are what a fresh one has, too."""
    if loaded.optimizer is None or not loaded.optimizer.present:
        return []
    stored = Counter(digest(_plain(each.value)) for each in evidence.optimizer if _tells(each.value))
    held = Counter(digest(_plain(np.asarray(each.value))) for each in loaded.optimizer.variables)
    missing = (stored - held).total()
    if not missing:
        return []
    problem = f"{missing} of {stored.total()} arrays of its state in the file were not loaded"
    return [Difference("optimizer", loaded.optimizer.class_name or "optimizer", problem)]


def _tells(value: Array) -> bool:
    """Whether an array shows that it was loaded: no counter, no learning rate, not all zeros."""
    return value.ndim > 0 and bool(np.any(value != 0))


def _plain(value: Array) -> Array:
    """The array in native byte order; strings as bytes, so that a digest does not depend on how they are held."""
    if value.dtype.kind in "SU":
        return np.asarray([item.encode() if isinstance(item, str) else item for item in value.ravel().tolist()], object)
    return value.astype(value.dtype.newbyteorder("="), copy=False)


def in_short(differences: Sequence[Difference]) -> str:
    """One line about what was lost."""
    fresh = sum("fresh" in each.problem for each in differences)
    weights = [each for each in differences if each.part == "weights"]
    parts: list[str] = []
    if weights:
        plural = "weight" + "s" * (len(weights) != 1)
        parts.append(f"{len(weights)} {plural} not as in the file" + (f", {fresh} of them fresh" if fresh else ""))
    parts += [f"optimizer: {each.problem}" for each in differences if each.part == "optimizer"]
    return "; ".join(parts)
