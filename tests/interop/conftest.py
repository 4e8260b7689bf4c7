"""What the libraries write and what they make of what the reference writes, once for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

import reference_impl
from reference_impl import naming
from tests.interop import known, libraries, program, sample

EXCHANGED = tuple(kind for kind in program.KINDS if "-new" not in kind)
"""Optimizers of before 2.11: what a library writes the other reads."""

NEW = ("sequential-new_adam", "functional-new_momentum")
"""Optimizers of 2.11 and later: read by the reference from HDF5."""


def reference(action: Callable[[object, str, str], None], kinds: tuple[str, ...], folder: Path) -> None:
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        naming.reset()
        action(reference_impl, kind, str(folder / kind))


@pytest.fixture(scope="session", params=libraries.NAMES)
def library(request: pytest.FixtureRequest) -> str:
    libraries.interpreter(request.param)
    return request.param


@pytest.fixture(scope="session")
def theirs(library: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by the library, read by the reference."""
    folder = tmp_path_factory.mktemp("theirs")
    libraries.run(library, "write", (*EXCHANGED, *NEW), folder)
    reference(program.read, (*EXCHANGED, *NEW), folder)
    return folder


@pytest.fixture(scope="session")
def written_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    reference(program.write, EXCHANGED, folder)
    return folder


@pytest.fixture(scope="session")
def ours(library: str, written_here: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by the reference, read by the library."""
    folder = tmp_path_factory.mktemp(f"ours-for-{library}") / "files"
    shutil.copytree(written_here, folder)
    libraries.run(library, "read", EXCHANGED, folder)
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="Exchange every case in every way, not a sample of them.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Known failures are expected, strictly: one that passes fails the run, and so does one that fails otherwise."""
    if not config.getoption("--deep"):
        left_out = [item for item in items if sample.left_out(item)]
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
    for item in items:
        entry = known.entry(item.nodeid)
        if entry is not None:
            item.add_marker(pytest.mark.xfail(strict=True, reason=entry.reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    entry = known.entry(item.nodeid)
    if entry is not None and report.skipped and hasattr(report, "wasxfail") and not entry.matches(_text(call)):
        report.outcome = "failed"
        report.longrepr = f"failed otherwise than known ({entry.match!r}):\n{_text(call)}"
    return report


def _text(call: pytest.CallInfo[None]) -> str:
    return "" if call.excinfo is None else f"{call.excinfo.typename}: {call.excinfo.value}"
