"""Which entries of an implementation's expectations are no longer true, and which failures have none.

An implementation that is judged in several dialects has one file for all: an entry goes only if it is untrue in every
dialect that it is about, and a failure of some dialects alone is pinned for each of those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.results.admission import judged_again
from conformance.results.conditions import facts_of
from conformance.results.expectations import Expectation, Expectations
from conformance.results.expectations_text import NewEntry, new_entry, update_file
from conformance.results.judge import unjudged
from conformance.results.model import Results, Run
from conformance.results.verdict import Verdict
from conformance.spec import Specification


@dataclass(frozen=True)
class Source:
    """The expectations of one implementation and the file they come from, None if it has none."""

    file: Path | None = None
    expectations: Expectations = field(default_factory=Expectations)


NOTHING = Source()


@dataclass(frozen=True)
class Update:
    """What was done to one file: how many entries were taken out, and the first lines of those added."""

    file: Path
    removed: int
    added: tuple[int, ...]


def update(results: Results, sources: Mapping[str, Source], specification: Specification) -> tuple[Update, ...]:
    """Take the entries that are untrue out of each implementation's file, and add one for each failure not pinned.

    Raises :class:`~conformance.results.expectations.ExpectationsError` for a file that cannot be written.
    """
    found: list[Update] = []
    for name, source in sources.items():
        views = [_view(run, source.expectations, specification) for run in results.runs if run.implementation == name]
        remove = [entry for entry in source.expectations.entries if _is_untrue(entry, views)]
        add = list(_unpinned(views))
        if source.file and (remove or add):
            found.append(Update(source.file, len(remove), update_file(source.file, remove, add)))
    return tuple(found)


@dataclass(frozen=True)
class _View:
    """One run's side of it: the entries that are about it, those of them that are untrue, the failures not pinned."""

    run: Run
    active: frozenset[Expectation]
    untrue: frozenset[Expectation]
    failures: tuple[NewEntry, ...]


def _view(run: Run, expectations: Expectations, specification: Specification) -> _View:
    active = expectations.given(facts_of(run.hello, run.dialect))
    again, judgement = judged_again(run, specification, expectations)
    contradicted = [entry for entry in active.entries if _is_contradicted(entry, run)]
    open_units = {unit.unit for unit in again.units if not unit.verdict.is_expected}
    failures = (
        new_entry(test, [entry for entry in contradicted if entry.covers(test.id, test.units)])
        for test in again.tests
        if test.verdict.is_failure and open_units.intersection(test.units)
    )
    untrue = frozenset({*judgement.passing, *judgement.unmatched, *contradicted})
    return _View(run, frozenset(active.entries), untrue, tuple(entry for entry in failures if entry))


def _is_contradicted(entry: Expectation, run: Run) -> bool:
    """Whether tests that it covers fail, and all of them otherwise than it says."""
    covered = [test for test in map(unjudged, run.tests) if entry.covers(test.id, test.units)]
    failures = [test for test in covered if test.verdict.is_failure]
    undecided = any(test.verdict in (Verdict.UNSTABLE, Verdict.NOT_RUN) for test in covered)
    as_expected = any(entry.matches(test.kind, test.message or "") for test in failures)
    return bool(failures) and not undecided and not as_expected


def _is_untrue(entry: Expectation, views: Sequence[_View]) -> bool:
    about = [view for view in views if entry in view.active]
    return bool(about) and all(entry in view.untrue for view in about)


def _unpinned(views: Sequence[_View]) -> Iterator[NewEntry]:
    found: defaultdict[tuple[str, str], dict[str, NewEntry]] = defaultdict(dict)
    for view in views:
        for entry in view.failures:
            found[entry.test, entry.kind.value].setdefault(view.run.dialect, entry)
    for by_dialect in found.values():
        same = len({entry.match for entry in by_dialect.values()}) == 1
        if same and len(by_dialect) == len(views):
            yield next(iter(by_dialect.values()))
        else:
            for dialect, entry in by_dialect.items():
                yield replace(entry, condition=f"dialect == {dialect.rpartition('-')[2]}")
