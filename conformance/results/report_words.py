"""What all reports say in the same words: the answer, what is missing, who was judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conformance.results.admission import title
from conformance.results.model import Run, footer_of
from conformance.results.verdict import Verdict

__all__ = ["answer", "counts", "gaps_of", "problems_of", "title", "unexpected", "versions"]


def answer(runs: Sequence[Run]) -> str:
    """One sentence: what came out."""
    bad, known = unexpected(runs), counts(runs)[Verdict.KNOWN_FAILURE]
    names = len({run.implementation for run in runs})
    whom = f"{names} implementation{'s' * (names != 1)}, {sum(len(run.tests) for run in runs)} tests"
    what = f"{bad} verdict{'s' * (bad != 1)} not expected" if bad else "Everything is as expected"
    also = f"; {known} known failure{'s' * (known != 1)}" if known else ""
    return f"{what}{also} ({whom}).{' Not complete.' * bool(gaps_of(runs))}"


def counts(runs: Sequence[Run]) -> Counter[Verdict]:
    """How many units of all runs have each verdict."""
    return sum((run.counts for run in runs), Counter[Verdict]())


def unexpected(runs: Sequence[Run]) -> int:
    """How many units have a verdict that was not expected, and entries of the expectations match nothing."""
    units = sum(number for verdict, number in counts(runs).items() if verdict.exit_code == 1)
    return units + sum(len(run.problems) for run in runs)


def gaps_of(runs: Sequence[Run]) -> tuple[str, ...]:
    """What is missing; empty if nothing is."""
    return footer_of(runs).gaps


def problems_of(runs: Sequence[Run]) -> list[str]:
    """The entries of the expectations that match nothing."""
    return [f"{title(run)}: {problem}" for run in runs for problem in run.problems]


def versions(run: Run) -> str:
    """``tf_keras 2.21.0, numpy 2.4.6, python 3.11.7``; empty for one that was never started."""
    libraries: dict[str, str] = run.hello.get("libraries") or {}
    told = {run.hello.get("name", ""): run.hello.get("version"), **libraries, "python": run.hello.get("python")}
    return ", ".join(f"{name} {version}" for name, version in told.items() if name and version)
