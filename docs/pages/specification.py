"""The specification as pages: one a chapter, each requirement with its tests, mutants, fixtures and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.spec import Requirement, Specification, load_specification
from conformance.spec.model import ORIGINS
from conformance.suite.inventory import tests_by_requirement
from pages.evidence import Evidence, collect


def specification_pages() -> dict[str, str]:
    """An index, a page a chapter, and the errata."""
    specification = load_specification()
    evidence = collect(specification)
    tests = tests_by_requirement()
    pages = {"specification.md": _index(specification, evidence), "errata.md": _errata(specification)}
    for chapter in specification.chapters:
        pages[f"chapters/{chapter}.md"] = _chapter(specification, chapter, tests, evidence)
    return pages


def _index(specification: Specification, evidence: Evidence) -> str:
    lines = [
        "# Specification",
        "",
        f"{len(specification.requirements)} requirements in {len(specification.chapters)} chapters. Each has an id that is never reused,",
        "a level (MUST, SHOULD, MAY), the place it comes from, and the dialects in which it holds. A requirement may be decided once per",
        "format or layer family: these are its *units*, and verdicts are about units.",
        "",
        "| chapter | MUST | SHOULD | MAY |",
        "| --- | --- | --- | --- |",
    ]
    for chapter in specification.chapters.values():
        levels = [found.level for found in specification.requirements.values() if found.chapter == chapter.id]
        counts = " | ".join(str(levels.count(level)) for level in ("MUST", "SHOULD", "MAY"))
        lines.append(f"| [{chapter.title}](chapters/{chapter.id}.md) | {counts} |")
    lines += ["", "## Dialects", "", "| dialect | versions | whole models | weights |", "| --- | --- | --- | --- |"]
    for dialect in specification.dialects.values():
        formats = " | ".join(", ".join(dialect.formats[artifact]) for artifact in ("model", "weights"))
        lines.append(f"| `{dialect.id}` | {dialect.versions} | {formats} |")
    lines += ["", "## Tolerances", "", "Numbers agree when |a−b| ≤ ε · max(1, max|expected|).", ""]
    lines += ["| name | ε | where |", "| --- | --- | --- |"]
    lines += [f"| `{one.id}` | {one.epsilon:g} | {one.meaning} |" for one in specification.tolerances.values()]
    if evidence.verdicts:
        lines += ["", "## The verdicts shown", "", "| implementation | version | measured |", "| --- | --- | --- |"]
        lines += [f"| {name} | {version} | {date} |" for name, version, date in evidence.measured]
    chapters = "\n".join(f"chapters/{chapter}" for chapter in specification.chapters)
    lines += ["", "```{toctree}", ":hidden:", "", chapters, "errata", "```", ""]
    return "\n".join(lines)


def _chapter(specification: Specification, chapter: str, tests: Mapping[str, Iterable[str]], evidence: Evidence) -> str:
    lines = [f"# {specification.chapters[chapter].title}", ""]
    for requirement in specification.requirements.values():
        if requirement.chapter == chapter:
            lines += _requirement(requirement, specification, tests.get(requirement.id, ()), evidence)
    return "\n".join(lines)


def _requirement(
    requirement: Requirement, specification: Specification, tests: Iterable[str], evidence: Evidence
) -> list[str]:
    lines = [f"## {requirement.id}", "", f"**{requirement.level}** {_text(requirement.text)}", ""]
    facts = {
        "Source": f"{_text(requirement.source)} ({ORIGINS[requirement.origin]})",
        "Dialects": ", ".join(f"`{name}`" for name in requirement.dialects),
        "Because": _text(requirement.dialect_note or ""),
        "Units": ", ".join(f"`{unit}`" for unit in requirement.units) if requirement.units[0].variant else "",
        "Depends on": _links(requirement.depends, specification),
        "Tolerance": f"`{requirement.tolerance}`" if requirement.tolerance else "",
        "Errata": ", ".join(f"[{one}](../errata.md#{one.lower()})" for one in requirement.errata),
        "Tests": ", ".join(f"`{test}`" for test in tests),
        "Mutants": ", ".join(f"`{name}`" for name in evidence.mutants.get(requirement.id, ())),
        "Fixtures": evidence.fixtures_text(requirement.id),
    }
    lines += [f"* *{name}:* {value}" for name, value in facts.items() if value]
    lines.append("")
    verdicts = [(unit, evidence.verdicts.get(str(unit), {})) for unit in requirement.units]
    names = [name for name, _, _ in evidence.measured]
    if any(found for _, found in verdicts):
        lines += ["| unit | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
        lines += [
            f"| `{unit}` | " + " | ".join(found.get(name, "") for name in names) + " |" for unit, found in verdicts
        ]
        lines.append("")
    return lines


def _links(ids: Iterable[str], specification: Specification) -> str:
    return ", ".join(f"[{name}]({specification.requirements[name].chapter}.md#{_anchor(name)})" for name in ids)


def _anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_ ").replace(" ", "-")


def _text(text: str) -> str:
    """The specification's text with what Markdown would take for markup escaped."""
    for letter in "\\<*_[]|":
        text = text.replace(letter, "\\" + letter)
    return text


def _errata(specification: Specification) -> str:
    lines = ["# Errata of the guide", "", "Where the guide and the real implementations part, as measured.", ""]
    for erratum in specification.errata.values():
        lines += [f"## {erratum.id}", "", f"**{_text(erratum.title)}**", "", f"*The guide:* {_text(erratum.guide)}", ""]
        for seen in erratum.observed:
            lines += [f"* *{', '.join(seen.implementations)}:* {_text(seen.behaviour)}"]
        lines += [f"* *the reference:* {_text(erratum.reference)}", ""]
        if erratum.requirements:
            lines += ["Named by " + ", ".join(_home(name, specification) for name in erratum.requirements) + ".", ""]
    return "\n".join(lines)


def _home(name: str, specification: Specification) -> str:
    return f"[{name}](chapters/{specification.requirements[name].chapter}.md#{_anchor(name)})"
