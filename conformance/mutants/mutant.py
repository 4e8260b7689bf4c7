"""What a mutant is, and how one is written down.

A mutant replaces one function of the reference by another one, which gets the right one and does something wrong::

    @mutant("model.weights[hdf5]", target="reference_impl.formats.hdf5.weights:load_weights")
    def hdf5_keeps_fresh_weights(original: Any, *args: Any, **kwargs: Any) -> Any:
        \"\"\"A load that finishes without a word and leaves the weights as they were initialised.\"\"\"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.spec import Specification

DIALECT = "keras-2.4"


class MutantError(ValueError):
    """A mutant that says nothing about the suite: it names what does not exist, or its fault is in nobody's way."""


@dataclass(frozen=True)
class Mutant:
    """One fault.

    ``summary`` is the kind of real bug that it imitates. ``declares`` are the requirements or units that it breaks:
    each of them must fail, and nothing that it depends on. ``targets`` are the functions it replaces, as
    ``module:function`` or ``module:Class.method``; ``fault`` is called in their place, with the right one before the
    arguments. ``dialect`` is the one in which it is judged;
    ``piped`` runs it in a process of its own, for faults that show in what a process takes.
    """

    name: str
    summary: str
    declares: tuple[str, ...]
    targets: tuple[str, ...]
    fault: Callable[..., Any]
    dialect: str = DIALECT
    piped: bool = False

    @property
    def requirements(self) -> tuple[str, ...]:
        """The ids of the requirements among what it declares."""
        return tuple(dict.fromkeys(declared.partition("[")[0] for declared in self.declares))


def mutant(
    *declares: str, target: str | tuple[str, ...], dialect: str = DIALECT, piped: bool = False
) -> Callable[[Callable[..., Any]], Mutant]:
    """Make a mutant of the function: named after it, with its docstring as summary."""

    def made(fault: Callable[..., Any]) -> Mutant:
        name = fault.__name__.replace("_", "-")
        summary = " ".join((inspect.getdoc(fault) or "").split())
        targets = (target,) if isinstance(target, str) else target
        return Mutant(name, summary, declares, targets, fault, dialect, piped)

    return made


def declared_units(mutant: Mutant, specification: Specification) -> dict[str, tuple[str, ...]]:
    """What the mutant declares → the units of it that there are in its dialect.

    Raises :class:`MutantError` for a requirement, unit or dialect that the specification lacks, and for one that is
    not applicable.
    """
    if mutant.dialect not in specification.dialects:
        raise MutantError(f"unknown dialect {mutant.dialect!r}; known: {', '.join(specification.dialects)}")
    if not mutant.declares:
        raise MutantError("declares no requirement: name the one that its fault breaks")
    units = {
        requirement.id: tuple(str(unit) for unit in requirement.units if specification.applicable(unit, mutant.dialect))
        for requirement in specification.requirements.values()
    }
    found: dict[str, tuple[str, ...]] = {}
    for declared in mutant.declares:
        requirement_id, bracket, _ = declared.partition("[")
        if requirement_id not in units:
            raise MutantError(f"declares the unknown requirement {declared!r}; see keras-conformance spec list")
        chosen = tuple(unit for unit in units[requirement_id] if not bracket or unit == declared)
        if not chosen:
            raise MutantError(f"declares {declared!r}, of which there is no unit in the dialect {mutant.dialect}")
        found[declared] = chosen
    return found
