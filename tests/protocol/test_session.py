"""A session with an adapter that behaves, over the pipe and in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conformance.blueprint import Custom
from conformance.protocol.errors import InvalidRequest, ProtocolFault, Refused
from conformance.protocol.session import Handle, Message, Session
from tests.protocol.toys import process_session, toy

EMPTY = {"kind": "sequential", "layers": []}


@pytest.fixture(params=["process", "in-process"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with toy(request.param) as started:
        started.reset(1)
        yield started


def test_hello(session: Session) -> None:
    assert session.hello.name == "toy"
    assert session.hello.capabilities == ("build.sequential",)
    assert session.hello.layers == {"core": ("Dense",)}
    assert session.hello.to_json()["capabilities"] == ["build.sequential"]


def test_arrays_come_back_bit_for_bit(session: Session) -> None:
    model = session.build(EMPTY)
    sent = [np.arange(6, dtype="float32").reshape(2, 3), np.array(np.nan), np.zeros((0, 2), "int8")]
    session.set_weights(model, sent)
    for before, after in zip(sent, session.get_weights(model), strict=True):
        assert (after.dtype, after.shape, after.tobytes()) == (before.dtype, before.shape, before.tobytes())


def test_one_array_stands_for_the_list_of_it(session: Session) -> None:
    model = session.build(EMPTY)
    session.set_weights(model, np.ones((3, 2)))
    assert [array.shape for array in session.get_weights(model)] == [(3, 2)]


def test_large_arrays_go_through_files_that_are_removed() -> None:
    with toy("process") as session:
        session.reset(1)
        model = session.build(EMPTY)
        large = np.random.default_rng(0).normal(size=(600, 300))
        session.set_weights(model, [large])
        assert session.arrays is not None
        assert len(list(session.arrays.iterdir())) == 1
        assert "npy" in session.trace[-1][1]["arrays"][0]
        assert session.get_weights(model)[0].tobytes() == large.tobytes()
        assert list(session.arrays.iterdir()) == []


def test_a_refusal_says_what_was_raised(session: Session) -> None:
    model = session.build(EMPTY)
    with pytest.raises(Refused, match="save raised Refusal: cannot save to /x") as caught:
        session.save(model, Path("/x"))
    assert caught.value.is_a("Exception")
    assert not caught.value.is_a("ValueError")
    assert session.messages == caught.value.messages == (Message("warning", "about to refuse"),)
    assert session.running


def test_messages_are_those_of_the_last_operation(session: Session) -> None:
    model = session.build(EMPTY)
    assert session.messages == ()
    session.summary(model)
    assert session.messages == (Message("stdout", "a summary"),)
    session.get_weights(model)
    assert session.messages == ()


def test_numbers_json_cannot_write(session: Session) -> None:
    values = session.evaluate(session.build(EMPTY), [], [])
    assert np.isnan(values["loss"])
    assert values["acc"] == 0.5


def test_configs_keep_their_types(session: Session) -> None:
    config = {"a": (1, 2.0), "b": {3: b"x"}, "c": Custom("custom_activation"), "d": float("inf"), "e": None}
    made = session.from_config("Dense", config)
    assert made.object == "layer:1"
    assert made.config_after == config
    assert isinstance(made.config_after["a"], tuple)
    assert session.trace[-1][1]["config"]["c"] == {"$custom": "custom_activation"}


def test_a_live_config_goes_by_its_handle(session: Session) -> None:
    session.from_config("Dense", Handle("dict:1"))
    assert session.trace[-1] == ("from_config", {"class": "Dense", "object": "dict:1"})


def test_null_is_a_config_like_any_other(session: Session) -> None:
    assert session.from_config(Custom("Foo:A"), None).config_after is None
    assert session.trace[-1] == ("from_config", {"class": {"custom": "Foo:A"}, "config": None})


def test_what_is_left_out_is_left_out(session: Session) -> None:
    session.load_weights(session.build(EMPTY), "/w", by_name=True)
    assert session.trace[-1] == ("load_weights", {"object": "model:1", "path": "/w", "by_name": True})


def test_handles_end_with_a_reset(session: Session) -> None:
    model = session.build(EMPTY)
    session.get_weights(model)
    session.reset(2)
    assert session.trace == [("reset", {"seed": 2})]
    with pytest.raises(InvalidRequest, match="get_weights: no object 'model:1'"):
        session.get_weights(model)


@pytest.mark.parametrize(
    ("blueprint", "message"),
    [
        ({"kind": "sequential"}, r"params\.blueprint: "),
        ({"kind": "sequential", "layers": [{"class": 7}]}, r"params\.blueprint\.layers\[0\]\.class: found 7"),
        ({"kind": "sequential", "layers": [{"class": "A", "args": {"x": float("nan")}}]}, "strict JSON"),
    ],
)
def test_a_wrong_request_is_not_sent(session: Session, blueprint: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        session.build(blueprint)
    assert session.build(EMPTY)


def test_what_has_no_encoding_is_not_sent(session: Session) -> None:
    with pytest.raises(InvalidRequest, match="cannot be sent"):
        session.from_config("Dense", {"a": object()})
    with pytest.raises(InvalidRequest, match="datetime64"):
        session.set_weights(Handle("model:1"), [np.array("2020-01-01", "datetime64[D]")])


def test_an_adapter_in_process_is_held_to_the_same_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    with toy("in-process") as session:
        session.reset(1)
        adapter = session._transport._adapter  # pyright: ignore
        monkeypatch.setattr(adapter, "answer", lambda *_: {"values": (1,)})
        with pytest.raises(ProtocolFault, match=r"answer\.result\.value\.values\[0\]"):
            session.losses(Handle("model:1"))
        session.reset(2)
        assert session.build(EMPTY) == "model:1"


def test_the_driver_s_python_variables_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    with process_session("toy", OMP_NUM_THREADS="1").start() as session:
        values = {name: session.summary(Handle(name)) for name in ("PYTHONPATH", "PYTHONNOUSERSITE", "OMP_NUM_THREADS")}
    assert values == {"PYTHONPATH": "", "PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1"}
