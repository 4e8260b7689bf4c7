"""Expected failures: what an implementation is known to do wrong, pinned down so that only that is forgiven.

``expectations.toml`` beside an implementation's ``implementation.toml``; a missing file expects nothing::

    [[expectation]]
    unit = "model.optimizer-state[savedmodel]"   # the unit, or test = the id of one test, or both
    kind = "silent"                              # refused | silent | crash | timeout
    match = "iterations"                         # a regular expression, searched in the test's message
    reason = "the slots are written and never read back"
    link = "https://..."                         # or measured = the command that shows it
    condition = "tensorflow >= 2.15"             # optional: where it does not hold, the entry is not there

Every failing test that an entry covers must fail in that way, and at least one must fail. A test that fails in another
way stays a failure, a unit that passes is an unexpected pass, and an entry that covers no test is a fault of the file.
A field that is empty, such as a reason still to be filled in, is refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from packaging.version import Version

from conformance.results.conditions import Condition, parse_condition
from conformance.results.model import TestRecord
from conformance.results.verdict import FailureKind, Verdict
from conformance.spec import Specification

_REQUIRED = ("kind", "match", "reason")
_TARGETS = ("unit", "test")
_EVIDENCE = ("link", "measured")
_OPTIONAL = ("condition",)

# Begins the note on a failure that an entry covers and does not explain; its message stays what patterns search in.
UNLIKE = "expected failure failed for another reason, not "

_HEADER = re.compile(r"^\s*\[\[\s*expectation\s*\]\]")


class ExpectationsError(ValueError):
    """An expectations file that cannot be used: names the file, the entry, what is wrong and what was expected."""


@dataclass(frozen=True)
class Expectation:
    """One entry. ``lines`` are its first and last line in ``path``, counted from 1."""

    path: Path
    lines: tuple[int, int]
    kind: FailureKind
    match: str
    reason: str
    unit: str | None = None
    test: str | None = None
    link: str | None = None
    measured: str | None = None
    condition: Condition | None = None

    @property
    def where(self) -> str:
        """The entry's place, short enough for a table."""
        return f"{self.path.parent.name}/{self.path.name}:{self.lines[0]}"

    @property
    def target(self) -> str:
        """What the entry is about."""
        return " and ".join(f"{name} {value}" for name, value in (("unit", self.unit), ("test", self.test)) if value)

    @property
    def deletion(self) -> str:
        """What to do once the entry is no longer true."""
        return f"delete lines {self.lines[0]}-{self.lines[1]} of {self.path}"

    def covers(self, test: str, units: Iterable[str]) -> bool:
        """Whether the entry is about this test."""
        return self.test in (None, test) and (self.unit is None or self.unit in units)

    def matches(self, kind: FailureKind | str | None, message: str) -> bool:
        """Whether a failure of this kind with this message is the one that is expected."""
        return kind is not None and FailureKind(kind) is self.kind and re.search(self.match, message) is not None


@dataclass(frozen=True)
class Applied:
    """Records with the known failures among them marked, and the entries that turned out to be untrue.

    ``passing`` cover tests that all pass; ``unmatched`` cover no test at all.
    """

    records: tuple[TestRecord, ...]
    passing: tuple[Expectation, ...]
    unmatched: tuple[Expectation, ...]


@dataclass(frozen=True)
class Expectations:
    """The entries of one file."""

    entries: tuple[Expectation, ...] = ()

    def given(self, facts: Mapping[str, Version]) -> Expectations:
        """Those whose condition holds. One about something that nobody told of stays: nothing says that it may go."""
        held = (entry for entry in self.entries if entry.condition is None or entry.condition.holds(facts) is not False)
        return Expectations(tuple(held))

    def concerning(self, test: str, units: Iterable[str]) -> tuple[Expectation, ...]:
        """The entries about a test of these units."""
        units = tuple(units)
        return tuple(entry for entry in self.entries if entry.covers(test, units))

    def apply(self, records: Sequence[TestRecord]) -> Applied:
        """Compare every entry with the records."""
        fates = {entry: self._verdicts(entry, records) for entry in self.entries}
        return Applied(
            records=tuple(self._explained(record) for record in records),
            passing=tuple(entry for entry, verdicts in fates.items() if verdicts == {Verdict.PASS}),
            unmatched=tuple(entry for entry, verdicts in fates.items() if not verdicts),
        )

    def _verdicts(self, entry: Expectation, records: Sequence[TestRecord]) -> set[Verdict]:
        covered = {record.verdict for record in records if entry.covers(record.id, record.units)}
        return covered - {Verdict.NOT_CLAIMED, Verdict.NOT_APPLICABLE}

    def _explained(self, record: TestRecord) -> TestRecord:
        if not record.verdict.is_failure:
            return record
        about = self.concerning(record.id, record.units)
        for entry in about:
            if entry.matches(record.kind, record.message or ""):
                return replace(record, verdict=Verdict.KNOWN_FAILURE, expectation=entry.where)
        if about:
            told = " or ".join(f"{entry.kind.value} /{entry.match}/ ({entry.where})" for entry in about)
            return replace(record, notes=(UNLIKE + told, *record.notes), expectation=about[0].where)
        return record


def read_expectations(path: Path, specification: Specification) -> Expectations:
    """The entries of the file ``path``, none if it does not exist; raises :class:`ExpectationsError`."""
    if not path.exists():
        return Expectations()
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExpectationsError(f"{path}: cannot be read as TOML: {error}") from error
    tables: Any = document.pop("expectation", [])
    if document:
        raise ExpectationsError(f"{path}: unknown key {', '.join(document)}; expected [[expectation]] entries only")
    places = _places(text)
    if not isinstance(tables, list) or len(cast("list[Any]", tables)) != len(places):
        raise ExpectationsError(f"{path}: each entry is a table of its own that begins with a line [[expectation]]")
    units = {str(unit) for unit in specification.units}
    entries = zip(places, cast("list[dict[str, Any]]", tables), strict=True)
    return Expectations(tuple(_entry(path, lines, table, units) for lines, table in entries))


def _places(text: str) -> list[tuple[int, int]]:
    """First and last line of each entry, without the blank lines and comments that lead up to the next."""
    lines = text.splitlines()
    begins = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    places: list[tuple[int, int]] = []
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=False):
        while end > begin + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        places.append((begin + 1, end))
    return places


def _entry(path: Path, lines: tuple[int, int], table: dict[str, Any], units: set[str]) -> Expectation:
    where = f"{path}:{lines[0]}"
    known = (*_TARGETS, *_REQUIRED, *_EVIDENCE, *_OPTIONAL)
    for name, value in table.items():
        if name not in known:
            raise ExpectationsError(
                f"{where}: unknown field {name!r}{_nearest(name, known)}; known are {', '.join(known)}"
            )
        if not isinstance(value, str) or not value.strip():
            raise ExpectationsError(f"{where}: {name} is {value!r}, expected a text that is not empty: fill it in")
    for group, rule in ((_TARGETS, any), (_REQUIRED, all), (_EVIDENCE, any)):
        if not rule(name in table for name in group):
            word = "each of" if rule is all else "one of"
            raise ExpectationsError(
                f"{where}: {word} {', '.join(group)} is needed, found {', '.join(table) or 'nothing'}"
            )
    kinds = [kind.value for kind in FailureKind]
    if table["kind"] not in kinds:
        raise ExpectationsError(f"{where}: kind is {table['kind']!r}, expected one of {', '.join(kinds)}")
    if "unit" in table and table["unit"] not in units:
        raise ExpectationsError(
            f"{where}: the specification has no unit {table['unit']!r}{_nearest(table['unit'], units)}"
        )
    try:
        re.compile(table["match"])
    except re.error as error:
        raise ExpectationsError(f"{where}: match is not a regular expression: {error}: {table['match']!r}") from error
    try:
        condition = parse_condition(table.pop("condition")) if "condition" in table else None
    except ValueError as error:
        raise ExpectationsError(f"{where}: {error}") from error
    return Expectation(path, lines, FailureKind(table.pop("kind")), condition=condition, **table)


def _nearest(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, list(names), n=2, cutoff=0.5)
    return f" (nearest: {', '.join(close)})" if close else ""
