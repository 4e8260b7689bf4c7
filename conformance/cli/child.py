"""The suite in a process of its own: started, followed through its record file, stopped with all its descendants."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

import conformance.suite
from conformance.results.records import RecordFile, RecordTail

# How often the record file is looked at, and how long pytest has to close its sessions once it was asked to stop.
POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0

LOG_LINES = 15


def suite_command(directory: Path, options: Sequence[str]) -> list[str]:
    """The command line that runs the suite; ``directory`` is a fresh one, of this run alone.

    The user's own pytest configuration, plugins and cache play no part: the same suite gives the same verdicts in any
    directory.
    """
    settings = directory / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    root = Path(conformance.suite.__path__[0])
    return [
        *(sys.executable, "-m", "pytest", "--pyargs", "conformance.suite", "-p", "conformance.plugin"),
        *("-p", "no:cacheprovider", "-c", str(settings), f"--rootdir={root}", "--tb=short", "-q"),
        *options,
    ]


class SuiteProcess:
    """One child process; a context manager that leaves nothing running behind."""

    def __init__(self, command: Sequence[str], records: Path, log: Path) -> None:
        self._command = command
        self._tail = RecordTail(records)
        self._log = log
        self._output: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SuiteProcess:
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            environment.pop(name, None)
        self._output = self._log.open("wb")
        # A session of its own: Ctrl-C on the terminal reaches us alone, and we decide how the child ends.
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
            env=environment, start_new_session=True,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._output:
            self._output.close()

    @property
    def found(self) -> RecordFile:
        """What the child has told so far."""
        return self._tail.read()

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def log_tail(self) -> str:
        """The last lines that the child printed."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-LOG_LINES:])

    def follow(self, show: Callable[[RecordFile], None]) -> RecordFile:
        """Wait for the end, calling ``show`` with what has been told now and then."""
        assert self._process is not None
        while True:
            try:
                self._process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                show(self.found)
            else:
                return self.found

    def _stop(self) -> None:
        """Ask the child to end as Ctrl-C would, then end it and every process under it."""
        if self._process is None or self._process.poll() is not None:
            return
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for relative in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                relative.kill()
