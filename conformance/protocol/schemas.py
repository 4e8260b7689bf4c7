"""The schemas of operations.json, ready to check messages with; and message.schema.json, made from them.

Messages are checked with the adapters' own checker: jsonschema takes ten times as long, 6 ms for a model of five
layers, and a run exchanges some hundred thousand messages. The tests hold the two to the same verdicts.

`python -m conformance.protocol.schemas` prints message.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from conformance.adapters.schema import OPERATIONS_FILE, check

MESSAGE_SCHEMA_FILE = Path(__file__).with_name("message.schema.json")
CHANNELS = ("warning", "log", "stdout")

Schema = dict[str, Any]


@cache
def operations() -> Mapping[str, Any]:
    """operations.json."""
    return json.loads(OPERATIONS_FILE.read_text(encoding="utf-8"))


def version() -> str:
    """The version of the protocol, MAJOR.MINOR; an adapter of the same MAJOR is accepted."""
    return operations()["version"]


def check_params(operation: str, params: Any) -> None:
    """Raise SchemaViolation if params are not what the operation takes."""
    _check(f"params.{operation}", params, "params")


def check_answer(operation: str, message: Mapping[str, Any]) -> None:
    """Raise SchemaViolation if the message is neither a response to the operation nor an error."""
    if "error" not in message:
        _check(f"response.{operation}", message, "answer")
        return
    try:
        kind = message["error"]["data"]["kind"]
    except (KeyError, TypeError):
        kind = None
    # Under the schema of its own kind, if it has one, the message is plainer.
    known = isinstance(kind, str) and kind in operations()["errors"]
    _check(f"error.{kind}" if known else "error", message, "answer")


def message_schema() -> Schema:
    """The JSON Schema (draft 7) of every message: a request, a response or an error."""
    names = list(operations()["operations"])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A message of the keras-conformance protocol, version " + version(),
        "anyOf": [
            *({"$ref": f"#/definitions/request.{name}"} for name in names),
            *({"$ref": f"#/definitions/response.{name}"} for name in names),
            {"$ref": "#/definitions/error"},
        ],
        "definitions": _definitions(),
    }


@cache
def _definitions() -> Schema:
    document = operations()
    definitions: Schema = {
        **document["definitions"],
        "messages": {
            "description": "What the library said meanwhile, in order.",
            "type": "array",
            "items": _object({"channel": {"enum": list(CHANNELS)}, "text": {"type": "string"}}),
        },
        "error": {"anyOf": [{"$ref": f"#/definitions/error.{kind}"} for kind in document["errors"]]},
    }
    for kind, error in document["errors"].items():
        definitions[f"error.{kind}"] = _error(kind, error["code"])
    for name, operation in document["operations"].items():
        definitions[f"params.{name}"] = operation["params"]
        definitions[f"result.{name}"] = operation["result"]
        definitions[f"request.{name}"] = _envelope(
            {"method": {"const": name}, "params": {"$ref": f"#/definitions/params.{name}"}}
        )
        definitions[f"response.{name}"] = _envelope(
            {
                "result": _object(
                    {
                        "value": {"$ref": f"#/definitions/result.{name}"},
                        "messages": {"$ref": "#/definitions/messages"},
                    }
                )
            }
        )
    return definitions


def _error(kind: str, code: int) -> Schema:
    strings = {"type": "array", "items": {"type": "string"}}
    data = _object(
        {"kind": {"const": kind}, "text": {"type": "string"}},
        exception={"type": ["string", "null"]},
        mro=strings,
        messages={"$ref": "#/definitions/messages"},
    )
    if kind == "refused":
        data["required"] += ["exception", "mro"]
        data["properties"]["exception"] = {"type": "string"}
    return _envelope({"error": _object({"code": {"const": code}, "message": {"type": "string"}, "data": data})})


def _envelope(members: Schema) -> Schema:
    return _object({"jsonrpc": {"const": "2.0"}, "id": {"type": "integer"}, **members})


def _object(required: Schema, **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _check(definition: str, value: Any, where: str) -> None:
    check(value, {"$ref": f"#/definitions/{definition}"}, _definitions(), where)


if __name__ == "__main__":
    print(json.dumps(message_schema(), indent=1))
