"""Trials side by side, each in a forked process of its own: what one mutant breaks, no other one sees.

Everything is imported before the first fork, so that a trial costs its tests and nothing else.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pkgutil
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from typing import Any

from conformance.mutants.mutant import Mutant
from conformance.mutants.patching import PACKAGE
from conformance.mutants.reach import reach
from conformance.mutants.selection import suite_tests
from conformance.mutants.trial import Trial, attempt, failure
from conformance.spec import load_specification

# A fault may send the reference round for ever; the whole suite takes a minute.
CPU_SECONDS = 300

# How many golden files are read a test, unless the environment says otherwise: enough for a fault to meet one.
GOLDEN_FILES = "30"

Attempt = Callable[[Mutant], Trial]


def prepare() -> None:
    """Import all that trials use."""
    load_specification()
    suite_tests()
    package: Any = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)


def trials(mutants: Sequence[Mutant], jobs: int = 1, whole: bool = False) -> Iterator[Trial]:
    """The trial of each mutant, as they end, ``jobs`` at a time. A process that dies is a trial with outcome error.

    With the ``whole`` suite each is tried with all tests in which its fault can show.
    """
    prepare()
    if not whole:
        yield from side_by_side(mutants, jobs, attempt)
        return
    reached = reach(mutants, jobs, _begin)
    yield from side_by_side(mutants, jobs, lambda mutant: attempt(mutant, reached.of(mutant)))


def side_by_side(mutants: Sequence[Mutant], jobs: int, work: Attempt) -> Iterator[Trial]:
    """What ``work`` gives for each mutant, in processes of their own; what goes wrong in one is a trial too."""
    context = multiprocessing.get_context("fork")
    waiting = list(reversed(mutants))
    running: dict[Any, tuple[Any, Mutant]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(sender, mutant, work))
                process.start()
                sender.close()
                running[receiver] = (process, mutant)
            for receiver in connection.wait(list(running)):
                process, mutant = running.pop(receiver)
                yield _received(receiver, process, mutant)
    finally:
        for process, _ in running.values():
            process.kill()
            process.join()


def _received(receiver: Any, process: Any, mutant: Mutant) -> Trial:
    try:
        trial: Trial = receiver.recv()
    except EOFError:
        process.join()
        return failure(
            mutant, f"its process ended with status {process.exitcode} and no result (limit: {CPU_SECONDS} s)"
        )
    finally:
        receiver.close()
    process.join()
    return trial


def _begin() -> None:
    """What every child does first."""
    os.environ.setdefault("KERAS_CONFORMANCE_GOLDEN", GOLDEN_FILES)
    # What the suite or the reference prints is not the command's output.
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _child(sender: Any, mutant: Mutant, work: Attempt) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    _begin()
    try:
        trial = work(mutant)
    except Exception as error:
        trial = failure(mutant, f"{type(error).__name__}: {error}")
    sender.send(trial)
    sender.close()
    os._exit(0)  # the handlers of the parent are not the child's
