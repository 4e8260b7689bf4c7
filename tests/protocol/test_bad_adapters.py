"""Whatever an adapter does: the right error, its last words, a working successor, and nothing left behind."""

from __future__ import annotations

import re

import pytest

from conformance.protocol.errors import (
    AdapterCrash,
    AdapterTimeout,
    ProtocolError,
    ProtocolFault,
    StartFailure,
)
from conformance.protocol.process import STDERR_LIMIT, STDERR_LINES
from conformance.protocol.session import Handle, Session
from conformance.protocol.transport import Limits
from tests.protocol.toys import PATIENT, assert_nothing_left, process_session

IMPATIENT = Limits(start=120, request=0.5, memory_gb=4)

AT_START = {
    "dies_at_start": (PATIENT, r"exited with status 3", "ImportError: no library here"),
    "hangs_at_start": (Limits(start=0.5), r"no answer within 0\.5 s", None),
    "prints_garbage_at_start": (PATIENT, r"strict JSON; found 'Using TensorFlow backend\.'", "my library prints"),
    "old_protocol": (PATIENT, r"speaks protocol 0\.9, this driver 1\.0", "I am old"),
}

LATER = {
    "garbage": (ProtocolFault, r"strict JSON; found 'Epoch 1/1"),
    "not_json_number": (ProtocolFault, r"NaN is not JSON"),
    "not_utf8": (ProtocolFault, r"strict JSON; found '\\\\xff\\\\xfe'"),
    "no_object": (ProtocolFault, r"must be a JSON object; found '\[1, 2\]'"),
    "wrong_id": (ProtocolFault, r"the id of its request; found 4, expected 3"),
    "schema_invalid": (ProtocolFault, r"answer\.result\.value\.values: found 7, expected array"),
    "wrong_code": (ProtocolFault, r"valid under its schema; .*found -32603, expected -32000"),
    "bad_array": (ProtocolFault, r"found 3 bytes, expected 8 for float32 of shape \[2\]"),
    "foreign_file": (ProtocolFault, r"found the file .*misbehaves.py.*, expected one in"),
    "exits": (AdapterCrash, r"losses: toy exited with status 7 before it answered"),
    "segfaults": (AdapterCrash, r"losses: toy was ended by SIGSEGV before it answered"),
    "leaves_children": (AdapterCrash, r"exited with status 1"),
    "child_holds_the_pipe": (AdapterCrash, r"exited with status 1"),
}


def fails(session: Session, error: type[ProtocolError], message: str) -> ProtocolError:
    """Ask for what the adapter misbehaves at; the session is fit for the next example afterwards."""
    session.reset(1)
    with pytest.raises(error, match=message) as caught:
        session.losses(Handle("model:1"))
    assert type(caught.value) is error
    assert not session.running
    pids = [int(pid) for line in caught.value.stderr if line.startswith("children") for pid in line.split()[1:]]
    assert_nothing_left(session, *pids)

    session.reset(2)
    assert session.build({"kind": "sequential", "layers": []}) == "model:1"
    assert session.starts == 2
    return caught.value


@pytest.mark.parametrize("script", AT_START)
def test_at_start(script: str) -> None:
    limits, message, last_words = AT_START[script]
    session = process_session(script, limits=limits)
    with pytest.raises(StartFailure, match=message) as caught:
        session.start()
    assert not session.running
    if last_words is not None:
        assert last_words in caught.value.stderr
        assert f"  | {last_words}" in str(caught.value)
    assert_nothing_left(session)
    session.close()


@pytest.mark.parametrize("misdeed", LATER)
def test_later(misdeed: str) -> None:
    error, message = LATER[misdeed]
    with process_session("misbehaves", misdeed).start() as session:
        caught = fails(session, error, message)
        assert f"about to: {misdeed}" in caught.stderr
    assert_nothing_left(session)


def test_answers_twice() -> None:
    with process_session("misbehaves", "two_answers").start() as session:
        session.reset(1)
        session.losses(Handle("model:1"))
        with pytest.raises(ProtocolFault, match=r"build: .*found 'and more'"):
            session.build({"kind": "sequential", "layers": []})
        session.reset(2)


def test_hangs() -> None:
    with process_session("misbehaves", "hangs", limits=IMPATIENT).start() as session:
        caught = fails(session, AdapterTimeout, r"losses: toy gave no answer within 0\.5 s")
        assert caught.stderr == ("about to: hangs", "I hang")


def test_stops_reading_while_a_large_request_is_sent() -> None:
    with process_session("misbehaves", "stops_reading", limits=IMPATIENT).start() as session:
        session.reset(1)
        session.losses(Handle("model:1"))
        with pytest.raises(AdapterTimeout, match="from_json: toy gave no answer"):
            session.from_json("x" * (4 << 20))
        assert_nothing_left(session)


def test_closes_its_pipe_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.protocol.process.LAST_WORDS", 0.2)
    with process_session("misbehaves", "closes_and_stays").start() as session:
        fails(session, AdapterCrash, "toy closed its fd 1 before it answered")


def test_takes_too_much_memory() -> None:
    limits = Limits(start=120, request=120, memory_gb=0.2)
    with process_session("misbehaves", "eats_memory", limits=limits).start() as session:
        fails(session, AdapterCrash, r"took 0\.\d GB of memory, its limit is 0\.2 GB")


def test_answers_at_great_length() -> None:
    limits = Limits(start=120, request=120, answer=50_000)
    with process_session("misbehaves", "too_long", limits=limits).start() as session:
        fails(session, ProtocolFault, "longer than 50000 bytes")


def test_floods_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.protocol.process.WATCH", 0)
    with process_session("misbehaves", "floods_stderr").start() as session:
        session.reset(1)
        assert session.losses(Handle("model:1")) == []
        session.reset(2)
        process = session._transport._process  # pyright: ignore
        assert process._stderr_file.stat().st_size < STDERR_LIMIT  # pyright: ignore
        assert len(process.stderr()) == STDERR_LINES
        assert re.search(r"number {2}399999 ", process.stderr()[-1])


def test_is_killed_in_the_middle() -> None:
    with process_session("toy").start() as session:
        session.reset(1)
        session._transport._process._process.kill()  # pyright: ignore
        with pytest.raises(AdapterCrash, match="build: toy was ended by SIGKILL"):
            session.build({"kind": "sequential", "layers": []})
        with pytest.raises(AdapterCrash, match="summary: toy is not running"):
            session.summary(Handle("model:1"))
        session.reset(2)
        assert session.build({"kind": "sequential", "layers": []}) == "model:1"


def test_a_later_minor_version_is_accepted() -> None:
    with process_session("newer_minor").start() as session:
        assert session.hello.protocol == "1.7"


def test_a_program_that_is_not_there() -> None:
    from conformance.protocol.transport import ProcessTransport

    session = Session("none", ProcessTransport("none", ["/no/such/program"], {}))
    with pytest.raises(StartFailure, match="none: /no/such/program cannot be run: No such file"):
        session.start()
    session.close()


def test_an_orderly_end_leaves_nothing() -> None:
    session = process_session("toy").start()
    folder = session._transport._process.folder  # pyright: ignore
    assert folder.is_dir()
    session.close()
    session.close()
    assert not folder.exists()
    assert_nothing_left(session)
