"""What is otherwise than in a baseline: the same models, checked earlier, maybe by an older library.

An implementation is compared with the one of the same name. Where one has gone and one has come (an upgrade from
``tensorflow==2.9.3`` to ``tensorflow==2.15.1``), these two are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.checking.record import Examined, ModelRecord, Outcome, Pair, Sample, Verdict
from conformance.checking.results import Change, Document

# From what one would like best to what one would like least.
ORDER = (
    Outcome.LOADED,
    Outcome.NOT_CLAIMED,
    Outcome.REFUSED,
    Outcome.SILENT,
    Outcome.TIMEOUT,
    Outcome.CRASH,
    Outcome.FAULT,
    Outcome.NOT_STARTED,
)


def changes(old: Document, new: Document, tolerance: float) -> tuple[Change, ...]:
    """All changes, model by model in the order of the new document, what is gone last."""
    counterparts = _counterparts(old, new)
    before, after = old.by_path, new.by_path
    found: list[Change] = []
    for path, record in after.items():
        if path in before:
            found += _model(before[path], record, counterparts, tolerance)
        elif record.verdict is Verdict.EQUAL:
            found.append(Change(path, "new", f"not in the baseline; {record.verdict}"))
        else:
            found.append(Change(path, "worse", f"not in the baseline, and {record.verdict}"))
    found += [Change(path, "gone", "in the baseline, and not checked now") for path in before if path not in after]
    return tuple(found)


def _counterparts(old: Document, new: Document) -> dict[str, str]:
    """New name → old name."""
    before, after = list(old.header.implementations), list(new.header.implementations)
    gone, come = [name for name in before if name not in after], [name for name in after if name not in before]
    found = {name: name for name in after if name in before}
    return {**found, come[0]: gone[0]} if len(gone) == len(come) == 1 else found


def _model(old: ModelRecord, new: ModelRecord, counterparts: Mapping[str, str], tolerance: float) -> Iterator[Change]:
    path = new.path
    if (old.verdict is Verdict.BAD_INPUT) != (new.verdict is Verdict.BAD_INPUT):
        kind = "worse" if new.verdict is Verdict.BAD_INPUT else "better"
        yield Change(path, kind, f"{old.problem or old.verdict} → {new.problem or new.verdict}")
        return
    same_file = old.sha256 == new.sha256
    if not same_file:
        yield Change(path, "changed", "another file than in the baseline: its values are not compared")
    for name, examined in new.implementations.items():
        former = old.implementations.get(counterparts.get(name, ""))
        if former:
            title = name if counterparts[name] == name else f"{counterparts[name]} → {name}"
            for kind, text in _implementation(former, examined, same_file, tolerance):
                yield Change(path, kind, text, title)
    pairs = {pair.between: pair for pair in old.pairs}
    for pair in new.pairs:
        one, other = (counterparts.get(name, "") for name in pair.between)
        yield from _pair(path, pairs.get((one, other)), pair)


def _implementation(old: Examined, new: Examined, same_file: bool, tolerance: float) -> Iterator[tuple[str, str]]:
    if old.outcome is not new.outcome:
        kind = "worse" if ORDER.index(new.outcome) > ORDER.index(old.outcome) else "better"
        yield kind, f"{_said(old)} → {_said(new)}"
        return
    if len(old.lost) != len(new.lost):
        yield ("worse" if len(new.lost) > len(old.lost) else "better"), f"{_said(old)} → {_said(new)}"
    if not same_file:
        return
    if old.weights and new.weights and old.weights != new.weights:
        yield "worse", f"other weights: {old.weights.count} → {new.weights.count}, of other values"
    yield from _outputs(old.outputs, new.outputs, tolerance)
    if (old.optimizer is None) != (new.optimizer is None):
        yield ("worse" if old.optimizer else "better"), f"optimizer: {_has(old)} → {_has(new)}"
    elif old.optimizer and new.optimizer and old.optimizer != new.optimizer:
        yield "worse", f"other optimizer state: {_has(old)} → {_has(new)}"
    yield from _steps(old, new, tolerance)


def _outputs(
    old: tuple[Sample, ...] | None, new: tuple[Sample, ...] | None, tolerance: float
) -> Iterator[tuple[str, str]]:
    if old is None or new is None:
        if old is not new:
            yield ("worse", "no outputs any more") if new is None else ("better", "has outputs now")
        return
    if [(each.shape, each.dtype) for each in old] != [(each.shape, each.dtype) for each in new]:
        yield "worse", "outputs of other shapes or dtypes"
        return
    for index, (one, other) in enumerate(zip(old, new, strict=True)):
        distance = _distance(one, other)
        if distance > tolerance * max(1.0, one.scale or 0.0):
            yield "worse", f"output {index} differs by up to {distance:.3g}"


def _distance(old: Sample, new: Sample) -> float:
    if old.digest == new.digest:
        return 0.0
    distances = [0.0]
    for one, other in zip(old.values, new.values, strict=True):
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            distances.append(abs(one - other))
        elif one != other:
            distances.append(float("inf"))
    return max(distances)


def _steps(old: Examined, new: Examined, tolerance: float) -> Iterator[tuple[str, str]]:
    if old.steps is None or new.steps is None:
        return
    for number, (one, other) in enumerate(zip(old.steps, new.steps, strict=False)):
        before, after = one.get("loss"), other.get("loss")
        if before is None or after is None:
            if before is not after:
                yield "worse", f"training step {number}: loss {before} → {after}"
        elif abs(before - after) > tolerance * max(1.0, abs(before)):
            yield "worse", f"training step {number}: loss {before:.9g} → {after:.9g}"


def _pair(path: str, old: Pair | None, new: Pair) -> Iterator[Change]:
    if old is None or old.equal == new.equal:
        return
    title = " and ".join(new.between)
    if new.equal:
        yield Change(path, "better", f"{title} are equal now")
    else:
        yield Change(path, "worse", f"{title} differ now: {new.differences[0].part}: {new.differences[0].problem}")


def _said(examined: Examined) -> str:
    return f"{examined.outcome} ({examined.reason})" if examined.reason else str(examined.outcome)


def _has(examined: Examined) -> str:
    optimizer = examined.optimizer
    return f"{optimizer.class_name}, {optimizer.iterations} iterations" if optimizer else "none"
