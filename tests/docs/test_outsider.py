"""docs/adapters.md word by word: an empty folder, the repository, Node, and every command of the page:
those of its blocks in their order, then those in its sentences."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.commands import ROOT, commands_of

PAGE = ROOT / "docs" / "adapters.md"


def test_a_toy_library_is_validated_by_the_commands_of_the_page_alone(tmp_path: Path):
    if shutil.which("node") is None:
        pytest.skip("not run: there is no node here")
    folder, bin_folder = tmp_path / "empty", tmp_path / "empty" / "suite" / "bin"
    folder.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("KERAS_CONFORMANCE_", "PYTHON"))},
        "HOME": str(tmp_path),
        "PIP_CACHE_DIR": str(Path("~/.cache/pip").expanduser()),
    }
    ran: list[str] = []
    for command in commands_of(PAGE):
        if command.text.startswith("keras-conformance "):  # in a sentence
            text = f"{bin_folder}/{command.text}"
        else:
            text = command.text.replace("REPOSITORY", str(ROOT))
        text = f"{text} >> said 2>&1"
        done = subprocess.run(["sh", "-c", text], cwd=folder, env=environment, check=False)
        said = (folder / "said").read_text(encoding="utf-8")
        if "No matching distribution found for hatchling" in said:
            pytest.skip("not run: no package index can be reached, and the page begins with pip install")
        assert done.returncode == 0, f"$ {text}\n{said[-3000:]}"
        ran.append(command.text.split()[0])
    assert ran.count("suite/bin/keras-conformance") == 3
    assert "0 unexpected verdicts" in said
    assert "tests by verdict: 2 pass, 1 fail," in said
    assert (folder / "report.html").stat().st_size > 10_000
