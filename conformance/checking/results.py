"""The results file of ``check``: one JSON object a line, so that a run that was stopped can be gone on with.

::

    {"header": {...}}      what was asked for, of which versions
    {"model": {...}}       a `ModelRecord`, one a model; of two about the same model the later counts
    {"footer": {...}}      last: without it the file is not complete

Each line is written at once. A last line that was cut is as if it had never been written; any other line that cannot
be read is an error. A baseline is such a file, a complete one. ``python -m conformance.checking.results`` prints
check.schema.json.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

import conformance
from conformance.checking.record import ModelRecord, Verdict
from conformance.results.files import replace_file
from conformance.results.model import ResultsError

SCHEMA_VERSION = "1.0"
SCHEMA_FILE = Path(__file__).with_name("check.schema.json")

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Version:
    """An implementation as it introduced itself; ``failure`` is why it could not be started."""

    version: str | None = None
    python: str | None = None
    libraries: Mapping[str, str] = field(default_factory=dict[str, str])
    failure: str | None = None


@dataclass(frozen=True)
class Header:
    """What was asked for: ``options`` are those that the outcome depends on."""

    schema: str
    suite: str
    implementations: Mapping[str, Version]
    options: Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True)
class Footer:
    """The end of a complete run."""

    models: int
    verdicts: Mapping[Verdict, int]


@dataclass(frozen=True)
class Change:
    """What is otherwise than in the baseline; ``kind`` is worse, better, changed, new or gone."""

    path: str
    kind: str
    text: str
    implementation: str | None = None

    @property
    def fails(self) -> bool:
        """Whether the gate is closed by it."""
        return self.kind in ("worse", "gone")


@dataclass(frozen=True)
class Document:
    """A results file as a whole; ``changes`` are those since the baseline, None without one."""

    header: Header
    models: tuple[ModelRecord, ...] = ()
    footer: Footer | None = None
    changes: tuple[Change, ...] | None = None

    @property
    def by_path(self) -> dict[str, ModelRecord]:
        """The last record of each model."""
        return {record.path: record for record in self.models}

    def to_json(self) -> dict[str, Any]:
        """The document as JSON values."""
        return _adapter(Document).dump_python(self, mode="json")


def footer_of(models: Iterable[ModelRecord]) -> Footer:
    """The footer that belongs under these records."""
    counts = Counter(record.verdict for record in models)
    return Footer(counts.total(), {verdict: counts[verdict] for verdict in Verdict if counts[verdict]})


def header_of(implementations: Mapping[str, Version], options: Mapping[str, str | int | float | bool | None]) -> Header:
    """The header of a run by this version."""
    return Header(SCHEMA_VERSION, conformance.__version__, implementations, options)


class Writer:
    """Appends lines to a results file. Raises OSError."""

    def __init__(self, path: Path, begun: Document) -> None:
        """Begin the file anew, with what is already known."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [_line("header", begun.header), *(_line("model", record) for record in begun.models)]
        replace_file(path, "".join(lines))
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def model(self, record: ModelRecord) -> None:
        """A model is done."""
        self._write(_line("model", record))

    def footer(self, footer: Footer) -> None:
        """The run is complete."""
        self._write(_line("footer", footer))

    def close(self) -> None:
        """No more lines come."""
        os.close(self._file)

    def _write(self, line: str) -> None:
        data = line.encode()
        while data:
            data = data[os.write(self._file, data) :]


def write(path: Path, document: Document) -> None:
    """Write a complete file; ``path`` holds either all of it or what it held before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [_line("header", document.header), *(_line("model", record) for record in document.models)]
    replace_file(path, "".join([*lines, _line("footer", document.footer)]))


def read(path: Path, *, complete: bool) -> Document:
    """Read a results file; raises ResultsError for what is none, of another version, damaged, or, with ``complete``, cut."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: cannot be read: {error}") from error
    if lines and not lines[-1].endswith("\n"):
        lines.pop()  # the writer was stopped in the middle of it
    if not lines:
        raise ResultsError(f"{path}: is empty, expected the results that `check --output` wrote")
    header = _header(path, lines[0])
    models: list[ModelRecord] = []
    footer: Footer | None = None
    for number, line in enumerate(lines[1:], 2):
        where = f"{path}:{number}"
        key, value = _parsed(line, where)
        if key == "model" and footer is None:
            models.append(_validated(ModelRecord, value, where))
        elif key == "footer" and footer is None:
            footer = _validated(Footer, value, where)
        else:
            raise ResultsError(
                f"{where}: found {key!r}{' after the footer' * bool(footer)}, expected a model or the footer"
            )
    document = Document(header, tuple(models), footer)
    if complete and footer != footer_of(document.by_path.values()):
        raise ResultsError(
            f"{path}: is not complete: "
            + ("the footer counts other models" if footer else "the footer is missing, the run was stopped or cut off")
            + "; go on with it by `check … --resume`"
        )
    return document


def _header(path: Path, line: str) -> Header:
    key, value = _parsed(line, f"{path}:1")
    schema = cast("Mapping[str, Any]", value).get("schema") if isinstance(value, dict) else None
    if key != "header" or not isinstance(schema, str):
        raise ResultsError(f"{path}:1: found no header, expected the results that `check --output` wrote")
    if schema.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ResultsError(f"{path}: schema is {schema!r}, expected {SCHEMA_VERSION!r}: this version cannot read it")
    return _validated(Header, cast("object", value), f"{path}:1")


def _parsed(line: str, where: str) -> tuple[str, Any]:
    try:
        ((key, value),) = json.loads(line).items()
    except (ValueError, AttributeError) as error:
        raise ResultsError(f"{where}: cannot be read as a line of results ({error}): {line[:80]!r}") from error
    return key, value


def _line(key: str, value: object) -> str:
    content = _adapter(_KINDS[key]).dump_python(value, mode="json", exclude_defaults=True)
    return json.dumps({key: content}, allow_nan=False, ensure_ascii=True, separators=(",", ":")) + "\n"


_KINDS: Mapping[str, type[Any]] = {"header": Header, "model": ModelRecord, "footer": Footer}


@cache
def _adapter(kind: type[_Part]) -> TypeAdapter[_Part]:
    return TypeAdapter(kind)


def _validated(kind: type[_Part], value: object, where: str) -> _Part:
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or '(top)'}: {fault['msg']}" for fault in error.errors()]
        raise ResultsError(f"{where}: {'; '.join(faults[:3])}") from error


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a line of the file, and of the document that ``--json`` prints."""
    parts = {**_KINDS, "document": Document}
    inputs: list[Any] = [(name, "serialization", _adapter(kind)) for name, kind in parts.items()]
    found, definitions = TypeAdapter.json_schemas(inputs)
    schemas = {key[0]: schema for key, schema in found.items()}
    lines = [
        {"type": "object", "properties": {name: schemas[name]}, "required": [name], "additionalProperties": False}
        for name in _KINDS
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "keras-conformance check: a line of a results file, or the document of --json",
        "anyOf": [*lines, schemas["document"]],
        **definitions,
    }


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=1))
