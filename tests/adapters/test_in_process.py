"""The reference answers the same in this process as over a pipe, message for message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.adapters.reference import Reference
from conformance.adapters.server import Adapter
from reference_impl.dialects import current, dialect
from tests.adapters.conversation import Answering, Conversation, Piped
from tests.adapters.walk import STEPS, Walk


class InProcess:
    """The reference's adapter, called."""

    def __init__(self, *arguments: str) -> None:
        self.adapter = Adapter(Reference(*arguments))

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.adapter.handle(request)


class Recorded:
    """Keeps every answer as the text it is over a pipe, with the directory's name taken out."""

    def __init__(self, other: Answering, directory: Path) -> None:
        self._other = other
        self._directory = str(directory)
        self.answers: list[str] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._other.answer(request)
        self.answers.append(json.dumps(answer, allow_nan=False).replace(self._directory, "DIRECTORY"))
        return answer


def walked(other: Answering, directory: Path) -> list[str]:
    directory.mkdir()
    recorded = Recorded(other, directory)
    talk = Conversation(recorded)
    for step in STEPS:
        talk.ask("reset", seed=1)
        step(Walk(talk, directory))
    return recorded.answers


def test_same_answers(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as errors:
        piped = Piped("reference", errors, tmp_path)
        over_pipe = walked(piped, tmp_path / "pipe")
        assert piped.end() == 0
    assert walked(InProcess(), tmp_path / "process") == over_pipe


def test_the_dialect_is_the_adapter_s_alone(tmp_path: Path) -> None:
    """It neither takes the dialect that is current around it nor leaves its own behind."""
    asks = "import reference_impl.dialects\nprint(reference_impl.dialects.current())"
    talk = Conversation(InProcess("keras-2.15"))
    with dialect("keras-2.8"):
        talk.ask("reset", seed=1)
        said = talk.ask("run_source", source=asks, name="asks", directory=str(tmp_path))
        assert said["stdout"] == "keras-2.15\n"
        assert current() == "keras-2.8"
    assert current() == "keras-2.4"
