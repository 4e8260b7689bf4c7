"""The adapters' checker gives jsonschema's verdict on every operation; the published schema is the one in force."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.adapters.schema import KEYWORDS, SchemaViolation, check, load_operations
from conformance.protocol import schemas
from tests.protocol.toys import DETERMINED

OPERATIONS = load_operations()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-2, 2).map(float)
    | st.sampled_from(["", "a", "nan", "str"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["object", "name", "a", "$float"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def valid(draw: st.DrawFn, schema: Any, depth: int = 0) -> Any:
    """A value that the schema allows."""
    while "$ref" in schema:
        schema = OPERATIONS.definitions[schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    wanted = schema
    if "anyOf" in schema:
        choice = draw(st.sampled_from(schema["anyOf"][: 1 if depth > 6 else None]))
        if "properties" not in schema:
            return draw(valid(choice, depth + 1))
        wanted = {**schema, "required": [*schema.get("required", []), *choice["required"]]}
    types = wanted.get("type", ["null", "boolean", "number", "string"])
    kind = draw(st.sampled_from(types if isinstance(types, list) else [types]))
    if kind == "object":
        properties = wanted.get("properties", {})
        chosen = {
            name for name in properties if name in wanted.get("required", []) or (depth < 6 and draw(st.booleans()))
        }
        value = {name: draw(valid(properties[name], depth + 1)) for name in properties if name in chosen}
        if isinstance(wanted.get("additionalProperties"), dict) and depth < 6:
            for name in draw(st.lists(st.sampled_from(["x", "y"]), unique=True)):
                value[name] = draw(valid(wanted["additionalProperties"], depth + 1))
        return value
    if kind == "array":
        size = draw(st.integers(0, 2 if depth < 6 else 0))
        return [draw(valid(wanted.get("items", {}), depth + 1)) for _ in range(size)]
    return draw({
        "null": st.none(), "boolean": st.booleans(), "integer": st.integers(-3, 3) | st.just(2.0),
        "number": st.integers(-3, 3) | st.floats(-2, 2), "string": st.sampled_from(["", "a"]),
    }[kind])  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) within the value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """The value with one thing in it changed, added or taken away; often invalid."""
    holder = [copy.deepcopy(value)]
    container, key = draw(st.sampled_from([(holder, 0), *places(holder[0])]))
    deed = draw(st.sampled_from(["change", "add", "remove"]))
    if deed == "remove" and isinstance(container, dict):
        del container[key]
    elif deed == "add" and isinstance(container[key], dict):
        container[key][draw(st.sampled_from(["unknown", "object", "npy"]))] = draw(JSON)
    else:
        container[key] = draw(JSON)
    return holder[0]


def verdicts(value: Any, schema: Any) -> tuple[bool, bool]:
    """Ours and jsonschema's."""
    try:
        check(value, schema, OPERATIONS.definitions)
        ours = True
    except SchemaViolation:
        ours = False
    return ours, jsonschema.Draft7Validator({**schema, "definitions": OPERATIONS.definitions}).is_valid(value)


@pytest.mark.parametrize("part", ["params", "result"])
@pytest.mark.parametrize("operation", OPERATIONS.operations)
@settings(DETERMINED, max_examples=15)
@given(data=st.data())
def test_same_verdict_as_jsonschema(operation: str, part: str, data: st.DataObject) -> None:
    schema = OPERATIONS.operations[operation][part]
    good = data.draw(valid(schema))
    assert verdicts(good, schema) == (True, True)
    ours, theirs = verdicts(data.draw(spoilt(good)), schema)
    assert ours is theirs


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (value, schema)
        for schema in (
            {"type": "integer"}, {"type": "number"}, {"type": ["array", "null"]}, {"const": 1}, {"const": True},
            {"enum": [0, "a", [1, {"b": False}]]}, {"items": {"type": "string"}}, {"required": ["a"]},
            {"properties": {"a": {"type": "null"}}}, {"additionalProperties": {"type": "null"}},
            {"additionalProperties": False}, {"additionalProperties": True},
            {"properties": {"a": {}}, "additionalProperties": False}, {"anyOf": [{"type": "null"}, {"const": 2}]},
        )
        for value in (
            None, True, False, 0, 1, 1.0, 2, 1.5, "a", "", {}, {"a": None}, {"a": 1}, {"b": None},
            [], [1], ["a"], [1, {"b": False}], [1, {"b": 0}], [1.0, {"b": False}],
        )
    ],
)  # fmt: skip
def test_same_verdict_at_the_edges(value: Any, schema: Any) -> None:
    ours, theirs = verdicts(value, schema)
    assert ours is theirs


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (1, {"type": ["string", "null"]}, "value: found 1, expected string or null"),
        (
            {"a": [0, "x"]},
            {"properties": {"a": {"items": {"type": "integer"}}}},
            'value.a[1]: found "x", expected integer',
        ),
        ({}, {"required": ["a"]}, "value: found no member 'a', expected 'a' to be there"),
        (
            {"b": 1},
            {"properties": {"a": {}}, "additionalProperties": False},
            "value: found a member 'b', expected no other than a",
        ),
        ("c", {"enum": ["a", "b"]}, 'value: found "c", expected one of ["a", "b"]'),
        (3, {"anyOf": [{"type": "null"}, {"const": "x"}]}, 'value: found 3, expected null or "x"'),
        ("x" * 100, {"type": "null"}, 'value: found "' + "x" * 76 + "..., expected null"),
    ],
)
def test_a_violation_says_where_and_what(value: Any, schema: Any, message: str) -> None:
    with pytest.raises(SchemaViolation) as caught:
        check(value, schema, {})
    assert str(caught.value) == message


def test_of_several_alternatives_the_one_that_was_meant_is_reported() -> None:
    layer = {"id": "a", "model": {"kind": "sequential", "layers": [{"class": "Dense", "args": 3}]}}
    with pytest.raises(SchemaViolation, match=r"^params\.layer\.model\.layers\[0\]\.args: found 3, expected object$"):
        OPERATIONS.check_params("build_layer", {"layer": layer})


def test_operations_json_uses_no_other_keyword(tmp_path: Any) -> None:
    document = json.loads(schemas.OPERATIONS_FILE.read_text())
    document["operations"]["reset"]["params"]["properties"]["seed"]["minimum"] = 0
    (tmp_path / "operations.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"operations\.reset\.params\.properties\.seed: found keyword 'minimum'"):
        load_operations(tmp_path / "operations.json")
    assert "minimum" not in KEYWORDS


def test_every_operation_has_a_summary() -> None:
    for name, operation in OPERATIONS.operations.items():
        assert set(operation) == {"summary", "params", "result"}, name
        assert operation["summary"].strip(), name


def test_the_published_schema_is_up_to_date() -> None:
    published = json.loads(schemas.MESSAGE_SCHEMA_FILE.read_text())
    jsonschema.Draft7Validator.check_schema(published)
    assert published == schemas.message_schema(), "run: python -m conformance.protocol.schemas > message.schema.json"


def error(code: int, **data: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "", "data": data}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "reset", "params": {"seed": 1}}, True),
        ({"jsonrpc": "2.0", "id": 1, "method": "reset", "params": {}}, False),
        ({"jsonrpc": "2.0", "id": 1, "method": "rest", "params": {"seed": 1}}, False),
        ({"jsonrpc": "2.0", "id": 1, "result": {"value": {}, "messages": []}}, True),
        ({"jsonrpc": "2.0", "id": 1, "result": {"value": {}}}, False),
        ({"jsonrpc": "2.0", "id": 1, "result": {"value": {}, "messages": [{"channel": "tty", "text": ""}]}}, False),
        ({"jsonrpc": "1.0", "id": 1, "result": {"value": {}, "messages": []}}, False),
        (error(-32601, kind="unsupported", text=""), True),
        (error(-32603, kind="unsupported", text=""), False),
        (error(-32000, kind="refused", text=""), False),
        (error(-32000, kind="refused", text="", exception="ValueError", mro=["ValueError"]), True),
        (error(-32000, kind="refused", text="", exception=None, mro=[]), False),
    ],
)  # fmt: skip
def test_the_published_schema_on_messages(message: Any, expected: bool) -> None:
    published = json.loads(schemas.MESSAGE_SCHEMA_FILE.read_text())
    assert jsonschema.Draft7Validator(published).is_valid(message) is expected
