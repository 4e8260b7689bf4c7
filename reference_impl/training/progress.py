"""The line that training prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

_WIDTH = 30


class Progress:
    """One line an epoch: ``4/4 [=====] - 0s 1ms/step - loss: 0.3312``. ``verbose``: 0 nothing, 1 a bar, 2 plain."""

    def __init__(self, steps: int | None, verbose: int) -> None:
        self.steps = steps
        self.verbose = verbose
        self.started = time.monotonic()
        self.done = 0

    def epoch(self, number: int, epochs: int) -> None:
        """Begin an epoch; with one epoch there is no headline, as Keras has it for ``evaluate``."""
        self.started = time.monotonic()
        if self.verbose:
            _write(f"Epoch {number + 1}/{epochs}\n")

    def step(self, done: int, logs: Mapping[str, float]) -> None:
        """Show the state after ``done`` steps."""
        self.done = done
        if self.verbose != 1:
            return
        if self.steps is None:
            _write(f"\r{done}/Unknown - {self._elapsed(done)}{_shown(logs)}")
            return
        filled = _WIDTH * done // self.steps
        bar = "=" * _WIDTH if done == self.steps else "=" * max(filled - 1, 0) + ">" + "." * (_WIDTH - filled)
        _write(f"\r{done}/{self.steps} [{bar[:_WIDTH]}] - {self._elapsed(done)}{_shown(logs)}")

    def finish(self, logs: Mapping[str, float]) -> None:
        """End the line."""
        steps = self.steps or self.done
        if self.verbose == 1:
            _write(f"\r{steps}/{steps} [{'=' * _WIDTH}] - {self._elapsed(steps)}{_shown(logs)}\n")
        elif self.verbose == 2:
            seconds = time.monotonic() - self.started
            _write(f"{steps}/{steps} - {seconds:.0f}s{_shown(logs)}\n")

    def _elapsed(self, done: int) -> str:
        seconds = time.monotonic() - self.started
        return f"{seconds:.0f}s {1000 * seconds / max(done, 1):.0f}ms/step"


def _shown(logs: Mapping[str, float]) -> str:
    return "".join(
        f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}" for name, value in logs.items()
    )


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
