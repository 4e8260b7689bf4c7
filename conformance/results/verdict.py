"""The verdicts, and everything that depends on which one it is, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """What is said about a test or a unit. The order is that of the table below: the worst first."""

    CRASH = "crash"
    TIMEOUT = "timeout"
    FAIL = "fail"
    UNSTABLE = "unstable"
    UNEXPECTED_PASS = "unexpected-pass"
    BLOCKED = "blocked"
    NOT_RUN = "not-run"
    KNOWN_FAILURE = "known-failure"
    NOT_CLAIMED = "not-claimed"
    PASS = "pass"
    NOT_APPLICABLE = "not-applicable"

    @property
    def label(self) -> str:
        """The words for people."""
        return self.value.replace("-", " ")

    @property
    def symbol(self) -> str:
        """One character for the table."""
        return _FACTS[self].symbol

    @property
    def style(self) -> str:
        """The colour, as rich names it."""
        return _FACTS[self].style

    @property
    def meaning(self) -> str:
        """A few words for the legend."""
        return _FACTS[self].meaning

    @property
    def exit_code(self) -> int:
        """What the verdict of one unit makes of a whole run: 0 as expected, 1 not expected, 2 not complete."""
        return _FACTS[self].exit_code

    @property
    def is_expected(self) -> bool:
        """Nothing to look at: the run is as good with it as without."""
        return self.exit_code == 0

    @property
    def is_failure(self) -> bool:
        """The implementation did something wrong, and no expectation explains it."""
        return self in FAILURES


class _Facts(NamedTuple):
    symbol: str
    style: str
    exit_code: int
    meaning: str


# Worst first. A crash or a timeout outranks a fail, because only a fail may be re-labelled "blocked"; "not claimed"
# outranks a pass, because what is not claimed is never reported as passed.
_FACTS = {
    Verdict.CRASH: _Facts("☠", "bold red", 1, "the implementation's process died"),
    Verdict.TIMEOUT: _Facts("⧖", "bold red", 1, "no answer in time"),
    Verdict.FAIL: _Facts("✗", "bold red", 1, "does not do what the requirement says"),
    Verdict.UNSTABLE: _Facts("~", "bold magenta", 1, "the same example passes and fails"),
    Verdict.UNEXPECTED_PASS: _Facts("!", "bold magenta", 1, "expected to fail, and passes"),
    Verdict.BLOCKED: _Facts("▪", "magenta", 1, "fails, and so does a unit it depends on"),
    Verdict.NOT_RUN: _Facts("?", "yellow", 2, "no test of it was run to its end"),
    Verdict.KNOWN_FAILURE: _Facts("k", "yellow", 0, "fails as expectations.toml says"),
    Verdict.NOT_CLAIMED: _Facts("-", "blue", 0, "needs a capability that is not claimed"),
    Verdict.PASS: _Facts("✓", "green", 0, "passes"),
    Verdict.NOT_APPLICABLE: _Facts("·", "dim", 0, "not part of this dialect"),
}

FAILURES = frozenset({Verdict.CRASH, Verdict.TIMEOUT, Verdict.FAIL})

_SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; of none, "not run"."""
    return min(verdicts, key=_SEVERITY.__getitem__, default=Verdict.NOT_RUN)


def by_severity(verdict: Verdict) -> int:
    """Sort key: the worst first."""
    return _SEVERITY[verdict]


class FailureKind(Enum):
    """How a test failed: with a typed error, without one (the worst), or with the process."""

    REFUSED = "refused"
    SILENT = "silent"
    CRASH = "crash"
    TIMEOUT = "timeout"
