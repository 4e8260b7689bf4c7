"""The one error of the witness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast


class WitnessError(ValueError):
    """A file is not what its format says: which file, where in it, what was found there."""

    def __init__(self, file: str | Path, place: str, problem: str) -> None:
        super().__init__(f"{file}: {place}: {problem}")
        self.file = str(file)
        self.place = place
        self.problem = problem


def json_object(text: str | bytes, file: str | Path, place: str) -> dict[str, Any]:
    """The JSON object in ``text``. Raises WitnessError when it is not one."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise WitnessError(file, place, f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise WitnessError(file, place, f"found {type(value).__name__}, expected a JSON object")
    return cast("dict[str, Any]", value)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises WitnessError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise WitnessError(path, "file", f"cannot be read: {error.strerror or error}") from None


def read_part(path: Path, offset: int, size: int) -> bytes:
    """Up to ``size`` bytes from ``offset`` on. Raises WitnessError when the file cannot be read."""
    try:
        available = path.stat().st_size - offset
        with path.open("rb") as stream:
            stream.seek(max(offset, 0))
            return stream.read(max(0, min(size, available)))
    except OSError as error:
        raise WitnessError(path, "file", f"cannot be read: {error.strerror or error}") from None
