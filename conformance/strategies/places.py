"""Where something is saved: text or path object, unicode, folders that exist or not, a path that is taken or free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

PATH_TYPES = ("str", "pathlib", "pathlike")
FOLDERS = ((), ("new",), ("path", "to"), ("größe", "層"), ("with blank",), ("dot.ted",))


@dataclass(frozen=True)
class Place:
    """A path below a folder of the test's own; ``file`` is the name the format needs."""

    folders: tuple[str, ...] = ()
    path_type: str = "str"
    exists: bool = True
    taken: bool = False

    def path(self, root: Path, file: str) -> Path:
        """The path below ``root``, whose folders are made where the place says that they exist."""
        folder = root.joinpath(*self.folders)
        if self.exists:
            folder.mkdir(parents=True, exist_ok=True)
        return folder / file

    def to_json(self) -> dict[str, object]:
        """The place in plain values."""
        return {"folders": list(self.folders), "type": self.path_type, "exists": self.exists, "taken": self.taken}


@st.composite
def places(
    draw: st.DrawFn,
    path_types: Sequence[str] = PATH_TYPES,
    folders: Sequence[tuple[str, ...]] = FOLDERS,
    missing: bool = True,
    taken: bool = True,
) -> Place:
    """Places of every kind. ``missing=False``: all folders exist. ``taken=False``: nothing is there yet.

    What is at a taken path is the test's business: an older model, or one of another format.
    """
    chosen = draw(st.sampled_from(folders))
    exists = not (missing and chosen) or draw(st.booleans())
    occupied = taken and exists and draw(st.booleans())
    return Place(chosen, draw(st.sampled_from(path_types)), exists, occupied)
