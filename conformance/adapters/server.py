"""Requests in, responses out: the frame around every operation.

A line in is a JSON-RPC 2.0 request, a line out its response (operations.json has the schemas). Params and
result are checked, what the library says on the way is collected, and an exception becomes an error with one
of the protocol's kinds. This is the only place where an exception of the library is caught.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Dict, Mapping, Tuple, cast

from conformance.adapters import (
    building,
    checkpoints,
    configs,
    inspecting,
    registry,
    running,
    saving,
    source,
    users,
)
from conformance.adapters.failures import Failure, InvalidParams, Unsupported, kind_of
from conformance.adapters.library import Library
from conformance.adapters.messages import Messages, captured
from conformance.adapters.schema import SchemaViolation, load_operations
from conformance.adapters.workspace import Operation, Params, Result, Workspace

Message = Dict[str, Any]

OPERATIONS: Dict[str, Operation] = {
    **building.OPERATIONS,
    **inspecting.OPERATIONS,
    **running.OPERATIONS,
    **saving.OPERATIONS,
    **configs.OPERATIONS,
    **registry.OPERATIONS,
    **checkpoints.OPERATIONS,
    **source.OPERATIONS,
    **users.OPERATIONS,
}


class Adapter:
    """Answers requests about one library. `stopped` once it was told to shut down."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._work = Workspace(library)
        self._protocol = load_operations()
        self._operations: Mapping[str, Operation] = {
            **OPERATIONS,
            "hello": self._hello,
            "reset": self._reset,
            "shutdown": self._shutdown,
        }
        self.stopped = False

    def handle(self, request: Message) -> Message:
        """The response to a request. Never raises for what a request or the library does."""
        identifier = request.get("id")
        messages: Messages = []
        try:
            name, params = self._read(request)
            with self._library.scope(), captured() as messages:
                result = self._operations[name](self._work, params)
            self._check_result(name, result)
            return _response(identifier, {"result": {"value": result, "messages": messages}})
        except Exception as error:
            return _response(identifier, {"error": self._error(error, messages)})

    def _read(self, request: Message) -> Tuple[str, Params]:
        """The operation's name and params, which are as its schema says."""
        if not isinstance(request.get("method"), str):
            raise InvalidParams("found {!r}, expected a JSON-RPC request with a method".format(request))
        name, params = request["method"], request.get("params", {})
        if name not in self._operations:
            raise Unsupported("this adapter has no operation {!r}".format(name))
        try:
            self._protocol.check_params(name, params)
        except SchemaViolation as violation:
            raise InvalidParams(str(violation)) from violation
        return name, params

    def _check_result(self, name: str, result: Result) -> None:
        try:
            self._protocol.check_result(name, result)
        except SchemaViolation as violation:
            raise Failure("the result of {} breaks its schema: {}".format(name, violation)) from violation

    def _error(self, error: Exception, messages: Messages) -> Message:
        kind = kind_of(error)
        data = {
            "kind": kind,
            "exception": type(error).__name__,
            "mro": [ancestor.__name__ for ancestor in type(error).__mro__ if ancestor is not object],
            "text": str(error),
            "messages": messages,
        }
        return {
            "code": self._protocol.codes[kind],
            "message": "{}: {}".format(type(error).__name__, error),
            "data": data,
        }

    def _hello(self, work: Workspace, params: Params) -> Result:
        work.array_directory = params.get("arrays")
        library = self._library
        return {
            "protocol": self._protocol.version,
            "name": library.name,
            "version": library.version(),
            "libraries": library.libraries(),
            "python": library.python(),
            "capabilities": library.capabilities(),
            "layers": dict(library.layer_names()),
        }

    def _reset(self, work: Workspace, params: Params) -> Result:
        work.reset(params["seed"])
        return {}

    def _shutdown(self, work: Workspace, params: Params) -> Result:
        self.stopped = True
        return {}


def serve(make_library: Callable[[], Library]) -> None:
    """Answer the requests on fd 0 with responses on fd 1 until told to shut down or fd 0 ends.

    Both descriptors are moved away before the library is imported: what a library prints goes to stderr, and
    one that asks a question on the terminal finds no input.
    """
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
    responses = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)

    adapter = Adapter(make_library())
    for line in requests:
        response = adapter.handle(_parsed(line))
        responses.write(json.dumps(response, allow_nan=False) + "\n")
        responses.flush()
        if adapter.stopped:
            break
    sys.stdout.flush()


def _parsed(line: str) -> Message:
    """The message of a line; an empty one, which is no request, if the line holds no JSON object."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return cast("Message", message) if isinstance(message, dict) else {}


def _response(identifier: Any, outcome: Message) -> Message:
    return {"jsonrpc": "2.0", "id": identifier, **outcome}
