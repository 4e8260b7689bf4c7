"""Vocabularies in checkpoints, to and from TensorFlow 2.4: the only generation and the only format that has them there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.interop import libraries

PROGRAM = Path(__file__).with_name("table_program.py")


def run(who: str, action: str, folder: Path) -> Any:
    path = folder / f"{who}-{action}.json"
    done = subprocess.run(
        [libraries.python_of(who), PROGRAM, action, folder / "weights", path],
        env=libraries.environment(who),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("writer", "reader"), [("tf2.4", "reference"), ("reference", "tf2.4")])
def test_vocabularies_are_exchanged(writer: str, reader: str, tmp_path: Path) -> None:
    written, read = run(writer, "write", tmp_path), run(reader, "read", tmp_path)
    assert read[:3] == written[:3]
    assert read[3] == [pytest.approx(row, abs=1e-6) for row in written[3]]
