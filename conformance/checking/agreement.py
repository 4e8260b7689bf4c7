"""Two implementations that loaded the same model: what is not the same in them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from conformance.checking.arrays import Array, compare, digest, finite_or_none
from conformance.checking.evidence import Evidence, dicts
from conformance.checking.loading import Loaded
from conformance.checking.record import Difference, Pair

# Layers that draw numbers while they train: two libraries draw other ones.
DRAWING = ("Dropout", "Noise", "Random")


@dataclass(frozen=True)
class Tolerances:
    """What may lie between two implementations' arithmetic; stored values are compared bit for bit."""

    outputs: float
    steps: float


def pair(names: tuple[str, str], left: Loaded, right: Loaded, tolerances: Tolerances) -> Pair:
    """All that is not the same."""
    outputs, error = _outputs(left, right, tolerances.outputs)
    found = [
        *_weights(left, right),
        *outputs,
        *_optimizer(left, right),
        *_steps(left, right, tolerances.steps),
    ]
    return Pair(names, tuple(found), error)


def _weights(left: Loaded, right: Loaded) -> Iterable[Difference]:
    if left.digests == right.digests:
        return
    if len(left.weights) != len(right.weights):
        yield Difference("weights", "", f"{len(left.weights)} weights against {len(right.weights)}")
        return
    if Counter(left.digests) == Counter(right.digests):
        yield Difference("weights", "", "the same values in another order")
        return
    for index, (one, other) in enumerate(zip(left.weights, right.weights, strict=True)):
        if left.digests[index] != right.digests[index]:
            difference, _ = compare("weights", f"{index} ({left.names[index]})", one, other, 0.0)
            if difference:
                yield difference


def _outputs(left: Loaded, right: Loaded, tolerance: float) -> tuple[list[Difference], float | None]:
    if left.outputs is None or right.outputs is None:
        # That nobody can run the model is no difference; a refusal of one of them is.
        refused = [side.problems.get("outputs", "") for side in (left, right) if side.outputs is None]
        return ([Difference("outputs", "", f"one gives none: {refused[0]}")] if len(refused) == 1 else []), None
    if len(left.outputs) != len(right.outputs):
        return [Difference("outputs", "", f"{len(left.outputs)} outputs against {len(right.outputs)}")], None
    found: list[Difference] = []
    largest = 0.0
    for index, (one, other) in enumerate(zip(left.outputs, right.outputs, strict=True)):
        difference, error = compare("outputs", _name(left, index), one, other, tolerance)
        largest = max(largest, error)
        if difference:
            found.append(difference)
    return found, finite_or_none(largest)


def _name(loaded: Loaded, index: int) -> str:
    tensors = loaded.description.outputs if loaded.description else ()
    name = tensors[index].name if index < len(tensors) else None
    return f"{index} ({name})" if name else str(index)


def _optimizer(left: Loaded, right: Loaded) -> Iterable[Difference]:
    if left.optimizer is None or right.optimizer is None:
        return
    one, other = left.optimizer, right.optimizer
    if one.present != other.present:
        yield Difference("optimizer", "", "one has an optimizer, the other none")
        return
    if one.class_name != other.class_name:
        yield Difference("optimizer", "class", f"{one.class_name} against {other.class_name}")
    if one.iterations != other.iterations:
        yield Difference("optimizer", "iterations", f"{one.iterations} against {other.iterations}")
    rates = [_rate(side.config) for side in (one, other)]
    if None not in rates and not math.isclose(*cast("list[float]", rates), rel_tol=1e-6):
        yield Difference("optimizer", "learning_rate", f"{rates[0]:.9g} against {rates[1]:.9g}")
    # Names and order are each generation's own, and so is whether slots that are still zero are there.
    states = [
        Counter(digest(value) for value in side.values() if value.ndim and np.any(value)) for side in (one, other)
    ]
    if states[0] != states[1]:
        only = [(states[i] - states[1 - i]).total() for i in (0, 1)]
        totals = [state.total() for state in states]
        yield Difference(
            "optimizer",
            "state",
            f"{only[0]} of {totals[0]} arrays against {only[1]} of {totals[1]} that the other lacks",
        )


def _rate(config: Any) -> float | None:
    rate = cast("Mapping[str, Any]", config).get("learning_rate") if isinstance(config, dict) else None
    return float(rate) if isinstance(rate, (int, float)) else None


def _steps(left: Loaded, right: Loaded, tolerance: float) -> Iterable[Difference]:
    if left.refused or right.refused:
        return
    if left.steps is None or right.steps is None:
        refused = [side.problems.get("steps", "") for side in (left, right) if side.steps is None]
        if len(refused) == 1:
            yield Difference("steps", "", f"one does not train: {refused[0]}")
        return
    for number, (one, other) in enumerate(zip(left.steps, right.steps, strict=False)):
        # The names of metrics are each generation's own; the loss has the same everywhere.
        for name in sorted(one.keys() & other.keys()):
            difference, _ = compare("steps", f"{number} ({name})", _number(one[name]), _number(other[name]), tolerance)
            if difference:
                yield difference
    yield from _trained(left.trained or (), right.trained or (), left.names, tolerance)


def _trained(
    left: Sequence[Array], right: Sequence[Array], names: Sequence[str], tolerance: float
) -> Iterable[Difference]:
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        difference, _ = compare("steps", f"weights after, {index} ({names[index]})", one, other, tolerance)
        if difference:
            yield difference


def _number(value: float) -> Array:
    return np.array(value, np.float64)


def draws(evidence: Evidence) -> str | None:
    """Why the next steps cannot be compared: a layer that draws numbers while it trains; None if there is none."""
    found = sorted(name for name in evidence.classes if any(part in name for part in DRAWING))
    rates = (part.get(key) for part in dicts(evidence.config) for key in ("dropout", "recurrent_dropout"))
    if any(isinstance(rate, (int, float)) and rate > 0 for rate in rates):
        found.append("dropout")
    return f"{', '.join(found)} draws numbers of its own while training" if found else None
