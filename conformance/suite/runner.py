"""Running one conformance test for one unit: examples drawn, the implementation reset before each, the outcome recorded.

Drawing is deterministic: the seed comes from the test's own id, nothing is kept between runs, and constants found in
other modules play no part, so the same examples are drawn whatever else is selected, imported or run in parallel.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Flaky, HypothesisException, Unsatisfiable, UnsatisfiedAssumption
from hypothesis.statistics import collector

from conformance.protocol.errors import (
    AdapterCrash,
    AdapterTimeout,
    InvalidRequest,
    ProtocolError,
    Refused,
    Unsupported,
)
from conformance.protocol.session import Session
from conformance.spec import Specification
from conformance.strategies.determinism import no_mined_constants
from conformance.suite.case import Case
from conformance.suite.compare import Mismatch
from conformance.suite.unclaimed import claims_all_layers, unclaimed_layers

# What every example starts from; the adapter seeds Python, NumPy and its library with it.
RESET_SEED = 20

# Shrinking is bounded by count, not by clock: an example costs a millisecond or several seconds.
SHRINKING_RUNS = 40


def ignored(failure: Exception) -> None:
    """What a failure means to those who do not ask."""


@dataclass(frozen=True)
class Drawing:
    """How examples are drawn.

    ``max_examples`` None means each test's own number, and ``times`` multiplies that. ``seed`` None means the test's own
    seed; with another one each test still draws its own examples, from both. ``on_failure`` sees the failure of an example
    right after it, before anything else is asked.
    """

    max_examples: int | None = None
    times: int = 1
    seed: int | None = None
    shrink: bool = True
    on_failure: Callable[[Exception], None] = field(default=ignored, compare=False, repr=False)

    def count(self, case: Case, variant: str | None) -> int:
        """The number of examples to draw for one unit."""
        return self.max_examples or case.example_count(variant) * self.times

    def seed_of(self, test_id: str) -> int:
        """The number that the examples of a test follow from."""
        return derived_seed(test_id if self.seed is None else f"{self.seed}/{test_id}")


@dataclass(frozen=True)
class Outcome:
    """What came of one test: ``verdict`` pass, fail, crash, timeout, unstable, not-claimed (every example needs a layer
    that the implementation does not list) or not-run (the suite itself failed).
    """

    verdict: str
    kind: str | None = None
    message: str | None = None
    exception: str | None = None
    expected: str | None = None
    actual: str | None = None
    notes: tuple[str, ...] = ()
    examples: int = 0
    digest: str = ""
    seconds: float = 0.0
    error: BaseException | None = field(default=None, compare=False, repr=False)


class _Ledger:
    """What was drawn for one test and what came of it: counts, a digest, and the failures by example.

    Hypothesis replays a failing example, and shrinks it by trying hundreds of smaller ones. The first replay is real,
    so that an ending which changes is noticed; a crash or a hang is never provoked again. Once a failure is known,
    :data:`SHRINKING_RUNS` further examples are really run, and whatever else is tried counts as passed.
    """

    def __init__(self) -> None:
        self.examples = 0
        self.hash = hashlib.blake2b(digest_size=12)
        self.failures: dict[str, Exception] = {}
        self.runs: Counter[str] = Counter()
        self.runs_at_failure = 0
        self.unclaimed: Counter[str] = Counter()

    def enter(self, drawn: Mapping[str, Any]) -> str:
        """Note what was drawn; its text names the example from here on."""
        text = json.dumps({name: _plain(value) for name, value in drawn.items()}, sort_keys=True, default=repr)
        self.examples += 1
        self.hash.update(text.encode())
        return text

    def is_settled(self, text: str) -> bool:
        """Whether this example need not be run; raises its failure where it has one."""
        failure = self.failures.get(text)
        if failure is not None and (isinstance(failure, AdapterCrash | AdapterTimeout) or self.runs[text] > 1):
            raise failure
        if failure is None and self.failures and self.runs.total() - self.runs_at_failure >= SHRINKING_RUNS:
            return True
        self.runs[text] += 1
        return False

    def fail(self, text: str, failure: Exception) -> None:
        """Note the failure of an example."""
        if not self.failures:
            self.runs_at_failure = self.runs.total()
        self.failures[text] = failure

    def put_aside(self, layers: Sequence[str]) -> None:
        """Note that an example could not be run for want of ``layers``."""
        self.examples -= 1
        self.unclaimed.update(layers)


def _plain(value: Any) -> Any:
    return value.to_json() if hasattr(value, "to_json") else value


def derived_seed(test_id: str) -> int:
    """The seed of a test, from its id alone."""
    return int.from_bytes(hashlib.blake2b(test_id.encode(), digest_size=4).digest(), "big")


def run(
    case: Case,
    function: Callable[..., Any],
    test_id: str,
    variant: str | None,
    arguments: Mapping[str, Any],
    session: Session,
    specification: Specification,
    dialect: str,
    drawing: Drawing,
) -> Outcome:
    """Run ``function`` on its explicit and drawn examples; an error of the suite itself is an outcome too."""
    ledger = _Ledger()
    names = _parameter_names(function)
    supplied: dict[str, Any] = {
        "impl": session,
        "tolerance": specification.tolerance,
        "spec": specification,
        "dialect": dialect,
    }

    def body(**drawn: Any) -> None:
        text = ledger.enter(drawn)
        if ledger.is_settled(text):
            return
        scratch = Path(tempfile.mkdtemp(prefix="keras-conformance-"))
        try:
            session.reset(RESET_SEED)
            extra = {**supplied, "scratch": scratch}
            function(**drawn, **arguments, **{name: extra[name] for name in names if name in extra})
        except Exception as failure:
            unclaimed = unclaimed_layers(session) if isinstance(failure, Unsupported) else ()
            if unclaimed:
                ledger.put_aside(unclaimed)
                raise UnsatisfiedAssumption(", ".join(unclaimed)) from failure
            if not isinstance(failure, HypothesisException):
                ledger.fail(text, failure)
                drawing.on_failure(failure)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    started = time.perf_counter()
    try:
        with no_mined_constants():
            if case.strategies:
                health = () if claims_all_layers(session) else (HealthCheck.filter_too_much,)
                with cast("Any", collector).with_value(partial(_refuse_filtering, ledger)):
                    _property(body, case, test_id, variant, drawing, health)()
            else:
                for explicit in case.explicit or ({},):
                    body(**explicit)
        outcome = Outcome("pass")
    except KeyboardInterrupt:
        raise
    except (Unsatisfiable, UnsatisfiedAssumption) as error:
        outcome = Outcome("not-claimed") if ledger.unclaimed else _classify(error)
    except BaseException as error:
        outcome = _classify(error)
    if ledger.unclaimed:
        needed = f"examples put aside, which need layers not claimed: {', '.join(sorted(ledger.unclaimed))}"
        outcome = replace(outcome, notes=(*outcome.notes, needed))
    return replace(
        outcome,
        examples=ledger.examples,
        digest=ledger.hash.hexdigest(),
        seconds=time.perf_counter() - started,
    )


def _refuse_filtering(ledger: _Ledger, statistics: Mapping[str, Any]) -> None:
    """A strategy that filters nearly everything away draws less than it says: Hypothesis stops, and calls it passed."""
    if not ledger.unclaimed and "satisfied assumptions" in statistics.get("stopped-because", ""):
        raise Unsatisfiable(f"the strategy filters too much away: {statistics['stopped-because']}")


def _parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _property(
    body: Callable[..., None],
    case: Case,
    test_id: str,
    variant: str | None,
    drawing: Drawing,
    unchecked: Sequence[HealthCheck],
) -> Callable[[], None]:
    phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if drawing.shrink else [])]
    settings = hypothesis.settings(
        parent=hypothesis.settings.get_profile("default"),
        max_examples=drawing.count(case, variant),
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        phases=phases,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
            *unchecked,
        ],
    )
    test = hypothesis.given(**case.drawn(variant))(body)
    for explicit in reversed(case.explicit):
        test = hypothesis.example(**explicit)(test)
    test = hypothesis.seed(drawing.seed_of(test_id))(test)
    return settings(test)


def _classify(error: BaseException) -> Outcome:
    notes = tuple(getattr(error, "__notes__", ()))
    name = type(error).__name__
    common: dict[str, Any] = {"exception": name, "notes": notes, "error": error}
    match error:
        case Refused():
            return Outcome(
                "fail", "refused", str(error), expected="no error", actual=f"{error.exception}: {error.text}", **common
            )
        case Mismatch():
            return Outcome("fail", "silent", str(error), expected=error.expected, actual=error.actual, **common)
        case AssertionError():
            return Outcome("fail", "silent", str(error) or "assertion failed", **common)
        case AdapterTimeout():
            return Outcome("timeout", "timeout", str(error), **common)
        case Unsupported():
            return Outcome("fail", "refused", f"claimed, yet the adapter does not support it: {error}", **common)
        case ProtocolError() if not isinstance(error, InvalidRequest):
            return Outcome("crash", "crash", str(error), **common)
        case Flaky():
            return Outcome("unstable", None, str(error), **common)
        case _:
            return Outcome("not-run", None, f"the suite itself failed: {name}: {error}", **common)
