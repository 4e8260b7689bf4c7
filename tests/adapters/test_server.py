"""The frame around the operations, on a toy library."""

from __future__ import annotations

import logging
import warnings
from types import FunctionType
from typing import Any

import pytest

from conformance.adapters import server
from conformance.adapters.server import Adapter
from conformance.adapters.workspace import Params, Result, Workspace
from tests.adapters.conversation import Conversation
from tests.adapters.toy import REGISTRY, Toy


class InProcess:
    """An adapter that is called."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.adapter.handle(request)


@pytest.fixture
def talk() -> Conversation:
    return Conversation(InProcess(Adapter(Toy())))


def layer(talk: Conversation, **arguments: Any) -> str:
    return talk.ask("build_layer", layer={"class": "Dense", "args": arguments})["object"]


def test_hello_says_what_there_is(talk: Conversation) -> None:
    hello = talk.ask("hello")
    assert hello["name"] == "toy"
    assert hello["layers"]["core"] == ["Dense"]
    assert "layers.core" in hello["capabilities"]
    assert "layers.merge" not in hello["capabilities"]


def test_an_exception_of_the_library_is_refused(talk: Conversation) -> None:
    error = talk.fail("get_config", object=layer(talk, misbehave="raise"))
    assert error["kind"] == "refused"
    assert error["exception"] == "OSError"
    assert error["mro"] == ["OSError", "Exception", "BaseException"]
    assert error["text"] == "the disk is full"


def test_a_name_or_argument_the_library_lacks_is_refused(talk: Conversation) -> None:
    assert talk.fail("to_json", object=layer(talk))["exception"] == "AttributeError"
    error = talk.fail("build_layer", layer={"class": "Dense", "args": {"bogus": 1}})
    assert (error["kind"], error["exception"]) == ("refused", "TypeError")


def test_a_bug_of_the_adapter_is_internal(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(work: Workspace, params: Params) -> Result:
        del work
        return {"text": params["missing"]}

    # As if it stood in a module of the adapters.
    code = buggy.__code__.replace(co_filename=server.__file__)
    monkeypatch.setitem(server.OPERATIONS, "summary", FunctionType(code, globals()))
    fresh = Conversation(InProcess(Adapter(Toy())))
    assert fresh.fail("summary", object=layer(fresh))["kind"] == "internal"


def test_a_result_that_breaks_its_schema_is_internal(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(work: Workspace, params: Params) -> Result:
        del work, params
        return {"texts": []}

    monkeypatch.setitem(server.OPERATIONS, "summary", wrong)
    fresh = Conversation(InProcess(Adapter(Toy())))
    error = fresh.fail("summary", object=layer(fresh))
    assert error["kind"] == "internal"
    assert "summary" in error["text"]


@pytest.mark.parametrize(
    ("operation", "params", "kind"),
    [
        ("dance", {}, "unsupported"),
        ("build_layer", {"layer": {"class": "NoSuchLayer"}}, "unsupported"),
        ("build_layer", {"layer": {"class": {"custom": "NoSuchThing"}}}, "invalid-params"),
        ("build_layer", {"layer": {"class": "Dense", "args": {"units": {"$set": 1}}}}, "invalid-params"),
        ("build_layer", {}, "invalid-params"),
        ("describe", {"object": "layer:1"}, "unknown-handle"),
        ("exit_scope", {"error": False}, "invalid-params"),
    ],
)
def test_faults_of_the_request(talk: Conversation, operation: str, params: dict[str, Any], kind: str) -> None:
    assert talk.fail(operation, **params)["kind"] == kind


def test_a_request_without_a_method(talk: Conversation) -> None:
    response = Adapter(Toy()).handle({"jsonrpc": "2.0", "id": 5})
    assert response["id"] == 5
    assert response["error"]["code"] == -32602


def test_messages_are_what_the_library_says(talk: Conversation) -> None:
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    expected = [
        {"channel": "warning", "text": "a warning"},
        {"channel": "log", "text": "a record"},
        {"channel": "stdout", "text": "a print\nanother\n"},
    ]
    loud = layer(talk, misbehave="talk")
    for action in ("once", "once", "ignore"):  # whatever was shown before, and whatever is shown outside
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            talk.ask("get_config", object=loud)
        assert talk.messages == expected
    talk.ask("describe", object=loud)
    assert talk.messages == []
    assert logging.getLogger("tensorflow").level == logging.ERROR


def test_reset_forgets_handles_scopes_and_registrations(talk: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    made = layer(talk)
    talk.ask("set_global", objects={"Foo": "Foo:A"})
    assert set(REGISTRY) == {"Custom>BuiltIn", "Foo"}
    talk.ask("reset", seed=3)
    assert set(REGISTRY) == {"Custom>BuiltIn"}
    assert talk.fail("describe", object=made)["kind"] == "unknown-handle"
    assert layer(talk) == made


def test_the_named_set_is_of_a_user_s_script(talk: Conversation) -> None:
    made = talk.ask("build_layer", layer={"class": {"custom": "Foo:B"}})["object"]
    described = talk.ask("describe", object=made)
    assert (described["class_name"], described["module"], described["marker"]) == ("Foo", "__main__", "B")
