"""Who reads whose files: a table producer × consumer for one format, for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from conformance.results.model import ResultsError


class Read(NamedTuple):
    """How many files were ``right``, ``of`` how many, and how many of the rest were read ``wrong`` and not refused."""

    right: int
    of: int
    wrong: int = 0


@dataclass(frozen=True)
class Exchange:
    """The files of one format, ``cells[producer, consumer]``."""

    format: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    cells: Mapping[tuple[str, str], Read]


def read_exchanges(path: Path) -> list[Exchange]:
    """The tables of a ``matrix`` document, one a format. Raises ResultsError.

    The document is that of ``keras-conformance matrix --json``; what a consumer does not claim is not counted.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        cells = [
            (str(cell["format"]), str(cell["producer"]), str(column["consumer"]), _counted(cell["counts"]))
            for column in document["columns"]
            for cell in column["cells"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: is no table of who reads whose files: {error!r}") from error
    return [
        Exchange(
            name,
            tuple(dict.fromkeys(cell[1] for cell in cells if cell[0] == name)),
            tuple(dict.fromkeys(cell[2] for cell in cells if cell[0] == name)),
            {(cell[1], cell[2]): cell[3] for cell in cells if cell[0] == name},
        )
        for name in dict.fromkeys(cell[0] for cell in cells)
    ]


def _counted(counts: Mapping[str, int]) -> Read:
    tried = sum(number for verdict, number in counts.items() if verdict != "not-claimed")
    return Read(counts.get("pass", 0), tried, tried - counts.get("pass", 0) - counts.get("refused", 0))
