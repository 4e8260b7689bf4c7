"""A large checkpoint, checksums verified, against ``np.fromfile`` of the same bytes; all from the page cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Result, median_ratio, pairs, timed
from reference_impl.formats.checkpoint import Bundle, write_bundle
from reference_impl.formats.checkpoint.bundle import data_path

TENSORS = 16
LIMITS = {"copied": 1.3, "zero-copy": 0.4}


def write(prefix: Path, mebibytes: int) -> None:
    """A checkpoint of ``mebibytes`` MiB in :data:`TENSORS` float32 tensors, all different."""
    rng = np.random.default_rng(0)
    size = mebibytes * 2**20 // TENSORS // 4
    write_bundle(prefix, [(f"tensor-{i:02d}", rng.random((size // 64, 64), np.float32)) for i in range(TENSORS)])


def run(count: int, prefix: Path) -> Iterator[Result | None]:
    """None after each pair, at last of each series the result. ``prefix`` was written by :func:`write`."""
    data = data_path(prefix, 0, 1)
    plain = timed(lambda: np.fromfile(data, np.float32))
    for name, limit in LIMITS.items():
        ours = timed(lambda copy=name == "copied": _read(prefix, copy))
        measured: list[tuple[float, float]] = []
        for pair in pairs(plain, ours, count):
            measured.append(pair)
            yield None
        what = f"all tensors of a checkpoint, {name}, verified / np.fromfile of its bytes"
        yield Result(f"checkpoint-{name}", what, "×", tuple(measured), median_ratio(tuple(measured)), limit)


def _read(prefix: Path, copy: bool) -> list[object]:
    with Bundle(prefix) as bundle:
        return [bundle.tensor(key, copy=copy) for key in bundle.entries]
