"""The guide's own code, word by word but for its imports, run against the reference."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_impl
from reference_impl import tf

BLOCKS = sorted(
    (
        entry
        for entry in files("conformance.suite").joinpath("guide").iterdir()
        if entry.name.endswith(".py") and not entry.name.startswith("00_")
    ),
    key=lambda entry: entry.name,
)


@pytest.fixture
def registry() -> Iterator[None]:
    """The guide registers classes for good; here they are forgotten again."""
    objects = reference_impl.utils.get_custom_objects()
    before = dict(objects)
    yield
    objects.clear()
    objects.update(before)


@pytest.mark.usefixtures("registry")
def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed one after the other, as they go on from each other. They compare what they load themselves."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"np": np, "keras": reference_impl, "tf": tf, "__name__": "guide"}
    assert [block.name[:2] for block in BLOCKS] == [f"{number:02}" for number in range(1, 22)]
    for block in BLOCKS:
        exec(compile(block.read_text("utf-8"), f"guide/{block.name}", "exec"), namespace)
