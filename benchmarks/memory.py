"""Anonymous memory that a checkpoint takes above the arrays themselves, measured in a child from outside.

The child (``python -m benchmarks.memory ACTION PREFIX``) prepares, says how many bytes the arrays will take that it
does not have yet, and acts when told to; meanwhile the parent reads ``RssAnon`` in its ``/proc/PID/status``. Mapped
files are not in it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checkpoints import TENSORS
from benchmarks.measure import Result

LIMIT = 100.0
_ROOT = Path(__file__).resolve().parents[1]

Step = tuple[int, Callable[[], object]]
"""Bytes of the arrays that will be made, and what makes them."""


def _read(prefix: str, copy: bool) -> Step:
    from reference_impl.formats.checkpoint import Bundle

    bundle = Bundle(prefix)
    return _size(prefix) if copy else 0, lambda: [bundle.tensor(key, copy=copy) for key in bundle.entries]


def _restore(prefix: str) -> Step:
    """Into variables that are there, each replaced by its stored value."""
    root = _root(prefix)
    root.write(f"{prefix}-objects")
    return 0, lambda: root.read(f"{prefix}-objects").assert_consumed()


def _write(prefix: str) -> Step:
    root = _root(prefix)
    return 0, lambda: root.write(f"{prefix}-written")


def _root(prefix: str) -> Any:
    from reference_impl import tf

    size = _size(prefix) // TENSORS // 4
    return tf.train.Checkpoint(**{f"v{i}": tf.Variable(np.full(size, i, np.float32)) for i in range(TENSORS)})


def _size(prefix: str) -> int:
    from reference_impl.formats.checkpoint.bundle import data_path

    return data_path(prefix, 0, 1).stat().st_size


ACTIONS: dict[str, Callable[[str], Step]] = {
    "read": lambda prefix: _read(prefix, copy=True),
    "read-zero-copy": lambda prefix: _read(prefix, copy=False),
    "restore": _restore,
    "write": _write,
}


def run(prefix: Path) -> Iterator[Result | None]:
    """A result for each action. ``prefix`` is a checkpoint."""
    for action in ACTIONS:
        before, peak, arrays = _measure(action, prefix)
        above = (peak - before - arrays) / 2**20
        what = f"anonymous memory above the arrays: {action} a checkpoint"
        yield Result(f"memory-{action}", what, "MiB", ((before / 2**20, peak / 2**20),), above, LIMIT)


def _measure(action: str, prefix: Path) -> tuple[int, int, int]:
    """Anonymous memory before and at most, and the bytes of the new arrays."""
    command = [sys.executable, "-m", "benchmarks.memory", action, str(prefix)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        arrays = int(child.stdout.readline())
        before = peak = _anonymous(child.pid)
        done = threading.Event()
        answers = child.stdout
        waiter = threading.Thread(target=lambda: (answers.readline(), done.set()))
        waiter.start()
        child.stdin.write("\n")
        child.stdin.flush()
        while not done.wait(0.0005):
            peak = max(peak, _anonymous(child.pid))
        waiter.join()
        peak = max(peak, _anonymous(child.pid))
        child.stdin.close()
    if child.returncode:
        raise RuntimeError(f"{action}: the child ended with {child.returncode}")
    return before, peak, arrays


def _anonymous(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next((line for line in status.splitlines() if line.startswith("RssAnon:")), "RssAnon: 0 kB")
    return int(line.split()[1]) * 1024


def _child(action: str, prefix: str) -> None:
    arrays, act = ACTIONS[action](prefix)
    print(arrays, flush=True)
    sys.stdin.readline()
    kept = act()
    print("done", flush=True)
    sys.stdin.readline()
    del kept


if __name__ == "__main__":
    _child(*sys.argv[1:])
