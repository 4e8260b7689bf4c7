"""From the names on the command line to what can be run: the implementation, its interpreter, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from conformance.cli.names import check_names
from conformance.implementations.registry import (
    ImplementationSpec,
    find_python,
    implementation_names,
    load_implementation,
)
from conformance.protocol.errors import StartFailure
from conformance.results.expectations import Expectations, read_expectations
from conformance.spec import Specification

DEFAULT = ("reference",)


@dataclass(frozen=True)
class Target:
    """One implementation to run, in one dialect.

    ``python`` is its interpreter (None: the driver's), ``given`` what ``--python`` said; ``file`` describes an
    implementation from outside; ``missing`` says why it cannot be started, and what to do about it.
    """

    implementation: ImplementationSpec
    dialect: str
    python: Path | None = None
    given: Path | None = None
    file: Path | None = None
    missing: str | None = None

    @property
    def name(self) -> str:
        """The implementation's name."""
        return self.implementation.name

    @property
    def title(self) -> str:
        """The name, and the dialect where the implementation has several."""
        return f"{self.name} ({self.dialect})" if len(self.implementation.dialects) > 1 else self.name

    def read_expectations(self, specification: Specification) -> Expectations:
        """Its expected failures; raises :class:`~conformance.results.expectations.ExpectationsError`."""
        return read_expectations(self.implementation.expectations, specification)


def known_names(files: Sequence[Path] = ()) -> list[str]:
    """Every implementation there is, those described outside first."""
    return list(dict.fromkeys([*_outside(files), *implementation_names()]))


def find_targets(names: Sequence[str], pythons: Sequence[str], files: Sequence[Path]) -> list[Target]:
    """The targets that ``names`` (and ``files``, where no name is given) stand for, each once, in that order."""
    outside = _outside(files)
    known = known_names(files)
    check_names("implementation", names, known, "keras-conformance list")
    interpreters = _interpreters(pythons, known)
    chosen = list(dict.fromkeys(names or outside or DEFAULT))
    return [_target(name, outside.get(name), interpreters.get(name)) for name in chosen]


def in_dialects(targets: Sequence[Target], chosen: Sequence[str] = ()) -> list[Target]:
    """``targets``, each once per dialect it is judged in; only in the ``chosen`` ones, where some are given.

    A target that has none of the chosen is a usage error.
    """
    found: list[Target] = []
    for target in targets:
        dialects = [name for name in target.implementation.dialects if not chosen or name in chosen]
        if not dialects:
            raise click.UsageError(
                f"{target.name} is judged in {', '.join(target.implementation.dialects)}, not in {', '.join(chosen)}"
            )
        found += [replace(target, dialect=name) for name in dialects]
    return found


def _outside(files: Sequence[Path]) -> dict[str, Path]:
    return {load_implementation(None, file).name: file for file in files}


def _interpreters(pythons: Sequence[str], known: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in pythons:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise click.UsageError(f"--python {text!r}: expected NAME=PATH, as in --python tf-keras=venv/bin/python")
        check_names("implementation", [name], known)
        found[name] = Path(path).expanduser()
    return found


def _target(name: str, file: Path | None, given: Path | None) -> Target:
    implementation = load_implementation(name, file)
    dialect = implementation.dialects[0]
    try:
        python = find_python(implementation, given)
    except StartFailure as failure:
        return Target(implementation, dialect, given=given, file=file, missing=str(failure))
    return Target(implementation, dialect, python, given, file)
