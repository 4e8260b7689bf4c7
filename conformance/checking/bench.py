"""The sessions of one worker: each implementation started once, kept from model to model, started again after a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.implementations.registry import ImplementationSpec, load_implementation, open_session
from conformance.protocol.errors import StartFailure
from conformance.protocol.session import Session


@dataclass(frozen=True)
class Participant:
    """An implementation that takes part: its description, its interpreter, and the seconds it has for one request."""

    name: str
    file: Path | None = None
    python: Path | None = None
    timeout: float | None = None

    def specification(self) -> ImplementationSpec:
        """What its implementation.toml says, with this time limit."""
        found = load_implementation(None if self.file else self.name, self.file)
        if self.timeout is None:
            return found
        return replace(found, limits=replace(found.limits, request=self.timeout))


class Bench:
    """A context manager of sessions. An implementation that could not be started is not tried again."""

    def __init__(self, participants: Sequence[Participant]) -> None:
        self._participants: Mapping[str, Participant] = {each.name: each for each in participants}
        self._specifications = {each.name: each.specification() for each in participants}
        self._sessions: dict[tuple[str, str], Session] = {}
        self._failures: dict[str, StartFailure] = {}

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._sessions.values():
            session.close()

    def start_all(self) -> dict[str, Session | StartFailure]:
        """Start all of them side by side, the reference in the dialect of most files."""
        with ThreadPoolExecutor(len(self._participants)) as pool:
            return dict(zip(self._participants, pool.map(self._try, self._participants), strict=True))

    def _try(self, name: str) -> Session | StartFailure:
        try:
            return self.session(name, self._specifications[name].dialects[0])
        except StartFailure as failure:
            return failure

    def session(self, name: str, dialect: str) -> Session:
        """A session with the implementation, in that dialect where it has several. Raises StartFailure."""
        if name in self._failures:
            raise self._failures[name]
        specification = self._specifications[name]
        key = (name, dialect if dialect in specification.dialects else specification.dialects[0])
        if key not in self._sessions:
            try:
                self._sessions[key] = open_session(
                    specification, python=self._participants[name].python, dialect=key[1]
                )
            except StartFailure as failure:
                self._failures[name] = failure
                raise
        return self._sessions[key]
