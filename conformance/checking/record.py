"""What is found out about one model, as frozen values and as JSON: a line of the results file.

check.schema.json is the JSON Schema of a line, made from these classes (``python -m conformance.checking.results``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one model in one implementation."""

    LOADED = "loaded"
    SILENT = "silent"  # loaded without a word, and not with what the file holds
    REFUSED = "refused"
    CRASH = "crash"
    TIMEOUT = "timeout"
    FAULT = "fault"  # of the adapter: says nothing about the implementation
    NOT_CLAIMED = "not-claimed"
    NOT_STARTED = "not-started"


class Verdict(StrEnum):
    """What became of one model: the worst of its implementations and pairs, in this order."""

    EQUAL = "equal"
    NOT_CLAIMED = "not-claimed"  # by none of the implementations
    DIFFERENT = "different"
    REFUSED = "refused"
    SILENT = "silent"
    TIMEOUT = "timeout"
    CRASH = "crash"
    FAULT = "fault"
    BAD_INPUT = "bad-input"


_VERDICTS = {
    Outcome.SILENT: Verdict.SILENT,
    Outcome.REFUSED: Verdict.REFUSED,
    Outcome.CRASH: Verdict.CRASH,
    Outcome.TIMEOUT: Verdict.TIMEOUT,
    Outcome.FAULT: Verdict.FAULT,
}


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same on two sides.

    ``part`` is weights, outputs, optimizer, steps, inputs or variables; ``name`` which of them. Where values were
    compared: ``differing`` of ``of`` elements differ, by up to ``max_error`` (None: not a finite number), ``first``
    are the first of them with both values.
    """

    part: str
    name: str
    problem: str
    differing: int | None = None
    of: int | None = None
    max_error: float | None = None
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """Arrays in short: how many there are, of how many elements, and a digest of them in their order."""

    count: int
    elements: int
    digest: str


@dataclass(frozen=True)
class Sample:
    """An output in short; ``values`` are up to 64 of its elements, evenly spread, ``scale`` its largest magnitude."""

    shape: tuple[int, ...]
    dtype: str
    digest: str
    scale: float | None
    values: tuple[float | str | None, ...]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer in short."""

    class_name: str | None
    iterations: int | None
    variables: Summary


@dataclass(frozen=True)
class Examined:
    """What came of the model in one implementation.

    ``reason`` says why it was not loaded, or what of the file it did not load (also ``lost``). What follows from
    here on is what it held; ``None`` where there is nothing or where it could not be asked. ``notes`` are for people.
    """

    outcome: Outcome
    reason: str | None = None
    lost: tuple[Difference, ...] = ()
    weights: Summary | None = None
    outputs: tuple[Sample, ...] | None = None
    optimizer: Optimizer | None = None
    steps: tuple[Mapping[str, float | None], ...] | None = None
    trained: Summary | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Pair:
    """Two implementations that both loaded the model, and all that is not the same in them.

    ``output_error`` is how far their outputs are apart, in the unit of a tolerance; None where they cannot be compared.
    """

    between: tuple[str, str]
    differences: tuple[Difference, ...] = ()
    output_error: float | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(frozen=True)
class ModelRecord:
    """One model. ``stamp`` is size and time of its main file, ``sha256`` over that file; ``problem`` is why it could
    not be checked at all."""

    path: str
    verdict: Verdict
    format: str | None = None
    writer: str | None = None
    sha256: str | None = None
    stamp: tuple[int, int] | None = None
    problem: str | None = None
    inputs: tuple[str, ...] = ()
    implementations: Mapping[str, Examined] = field(default_factory=dict[str, Examined])
    pairs: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def verdict_of(implementations: Mapping[str, Examined], pairs: tuple[Pair, ...]) -> Verdict:
    """The worst of all. An implementation that was not started says nothing about the model."""
    found = [_VERDICTS[each.outcome] for each in implementations.values() if each.outcome in _VERDICTS]
    if any(not pair.equal for pair in pairs):
        found.append(Verdict.DIFFERENT)
    if not any(each.outcome is Outcome.LOADED for each in implementations.values()):
        found.append(Verdict.NOT_CLAIMED)
    order = list(Verdict)
    return max(found, key=order.index, default=Verdict.EQUAL)
