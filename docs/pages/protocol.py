"""The protocol's operations, from the schemas that both sides check messages against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def operations_page() -> str:
    """One section an operation: what it is for, its parameters and its result."""
    published: Mapping[str, Any] = json.loads(
        (files("conformance.protocol") / "operations.json").read_text(encoding="utf-8")
    )
    lines = [
        "# Operations of the protocol",
        "",
        f"Protocol {published['version']}. A parameter with `?` may be left out. The definitions are at the end; the file itself is",
        "`conformance/protocol/operations.json`.",
        "",
    ]
    for name, operation in published["operations"].items():
        lines += [f"## {name}", "", _sentence(operation["summary"]), ""]
        lines += ["```", f"params  {_shape(operation['params'])}", f"result  {_shape(operation['result'])}", "```", ""]
    lines += ["## Definitions", ""]
    for name, definition in published["definitions"].items():
        lines += [f"### {name}", "", "```json", json.dumps(definition, indent=2, ensure_ascii=False), "```", ""]
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return text.replace("<", "&lt;").replace("{", "\\{")


def _shape(schema: Mapping[str, Any]) -> str:
    """A schema as one line of text."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "|".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_shape(choice) for choice in schema["anyOf"])
    kind: Any = schema.get("type", "any")
    if isinstance(kind, list):
        return "|".join(str(each) for each in kind)  # type: ignore[reportUnknownArgumentType]
    if kind == "array":
        return f"[{_shape(schema.get('items', {}))}…]"
    if kind != "object":
        return str(kind)
    fields = schema.get("properties", {})
    if not fields:
        values = schema.get("additionalProperties")
        return "{name: " + _shape(values) + "}" if isinstance(values, dict) else "{}"  # type: ignore[reportUnknownArgumentType]
    required = set(schema.get("required", ()))
    return "{" + ", ".join(f"{n}{'' if n in required else '?'}: {_shape(value)}" for n, value in fields.items()) + "}"
