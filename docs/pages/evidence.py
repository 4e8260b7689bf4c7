"""What stands behind each requirement: mutants that break it, golden files that exercise it, verdicts measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.fixtures.recipe import read_recipes
from conformance.mutants.faults import load_mutants
from conformance.spec import Specification
from pages.verdicts import read_kept

HERE = Path(__file__).parent.parent


@dataclass(frozen=True)
class Evidence:
    """``verdicts``: unit → implementation → verdict; ``measured``: (implementation, its version, date) of each column."""

    mutants: Mapping[str, tuple[str, ...]]
    fixtures: Mapping[str, tuple[str, ...]]
    verdicts: Mapping[str, Mapping[str, str]]
    measured: tuple[tuple[str, str, str], ...]

    def fixtures_text(self, requirement: str) -> str:
        """The recipes that name the requirement."""
        return ", ".join(f"`{name}`" for name in self.fixtures.get(requirement, ()))


def collect(specification: Specification) -> Evidence:
    """From the mutants' table, the recipes, and ``docs/verdicts.json``."""
    runs = list(read_kept().values())
    verdicts: dict[str, dict[str, str]] = {}
    for run in runs:
        for unit, verdict in run.units.items():
            verdicts.setdefault(unit, {})[run.title] = verdict
    measured = tuple((run.title, run.version, run.date) for run in runs)
    return Evidence(_mutants(), _recipes(specification), verdicts, measured)


def _mutants() -> dict[str, tuple[str, ...]]:
    return _by_requirement((mutant.name, mutant.requirements) for mutant in load_mutants().values())


def _recipes(specification: Specification) -> dict[str, tuple[str, ...]]:
    recipes = read_recipes(HERE.parent / "fixtures", specification)
    return _by_requirement((recipe.id, recipe.requirements) for recipe in recipes.values())


def _by_requirement(named: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    """Unit or requirement ids that something names → requirement → the names of those that name it."""
    found: dict[str, list[str]] = {}
    for name, ids in named:
        for requirement in dict.fromkeys(each.partition("[")[0] for each in ids):
            found.setdefault(requirement, []).append(name)
    return {requirement: tuple(names) for requirement, names in found.items()}
