"""The table of advisories: each is decided by something that exists, or says why by nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from conformance.spec import load_specification
from fuzz.readers import READERS

ADVISORIES = tomllib.loads((Path(__file__).parents[2] / "docs" / "advisories.toml").read_text(encoding="utf-8"))[
    "advisory"
]
REQUIREMENTS = load_specification().requirements
PUBLISHED = 27


def test_every_advisory_is_there_once():
    names = [name for entry in ADVISORIES for name in (entry["id"], *entry.get("also", ()))]
    assert len(names) == len(set(names))
    assert len(ADVISORIES) == PUBLISHED


@pytest.mark.parametrize("entry", ADVISORIES, ids=lambda entry: entry["id"])
def test_each_is_decided_by_what_exists(entry):
    assert set(entry) <= {"id", "also", "about", "requirements", "fuzz", "reason"}
    assert set(entry.get("requirements", ())) <= set(REQUIREMENTS)
    assert set(entry.get("fuzz", ())) <= set(READERS)
    assert entry.get("requirements") or entry.get("fuzz") or entry.get("reason")


def test_every_requirement_that_comes_of_an_advisory_is_in_its_row():
    rows = {entry["id"]: entry.get("requirements", ()) for entry in ADVISORIES}
    for requirement in REQUIREMENTS.values():
        for name in re.findall(r"CVE-\d+-\d+", requirement.source):
            assert requirement.id in rows[name], (name, requirement.id)
