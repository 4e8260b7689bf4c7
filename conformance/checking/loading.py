"""One implementation and one model: load it, ask for all it holds, run it, train it.

Everything but the loading may fail alone: a model that cannot predict still has weights. What the implementation
refused is kept as its own words; a crash or a time limit ends the model for this implementation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from conformance.checking.arrays import Array, digest
from conformance.checking.evidence import Evidence
from conformance.checking.finding import Found
from conformance.checking.inputs import candidates, given_inputs, targets
from conformance.checking.record import Outcome
from conformance.protocol.errors import (
    AdapterCrash,
    AdapterTimeout,
    ProtocolError,
    Refused,
    StartFailure,
    Unsupported,
)
from conformance.protocol.results import Description, Handle, OptimizerInfo
from conformance.protocol.session import Session

SEED, OTHER_SEED = 20, 21
STEPS = 2
SHOWN = 300  # characters of an implementation's text

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Failed:
    """A model that was not loaded, or was lost on the way."""

    outcome: Outcome
    reason: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Loaded:
    """All that an implementation holds of a model. ``names`` are of the weights; ``problems`` part → why it is missing.

    What is no Keras model has its variables as weights, and nothing else. With ``refused`` it was loaded with
    compile=False, because the implementation refuses to compile it as it was.
    """

    names: tuple[str, ...] = ()
    weights: tuple[Array, ...] = ()
    digests: tuple[str, ...] = ()
    description: Description | None = None
    optimizer: OptimizerInfo | None = None
    outputs: tuple[Array, ...] | None = None
    steps: tuple[Mapping[str, float], ...] | None = None
    trained: tuple[Array, ...] | None = None
    refused: str | None = None
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Feed:
    """What all implementations are given: settled by the first one that can run the model with it."""

    given: Mapping[str, Array] | None = None
    inputs: list[Array] | None = None
    batches: list[tuple[list[Array], list[Array]]] | None = None
    why_not: str = "the model tells no shapes of inputs: give some with --inputs"


@dataclass(frozen=True)
class Wishes:
    """What of a model is asked for: that it be compiled as it was, and be trained; the user's own objects."""

    compile: bool = True
    train: bool = False
    objects: Path | None = None


def load(session: Session, found: Found, evidence: Evidence, wishes: Wishes, feed: Feed) -> Loaded | Failed:
    """Load the model and ask for everything. Raises nothing but StartFailure."""
    if evidence.capability not in session.hello.capabilities:
        return Failed(Outcome.NOT_CLAIMED, f"does not claim {evidence.capability}")
    try:
        session.reset(SEED)
        if evidence.is_plain:
            return _variables(session, found, evidence)
        model = _model(session, found, evidence, wishes)
        said = tuple(message.text for message in session.messages)
        return _everything(session, model, evidence, wishes, feed, said)
    except Refused as refusal:
        # What cannot be compiled can often be loaded all the same, and then there is something to compare.
        if wishes.compile and evidence.training and evidence.architecture is None:
            plain = load(session, found, evidence, replace(wishes, compile=False, train=False), feed)
            if isinstance(plain, Loaded):
                return replace(plain, refused=_words(refusal))
        return Failed(Outcome.REFUSED, _words(refusal))
    except ProtocolError as error:
        return _failure(error)


def weights_with_another_seed(session: Session, found: Found, evidence: Evidence, wishes: Wishes) -> list[str] | None:
    """The weights' digests when the file is loaded with another seed: those that change were drawn, not loaded."""
    try:
        session.reset(OTHER_SEED)
        model = _model(session, found, evidence, wishes)
        return [digest(array) for array in session.get_weights(model)]
    except (Refused, ProtocolError):
        return None


def _model(session: Session, found: Found, evidence: Evidence, wishes: Wishes) -> Handle:
    custom = session.load_objects(wishes.objects) if wishes.objects else None
    if evidence.architecture is None:
        return session.load(found.place, custom_objects=custom, compile=None if wishes.compile else False)
    model = session.from_json(evidence.architecture, custom)
    session.load_weights(model, found.place)
    return model


def _everything(
    session: Session, model: Handle, evidence: Evidence, wishes: Wishes, feed: Feed, said: tuple[str, ...]
) -> Loaded:
    problems: dict[str, str] = {}

    def ask(part: str, question: Callable[[], _Answer]) -> _Answer | None:
        try:
            return question()
        except Refused as refusal:
            problems[part] = _words(refusal)
        except Unsupported as error:
            problems[part] = _first_line(error.problem)
        return None

    weights = ask("weights", lambda: session.weights(model)) or []
    description = ask("description", lambda: session.describe(model))
    optimizer = ask("optimizer", lambda: session.optimizer(model)) if wishes.compile else None
    outputs = ask("outputs", lambda: _run(session, model, description, evidence, feed))
    if outputs is None and "outputs" not in problems:
        problems["outputs"] = feed.why_not
    steps: list[dict[str, float]] | None = None
    trained: list[Array] | None = None
    if wishes.train and outputs is not None and feed.inputs is not None:
        if optimizer is None or not optimizer.present:
            problems["steps"] = "not compiled"
        else:
            if feed.batches is None:
                feed.batches = [(feed.inputs, each) for each in targets(outputs, evidence, STEPS)]
            batches = feed.batches
            steps = ask("steps", lambda: session.train(model, batches))
            trained = None if steps is None else ask("steps", lambda: session.get_weights(model))
    values = tuple(weight.value for weight in weights)
    return Loaded(
        names=tuple(weight.name for weight in weights),
        weights=values,
        digests=tuple(map(digest, values)),
        description=description,
        optimizer=optimizer,
        outputs=None if outputs is None else tuple(outputs),
        steps=None if steps is None else tuple(steps),
        trained=None if trained is None else tuple(trained),
        problems=problems,
        said=said,
    )


def _run(
    session: Session, model: Handle, description: Description | None, evidence: Evidence, feed: Feed
) -> list[Array] | None:
    """The outputs; what is fed is settled here if nobody has yet."""
    if feed.inputs is not None:
        return session.predict(model, feed.inputs)
    tensors = description.inputs if description else ()
    tries = candidates(tensors, evidence) if feed.given is None else [given_inputs(feed.given, tensors)]
    refusal: Refused | None = None
    for inputs in tries:
        try:
            outputs = session.predict(model, inputs)
        except Refused as error:
            refusal = refusal or error
        else:
            feed.inputs = inputs
            return outputs
    if refusal:
        raise refusal
    return None


def _variables(session: Session, found: Found, evidence: Evidence) -> Loaded:
    """The variables of a checkpoint, or those beside a graph, which is loaded first and must be whole for that."""
    prefix = found.place
    if evidence.capability == "graph-only":
        session.graph_load(found.place)
        prefix = os.path.join(found.place, "variables", "variables")
    values = session.checkpoint_read(prefix) if evidence.weights else {}
    names = sorted(values)
    arrays = tuple(values[name] for name in names)
    return Loaded(tuple(names), arrays, tuple(map(digest, arrays)))


_OUTCOMES: Sequence[tuple[type[ProtocolError], Outcome]] = (
    (AdapterCrash, Outcome.CRASH),
    (AdapterTimeout, Outcome.TIMEOUT),
    (Unsupported, Outcome.NOT_CLAIMED),
    (StartFailure, Outcome.NOT_STARTED),
)


def _failure(error: ProtocolError) -> Failed:
    outcome = next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome.FAULT)
    last = error.stderr[-1:] if outcome is Outcome.CRASH else ()
    return Failed(outcome, _first_line(error.problem), tuple(_first_line(line) for line in last))


def _words(refusal: Refused) -> str:
    return _first_line(f"{refusal.operation}: {refusal.exception}: {refusal.text}")


def _first_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


# How libraries tell that they did not load something.
_LOSS = re.compile(
    r"fresh|anew|newly|new initialized|skip|error in loading|(?:not|cannot) be (?:restored|loaded)", re.I
)


def said_of(part: str, messages: Sequence[str]) -> str | None:
    """The first message that tells of a loss in that part, if there is one."""
    return next((_first_line(text) for text in messages if part in text.lower() and _LOSS.search(text)), None)
