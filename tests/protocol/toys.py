"""Sessions with the toy adapter and the bad ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from hypothesis import HealthCheck, settings

from conformance.protocol.process import MARK
from conformance.protocol.session import Session
from conformance.protocol.transport import InProcessTransport, Limits, ProcessTransport

# The same examples every time, however slow the machine.
DETERMINED = settings(
    derandomize=True, database=None, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
FOLDER = Path(__file__).parent / "bad_adapters"
# Long enough for any machine: the tests that pass it on are those that wait for it to pass.
PATIENT = Limits(start=120, request=120, memory_gb=4, answer=1 << 20)


def process_session(script: str, *arguments: str, limits: Limits = PATIENT, **environment: str) -> Session:
    """A session, not yet started, with a script of bad_adapters."""
    command = [sys.executable, str(FOLDER / f"{script}.py"), *arguments]
    return Session("toy", ProcessTransport("toy", command, environment, limits))


@contextmanager
def toy(kind: str = "process") -> Iterator[Session]:
    """A started session with the toy adapter."""
    session = process_session("toy") if kind == "process" else Session("toy", InProcessTransport(_toy))
    with session.start() as started:
        yield started


def _toy() -> Any:
    sys.path.insert(0, str(FOLDER))
    try:
        from toy import Toy
    finally:
        sys.path.remove(str(FOLDER))
    return Toy()


def living(session: Session) -> list[psutil.Process]:
    """The processes that this session's adapters started and that live."""
    mark = session._transport._process._mark  # pyright: ignore
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def assert_nothing_left(session: Session, *pids: int) -> None:
    """No process of the session lives, and none of its own is a zombie; a process that was just killed may take
    its time to go."""
    _, alive = psutil.wait_procs(living(session), timeout=30)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    zombies = [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]
    assert not zombies
    for pid in pids:
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
