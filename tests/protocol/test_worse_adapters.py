"""The worst that an adapter does: a typed error, nothing left behind, and the next example as if nothing had been."""

from __future__ import annotations

import socket

import psutil
import pytest

from conformance.protocol import sandbox
from conformance.protocol.errors import AdapterCrash, AdapterTimeout, ProtocolError, ProtocolFault
from conformance.protocol.session import Handle, Session
from conformance.protocol.transport import Limits
from tests.protocol.toys import PATIENT, assert_nothing_left, living, process_session

IMPATIENT = Limits(start=120, request=1, memory_gb=4)
SHORT = Limits(start=120, request=120, memory_gb=4, answer=1 << 20)
POOR = Limits(start=120, request=120, memory_gb=0.25)

FAULTS = {
    "aborts": (PATIENT, AdapterCrash, "was ended by SIGABRT"),
    "stops_itself": (IMPATIENT, AdapterTimeout, "gave no answer within 1 s"),
    "leaves_many_children": (PATIENT, AdapterCrash, "exited with status 1"),
    "talks_without_end": (SHORT, ProtocolFault, "longer than 1048576 bytes"),
    "answers_without_end": (PATIENT, ProtocolFault, "strict JSON; found 'once more'"),
    "takes_all_memory": (POOR, AdapterCrash, r"took 0\.\d GB of memory, its limit is 0\.25 GB|exited with status 1"),
    "asks_for_all_memory": (POOR, AdapterCrash, "exited with status 1"),
    "deletes_its_folder_and_dies": (PATIENT, AdapterCrash, "exited with status 3"),
}


def assert_goes_on(session: Session) -> None:
    session.reset(2)
    assert session.build({"kind": "sequential", "layers": []}) == "model:1"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_the_adapter_and_no_more(fault: str) -> None:
    limits, error, message = FAULTS[fault]
    with process_session("worse", fault, limits=limits).start() as session:
        session.reset(1)
        with pytest.raises(error, match=message) as caught:
            session.losses(Handle("model:1"))
        assert type(caught.value) is error
        assert not session.running
        assert_nothing_left(session, *children_told(caught.value))
        folder = session._transport._process.folder  # pyright: ignore
        assert_goes_on(session)
    assert_nothing_left(session)
    assert not folder.exists()


def test_one_that_hangs_is_ended_with_all_its_children() -> None:
    with process_session("worse", "hangs_with_many_children").start() as session:
        session.reset(1)
        process = session._transport._process  # pyright: ignore
        unwatched = process._watch  # pyright: ignore

        def watch() -> None:
            unwatched()
            if len(process.stderr()) >= 4:  # all its children are there: what follows is waiting
                raise AdapterTimeout("toy gave no answer", process.stderr())

        process._watch = watch  # pyright: ignore
        with pytest.raises(AdapterTimeout) as caught:
            session.losses(Handle("model:1"))
        pids = children_told(caught.value)
        assert len(pids) == 64
        assert_nothing_left(session, *pids)
        process._watch = unwatched  # pyright: ignore
        assert_goes_on(session)
    assert not living(session)


def children_told(error: ProtocolError) -> list[int]:
    return [int(pid) for line in error.stderr if line.startswith("children") for pid in line.split()[1:]]


def test_one_that_deletes_its_folder_is_heard_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.protocol.process.WATCH", 0)
    with process_session("worse", "deletes_its_folder").start() as session:
        session.reset(1)
        assert session.losses(Handle("model:1")) == []
        assert session._transport.stderr() == ()  # pyright: ignore
        assert_goes_on(session)
        session.stop()
        assert_goes_on(session)


def test_ctrl_c_ends_the_adapter() -> None:
    """Whatever comes while an answer is awaited, the adapter does not outlive it."""
    with process_session("worse", "hangs_with_many_children").start() as session:
        session.reset(1)
        process = session._transport._process  # pyright: ignore

        def interrupted() -> None:
            if len(process.stderr()) >= 4:
                raise KeyboardInterrupt

        process._watch = interrupted  # pyright: ignore
        with pytest.raises(KeyboardInterrupt):
            session.losses(Handle("model:1"))
        assert not session.running
        assert_nothing_left(session)


# -- confined ----------------------------------------------------------------------------------------------------


def said(fault: str, **environment: str) -> str:
    with process_session("worse", fault, **environment).start() as session:
        session.reset(1)
        try:
            session.losses(Handle("model:1"))
        except AdapterCrash as crash:
            return crash.stderr[-1]
        return session._transport.stderr()[-1]


@pytest.mark.skipif(sandbox.no_network() is not None, reason=f"adapters have a network: {sandbox.no_network()}")
def test_there_is_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert said("connects", PORT=str(port)).startswith("not connected")


def test_where_no_namespace_is_permitted_the_run_goes_on_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse():
        def leave() -> None:
            raise OSError("not permitted")

        return leave

    monkeypatch.setattr(sandbox, "_leaver", refuse)
    sandbox.no_network.cache_clear()
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert said("connects", PORT=str(server.getsockname()[1])) == "connected"
        from conformance.results.model import environment

        assert environment()["network"] == "the kernel does not permit a network namespace"
    finally:
        sandbox.no_network.cache_clear()


def test_no_file_grows_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "FILE_SIZE", 1 << 20)
    assert said("writes_a_large_file", SIZE=str(1 << 20)).startswith("not written: [Errno 27]")
    assert said("writes_a_large_file", SIZE=str((1 << 20) - 1)) == "written"


def test_limits_are_inherited_by_the_process() -> None:
    with process_session("toy").start() as session:
        pid = session._transport._process._process.pid  # pyright: ignore
        limit = psutil.Process(pid).rlimit
        assert limit(psutil.RLIMIT_CORE) == (0, 0)
        assert limit(psutil.RLIMIT_FSIZE)[0] == sandbox.FILE_SIZE
        assert limit(psutil.RLIMIT_DATA)[1] == int(PATIENT.memory_gb * sandbox.DATA_OVER_MEMORY * 1e9)
