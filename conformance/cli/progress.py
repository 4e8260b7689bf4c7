"""What is shown while the suite runs: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from conformance.results.records import RecordFile
from conformance.results.table import counts_text

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows how far one implementation's run is; a context manager."""

    def __init__(self, console: Console, implementation: str) -> None:
        self._console = console
        self._implementation = implementation
        self._begun = time.monotonic()
        self._chapter: str | None = None
        self._next_line = self._begun
        self._spinner = Spinner("dots", text=f"{implementation}  starting")
        self._live = Live(self._spinner, console=console, transient=True) if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        else:
            self._console.print(f"{self._implementation}: starting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, found: RecordFile) -> None:
        """Show the state of the record file."""
        if self._live:
            self._spinner.update(text=self._line(found))
        elif found.chapter not in (None, self._chapter) and time.monotonic() >= self._next_line:
            self._console.print(f"{self._implementation}: chapter {found.chapter} ({self._done(found)})")
            self._chapter = found.chapter
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def _line(self, found: RecordFile) -> Text:
        seconds = int(time.monotonic() - self._begun)
        head = f"{self._implementation}  {seconds // 60}:{seconds % 60:02d}  {self._done(found)}  "
        test = (found.running or ("closing" if found.ended else "starting")).split("::")[-1]
        tail = f"  {found.chapter or ''}  {test}"
        line = Text.assemble(head, counts_text(Counter(record.verdict for record in found.records)), tail)
        line.truncate(self._console.width - 3, overflow="ellipsis")
        return line

    def _done(self, found: RecordFile) -> str:
        done = len({record.id for record in found.records})
        return f"{done} of {len(found.announced)} tests" if found.announced else f"{done} tests"
