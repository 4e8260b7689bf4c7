"""Everything about one model: in each implementation, against the file, and in pairs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from conformance.checking import evidence as evidences
from conformance.checking.agreement import Tolerances, draws, pair
from conformance.checking.arrays import Array, digest, finite_or_none, sample, summary
from conformance.checking.evidence import Evidence, NoModel
from conformance.checking.fidelity import in_short, lost
from conformance.checking.finding import Found, Problem
from conformance.checking.loading import (
    Failed,
    Feed,
    Loaded,
    Wishes,
    load,
    said_of,
    weights_with_another_seed,
)
from conformance.checking.record import Examined, ModelRecord, Optimizer, Outcome, Summary, Verdict, verdict_of
from conformance.protocol.errors import StartFailure
from conformance.protocol.results import OptimizerInfo
from conformance.protocol.session import Session

SessionOf = Callable[[str, str], Session]
"""The session with the implementation of that name for a file of that dialect, started. Raises StartFailure."""


@dataclass(frozen=True)
class Plan:
    """What is done with every model: by which implementations, with what wishes, inputs and tolerances."""

    implementations: tuple[str, ...]
    wishes: Wishes = field(default_factory=Wishes)
    architecture: Path | None = None
    inputs: Mapping[str, Array] | None = None
    tolerances: Tolerances = field(default_factory=lambda: Tolerances(2e-5, 1e-4))


def examine(found: Found | Problem, plan: Plan, session_of: SessionOf) -> ModelRecord:
    """The record of one model. Whatever is wrong with it or an implementation is in the record; nothing is raised."""
    begun = time.monotonic()
    if isinstance(found, Problem):
        return ModelRecord(found.path, Verdict.BAD_INPUT, problem=found.problem)
    stamp, sha256 = identity(found)
    try:
        evidence = evidences.read(found, plan.architecture)
    except NoModel as error:
        return ModelRecord(found.path, Verdict.BAD_INPUT, found.container, None, sha256, stamp, str(error))
    loads, examined, feed = _everywhere(found, evidence, plan, session_of)
    pairs = tuple(
        pair((one, other), loads[one], loads[other], plan.tolerances) for one, other in combinations(loads, 2)
    )
    return ModelRecord(
        path=found.path,
        verdict=verdict_of(examined, pairs),
        format=evidence.format,
        writer=evidence.writer,
        sha256=sha256,
        stamp=stamp,
        inputs=tuple(f"{each.dtype.name} {list(each.shape)}" for each in feed.inputs or ()),
        implementations=examined,
        pairs=pairs,
        notes=_notes(evidence, plan),
        seconds=round(time.monotonic() - begun, 3),
    )


def identity(found: Found) -> tuple[tuple[int, int] | None, str | None]:
    """Size and time of the model's main file, and its digest; None where it cannot be read."""
    try:
        status = found.main_file.stat()
        with open(found.main_file, "rb") as file:
            return (status.st_size, status.st_mtime_ns), hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None, None


def _everywhere(
    found: Found, evidence: Evidence, plan: Plan, session_of: SessionOf
) -> tuple[dict[str, Loaded], dict[str, Examined], Feed]:
    reason = draws(evidence) if plan.wishes.train else None
    wishes = replace(plan.wishes, train=plan.wishes.train and reason is None)
    feed = Feed(plan.inputs)
    loads: dict[str, Loaded] = {}
    examined: dict[str, Examined] = {}
    kept: dict[str, Array] = {}
    for name in plan.implementations:
        begun = time.monotonic()
        try:
            session = session_of(name, evidence.dialect)
            result = load(session, found, evidence, wishes, feed)
        except StartFailure as failure:
            result = Failed(Outcome.NOT_STARTED, failure.problem)
            session = None
        if isinstance(result, Loaded) and session:
            # What two implementations hold alike is held once.
            values = tuple(kept.setdefault(*item) for item in zip(result.digests, result.weights, strict=True))
            loads[name] = result = replace(result, weights=values)
            wished = replace(wishes, compile=False) if result.refused else wishes
            examined[name] = _examined(result, evidence, _again(session, found, evidence, wished))
        elif isinstance(result, Failed):
            examined[name] = Examined(result.outcome, result.reason, notes=result.notes)
        examined[name] = replace(examined[name], seconds=round(time.monotonic() - begun, 3))
    return loads, examined, feed


def _again(session: Session, found: Found, evidence: Evidence, wishes: Wishes) -> Callable[[], list[str] | None]:
    if evidence.is_plain:
        return lambda: None
    return lambda: weights_with_another_seed(session, found, evidence, wishes)


def _examined(loaded: Loaded, evidence: Evidence, again: Callable[[], list[str] | None]) -> Examined:
    missing = lost(loaded, evidence, again)
    notes = [f"{part}: {why}" for part, why in loaded.problems.items()]
    notes += ["loads with compile=False (--no-compile), and was compared so"] if loaded.refused else []
    # A loss that the implementation tells of is no silent one.
    told = {each.part: said_of(each.part, loaded.said) for each in missing}
    notes += [f"it said: {text}" for text in dict.fromkeys(told.values()) if text]
    silent = [each for each in missing if told[each.part] is None]
    optimizer = loaded.optimizer
    return Examined(
        outcome=Outcome.SILENT if silent else Outcome.REFUSED if loaded.refused else Outcome.LOADED,
        reason=in_short(silent) or loaded.refused or in_short(missing) or None,
        lost=missing,
        weights=None if "weights" in loaded.problems else summary(loaded.weights, loaded.digests),
        outputs=None if loaded.outputs is None else tuple(map(sample, loaded.outputs)),
        optimizer=(
            Optimizer(optimizer.class_name, optimizer.iterations, _state(optimizer))
            if optimizer and optimizer.present
            else None
        ),
        steps=_finite(loaded.steps),
        trained=None if loaded.trained is None else summary(loaded.trained),
        notes=tuple(notes),
    )


def _state(optimizer: OptimizerInfo) -> Summary:
    """The state in short, the same whatever order a generation of Keras keeps it in; zeros and counters tell nothing."""
    values = [value for value in optimizer.values() if value.ndim and np.any(value)]
    return summary(values, sorted(map(digest, values)))


def _finite(steps: Sequence[Mapping[str, float]] | None) -> tuple[dict[str, float | None], ...] | None:
    if steps is None:
        return None
    return tuple({name: finite_or_none(value) for name, value in step.items()} for step in steps)


def _notes(evidence: Evidence, plan: Plan) -> tuple[str, ...]:
    reason = draws(evidence) if plan.wishes.train else None
    notes = {
        f"what the file holds was not compared: {evidence.problem}": evidence.problem,
        f"what the file holds was not compared: {evidence.converts}": evidence.converts and not evidence.problem,
        f"next steps not compared: {reason}": reason,
        "no Keras model: compared as plain variables": evidence.is_plain,
    }
    return tuple(note for note, holds in notes.items() if holds)
