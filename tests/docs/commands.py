"""The commands that the documentation shows: in blocks of code, and as code within a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/*.md", "docs/tutorials/*.md")

PROGRAMS = {"cp", "keras-conformance", "pip", "pytest", "python", "python3", "tox"}
SHELL = {"", "sh", "console"}
"""What stands behind the fence of a block of commands; a block without a name may be something else."""

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
COMMENT = re.compile(r"\s{2,}#\s.*")


@dataclass(frozen=True)
class Command:
    """A command as it is shown, without the comment behind it, and the page that shows it."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def shown() -> list[Command]:
    """Every command, each once a page, in the order of the pages."""
    paths = [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    return list(dict.fromkeys(command for path in paths for command in commands_of(path)))


def commands_of(path: Path) -> Iterator[Command]:
    """The commands of one page; raises ValueError for a line of a block of commands that is none."""
    page = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    text = path.read_text(encoding="utf-8")
    for language, block in BLOCK.findall(text):
        lines = [COMMENT.sub("", line) for line in block.splitlines() if line.strip()]
        if language not in SHELL or not (language or is_command(lines[0])):
            continue
        for line in lines:
            if not is_command(line):
                raise ValueError(f"{page}: a line in a block of commands that is none: {line}")
            yield Command(page, line)
    for span in SPAN.findall(BLOCK.sub("", text)):
        if " " in span and is_command(span):
            yield Command(page, span)


def is_command(line: str) -> bool:
    """Whether a line begins with one of the programs, wherever that is."""
    return line.split()[0].rsplit("/", 1)[-1] in PROGRAMS
