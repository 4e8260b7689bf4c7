"""What changed from one results document to another: fixed, broken, new, gone; by implementation, unit and test.

What expectations say plays no part: a failure that was known and is gone is fixed, one that came is broken, pinned or
not. A unit or test *is there* when it passes or fails; what is not claimed or not applicable is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from conformance.results.admission import judged_again
from conformance.results.expectations import Expectations
from conformance.results.model import Results, Run
from conformance.results.verdict import Verdict, worst
from conformance.spec import Specification


class How(Enum):
    """In which way something changed; the worst first."""

    BROKEN = "broken"
    GONE = "gone"
    FIXED = "fixed"
    NEW = "new"


class Of(Enum):
    """What changed."""

    IMPLEMENTATION = "implementation"
    CAPABILITY = "capability"
    UNIT = "unit"
    TEST = "test"


@dataclass(frozen=True)
class Change:
    """One change; ``before`` and ``after`` are verdicts, None where there was nothing to have one."""

    how: How
    of: Of
    implementation: str
    dialect: str
    name: str
    before: Verdict | None = None
    after: Verdict | None = None


_GOOD = (Verdict.PASS,)
_ABSENT = (Verdict.NOT_CLAIMED, Verdict.NOT_APPLICABLE, Verdict.NOT_RUN, None)

Key = tuple[str, str]


def changes(old: Results, new: Results, specification: Specification) -> tuple[Change, ...]:
    """What changed from ``old`` to ``new``, by implementation, the worst first."""
    before, after = ({key_of(run): run for run in results.runs} for results in (old, new))
    found = [
        change for key in before | after for change in _of_run(key, before.get(key), after.get(key), specification)
    ]
    hows, ofs = list(How), list(Of)
    return tuple(sorted(found, key=lambda c: (c.implementation, c.dialect, hows.index(c.how), ofs.index(c.of), c.name)))


def key_of(run: Run) -> Key:
    """What a run is compared by."""
    return run.implementation, run.dialect


def _of_run(key: Key, old: Run | None, new: Run | None, specification: Specification) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(How.NEW if old is None else How.GONE, Of.IMPLEMENTATION, *key, name=key[0])
        return
    claimed, claims = (set[str](run.hello.get("capabilities") or ()) for run in (old, new))
    yield from (Change(How.GONE, Of.CAPABILITY, *key, name=name) for name in claimed - claims)
    yield from (Change(How.NEW, Of.CAPABILITY, *key, name=name) for name in claims - claimed)
    before, after = (judged_again(run, specification, Expectations())[0] for run in (old, new))
    yield from _compared(key, Of.UNIT, _units(before), _units(after))
    yield from _compared(key, Of.TEST, _tests(before), _tests(after))


def _units(run: Run) -> dict[str, Verdict]:
    return {unit.unit: unit.verdict for unit in run.units}


def _tests(run: Run) -> dict[str, Verdict]:
    """A test can have several records: one for the units it ran for, one for those that are not claimed."""
    told: dict[str, list[Verdict]] = {}
    for test in run.tests:
        if test.verdict not in _ABSENT:
            told.setdefault(test.id, []).append(test.verdict)
    return {name: worst(verdicts) for name, verdicts in told.items()}


def _compared(key: Key, of: Of, before: Mapping[str, Verdict], after: Mapping[str, Verdict]) -> Iterable[Change]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        how = _how(old, new)
        if how:
            yield Change(how, of, *key, name=name, before=old, after=new)


def _how(old: Verdict | None, new: Verdict | None) -> How | None:
    if old in _ABSENT or new in _ABSENT:
        if old in _ABSENT:
            return None if new in _ABSENT else How.NEW
        return How.GONE
    if (old in _GOOD) is (new in _GOOD):
        return None
    return How.FIXED if new in _GOOD else How.BROKEN
