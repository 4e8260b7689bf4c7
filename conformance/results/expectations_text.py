"""Bringing an expectations file up to date without touching what stays true: a text in, a text out.

An entry goes with the comment lines directly above it; a comment set off by a blank line, such as a heading, stays, and
so does one that begins the file. New entries come last, with the reason and its evidence left empty: such a file is
refused until somebody has understood the failure and filled them in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.results.expectations import Expectation, ExpectationsError
from conformance.results.files import replace_file
from conformance.results.model import TestRecord
from conformance.results.verdict import FailureKind

PATTERN_LENGTH = 120

# Parts of a message that are another at every run, or soon will be: addresses, temporary folders, computed numbers.
_VOLATILE = re.compile(r"0x[0-9a-f]{4,}|\d+\.\d+(?:e[+-]?\d+)?|(?<![\w.])(?:/[\w.+~-]+){2,}/?")
_SPECIAL = re.compile(r"([.^$*+?{}\[\]\\|()])")


@dataclass(frozen=True)
class NewEntry:
    """A failure to be pinned; ``before`` is what was expected of the test until now."""

    test: str
    kind: FailureKind
    match: str
    before: tuple[Expectation, ...] = ()
    condition: str | None = None

    @property
    def lines(self) -> list[str]:
        """The entry as lines of the file; comments tell the reasons that no longer hold."""
        told = [f"# until now {entry.kind.value} /{entry.match}/: {entry.reason}" for entry in self.before]
        fields = {"test": self.test, "kind": self.kind.value, "match": self.match, "reason": "", "measured": ""}
        fields |= {"condition": self.condition} if self.condition else {}
        return [
            *(_printable(" ".join(line.split())) for line in told),
            "[[expectation]]",
            *(f"{name} = {_quoted(value)}" for name, value in fields.items()),
        ]


def new_entry(record: TestRecord, before: Sequence[Expectation] = ()) -> NewEntry | None:
    """The entry that pins the failure of ``record``; None if a failure without a kind cannot be pinned."""
    if record.kind is None:
        return None
    return NewEntry(record.id, record.kind, pattern_for(record.message or ""), tuple(before))


def pattern_for(message: str) -> str:
    """A regular expression that finds the message again, at another run too: its first line, without what changes."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")[:PATTERN_LENGTH]
    parts = _VOLATILE.split(line)
    escaped = r"\S+".join(_SPECIAL.sub(r"\\\1", part) for part in parts)
    pattern = "".join(character if character.isprintable() else "." for character in escaped)
    return pattern or "^"


def updated(text: str, remove: Iterable[Expectation], add: Sequence[NewEntry]) -> tuple[str, tuple[int, ...]]:
    """``text`` without some of its entries and with others added, and the lines (from 1) at which those begin."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    for entry in sorted(remove, key=lambda entry: entry.lines, reverse=True):
        begin, end = _extent(lines, entry)
        del lines[begin:end]
    if add:
        while lines and not lines[-1].strip():
            lines.pop()
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += newline
    begins: list[int] = []
    for entry in add:
        lines += [newline] if lines else []
        begins.append(len(lines) + len(entry.before) + 1)
        lines += [line + newline for line in entry.lines]
    return "".join(lines), tuple(begins)


def update_file(path: Path, remove: Sequence[Expectation], add: Sequence[NewEntry]) -> tuple[int, ...]:
    """Rewrite ``path`` as :func:`updated` says; it holds either all of that or what it held before.

    Returns the lines at which the new entries begin. Raises :class:`ExpectationsError`.
    """
    try:
        target = path.resolve()  # a link stays a link
        old = target.read_bytes().decode("utf-8") if target.exists() else ""
        text, begins = updated(old, remove, add)
        if text != old:
            replace_file(target, text)
    except (OSError, UnicodeDecodeError) as error:
        raise ExpectationsError(f"{path}: cannot be updated: {error}") from error
    return begins


def _extent(lines: Sequence[str], entry: Expectation) -> tuple[int, int]:
    """From the comment that belongs to the entry to the blank lines after it, as a slice."""
    begin, end = entry.lines[0] - 1, entry.lines[1]
    above = begin
    while above and lines[above - 1].lstrip().startswith("#"):
        above -= 1
    if above:
        begin = above
    while end < len(lines) and not lines[end].strip():
        end += 1
    return begin, end


def _quoted(value: str) -> str:
    """A string of TOML; a literal one where that spares escapes, which patterns are hard to read with."""
    value = _printable(value)
    escapes = '"' in value or "\\" in value
    return f"'{value}'" if escapes and "'" not in value else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
