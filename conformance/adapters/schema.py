"""The protocol's operations, and a checker of the part of JSON Schema they are written in.

An adapter has nothing but the standard library and NumPy, so its side of "messages are checked on both sides"
is this module; the driver's side is jsonschema, over the same file. `check` gives the same verdict as
jsonschema (draft 7) on schemas that use only the keywords of `KEYWORDS`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

OPERATIONS_FILE = Path(__file__).resolve().parent.parent / "protocol" / "operations.json"
KEYWORDS = frozenset(
    [
        *("$ref", "anyOf", "const", "description", "enum", "type"),
        *("additionalProperties", "items", "properties", "required"),
    ]
)
REFERENCE = "#/definitions/"

Schema = Mapping[str, Any]
Definitions = Mapping[str, Schema]


class SchemaViolation(ValueError):
    """A value that breaks its schema: `where` (`params.layers[2].id`), what was `found`, what `expected`."""

    def __init__(self, where: str, found: str, expected: str) -> None:
        super().__init__("{}: found {}, expected {}".format(where, found, expected))
        self.where = where
        self.found = found
        self.expected = expected


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


TYPES: Dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "array": _is_list,
    "object": _is_dict,
}


class Operations:
    """What operations.json says: `version`, the schemas by operation, and the code of each kind of error."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.version: str = document["version"]
        self.operations: Mapping[str, Any] = document["operations"]
        self.definitions: Definitions = document["definitions"]
        self.codes: Dict[str, int] = {kind: error["code"] for kind, error in document["errors"].items()}

    def check_params(self, operation: str, params: Any) -> None:
        """Raise SchemaViolation if they are not what the operation takes, KeyError if there is none."""
        check(params, self.operations[operation]["params"], self.definitions, "params")

    def check_result(self, operation: str, result: Any) -> None:
        """Raise SchemaViolation if it is not what the operation gives, KeyError if there is none."""
        check(result, self.operations[operation]["result"], self.definitions, "result")


def load_operations(path: Path = OPERATIONS_FILE) -> Operations:
    """Read operations.json. Raises ValueError if it uses a keyword that `check` does not know."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for name, schema in document["definitions"].items():
        _check_keywords(schema, "definitions.{}".format(name))
    for name, operation in document["operations"].items():
        _check_keywords(operation["params"], "operations.{}.params".format(name))
        _check_keywords(operation["result"], "operations.{}.result".format(name))
    return Operations(document)


def check(value: Any, schema: Schema, definitions: Definitions, where: str = "value") -> None:
    """Raise SchemaViolation if value (as json.loads gives it) is not valid under schema."""
    violation = _violation(value, schema, definitions, where)
    if violation is not None:
        raise violation


def _violation(value: Any, schema: Schema, definitions: Definitions, where: str) -> Optional[SchemaViolation]:
    while "$ref" in schema:  # draft 7: keywords beside $ref do not count
        schema = definitions[schema["$ref"][len(REFERENCE) :]]
    if "type" in schema:
        types: List[str] = schema["type"] if _is_list(schema["type"]) else [schema["type"]]
        if not any(TYPES[name](value) for name in types):
            return SchemaViolation(where, _show(value), " or ".join(types))
    if "const" in schema and not _same(value, schema["const"]):
        return SchemaViolation(where, _show(value), _show(schema["const"]))
    if "enum" in schema and not any(_same(value, member) for member in schema["enum"]):
        return SchemaViolation(where, _show(value), "one of " + _show(schema["enum"]))
    if _is_dict(value):
        violation = _dict_violation(value, schema, definitions, where)
    elif _is_list(value) and "items" in schema:
        violation = _list_violation(value, schema["items"], definitions, where)
    else:
        violation = None
    if violation is None and "anyOf" in schema:
        violation = _any_of_violation(value, schema["anyOf"], definitions, where)
    return violation


def _list_violation(value: list[Any], items: Schema, definitions: Definitions, where: str) -> Optional[SchemaViolation]:
    for index, item in enumerate(value):
        violation = _violation(item, items, definitions, "{}[{}]".format(where, index))
        if violation is not None:
            return violation
    return None


def _dict_violation(
    value: dict[str, Any], schema: Schema, definitions: Definitions, where: str
) -> Optional[SchemaViolation]:
    for name in schema.get("required", ()):
        if name not in value:
            return SchemaViolation(where, "no member {!r}".format(name), "{!r} to be there".format(name))
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for name, member in value.items():
        rule = properties.get(name, others)
        if rule is False:
            allowed = ", ".join(sorted(properties)) or "none"
            return SchemaViolation(where, "a member {!r}".format(name), "no other than " + allowed)
        if rule is not True:
            violation = _violation(member, rule, definitions, "{}.{}".format(where, name))
            if violation is not None:
                return violation
    return None


def _any_of_violation(
    value: Any, alternatives: list[Schema], definitions: Definitions, where: str
) -> Optional[SchemaViolation]:
    """None, or the violation of the alternative that came furthest: the one that was most likely meant."""
    violations: list[SchemaViolation] = []
    for alternative in alternatives:
        violation = _violation(value, alternative, definitions, where)
        if violation is None:
            return None
        violations.append(violation)
    furthest = max(violations, key=lambda violation: len(violation.where))
    if furthest.where != where:
        return furthest
    return SchemaViolation(where, _show(value), " or ".join(violation.expected for violation in violations))


def _same(a: Any, b: Any) -> bool:
    """Equality of JSON values: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if _is_list(a) and _is_list(b):
        return len(a) == len(b) and all(map(_same, a, b))
    if _is_dict(a) and _is_dict(b):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return a == b


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _check_keywords(schema: Any, where: str) -> None:
    unknown = sorted(set(schema) - KEYWORDS)
    if unknown:
        raise ValueError(
            "{}: {}: found keyword {!r}, expected one of {}".format(
                OPERATIONS_FILE.name, where, unknown[0], ", ".join(sorted(KEYWORDS))
            )
        )
    for name, member in schema.get("properties", {}).items():
        _check_keywords(member, "{}.properties.{}".format(where, name))
    for name in ("items", "additionalProperties"):
        if _is_dict(schema.get(name)):
            _check_keywords(schema[name], "{}.{}".format(where, name))
    for index, member in enumerate(schema.get("anyOf", ())):
        _check_keywords(member, "{}.anyOf[{}]".format(where, index))
