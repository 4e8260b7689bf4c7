"""Each adapter, in its implementation's interpreter, answers every operation as the protocol says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.conversation import ADAPTERS, PROGRAMS, Conversation, Piped
from tests.adapters.walk import STEPS, Walk

OPERATIONS: set[str] = set(
    json.loads((ADAPTERS.parent / "protocol" / "operations.json").read_text(encoding="utf-8"))["operations"]
)


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def piped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    folder = tmp_path_factory.mktemp("adapter")
    with (folder / "stderr").open("w") as errors:
        adapter = Piped(request.param, errors, folder)
        yield Conversation(adapter)
        adapter.end()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_step(piped: Conversation, step: Callable[[Walk], None], tmp_path: Path) -> None:
    piped.ask("reset", seed=1)
    step(Walk(piped, tmp_path))


def test_every_operation_was_asked(piped: Conversation) -> None:
    """Runs last of an implementation, and so only after all steps."""
    piped.ask("shutdown")
    assert piped.asked == OPERATIONS
