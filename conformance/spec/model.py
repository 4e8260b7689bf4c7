"""The specification as values: what a requirement is, where it holds, and what it is decided on.

Everything here is frozen and knows nothing of files; ``loader`` reads the TOML data into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LEVELS = ("MUST", "SHOULD", "MAY")
ORIGINS = {
    "guide": "stated by the guide",
    "passing": "said by the guide in passing, and as binding",
    "derived": "follows from the guide, or from a later dialect's own behaviour",
    "decision": "decided here, the guide being silent",
    "hazard": "what a careful implementation does where the guide endangers values",
}
ARTIFACTS = ("model", "weights")


@dataclass(frozen=True, order=True)
class Unit:
    """What a verdict is about: a requirement in one format or one layer family, or the requirement whole.

    ``needs`` are the capabilities its tests use, the variant filled in.
    """

    requirement_id: str
    variant: str | None = None
    needs: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return self.requirement_id if self.variant is None else f"{self.requirement_id}[{self.variant}]"


@dataclass(frozen=True)
class Chapter:
    """One file of requirements; ``prefixes`` are what the ids in it may begin with."""

    id: str
    title: str
    order: int
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """A generation of behaviour: the formats it has for each artifact, the layer families it lacks."""

    id: str
    title: str
    versions: str
    formats: Mapping[str, tuple[str, ...]]
    missing_families: tuple[str, ...]


@dataclass(frozen=True)
class Tolerance:
    """Numbers agree when |actual - expected| <= epsilon * max(1, max|expected|)."""

    id: str
    epsilon: float
    meaning: str


@dataclass(frozen=True)
class Observation:
    """What the named implementations were measured to do."""

    implementations: tuple[str, ...]
    behaviour: str


@dataclass(frozen=True)
class Erratum:
    """Where the guide and the real implementations part; ``requirements`` are those that name it."""

    id: str
    title: str
    guide: str
    observed: tuple[Observation, ...]
    reference: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Requirement:
    """One normative statement. ``dialects`` are those in which at least one of its units applies.

    ``guide`` is the id under which the guide's own statement is known; several requirements may share one.
    """

    id: str
    chapter: str
    level: str
    text: str
    source: str
    origin: str
    guide: str
    dialects: tuple[str, ...]
    dialect_note: str | None
    artifact: str
    formats: tuple[str, ...]
    families: tuple[str, ...]
    needs: tuple[str, ...]
    depends: tuple[str, ...]
    tolerance: str | None
    errata: tuple[str, ...]

    @property
    def units(self) -> tuple[Unit, ...]:
        """One a format or a layer family, in the order they are given; a single one for a requirement without."""
        variants = self.formats or self.families or (None,)
        return tuple(self.unit(variant) for variant in variants)

    def unit(self, variant: str | None) -> Unit:
        """The unit of one variant; ``needs`` with {format} or {family} filled in."""
        placeholder = "{format}" if self.formats else "{family}"
        return Unit(self.id, variant, tuple(need.replace(placeholder, variant or placeholder) for need in self.needs))


@dataclass(frozen=True)
class Specification:
    """All requirements, in the order of their chapters, and the tables they refer to."""

    requirements: Mapping[str, Requirement]
    chapters: Mapping[str, Chapter]
    dialects: Mapping[str, Dialect]
    formats: Mapping[str, str]
    tolerances: Mapping[str, Tolerance]
    errata: Mapping[str, Erratum]
    capabilities: Mapping[str, str]

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units of all requirements, in their order."""
        return tuple(unit for requirement in self.requirements.values() for unit in requirement.units)

    def applicable(self, unit: Unit, dialect: str) -> bool:
        """Whether the unit says anything about an implementation judged in ``dialect`` (KeyError: unknown)."""
        requirement = self.requirements[unit.requirement_id]
        speaks = self.dialects[dialect]
        if dialect not in requirement.dialects:
            return False
        if requirement.formats:
            return unit.variant in speaks.formats[requirement.artifact]
        return unit.variant not in speaks.missing_families

    def dependencies(self, unit: Unit) -> tuple[Unit, ...]:
        """The units whose failure would explain this one's: of the same variant where there is one, else all."""
        found: list[Unit] = []
        for name in self.requirements[unit.requirement_id].depends:
            units = self.requirements[name].units
            same = tuple(other for other in units if other.variant == unit.variant)
            found += same or units
        return tuple(found)

    def tolerance(self, name: str) -> float:
        """The epsilon of a tolerance (KeyError: unknown name)."""
        return self.tolerances[name].epsilon
