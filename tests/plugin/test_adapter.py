"""An adapter in another language, as docs/adapters.md has it: the toy library's verdicts, by command and by pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import plugin
from conformance.plugin import CASE, VARIANTS
from conformance.suite import case

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "adapters" / "node"
CHAPTERS = ("weights", "claims")


@pytest.fixture
def node():
    if shutil.which("node") is None:
        pytest.skip("not run: there is no node here")


def run(*command: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **env}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def pytest_run(*options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    (cwd / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n", encoding="utf-8")
    return run("pytest", "-p", "conformance.plugin", "-p", "no:cacheprovider", *options, cwd=cwd)


@pytest.mark.usefixtures("node")
def test_the_toy_library_gets_its_verdicts(tmp_path: Path):
    file = str(FOLDER / "tinynet.toml")
    part = [word for name in CHAPTERS for word in ("--chapter", name)]
    done = run("conformance", "run", "--implementation-file", file, *part, "--output", "results.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["runs"]
    verdicts = {unit["unit"]: unit["verdict"] for unit in found["units"]}
    assert verdicts["claims.honest"] == "pass"
    assert verdicts["weights.layer-transfer"] == "known-failure"
    assert verdicts["weights.mismatch"] == "not-claimed"
    assert "fail" not in verdicts.values()
    assert found["hello"]["name"] == "tinynet"


@pytest.mark.usefixtures("node")
def test_pytest_gives_the_same_under_xdist(tmp_path: Path):
    pytest.importorskip("xdist")
    part = [word for name in CHAPTERS for word in ("--conformance-chapter", name)]
    options = ("--implementation-file", str(FOLDER / "tinynet.toml"), *part, "-p", "xdist.plugin", "-n", "2")
    done = pytest_run("--pyargs", "conformance.suite", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "keras-conformance: suite " in done.stdout
    assert "2 pass, 1 fail, 10 not claimed" in done.stdout
    assert "1 of 1 failures are known" in done.stdout
    assert "1 xfailed" in done.stdout


def test_the_adapter_is_short_and_its_parts_are_in_the_how_to():
    lines = (FOLDER / "adapter.mjs").read_text(encoding="utf-8").splitlines()
    how_to = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
    assert len(lines) < 150
    assert f"has {len(lines)} lines" in how_to
    for block in how_to.split("```js\n")[1:]:
        told = [line.strip() for line in block.partition("```")[0].splitlines()]
        assert [line for line in told if line not in {one.partition(" //")[0].strip() for one in lines}] == []
    for name in ("tinynet.toml", "expectations.toml"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        shown = [one for one in how_to.split("```toml\n")[1:] if one.split("\n")[0] in text.splitlines()]
        assert shown, name
        told = [line for line in shown[0].partition("```")[0].splitlines() if line]
        assert [line for line in told if line not in {one.partition(" #")[0] for one in text.splitlines()}] == []


# In a host project that has nothing to do with Keras


HOST = """
import sys

def test_of_the_host():
    loaded = [name for name in sys.modules if name.startswith(("conformance.", "numpy", "h5py", "pydantic", "hypothesis"))]
    assert loaded == ["conformance.plugin"], loaded
"""


def test_the_plugin_is_inert_in_a_host_project(tmp_path: Path):
    (tmp_path / "test_host.py").write_text(HOST, encoding="utf-8")
    done = pytest_run(cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "keras-conformance" not in done.stdout


def test_the_suite_asks_which_implementation(tmp_path: Path):
    options = ("--conformance-chapter", "claims", "-x", "-q")
    done = pytest_run("--pyargs", "conformance.suite", *options, cwd=tmp_path)
    assert done.returncode != 0
    assert "say which with --implementation NAME" in done.stdout


def test_marked_tests_are_chosen_by_chapter(tmp_path: Path):
    options = ("--implementation", "reference", "--collect-only", "-q", "-m", "conformance(chapter='claims')")
    done = pytest_run("--pyargs", "conformance.suite", *options, cwd=tmp_path)
    assert "test_claims.py::" in done.stdout
    assert "test_model.py::" not in done.stdout


def test_what_the_plugin_knows_without_importing_the_suite_is_so():
    assert (CASE, VARIANTS) == (case.ATTRIBUTE, case.VARIANTS)


def test_no_option_is_in_the_way_of_another_plugin():
    """Two plugins with an option of the same name end pytest at its start, in a host project that has both."""
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    names = {name for group in parser._groups for option in group.options for name in option.names()}
    assert {name for name in names if not name.startswith("--conformance-")} == {
        "--implementation",
        "--implementation-file",
    }
