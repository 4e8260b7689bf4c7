"""Many models side by side: workers that are processes of their own, each with its own adapters.

A damaged file can end the process that reads it, even before an implementation sees it. Then the model is recorded as
a crash, a new worker takes over, and the others never notice. A worker ends when the pipe to it is closed, and its
adapters end with it, so that nothing is left running however the command ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import connection
from typing import Any

from conformance.checking.bench import Bench, Participant
from conformance.checking.examination import Plan, examine
from conformance.checking.finding import Found, Problem
from conformance.checking.record import ModelRecord, Verdict
from conformance.checking.results import Version
from conformance.protocol.errors import StartFailure
from conformance.protocol.session import Session

GRACE = 15.0  # seconds for a worker to end its adapters
PATIENCE = 0.2  # seconds between two calls of `meanwhile`


class WorkerLost(RuntimeError):
    """A worker that ended before it was ready: no model can be blamed."""


class Pool:
    """Workers for one plan; a context manager that leaves none running."""

    def __init__(self, plan: Plan, participants: Sequence[Participant], jobs: int) -> None:
        self._plan, self._participants, self._jobs = plan, tuple(participants), jobs
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[Any, Any] = {}
        self._ready: list[Any] = []
        self.versions: Mapping[str, Version] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for pipe, process in self._workers.items():
            with contextlib.suppress(OSError):
                pipe.close()
            if kind is not None:
                process.terminate()
        for process in self._workers.values():
            process.join(GRACE)
            if process.is_alive():
                process.kill()
                process.join()

    def start(self) -> Mapping[str, Version]:
        """Start the first worker and every implementation in it: what each said of itself. Raises WorkerLost."""
        pipe = self._start()
        try:
            self.versions = pipe.recv()
        except EOFError:
            raise WorkerLost(_how(self._workers[pipe])) from None
        self._ready.append(pipe)
        return self.versions

    def records(
        self, models: Sequence[Found | Problem], meanwhile: Callable[[], None] = lambda: None
    ) -> Iterator[ModelRecord]:
        """The record of each model, as they are done."""
        waiting = list(reversed(models))
        busy: dict[Any, Found | Problem] = {}
        starting: set[Any] = set()
        while waiting or busy:
            while waiting and self._ready:
                pipe = self._ready.pop()
                busy[pipe] = waiting.pop()
                with contextlib.suppress(OSError):  # it is gone, which is seen below
                    pipe.send(busy[pipe])
            if len(self._workers) < min(self._jobs, len(waiting) + len(busy)) and waiting:
                starting.add(self._start())
            for pipe in connection.wait([*busy, *starting], PATIENCE):
                try:
                    answer = pipe.recv()  # type: ignore[union-attr]
                except (EOFError, OSError):
                    how = _how(self._workers.pop(pipe))
                    if pipe in starting:
                        raise WorkerLost(how) from None
                    yield ModelRecord(busy.pop(pipe).path, Verdict.CRASH, problem=f"reading it ended the worker: {how}")
                    continue
                if pipe in starting:
                    starting.discard(pipe)
                else:
                    busy.pop(pipe)
                    yield answer
                self._ready.append(pipe)
            meanwhile()

    def _start(self) -> Any:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._plan, self._participants), daemon=True)
        process.start()
        theirs.close()
        self._workers[ours] = process
        return ours


def _how(process: Any) -> str:
    process.join(GRACE)
    code = process.exitcode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit status {code}"


def _work(pipe: Any, plan: Plan, participants: Sequence[Participant]) -> None:
    """The worker: what it is sent it examines, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the command, which then ends us
    signal.signal(signal.SIGTERM, _leave)
    _silence()
    with Bench(participants) as bench:
        started = bench.start_all()
        pipe.send({name: _version(session) for name, session in started.items()})
        while True:
            try:
                model = pipe.recv()
            except EOFError:
                return
            pipe.send(examine(model, plan, bench.session))


def _leave(number: int, frame: object) -> None:
    sys.exit(1)  # through the ends of the with blocks


def _silence() -> None:
    """What a library prints from C, as HDF5 does of a damaged file, is not the command's output."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _version(session: Session | StartFailure) -> Version:
    if isinstance(session, StartFailure):
        return Version(failure=str(session))
    hello = session.hello
    return Version(hello.version, hello.python, dict(hello.libraries))
