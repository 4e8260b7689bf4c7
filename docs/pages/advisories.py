"""The table of published advisories: which requirement decides each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "advisories.toml"

HEAD = """---
orphan: true
---
# Advisories

What was published about Keras files that do harm, and the requirements that say whether an implementation is hit. *Fuzz* names
the readers of the reference that are given such files (`python -m fuzz`).

| advisory | what | decided by |
| --- | --- | --- |
"""


def read_advisories() -> list[Mapping[str, Any]]:
    """The entries of ``advisories.toml``."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["advisory"]


def advisories_page() -> str:
    """The page, in Markdown."""
    return HEAD + "".join(_row(entry) for entry in read_advisories())


def _row(entry: Mapping[str, Any]) -> str:
    names = ", ".join([entry["id"], *entry.get("also", ())])
    decided = [f"`{name}`" for name in entry.get("requirements", ())]
    if entry.get("fuzz"):
        decided.append("fuzz: " + " ".join(f"`{name}`" for name in entry["fuzz"]))
    text = "; ".join(filter(None, [", ".join(decided), entry.get("reason", "")]))
    return f"| {names} | {entry['about']} | {text} |\n"
