"""``keras-conformance spec``: read the specification, and see that every requirement has its tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import click
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.cli.names import check_names
from conformance.spec import Requirement, Specification, load_specification
from conformance.spec.model import LEVELS, ORIGINS

PLAIN_WIDTH = 120  # when the output is no terminal
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, by the schema in conformance/spec.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def spec() -> None:
    """Read the specification: every requirement, where it holds, and which tests decide it."""


@spec.command("list")
@click.option("--chapter", "chapters", multiple=True, metavar="CHAPTER", help="Only this chapter (repeatable).")
@click.option("--level", "levels", multiple=True, metavar="LEVEL", help="Only MUST, SHOULD or MAY (repeatable).")
@click.option("--dialect", "dialects", multiple=True, metavar="DIALECT", help="Only what holds there (repeatable).")
@click.option("--format", "formats", multiple=True, metavar="FORMAT", help="Only what has this format (repeatable).")
@_AS_JSON
def list_(
    chapters: Sequence[str], levels: Sequence[str], dialects: Sequence[str], formats: Sequence[str], as_json: bool
) -> None:
    """List the requirements, chapter by chapter.

    Filters of one kind add up, filters of different kinds narrow each other.
    """
    specification = load_specification()
    levels = [level.upper() for level in levels]
    check_names("chapter", chapters, specification.chapters)
    check_names("level", levels, LEVELS)
    check_names("dialect", dialects, specification.dialects)
    check_names("format", formats, specification.formats)
    chosen = [
        requirement
        for requirement in specification.requirements.values()
        if (not chapters or requirement.chapter in chapters)
        and (not levels or requirement.level in levels)
        and (not dialects or _applies(specification, requirement, dialects, formats))
        and (not formats or set(requirement.formats) & set(formats))
    ]
    if as_json:
        tests = _tests()
        _print_json({"requirements": [_as_data(requirement, tests) for requirement in chosen]})
    else:
        _console().print(_listing(chosen, specification))


@spec.command()
@click.argument("requirement_id", metavar="ID")
@_AS_JSON
def show(requirement_id: str, as_json: bool) -> None:
    """Show all there is to know of one requirement: statement, units, dependencies, errata, tests."""
    specification = load_specification()
    check_names("requirement", [requirement_id], specification.requirements, "keras-conformance spec list")
    requirement = specification.requirements[requirement_id]
    tests = _tests()
    if as_json:
        _print_json(_everything(requirement, specification, tests))
    else:
        _console().print(_page(requirement, specification, tests.get(requirement.id, [])))


@spec.command()
@_AS_JSON
@click.pass_context
def coverage(context: click.Context, as_json: bool) -> None:
    """Tell whether each requirement has a test, each test a requirement, and each MUST a mutant.

    Exits with 1 and lists them when one has not.
    """
    from conformance.suite.inventory import tests_without_requirement

    requirements = load_specification().requirements
    found = Coverage.of(requirements, _tests(), tests_without_requirement(), _without_mutant(requirements))
    if as_json:
        _print_json(asdict(found))
    else:
        for line in found.lines():
            click.echo(line)
    context.exit(0 if found.complete else 1)


@dataclass(frozen=True)
class Coverage:
    """How requirements and tests belong together."""

    requirements: int
    tests: int
    requirements_without_test: tuple[str, ...]
    tests_without_requirement: tuple[str, ...]
    unknown_requirements: tuple[str, ...]
    musts_without_mutant: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        requirements: Iterable[str],
        tests: Mapping[str, Sequence[str]],
        without_requirement: Sequence[str],
        without_mutant: Sequence[str] = (),
    ) -> Coverage:
        """From the ids of all requirements, the tests of each id that a test names, the tests that name none, and the
        MUST requirements that no mutant declares."""
        known = tuple(requirements)
        return cls(
            requirements=len(known),
            tests=len({test for each in tests.values() for test in each} | set(without_requirement)),
            requirements_without_test=tuple(name for name in known if not tests.get(name)),
            tests_without_requirement=tuple(without_requirement),
            unknown_requirements=tuple(name for name in tests if name not in known),
            musts_without_mutant=tuple(without_mutant),
        )

    @property
    def complete(self) -> bool:
        """Whether nothing is missing on any side."""
        return not (
            self.requirements_without_test
            or self.tests_without_requirement
            or self.unknown_requirements
            or self.musts_without_mutant
        )

    def lines(self) -> list[str]:
        """What a person reads: the counts, and below each the ids."""
        kinds = [
            ("requirements without a test", self.requirements_without_test),
            ("tests without a requirement", self.tests_without_requirement),
            ("requirements that a test names and the specification lacks", self.unknown_requirements),
            ("MUST requirements without a mutant", self.musts_without_mutant),
        ]
        found = [f"{self.requirements} requirements, {self.tests} tests"]
        for title, names in kinds:
            found += [f"{len(names)} {title}", *(f"  {name}" for name in names)]
        return found


def _applies(
    specification: Specification, requirement: Requirement, dialects: Sequence[str], formats: Sequence[str]
) -> bool:
    """Whether a unit (of one of the formats, when some are given) applies in one of the dialects."""
    units = [unit for unit in requirement.units if not formats or unit.variant in formats]
    return any(specification.applicable(unit, dialect) for unit in units for dialect in dialects)


def _tests() -> dict[str, list[str]]:
    from conformance.suite.inventory import tests_by_requirement  # imports the whole suite

    return tests_by_requirement()


def _without_mutant(requirements: Mapping[str, Requirement]) -> list[str]:
    from conformance.mutants.faults import load_mutants

    declared = {name for mutant in load_mutants().values() for name in mutant.requirements}
    return [name for name, requirement in requirements.items() if requirement.level == "MUST" and name not in declared]


def _as_data(requirement: Requirement, tests: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        **asdict(requirement),
        "units": [str(unit) for unit in requirement.units],
        "tests": list(tests.get(requirement.id, ())),
    }


def _everything(
    requirement: Requirement, specification: Specification, tests: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    tolerance = specification.tolerances[requirement.tolerance] if requirement.tolerance else None
    return {
        "requirement": _as_data(requirement, tests),
        "dependents": _dependents(requirement, specification),
        "units": [
            {
                "unit": str(unit),
                "dialects": [name for name in specification.dialects if specification.applicable(unit, name)],
                "needs": list(unit.needs),
                "depends": [str(other) for other in specification.dependencies(unit)],
            }
            for unit in requirement.units
        ],
        "tolerance": asdict(tolerance) if tolerance else None,
        "errata": [asdict(specification.errata[name]) for name in requirement.errata],
    }


def _dependents(requirement: Requirement, specification: Specification) -> list[str]:
    return [other.id for other in specification.requirements.values() if requirement.id in other.depends]


def _listing(requirements: Sequence[Requirement], specification: Specification) -> Group:
    parts: list[Padding | Text] = []
    width = max((len(requirement.id) for requirement in requirements), default=0)
    for chapter in specification.chapters.values():
        mine = [requirement for requirement in requirements if requirement.chapter == chapter.id]
        if mine:
            table = _chapter_table(f"{chapter.id}: {chapter.title}", mine, specification, width)
            parts.append(Padding(table, (0, 0, 1, 0)))
    levels = Counter(requirement.level for requirement in requirements)
    counts = ", ".join(f"{levels[level]} {level}" for level in LEVELS if levels[level])
    units = sum(len(requirement.units) for requirement in requirements)
    parts.append(Text(f"{len(requirements)} requirements ({counts or 'none match'}), {units} units"))
    return Group(*parts)


def _chapter_table(title: str, requirements: Sequence[Requirement], specification: Specification, width: int) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("id", no_wrap=True, min_width=width, style="cyan")
    table.add_column("level", no_wrap=True, min_width=max(map(len, LEVELS)))
    for dialect in specification.dialects:
        short = dialect.removeprefix("keras-")
        table.add_column(short, no_wrap=True, min_width=len(short), justify="center")
    table.add_column("statement", ratio=1)
    for requirement in requirements:
        holds = ("●" if dialect in requirement.dialects else "·" for dialect in specification.dialects)
        table.add_row(requirement.id, requirement.level, *holds, requirement.text)
    return table


def _page(requirement: Requirement, specification: Specification, tests: Sequence[str]) -> Group:
    chapter = specification.chapters[requirement.chapter]
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True, style="dim")
    facts.add_column(ratio=1)
    for name, value in _facts(requirement, specification, tests):
        if value:
            facts.add_row(name, value)
    parts: list[Text | Table | Padding] = [
        Text.assemble((requirement.id, "bold cyan"), "  ", (requirement.level, "bold"), "  ", chapter.title),
        Padding(Text(requirement.text), (1, 0)),
        facts,
    ]
    for name in requirement.errata:
        erratum = specification.errata[name]
        parts.append(Padding(Text(f"Erratum {name}: {erratum.title}", style="bold"), (1, 0, 0, 0)))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(ratio=1)
        table.add_row("guide", erratum.guide)
        for observation in erratum.observed:
            table.add_row(", ".join(observation.implementations), observation.behaviour)
        table.add_row("reference", erratum.reference)
        parts.append(table)
    return Group(*parts)


def _facts(
    requirement: Requirement, specification: Specification, tests: Sequence[str]
) -> list[tuple[str, str | None]]:
    tolerance = specification.tolerances[requirement.tolerance] if requirement.tolerance else None
    return [
        ("origin", f"{requirement.origin} ({ORIGINS[requirement.origin]})"),
        ("source", requirement.source),
        ("guide", requirement.guide if requirement.guide != requirement.id else None),
        ("dialects", ", ".join(requirement.dialects)),
        ("", requirement.dialect_note and f"elsewhere: {requirement.dialect_note}"),
        ("units", "\n".join(str(unit) for unit in requirement.units)),
        ("needs", "\n".join(requirement.needs)),
        ("tolerance", tolerance and f"{tolerance.id}: {tolerance.epsilon:g}, {tolerance.meaning}"),
        ("depends on", "\n".join(requirement.depends)),
        ("needed by", "\n".join(_dependents(requirement, specification))),
        ("tests", "\n".join(tests) or "none"),
    ]


def _console() -> Console:
    make = partial(Console, highlight=False, markup=False, emoji=False)  # "[hdf5]" in a unit's id is no style
    console = make()
    return console if console.is_terminal else make(width=PLAIN_WIDTH)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
