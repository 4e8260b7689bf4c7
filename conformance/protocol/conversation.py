"""Requests and answers: one session's conversation with an adapter, checked on the driver's side.

`Conversation.ask` is all that the operations need. It checks params before they are sent and the answer when it
comes, and turns an answer that is an error into the exception of its kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self, cast

from conformance.adapters.schema import SchemaViolation
from conformance.protocol.errors import (
    AdapterFault,
    InvalidRequest,
    ProtocolError,
    ProtocolFault,
    Refused,
    StartFailure,
    Unsupported,
)
from conformance.protocol.results import Hello, Message
from conformance.protocol.schemas import check_answer, check_params, version
from conformance.protocol.transport import Transport, show

ERRORS: Mapping[str, type[ProtocolError]] = {
    "unsupported": Unsupported,
    "internal": AdapterFault,
    "unknown-handle": InvalidRequest,
    "invalid-params": InvalidRequest,
}


class Conversation:
    """The conversation with the implementation `name` over a transport; Session documents its attributes."""

    hello: Hello

    def __init__(self, name: str, transport: Transport) -> None:
        self.name = name
        self.messages: tuple[Message, ...] = ()
        self.requests = 0
        self.starts = 0
        self.trace: list[tuple[str, Mapping[str, Any]]] = []
        self._transport = transport

    def start(self) -> Self:
        """Start an adapter and have it introduce itself. Raises StartFailure."""
        try:
            self._transport.start()
            self.starts += 1
            self.hello = self._say_hello()
        except StartFailure:
            self._transport.stop()
            raise
        except ProtocolError as error:
            self._transport.stop()
            raise StartFailure(f"{self.name} did not start: {error.problem}", error.stderr) from error
        return self

    def reset(self, seed: int) -> None:
        """Back to a fresh start, in a new process if the last one is gone. Before every example."""
        self.trace.clear()
        if not self._transport.running:
            self.start()
        self.ask("reset", {"seed": seed})

    def stop(self) -> None:
        """End the process; the next reset starts another. For who may have left the library in a state not its own."""
        self._transport.stop()

    def close(self) -> None:
        """End the adapter. Raises nothing: whatever is left of it is killed."""
        try:
            if self._transport.running:
                self.ask("shutdown")
        except ProtocolError:
            pass
        finally:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Requests and answers

    @property
    def running(self) -> bool:
        """Whether there is an adapter to talk to; after a crash there is none until the next reset."""
        return self._transport.running

    @property
    def arrays(self) -> Path | None:
        """The directory that large arrays go through, if they do."""
        return self._transport.arrays

    def ask(self, operation: str, params: Mapping[str, Any] | None = None) -> Any:
        """The value that the operation answers. Raises Refused or a ProtocolError."""
        given = dict(params or {})
        try:
            check_params(operation, given)
        except SchemaViolation as violation:
            raise InvalidRequest(f"{operation}: {violation}") from None
        self.trace.append((operation, given))
        answer = self._exchange(operation, given)
        self._check(operation, answer)
        if "error" in answer:
            self._raise(operation, answer["error"]["data"])
        self.messages = _messages(answer["result"])
        return answer["result"]["value"]

    def _exchange(self, operation: str, params: Mapping[str, Any], *, starting: bool = False) -> Any:
        self.requests += 1
        self.messages = ()
        request = {"jsonrpc": "2.0", "id": self.requests, "method": operation, "params": params}
        try:
            return self._transport.exchange(request, starting=starting)
        except ProtocolError as error:
            self._transport.stop()
            raise type(error)(f"{operation}: {error.problem}", error.stderr) from error
        except (TypeError, ValueError) as error:
            raise InvalidRequest(f"{operation}: params must be strict JSON: {error}") from error

    def _check(self, operation: str, answer: Any) -> None:
        """The answer is one, to this request, and valid."""
        if not isinstance(answer, dict):
            self.fault(f"{operation}: an answer must be a JSON object; found {show(repr(answer))}")
        members: dict[str, Any] = cast("dict[str, Any]", answer)
        found = members.get("id")
        if found != self.requests:
            self.fault(
                f"{operation}: an answer must carry the id of its request; found {found!r}, expected {self.requests};"
                f" {_line(members)}"
            )
        try:
            check_answer(operation, members)
        except SchemaViolation as violation:
            self.fault(f"{operation}: an answer must be valid under its schema; {violation}; {_line(members)}")

    def fault(self, problem: str) -> NoReturn:
        """End the adapter, which broke a rule of the protocol, and raise ProtocolFault."""
        stderr = self._transport.stderr()
        self._transport.stop()
        raise ProtocolFault(problem, stderr)

    def _raise(self, operation: str, data: Mapping[str, Any]) -> NoReturn:
        self.messages = _messages(data)
        if data["kind"] == "refused":
            raise Refused(operation, data["exception"], data["mro"], data["text"], self.messages)
        raise ERRORS[data["kind"]](f"{operation}: {data['text']}", self._transport.stderr())

    def _say_hello(self) -> Hello:
        params: dict[str, Any] = {"protocol": version()}
        if self._transport.arrays is not None:
            params["arrays"] = str(self._transport.arrays)
        answer = self._exchange("hello", params, starting=True)
        # Before its schema: an adapter of another version may well answer otherwise.
        theirs = _spoken_version(answer)
        if theirs is not None and theirs.partition(".")[0] != version().partition(".")[0]:
            problem = f"{self.name} speaks protocol {theirs}, this driver {version()}"
            raise StartFailure(f"{problem}; an adapter of the same major version is needed", self._transport.stderr())
        self._check("hello", answer)
        if "error" in answer:
            self._raise("hello", answer["error"]["data"])
        found = answer["result"]["value"]
        parts: dict[str, Any] = {
            "capabilities": tuple(found["capabilities"]),
            "layers": {family: tuple(names) for family, names in found["layers"].items()},
        }
        return Hello(**{**found, **parts})


def _line(answer: Mapping[str, Any]) -> str:
    """The beginning of the adapter's line, for a message that tells what is wrong with it."""
    return f"the line: {show(json.dumps(answer, ensure_ascii=False))}"


def _messages(holder: Mapping[str, Any]) -> tuple[Message, ...]:
    return tuple(Message(**message) for message in holder.get("messages", ()))


def _spoken_version(answer: Any) -> str | None:
    try:
        spoken = answer["result"]["value"]["protocol"]
    except (KeyError, TypeError):
        return None
    return spoken if isinstance(spoken, str) else None
