"""What ``check`` shows while it runs and at its end: the lines of each model, below them a bar on a terminal."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.checking.record import ModelRecord
    from conformance.checking.results import Document

SECONDS_BETWEEN_LINES = 10.0


class Shown:
    """A context manager; ``watch`` is what the run tells."""

    def __init__(self, as_json: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from conformance.checking.run import Watch

        self._console = Console(stderr=as_json, highlight=False, markup=False, emoji=False)
        # Where there is no bar, a line now and then; on stderr, where it is in no one's way.
        self._aside = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self._console, transient=True, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._task: Any = self._bar.add_task("starting", total=None)
        self._done = self._total = 0
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        self.watch = Watch(self._begin, self._record, self._meanwhile)

    def __enter__(self) -> Shown:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stopped(self, output: Path | None) -> None:
        """The user has stopped the run."""
        self._bar.stop()
        hint = (
            f"; go on with: --output {output} --resume" if output else "; with --output FILE it could be gone on with"
        )
        self._aside.print(f"stopped: {self._done} of {self._total or '?'} models done{hint}", soft_wrap=True)

    def end(self, document: Document) -> None:
        """The counts, and what changed since the baseline."""
        from conformance.checking.report import changes, summary

        for line in summary(document):
            self._console.print(line, soft_wrap=True)
        if document.changes is not None:
            for line in changes(document.changes):
                self._console.print(line, soft_wrap=True)

    def _begin(self, total: int, done: int) -> None:
        self._total, self._done = total, done
        self._bar.update(self._task, description="checking", total=total, completed=done)
        if done:
            self._console.print(f"{done} of {total} models were done before")

    def _record(self, record: ModelRecord) -> None:
        from conformance.checking.report import lines

        self._done += 1
        for line in lines(record):
            self._console.print(line, soft_wrap=True)
        self._bar.update(self._task, completed=self._done)

    def _meanwhile(self) -> None:
        if not self._bar.disable or time.monotonic() < self._next_line:
            return
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        self._aside.print(f"{self._done} of {self._total} models")
