"""Files at the edge: replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a path beside ``path`` to write to; it takes the place of ``path`` if the block ends well.

    Readers see the old file or the new one, and who has the old one mapped keeps it. If the block raises,
    the old file is as it was and the new one is removed. Missing parent folders are made.
    """
    path = Path(os.path.realpath(path))  # of a link the target is replaced
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
