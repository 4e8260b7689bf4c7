"""The file in which the suite's process tells the ``run`` command what happens, one JSON object a line.

Each object has a single key::

    {"header": {"implementation", "dialect", "hello", "suite", "seed", "options"}}
    {"collected": [{"id", "requirements", "units"}, ...]}        what is going to be run (may be left out)
    {"start": {"id", "chapter"}}                                 before each test
    {"record": {the fields of TestRecord}}                       after it
    {"start_failure": {"text", "stderr"}}                        the implementation could not be started
    {"end": {"tests", "exitstatus"}}                             last

Each line is written at once and whole, so a reader can follow a run, and a run that was killed lacks its end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.results.model import ResultsError, StartFailure, TestRecord
from conformance.results.verdict import Verdict


@dataclass
class RecordFile:
    """What has been read from such a file so far; :meth:`feed` it whole lines as they appear."""

    header: dict[str, Any] = field(default_factory=dict[str, Any])
    announced: dict[str, TestRecord] = field(default_factory=dict[str, TestRecord])
    records: list[TestRecord] = field(default_factory=list[TestRecord])
    running: str | None = None
    chapter: str | None = None
    start_failure: StartFailure | None = None
    exitstatus: int | None = None

    @property
    def ended(self) -> bool:
        """The last line has been seen."""
        return self.exitstatus is not None

    @property
    def tests(self) -> tuple[TestRecord, ...]:
        """All records; a test that was announced and has none is "not run"."""
        told = {record.id for record in self.records}
        return (*self.records, *(record for record in self.announced.values() if record.id not in told))

    def feed(self, line: str) -> None:
        """Take in one line; raises :class:`ResultsError` for what is not of this protocol."""
        try:
            ((key, value),) = json.loads(line).items()
            take = _TAKE[key]
            take(self, value)
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise ResultsError(f"a line of the record file cannot be read ({error!r}): {line[:200]!r}") from error


def _take_header(file: RecordFile, value: dict[str, Any]) -> None:
    file.header = value


def _take_collected(file: RecordFile, value: list[dict[str, Any]]) -> None:
    for test in value:
        record = TestRecord(test["id"], tuple(test["requirements"]), tuple(test["units"]), Verdict.NOT_RUN)
        file.announced[record.id] = record


def _take_start(file: RecordFile, value: dict[str, Any]) -> None:
    file.running, file.chapter = value["id"], value["chapter"]


def _take_record(file: RecordFile, value: dict[str, Any]) -> None:
    file.records.append(TestRecord.from_json(value))


def _take_start_failure(file: RecordFile, value: dict[str, Any]) -> None:
    file.start_failure = StartFailure(value["text"], value.get("stderr") or "")


def _take_end(file: RecordFile, value: dict[str, Any]) -> None:
    file.exitstatus = int(value["exitstatus"])
    file.running = None


_TAKE = {
    "header": _take_header,
    "collected": _take_collected,
    "start": _take_start,
    "record": _take_record,
    "start_failure": _take_start_failure,
    "end": _take_end,
}


class RecordTail:
    """Follows a record file while it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found = RecordFile()
        self._offset = 0

    def read(self) -> RecordFile:
        """Take in what was added since the last time; a last line that is not finished yet is left for the next."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                *lines, _unfinished = file.read().split(b"\n")
            for line in lines:
                self.found.feed(line.decode("utf-8"))
                self._offset += len(line) + 1
        return self.found
