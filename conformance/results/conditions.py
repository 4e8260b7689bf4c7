"""The condition of an expectation: with which versions it holds, written as pip writes a requirement.

``python >= 3.12``, ``tensorflow >= 2.4, < 2.15``, ``dialect == 2.8``. The names are those of an implementation's
answer to ``hello``: python, its own name, and its libraries; ``dialect`` stands for the number of the dialect that it
is judged in. Pre-releases count as versions like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Condition:
    """A name and the versions of it with which the condition holds."""

    name: str
    versions: SpecifierSet

    def __str__(self) -> str:
        return f"{self.name} {self.versions}"

    def holds(self, facts: Mapping[str, Version]) -> bool | None:
        """Whether it holds; None if ``facts`` say nothing about the name."""
        version = facts.get(canonicalize_name(self.name))
        return None if version is None else self.versions.contains(version, prereleases=True)


def parse_condition(text: str) -> Condition:
    """The condition that ``text`` is; raises ValueError saying what was expected."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"condition is {text!r}, expected a name and versions, as in 'python >= 3.12'") from error
    if requirement.extras or requirement.marker or requirement.url or not len(requirement.specifier):
        raise ValueError(f"condition is {text!r}, expected a name and versions alone, as in 'python >= 3.12'")
    return Condition(requirement.name, requirement.specifier)


def facts_of(hello: Mapping[str, Any], dialect: str) -> dict[str, Version]:
    """What conditions can be about, by normalised name. What is no version is left out."""
    told: dict[str, object] = {"dialect": dialect.rpartition("-")[2], "python": hello.get("python")}
    told[str(hello.get("name", ""))] = hello.get("version")
    told |= hello.get("libraries") or {}
    facts: dict[str, Version] = {}
    for name, version in told.items():
        try:
            facts[canonicalize_name(name)] = Version(str(version))
        except InvalidVersion:
            continue
    return facts
