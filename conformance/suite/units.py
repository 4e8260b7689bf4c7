"""From a test's case to the units of the specification that it decides."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import PurePath

from conformance.spec import Specification, Unit, load_specification
from conformance.suite.case import Case


@cache
def _specification() -> Specification:
    return load_specification()


def units_of(case: Case, variant: str | None) -> tuple[Unit, ...]:
    """The units that one run of the test decides: for ``variant``, or all units of a test that takes no variant."""
    units: list[Unit] = []
    for requirement_id in case.requirements:
        requirement = _specification().requirements[requirement_id]
        mine = [
            unit
            for unit in requirement.units
            if case.variants is None or unit.variant is None or unit.variant in case.variants
        ]
        units += [unit for unit in mine if variant is None or unit.variant in (None, variant)]
    return tuple(units)


def variants_of(case: Case, name: str) -> list[str]:
    """The formats or layer families for which a test runs: those of all its requirements, narrowed by the test."""
    seen: dict[str, None] = {}
    for requirement_id in case.requirements:
        try:
            requirement = _specification().requirements[requirement_id]
        except KeyError:
            raise ValueError(
                f"{name} names the requirement {requirement_id!r}, which the specification lacks"
            ) from None
        seen |= {unit.variant: None for unit in requirement.units if unit.variant is not None}
    unknown = [variant for variant in case.variants or () if variant not in seen]
    if unknown or not seen:
        raise ValueError(f"{name} asks for the formats {case.variants}; its requirements have {list(seen) or 'none'}")
    return [variant for variant in seen if case.variants is None or variant in case.variants]


def selected(
    case: Case,
    variant: str | None,
    *,
    requirements: Iterable[str] | None,
    formats: Iterable[str] | None,
    chapters: Iterable[str] | None,
) -> bool:
    """Whether the options on the command line choose this test; an option that was not given chooses everything."""
    return (
        (not requirements or any(chosen in case.requirements for chosen in requirements))
        and (not formats or variant in set(formats))
        and (not chapters or any(_specification().requirements[r].chapter in set(chapters) for r in case.requirements))
    )


def chapter_of_file(nodeid: str) -> str:
    """``.../test_hdf5_weights.py::test_x`` → ``hdf5-weights``."""
    return PurePath(nodeid.split("::")[0]).stem.removeprefix("test_").replace("_", "-")
