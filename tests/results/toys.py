"""A specification of a few lines, and records about it."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from conformance.results.model import TestRecord
from conformance.results.verdict import FailureKind, Verdict
from conformance.spec.model import Chapter, Dialect, Requirement, Specification


def toy_requirement(name: str, **changes: object) -> Requirement:
    plain = {
        "id": name, "chapter": name.split(".")[0], "level": "MUST", "text": f"The text of {name}.", "source": "guide",
        "origin": "guide", "guide": name, "dialects": ("old", "new"), "dialect_note": None, "artifact": "model",
        "formats": (), "families": (), "needs": (), "depends": (), "tolerance": None, "errata": (),
    }  # fmt: skip
    return Requirement(**{**plain, **changes})


def toy_specification(*requirements: Requirement) -> Specification:
    chapters = list(dict.fromkeys(requirement.chapter for requirement in requirements))
    nothing = MappingProxyType({})
    return Specification(
        requirements={requirement.id: requirement for requirement in requirements},
        chapters={name: Chapter(name, name, order, (name,)) for order, name in enumerate(chapters)},
        dialects={
            "old": Dialect("old", "old", "1", {"model": ("folder",), "weights": ("file",)}, ("late",)),
            "new": Dialect("new", "new", "2", {"model": ("folder", "zip"), "weights": ("file",)}, ()),
        },
        formats={"folder": "a folder", "zip": "an archive", "file": "a file"},
        tolerances=nothing, errata=nothing,
        capabilities={"save.folder": "", "save.zip": "", "train": ""},
    )  # fmt: skip


@pytest.fixture
def specification() -> Specification:
    """a.saved[folder|zip] ← b.same[folder|zip] ← c.trained ← d.resumed; e.alone; f.late (only the new dialect)."""
    return toy_specification(
        toy_requirement("a.saved", formats=("folder", "zip"), needs=("save.{format}",)),
        toy_requirement("b.same", formats=("folder", "zip"), depends=("a.saved",), needs=("save.{format}",)),
        toy_requirement("c.trained", depends=("b.same",), needs=("train",)),
        toy_requirement("d.resumed", depends=("c.trained",)),
        toy_requirement("e.alone"),
        toy_requirement("f.late", dialects=("new",)),
    )


CAPABILITIES = ("save.folder", "save.zip", "train")


def record(
    *units: str, verdict: str = "pass", test: str | None = None, kind: str = "silent", message: str = "values differ"
) -> TestRecord:
    told = Verdict(verdict)
    return TestRecord(
        id=test or f"test_{units[0]}",
        requirements=tuple(sorted({unit.split("[")[0] for unit in units})),
        units=units,
        verdict=told,
        kind=FailureKind(kind) if told.is_failure else None,
        message=message if told.is_failure else None,
    )
