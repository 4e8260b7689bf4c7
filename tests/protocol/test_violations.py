"""An adapter that breaks the protocol in every way its schema allows: each is named by its rule, and the line is shown.

The ways are made of ``operations.json``: for each operation a valid answer, then each required member left out, a member
too many in each object that is closed, and each value replaced by one of every other type and by one that is not listed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from conformance.adapters.schema import REFERENCE, SchemaViolation, check
from conformance.protocol.errors import ProtocolFault
from conformance.protocol.schemas import check_answer, message_schema, operations
from conformance.protocol.session import Session

DEFINITIONS = message_schema()["definitions"]
OTHERS: tuple[Any, ...] = (None, True, 7, 0.5, "of another type", [[]], {"unheard": 1})


class Scripted:
    """A transport whose adapter gives one prepared answer."""

    arrays = None

    def __init__(self) -> None:
        self.answer: Any = None
        self.running = True

    def exchange(self, request: Mapping[str, Any], *, starting: bool = False) -> Any:
        return self.answer

    def stderr(self) -> tuple[str, ...]:
        return ("the last line of stderr",)

    def stop(self) -> None:
        self.running = False


def valid(schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value that the schema allows, with every member that it names and one item in each list."""
    schema = resolved(schema)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type", "object" if "properties" in schema else None)
    kind = kinds if isinstance(kinds, str) or kinds is None else kinds[0]
    if kind == "object":
        members = schema.get("properties", {})
        wanted = members if depth < 6 else schema.get("required", ())
        made = {name: valid(members[name], depth + 1) for name in wanted}
        if "anyOf" in schema:  # of the members that exclude each other the first is enough
            left_out = {name for other in schema["anyOf"][1:] for name in other.get("required", ())}
            made = {name: value for name, value in made.items() if name not in left_out}
        return made
    if "anyOf" in schema:
        return valid(schema["anyOf"][0], depth + 1)
    if kind == "array":
        return [valid(schema["items"], depth + 1)] if "items" in schema and depth < 6 else []
    return {"string": "text", "integer": 3, "number": 1.5, "boolean": True, "null": None, None: {}}[kind]


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = DEFINITIONS[schema["$ref"][len(REFERENCE) :]]
    return schema


def spoilt(value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """``value`` broken in one place after another; only what the schema really forbids."""
    for broken in _candidates(value):
        try:
            check(broken, schema, DEFINITIONS)
        except SchemaViolation:
            yield broken


def _candidates(value: Any) -> Iterator[Any]:
    yield from (other for other in OTHERS if type(other) is not type(value) or isinstance(value, str | list | dict))
    if isinstance(value, dict):
        yield {**value, "not in the schema": 1}
        for name, member in value.items():
            yield {other: value[other] for other in value if other != name}
            yield from ({**value, name: broken} for broken in _candidates(member))
    if isinstance(value, list):
        for broken in _candidates(value[0] if value else None):
            yield [broken]


def told(operation: str, answer: Any) -> str:
    """What the driver says of the answer; the adapter is stopped."""
    transport = Scripted()
    session = Session("toy", transport)  # pyright: ignore[reportArgumentType]
    transport.answer = answer
    with pytest.raises(ProtocolFault) as caught:
        session.ask(operation, valid(operations()["operations"][operation]["params"]))
    assert not transport.running
    assert caught.value.stderr == ("the last line of stderr",)
    return caught.value.problem


def assert_named(operation: str, answer: Any) -> None:
    text = told(operation, answer)
    assert text.startswith(f"{operation}: an answer must be "), text
    assert ": found " in text or "; found " in text, text
    assert "expected " in text or "a JSON object" in text, text
    beginning = json.dumps(answer, ensure_ascii=False)[:60]
    assert beginning in text or repr(answer)[:60] in text, text


def answer(operation: str) -> dict[str, Any]:
    return {**valid(DEFINITIONS[f"response.{operation}"]), "id": 1}


def answers(ways: Iterator[Any]) -> list[dict[str, Any]]:
    """Those that are answers to the request; what is none has tests of its own."""
    return [way for way in ways if isinstance(way, dict) and type(way.get("id")) is int]


@pytest.mark.parametrize("operation", operations()["operations"])
def test_each_way_to_break_an_answer_is_named(operation: str):
    whole = answer(operation)
    check_answer(operation, whole)
    ways = answers(spoilt(whole, DEFINITIONS[f"response.{operation}"]))
    assert len(ways) > 15
    for way in ways:
        assert_named(operation, way)


@pytest.mark.parametrize("kind", operations()["errors"])
def test_each_way_to_break_an_error_is_named(kind: str):
    whole = {**valid(DEFINITIONS[f"error.{kind}"]), "id": 1}
    check_answer("reset", whole)
    ways = answers(spoilt(whole, DEFINITIONS["error"]))
    assert len(ways) > 15
    for way in ways:
        assert_named("reset", way)


@pytest.mark.parametrize("found", [None, 2, 0, -1, "1", [1], {}, 1.5, True])
def test_a_wrong_id_is_named(found: Any):
    text = told("reset", {**answer("reset"), "id": found})
    assert "found" in text
    assert 'the line: \'{"jsonrpc"' in text


@pytest.mark.parametrize("whole", [None, True, 3, "text", [], [{}], {}])
def test_what_is_no_answer_is_named(whole: Any):
    text = told("reset", whole)
    assert text.startswith("reset: an answer must ")
    assert "found" in text


def test_a_result_beside_an_error_is_named():
    refused = valid(DEFINITIONS["error.refused"])
    text = told("reset", {**answer("reset"), **refused, "id": 1})
    assert "found a member 'result', expected no other than error, id, jsonrpc" in text


def test_a_long_line_is_shown_by_its_beginning():
    long = copy.deepcopy(answer("summary"))
    long["result"]["value"] = {"text": ["x" * 5000]}
    text = told("summary", long)
    assert "answer.result.value.text: found" in text
    assert len(text) < 600
