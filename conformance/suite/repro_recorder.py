"""What was said between the suite and an implementation during one example, for a script that says it again.

The recorder stands in front of a session's ``ask``. It keeps every operation with its answer, and the files which the
suite itself wrote, changed or removed in the example's directory: to a loader they are as much of the example as the
operations are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.protocol.errors import ProtocolError, Refused
from conformance.protocol.results import Message
from conformance.protocol.session import Session

# The directory of one example, as the runner names it.
_SCRATCH = re.compile(r"^(.*/keras-conformance-[^/]+)(?:/|$)")

# Where the failure of an example carries its conversation.
ATTRIBUTE = "__conversation__"


@dataclass(frozen=True)
class Turn:
    """One operation. ``changed`` are files and folders as the suite left them before it, relative to the directory.

    A file is its bytes, a folder an empty string, what was removed None.
    """

    number: int
    operation: str
    params: Mapping[str, Any]
    value: Any = None
    failure: Exception | None = None
    messages: tuple[Message, ...] = ()
    changed: Mapping[str, bytes | str | None] = field(default_factory=dict[str, bytes | str | None])

    @property
    def made(self) -> str | None:
        """The handle of what the operation made."""
        answer: Mapping[str, Any] = self.value or {}
        return answer.get("object")

    @property
    def status(self) -> str | None:
        """The handle of the load status that it gave."""
        answer: Mapping[str, Any] = self.value or {}
        return answer.get("status")


@dataclass(frozen=True)
class Conversation:
    """All of one example; ``root`` is its directory, as far as a path showed it."""

    turns: tuple[Turn, ...]
    root: Path | None
    arrays: str | None


class Recorder:
    """Records what goes through ``session`` from now on; each ``reset`` begins anew."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ask = session.ask
        self._start()
        session.ask = self.ask

    def _start(self) -> None:
        self._turns: list[Turn] = []
        self._root: Path | None = None
        self._files: dict[str, tuple[int, int]] = {}

    def ask(self, operation: str, params: Mapping[str, Any] | None = None) -> Any:
        """As :meth:`Session.ask`, noted down."""
        if operation == "reset":
            self._start()
        given = dict(params or {})
        changed = self._changed(given)
        value: Any = None
        failure: Exception | None = None
        try:
            value = self._ask(operation, params)
        except (Refused, ProtocolError) as error:
            failure = error
            raise
        finally:
            number = len(self._turns)
            self._turns.append(Turn(number, operation, given, value, failure, self._session.messages, changed))
            self._files = self._seen()
        return value

    def attach(self, failure: Exception) -> None:
        """Let ``failure`` carry what led to it."""
        arrays = None if self._session.arrays is None else str(self._session.arrays)
        setattr(failure, ATTRIBUTE, Conversation(tuple(self._turns), self._root, arrays))

    def _changed(self, params: Mapping[str, Any]) -> dict[str, bytes | str | None]:
        path = params.get("path") or params.get("directory")
        found = _SCRATCH.match(path) if isinstance(path, str) else None
        if found and self._root is None:
            self._root = Path(found[1])
        if self._root is None:
            return {}
        now = self._seen()
        removed: dict[str, bytes | str | None] = {name: None for name in self._files if name not in now}
        touched = [name for name, facts in now.items() if self._files.get(name) != facts]
        return removed | {name: _content(self._root / name) for name in touched}

    def _seen(self) -> dict[str, tuple[int, int]]:
        if self._root is None:
            return {}
        return {str(path.relative_to(self._root)): _facts(path) for path in sorted(self._root.rglob("*"))}


def conversation_of(failure: BaseException) -> Conversation | None:
    """What led to the failure, None where nothing was recorded."""
    return getattr(failure, ATTRIBUTE, None)


def _facts(path: Path) -> tuple[int, int]:
    if path.is_dir():  # whatever happens in a folder, it is the same folder
        return (-1, -1)
    status = path.lstat()
    return (status.st_size, status.st_mtime_ns)


def _content(path: Path) -> bytes | str:
    return "" if path.is_dir() else path.read_bytes()
