"""The first version of a library in which a verdict is another one: a binary search that may have to skip versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


class CannotJudge(Exception):
    """A version that nothing can be said about: it does not install, or does not start."""


class NothingToFind(ValueError):
    """Good and bad are not two different verdicts, or one of them is no version."""


@dataclass(frozen=True)
class Verdict:
    """What is found with one version: one word that is compared, and the details for people."""

    word: str
    detail: str = ""


@dataclass(frozen=True)
class Step:
    """A version that was looked at: ``good``, ``bad`` or ``skipped``, and why."""

    version: str
    state: str
    verdict: str | None
    detail: str


@dataclass(frozen=True)
class Bisection:
    """``first_bad`` is None if skipped versions leave several ``candidates``, of which one is the first."""

    good: Verdict
    bad: Verdict
    last_good: str
    first_bad: str | None
    candidates: tuple[str, ...]
    steps: tuple[Step, ...]


def bisect(
    versions: Sequence[str],
    judge: Callable[[str], Verdict],
    tell: Callable[[Step, int], None] = lambda step, left: None,
) -> Bisection:
    """Search ``versions``, the first of which is good and the last bad; both are judged before any other.

    Good is what has the first one's verdict. ``tell`` hears of each step and how many versions are left between.
    Raises NothingToFind if the ends have the same verdict, CannotJudge if one of them cannot be judged.
    """
    if len(versions) < 2:
        raise NothingToFind("good and bad are the same version")
    steps: list[Step] = []
    low, high = 0, len(versions) - 1

    def done(step: Step) -> None:
        steps.append(step)
        tell(step, sum(version not in {known.version for known in steps} for version in versions[low + 1 : high]))

    good = judge(versions[low])
    done(Step(versions[low], "good", good.word, good.detail))
    bad = judge(versions[high])
    if bad.word == good.word:
        raise NothingToFind(f"{versions[low]} and {versions[high]} have the same verdict: {good.word}")
    done(Step(versions[high], "bad", bad.word, bad.detail))
    skipped: set[int] = set()
    while open_ := [number for number in range(low + 1, high) if number not in skipped]:
        number = open_[len(open_) // 2]
        try:
            found = judge(versions[number])
        except CannotJudge as error:
            skipped.add(number)
            done(Step(versions[number], "skipped", None, str(error)))
            continue
        is_good = found.word == good.word
        low, high = (number, high) if is_good else (low, number)
        done(Step(versions[number], "good" if is_good else "bad", found.word, found.detail))
    candidates = tuple(versions[low + 1 : high + 1])
    first = candidates[0] if len(candidates) == 1 else None
    return Bisection(good, bad, versions[low], first, candidates, tuple(steps))


def between(versions: Sequence[str], good: str, bad: str) -> list[str]:
    """The ``versions`` from good to bad, both included; backwards if bad is the older one.

    ``versions`` are sorted. Raises NothingToFind for one that is not among them.
    """
    for version in (good, bad):
        if version not in versions:
            near = [other for other in versions if other.startswith(version.rpartition(".")[0])] or versions
            raise NothingToFind(f"there is no version {version}; there are {', '.join(near[-8:])}")
    first, last = versions.index(good), versions.index(bad)
    return list(versions[first : last + 1] if first <= last else versions[last : first + 1][::-1])
