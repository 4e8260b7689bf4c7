"""Known failures of the matrix: what the reference does not yet exchange, each with its reason and what it fails with.

``known.toml`` has ``[[failure]]`` entries: ``tests`` (ids without the file), ``reason``, ``match`` (a regular expression that
the failure's text contains).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Known:
    reason: str
    match: str

    def matches(self, text: str) -> bool:
        return re.search(self.match, text, re.DOTALL) is not None


@cache
def _entries() -> dict[str, Known]:
    table = tomllib.loads(Path(__file__).with_name("known.toml").read_text(encoding="utf-8"))
    return {test: Known(e["reason"], e["match"]) for e in table.get("failure", ()) for test in e["tests"]}


def entry(node_id: str) -> Known | None:
    """The entry that names the test, None if there is none."""
    return _entries().get(node_id.rpartition("::")[2])
