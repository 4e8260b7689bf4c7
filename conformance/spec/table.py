"""Strict reading of one TOML table: every field is asked for by type, and what nobody asked for is an error."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import NoReturn, cast


class SpecificationError(ValueError):
    """The specification's data does not hold together: which file, which entry in it, what is wrong."""

    def __init__(self, file: str, entry: str, problem: str) -> None:
        super().__init__(f"{file}: {entry}: {problem}")
        self.file = file
        self.entry = entry
        self.problem = problem


_TOP = "top"


class Table:
    """A TOML table and where it stands. Each method takes one field and checks its type.

    A method given no default raises SpecificationError when the field is missing; ``done`` raises it when
    a field is left that no method took.
    """

    def __init__(self, file: str, entry: str, values: Mapping[str, object]) -> None:
        self._file = file
        self._entry = entry
        self._values = values
        self._taken: set[str] = set()

    def error(self, problem: str) -> SpecificationError:
        """The error to raise about this entry."""
        return SpecificationError(self._file, self._entry, problem)

    def text(self, field: str) -> str:
        """A text that is not empty."""
        return self.optional_text(field) or self._missing(field, "a text")

    def optional_text(self, field: str) -> str | None:
        """A text that is not empty, or None when the field is missing."""
        value = self._take(field)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(field, value, "a text that is not empty")
        return value

    def choice(self, field: str, choices: Iterable[str], default: str | None = None) -> str:
        """One of ``choices``."""
        value = self.optional_text(field) or default or self._missing(field, "one of " + ", ".join(choices))
        self.known(field, (value,), choices)
        return value

    def number(self, field: str) -> float:
        """An integer or a float."""
        value = self._take(field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(field, value, "a number")
        return float(value)

    def integer(self, field: str) -> int:
        """An integer."""
        value = self._take(field)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(field, value, "an integer")
        return value

    def names(self, field: str, known: Iterable[str] | None = None) -> tuple[str, ...] | None:
        """A list of different texts, each one of ``known`` if that is given; None when the field is missing."""
        value = self._take(field)
        if value is None:
            return None
        if not _list_of(value, str):
            raise self._wrong(field, value, "a list of texts")
        names = cast(tuple[str, ...], tuple(cast(list[object], value)))
        if len(set(names)) < len(names):
            raise self._wrong(field, value, "a list in which no name stands twice")
        if known is not None:
            self.known(field, names, known)
        return names

    def known(self, field: str, names: Iterable[str], known: Iterable[str]) -> None:
        """Raise SpecificationError unless every name is one of ``known``."""
        choices = tuple(known)
        for name in names:
            if name not in choices:
                near = ", ".join(get_close_matches(name, choices)) or ", ".join(choices[:8]) or "nothing yet"
                raise self.error(f"{field}: {name!r} is not defined; nearest: {near}")

    def table(self, field: str) -> Table:
        """A table inside this one."""
        value = self._take(field)
        if not isinstance(value, dict):
            raise self._wrong(field, value, "a table")
        return Table(self._file, self._inside(field), cast(dict[str, object], value))

    def entries(self, field: str) -> list[Table]:
        """The tables of a [[field]] list, each labelled with its number and its id."""
        value = self._take(field)
        if value is None:
            return []
        if not _list_of(value, dict):
            raise self._wrong(field, value, f"tables, each under [[{field}]]")
        tables = cast(list[dict[str, object]], value)
        return [
            Table(self._file, self._inside(_label(field, number, table)), table)
            for number, table in enumerate(tables, 1)
        ]

    def texts(self) -> Mapping[str, str]:
        """The whole table, when its field names are free and each value is a text."""
        return MappingProxyType({field: self.text(field) for field in self._values})

    def done(self) -> None:
        """Raise SpecificationError for a field that no method took."""
        for field in self._values:
            if field not in self._taken:
                near = get_close_matches(field, self._taken, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(self._taken))}"
                raise self.error(f"unknown field {field!r}{hint}")

    def _inside(self, label: str) -> str:
        return label if self._entry == _TOP else f"{self._entry}: {label}"

    def _take(self, field: str) -> object:
        self._taken.add(field)
        return self._values.get(field)  # TOML has no null, so None is a missing field

    def _missing(self, field: str, expected: str) -> NoReturn:
        raise self.error(f"{field} is missing; expected {expected}")

    def _wrong(self, field: str, value: object, expected: str) -> SpecificationError:
        found = "is missing" if value is None else f"is {value!r}"
        return self.error(f"{field} {found}; expected {expected}")


def read_table(file: Traversable) -> Table:
    """The top table of a TOML file (SpecificationError: missing, not UTF-8, not TOML)."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecificationError(file.name, "the file", "is missing; a specification folder must have it") from None
    except UnicodeDecodeError as error:
        raise SpecificationError(file.name, "the file", f"is not UTF-8: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SpecificationError(file.name, "the file", f"is not TOML: {error}") from error
    return Table(file.name, _TOP, values)


def _list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in cast(list[object], value))


def _label(field: str, number: int, table: Mapping[str, object]) -> str:
    name = table.get("id")
    return f"{field} {number} ({name})" if isinstance(name, str) else f"{field} {number}"
