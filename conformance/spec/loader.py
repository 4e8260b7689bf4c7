"""Reads the specification's TOML files, strictly.

A folder holds ``dialects.toml``, ``tolerances.toml``, ``capabilities.toml``, ``errata.toml`` and any number of
chapters. An unknown field, a wrong type, a duplicate id, a name that nothing defines or a cycle of dependencies is a
``SpecificationError`` that says which file and which entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Protocol, TypeVar

from conformance.spec.model import (
    ARTIFACTS,
    LEVELS,
    ORIGINS,
    Chapter,
    Dialect,
    Erratum,
    Observation,
    Requirement,
    Specification,
    Tolerance,
)
from conformance.spec.table import Table, read_table

_SHARED = ("dialects.toml", "tolerances.toml", "capabilities.toml", "errata.toml")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*")


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_T = TypeVar("_T", bound=_Identified)


def load_specification(folder: Traversable | None = None) -> Specification:
    """The specification in ``folder``; without one, the project's own, read once a process.

    Raises SpecificationError when the data does not hold together.
    """
    return _own() if folder is None else _load(folder)


@cache
def _own() -> Specification:
    return _load(files("conformance.spec"))


def _load(folder: Traversable) -> Specification:
    shared = _shared(folder)
    chapters: list[tuple[Table, Chapter]] = []
    rows: list[tuple[Table, Requirement]] = []
    names = (file.name for file in folder.iterdir())
    for name in sorted(name for name in names if name.endswith(".toml") and name not in _SHARED):
        file = read_table(folder / name)
        head = file.table("chapter")
        chapter = _chapter(head)
        chapters.append((head, chapter))
        rows += ((entry, _requirement(entry, chapter, shared)) for entry in file.entries("requirement"))
        file.done()
    known_chapters = _keyed(sorted(chapters, key=lambda row: row[1].order))
    rows.sort(key=lambda row: known_chapters[row[1].chapter].order)
    requirements = _keyed(rows)
    _check_dependencies(rows, requirements)
    return Specification(
        requirements=requirements,
        chapters=known_chapters,
        dialects=shared.dialects,
        formats=shared.formats,
        tolerances=shared.tolerances,
        errata=_errata(read_table(folder / "errata.toml"), rows),
        capabilities=shared.capabilities,
    )


@dataclass(frozen=True)
class _Shared:
    """The tables that requirements refer to."""

    dialects: Mapping[str, Dialect]
    formats: Mapping[str, str]
    tolerances: Mapping[str, Tolerance]
    capabilities: Mapping[str, str]


def _shared(folder: Traversable) -> _Shared:
    file = read_table(folder / "capabilities.toml")
    capabilities = file.table("capabilities").texts()
    file.done()
    file = read_table(folder / "dialects.toml")
    formats = file.table("formats").texts()
    families = _families(capabilities)
    dialects = _keyed((entry, _dialect(entry, formats, families)) for entry in file.entries("dialect"))
    file.done()
    file = read_table(folder / "tolerances.toml")
    tolerances = _keyed((entry, _tolerance(entry)) for entry in file.entries("tolerance"))
    file.done()
    return _Shared(dialects, formats, tolerances, capabilities)


def _dialect(entry: Table, formats: Iterable[str], families: Iterable[str]) -> Dialect:
    of_artifact = entry.table("formats")
    dialect = Dialect(
        id=entry.text("id"),
        title=entry.text("title"),
        versions=entry.text("versions"),
        formats=MappingProxyType({artifact: of_artifact.names(artifact, formats) or () for artifact in ARTIFACTS}),
        missing_families=entry.names("missing_families", families) or (),
    )
    of_artifact.done()
    entry.done()
    return dialect


def _tolerance(entry: Table) -> Tolerance:
    tolerance = Tolerance(entry.text("id"), entry.number("epsilon"), entry.text("meaning"))
    if not 0 <= tolerance.epsilon < 1:
        raise entry.error(f"epsilon is {tolerance.epsilon}; expected a number from 0 to below 1")
    entry.done()
    return tolerance


def _chapter(entry: Table) -> Chapter:
    name = entry.text("id")
    chapter = Chapter(name, entry.text("title"), entry.integer("order"), entry.names("prefixes") or (name,))
    entry.done()
    return chapter


def _requirement(entry: Table, chapter: Chapter, shared: _Shared) -> Requirement:
    name = entry.text("id")
    if not _ID.fullmatch(name) or name.split(".")[0] not in chapter.prefixes:
        prefixes = " or ".join(f"{prefix}." for prefix in chapter.prefixes)
        raise entry.error(f"id is {name!r}; expected lower-case words joined by '-', after {prefixes}")
    artifact = entry.choice("artifact", ARTIFACTS, default="model")
    formats = entry.names("formats", shared.formats) or ()
    families = entry.names("families", _families(shared.capabilities)) or ()
    if formats and families:
        raise entry.error("formats and families both given; a requirement is split by one of them")
    dialects, note = _dialects(entry, shared.dialects, artifact, formats)
    tolerance = entry.optional_text("tolerance")
    if tolerance is not None:
        entry.known("tolerance", (tolerance,), shared.tolerances)
    requirement = Requirement(
        id=name,
        chapter=chapter.id,
        level=entry.choice("level", LEVELS),
        text=entry.text("text"),
        source=entry.text("source"),
        origin=entry.choice("origin", ORIGINS),
        guide=entry.optional_text("guide") or name,
        dialects=dialects,
        dialect_note=note,
        artifact=artifact,
        formats=formats,
        families=families,
        needs=entry.names("needs") or (),
        depends=entry.names("depends") or (),
        tolerance=tolerance,
        errata=entry.names("errata") or (),
    )
    entry.done()
    for unit in requirement.units:
        entry.known("needs", unit.needs, shared.capabilities)
    return requirement


def _dialects(
    entry: Table, dialects: Mapping[str, Dialect], artifact: str, formats: tuple[str, ...]
) -> tuple[tuple[str, ...], str | None]:
    """Those in which one of the formats exists; a choice among them needs its reason beside it."""
    for each in formats:
        if not any(each in dialect.formats[artifact] for dialect in dialects.values()):
            raise entry.error(f"formats: no dialect has {each!r} for the artifact {artifact!r}; set artifact")
    default = tuple(
        name for name, dialect in dialects.items() if not formats or set(formats) & set(dialect.formats[artifact])
    )
    chosen = entry.names("dialects", dialects)
    note = entry.optional_text("dialect_note")
    if chosen is None or chosen == default:
        if note is not None:
            raise entry.error("dialect_note explains nothing: no dialect is left out; delete it or give dialects")
        return default, None
    impossible = [name for name in chosen if name not in default]
    if impossible or not chosen:
        raise entry.error(f"dialects: {', '.join(impossible) or 'none given'}: none of the formats exists there")
    if note is None:
        left_out = ", ".join(name for name in default if name not in chosen)
        raise entry.error(f"dialects leaves out {left_out}; say why in dialect_note")
    return chosen, note


def _families(capabilities: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.removeprefix("layers.") for name in capabilities if name.startswith("layers."))


def _keyed(rows: Iterable[tuple[Table, _T]]) -> Mapping[str, _T]:
    found: dict[str, _T] = {}
    for entry, value in rows:
        if value.id in found:
            raise entry.error(f"id {value.id!r} is taken by an earlier entry; an id is never used twice")
        found[value.id] = value
    return MappingProxyType(found)


def _check_dependencies(rows: Iterable[tuple[Table, Requirement]], requirements: Mapping[str, Requirement]) -> None:
    entries = {requirement.id: entry for entry, requirement in rows}
    for name, entry in entries.items():
        entry.known("depends", requirements[name].depends, requirements)
    graph = {name: requirement.depends for name, requirement in requirements.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        raise entries[cycle[0]].error("depends goes round in a circle: " + " -> ".join(reversed(cycle))) from None


def _errata(file: Table, rows: Iterable[tuple[Table, Requirement]]) -> Mapping[str, Erratum]:
    concerned: dict[str, list[str]] = {}
    named = [(entry, requirement) for entry, requirement in rows if requirement.errata]
    for _, requirement in named:
        for erratum in requirement.errata:
            concerned.setdefault(erratum, []).append(requirement.id)
    errata = _keyed((entry, _erratum(entry, concerned)) for entry in file.entries("erratum"))
    file.done()
    for entry, requirement in named:
        entry.known("errata", requirement.errata, errata)
    return errata


def _erratum(entry: Table, concerned: Mapping[str, list[str]]) -> Erratum:
    name = entry.text("id")
    if name not in concerned:
        raise entry.error("no requirement names this erratum; add it to the errata of those it concerns")
    erratum = Erratum(
        id=name,
        title=entry.text("title"),
        guide=entry.text("guide"),
        observed=tuple(_observation(each) for each in entry.entries("observed")),
        reference=entry.text("reference"),
        requirements=tuple(concerned[name]),
    )
    if not erratum.observed:
        raise entry.error("observed is missing; expected what the implementations do, each under [[erratum.observed]]")
    entry.done()
    return erratum


def _observation(entry: Table) -> Observation:
    observation = Observation(entry.names("implementations") or (), entry.text("behaviour"))
    if not observation.implementations:
        raise entry.error("implementations names none; expected those it was measured on")
    entry.done()
    return observation
