"""The measure of memory, on this very process."""

import contextlib
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from conformance.suite.compare import Mismatch
from conformance.suite.payloads import ALLOWED, bounded_memory


def _run_source(source: str, name: str, folder: Path) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(source, name, "exec"), {})
    return said.getvalue()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="not run: needs Linux's /proc")
def test_memory_is_measured_though_more_was_taken_before(tmp_path: Path) -> None:
    impl = SimpleNamespace(run_source=_run_source)
    np.ones(3 * ALLOWED, np.uint8)
    with (
        pytest.raises(Mismatch, match="memory taken by an array"),
        bounded_memory(impl, tmp_path, "an array"),  # pyright: ignore[reportArgumentType]
    ):
        np.ones(2 * ALLOWED, np.uint8)
    with bounded_memory(impl, tmp_path, "a small array"):  # pyright: ignore[reportArgumentType]
        np.ones(ALLOWED // 2, np.uint8)
