"""Which tests a mutant is tried with."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import conformance.suite
from conformance.mutants.mutant import Mutant, declared_units
from conformance.spec import Specification
from conformance.suite.case import VARIANTS, Case, case_of
from conformance.suite.units import units_of, variants_of


@dataclass(frozen=True)
class Test:
    """One test of the suite in one variant; ``id`` is the one that pytest gives it.

    ``probes``: it is there to show how far the fault reaches, and nothing that the mutant declares hangs on it.
    """

    __test__ = False  # not a class of tests, whatever pytest makes of its name

    id: str
    case: Case
    function: Callable[..., Any]
    parameter: str | None = None
    variant: str | None = None
    probes: bool = False

    @property
    def units(self) -> tuple[str, ...]:
        """The units that it decides."""
        return tuple(map(str, units_of(self.case, self.variant)))


@cache
def suite_tests() -> tuple[Test, ...]:
    """Every test of the suite, in the order of its files."""
    found: list[Test] = []
    for module in sorted(pkgutil.iter_modules(conformance.suite.__path__), key=lambda each: each.name):
        if module.name.startswith("test_"):
            found += _tests_of(importlib.import_module(f"conformance.suite.{module.name}"))
    return tuple(found)


def _tests_of(module: Any) -> Iterable[Test]:
    file = module.__name__.rpartition(".")[2] + ".py"
    for name, function in cast("dict[str, Any]", vars(module)).items():
        case = case_of(function) if name.startswith("test_") else None
        if case is None:
            continue
        code = function.__code__
        asked = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        parameter = next((variant for variant in VARIANTS if variant in asked), None)
        if parameter is None:
            yield Test(f"{file}::{name}", case, function)
        for variant in variants_of(case, name) if parameter else ():
            yield Test(f"{file}::{name}[{variant}]", case, function, parameter, variant)


def selection_for(
    mutant: Mutant, specification: Specification, within: Iterable[Test] | None = None
) -> tuple[Test, ...]:
    """The tests of what the mutant declares, of all that this depends on, and a probe of every chapter.

    Those of ``within`` that are not among them are probes, too.

    Raises :class:`~conformance.mutants.mutant.MutantError` for what the specification lacks.
    """
    declared = declared_units(mutant, specification)
    wanted = with_dependencies([unit for units in declared.values() for unit in units], specification)
    probes = [*probe(mutant.dialect, specification), *(within or ())]
    chosen = {test.id: replace(test, probes=True) for test in probes}
    chosen |= {test.id: test for test in suite_tests() if wanted.intersection(test.units)}
    return tuple(chosen.values())


def with_dependencies(units: Sequence[str], specification: Specification) -> set[str]:
    """``units`` and those that they depend on, directly or through others."""
    by_name = {str(unit): unit for unit in specification.units}
    found: set[str] = set()
    waiting = list(units)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += map(str, specification.dependencies(by_name[name]))
    return found


def probe(dialect: str, specification: Specification) -> tuple[Test, ...]:
    """The first test of each chapter that holds in the dialect: the same few for every mutant."""
    applicable = {str(unit) for unit in specification.units if specification.applicable(unit, dialect)}
    found: dict[str, Test] = {}
    for test in suite_tests():
        chapter = specification.requirements[test.case.requirements[0]].chapter
        if applicable.issuperset(test.units):
            found.setdefault(chapter, test)
    return tuple(found.values())


def slice_of(mutants: Sequence[Mutant], number: int, count: int, specification: Specification) -> list[Mutant]:
    """Part ``number`` of ``count`` (from 1). All parts together have every mutant, and each part one of every chapter."""
    by_chapter: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        requirement = specification.requirements.get(mutant.requirements[0]) if mutant.requirements else None
        by_chapter.setdefault(requirement.chapter if requirement else "", []).append(mutant)
    chosen = {mutant.name for group in by_chapter.values() for mutant in (group[number - 1 :: count] or group[:1])}
    return [mutant for mutant in mutants if mutant.name in chosen]
