"""One test in the runner: what becomes of each way in which it can end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from conformance.protocol.errors import AdapterCrash, AdapterTimeout, Refused, Unsupported
from conformance.spec import load_specification
from conformance.strategies import layer_catalogue
from conformance.suite import runner
from conformance.suite.case import case_of, example, examples, requirement
from conformance.suite.compare import Mismatch, assert_same_array, assert_same_arrays, assert_same_numbers


class FakeSession:
    """A session that counts how often it was reset, and builds the ``layers`` it claims."""

    def __init__(self, *layers: str) -> None:
        self.resets: list[int] = []
        self.hello = SimpleNamespace(layers={"core": layers})
        self.trace: list[tuple[str, dict[str, Any]]] = []

    def reset(self, seed: int) -> None:
        self.resets.append(seed)
        self.trace.clear()

    def build(self, *layers: str) -> None:
        self.trace.append(("build", {"blueprint": {"layers": [{"id": name, "class": name} for name in layers]}}))
        for name in layers:
            if name not in self.hello.layers["core"]:
                raise Unsupported(f"there is no {name}")


def run(function: Callable[..., Any], session: FakeSession | None = None, **drawing: Any) -> runner.Outcome:
    case = case_of(function)
    assert case is not None
    arguments: Any = (session or FakeSession(), load_specification(), "keras-2.4", runner.Drawing(**drawing))
    return runner.run(case, function, "test_x.py::test_y", None, {}, *arguments)


def raising(error: BaseException) -> Callable[..., None]:
    @requirement("model.weights")
    @examples(number=st.integers(0, 9))
    def test(impl: Any, number: int) -> None:
        raise error

    return test


@pytest.mark.parametrize(
    ("error", "verdict", "kind"),
    [
        (Refused("load", "ValueError", ("ValueError", "Exception"), "no such layer"), "fail", "refused"),
        (Mismatch("weights", 1, 2), "fail", "silent"),
        (AssertionError("plain"), "fail", "silent"),
        (AdapterCrash("died"), "crash", "crash"),
        (AdapterTimeout("hung"), "timeout", "timeout"),
        (Unsupported("no such operation"), "fail", "refused"),
        (RuntimeError("the test is wrong"), "not-run", None),
    ],
)
def test_each_ending_has_its_verdict(error: BaseException, verdict: str, kind: str | None):
    outcome = run(raising(error))
    assert (outcome.verdict, outcome.kind) == (verdict, kind)
    assert str(error).splitlines()[0] in (outcome.message or "")


def test_a_crash_is_not_provoked_again_by_the_replay():
    session = FakeSession()
    assert run(raising(AdapterCrash("died")), session).verdict == "crash"
    assert len(session.resets) == 1


def test_the_implementation_is_reset_before_each_example():
    session = FakeSession()

    @requirement("model.weights")
    @examples(number=st.integers(0, 1000), cost="save")
    @example(number=7)
    def test(impl: Any, scratch: Path, number: int) -> None:
        assert impl is session
        assert list(scratch.iterdir()) == []
        (scratch / "left behind").touch()

    outcome = run(test, session)
    assert (outcome.verdict, outcome.examples) == ("pass", len(session.resets))
    assert outcome.examples > 1


def test_an_ending_that_changes_is_unstable():
    calls: list[int] = []

    @requirement("model.weights")
    @examples(number=st.just(1))
    def test(impl: Any, number: int) -> None:
        calls.append(number)
        assert len(calls) > 1

    assert run(test).verdict == "unstable"


def test_expected_failures_are_not_shrunk():
    seen: list[int] = []

    @requirement("model.weights")
    @examples(number=st.integers(0, 10_000))
    def test(impl: Any, number: int) -> None:
        seen.append(number)
        assert number < 50

    run(test, shrink=False)
    unshrunk = len(seen)
    seen.clear()
    run(test, shrink=True)
    assert unshrunk < len(seen)
    assert seen[-1] == 50


def test_the_digest_is_of_what_was_drawn():
    def made(strategy: st.SearchStrategy[int]) -> Callable[..., None]:
        @requirement("model.weights")
        @examples(number=strategy)
        def test(impl: Any, number: int) -> None:
            assert number >= 0

        return test

    small = st.integers(0, 99)
    assert run(made(small)).digest == run(made(small)).digest
    assert run(made(small)).digest != run(made(small), seed=1).digest
    assert run(made(small)).digest != run(made(st.integers(100, 199))).digest


def test_a_strategy_that_filters_nearly_everything_is_an_error_of_the_suite():
    """Hypothesis gives up after a while, and what it found until then would pass."""

    def made(strategy: st.SearchStrategy[int]) -> Callable[..., None]:
        @requirement("model.weights")
        @examples(number=strategy, cost="train")
        @example(number=1)
        def test(impl: Any, number: int) -> None:
            assert number >= 0

        return test

    rare = st.integers(0, 99_999).filter(lambda number: number % 1009 == 1000)
    never = st.integers(0, 99).filter(lambda number: number > 99)
    for strategy in (rare, never):
        outcome = run(made(strategy))
        assert (outcome.verdict, outcome.kind) == ("not-run", None)
        assert "the suite itself failed" in (outcome.message or "")
    assert run(made(st.just(1))).verdict == "pass"


def test_a_failure_is_a_failure_however_much_is_filtered():
    @requirement("model.weights")
    @examples(number=st.integers(0, 99).filter(lambda number: number > 97))
    def test(impl: Any, number: int) -> None:
        raise Mismatch("number", 1, number)

    assert run(test).verdict == "fail"


def building(*layers: str) -> Callable[..., None]:
    @requirement("model.weights")
    @examples(name=st.sampled_from(layers), cost="save")
    def test(impl: Any, name: str) -> None:
        impl.build("Dense", name)
        assert name != "Flatten"

    return test


def test_an_example_with_a_layer_that_is_not_claimed_is_put_aside():
    rare = building("Dense", *(entry.cls for entry in layer_catalogue("preprocessing", "keras-3")))
    outcome = run(rare, FakeSession("Dense"), times=3)
    assert (outcome.verdict, outcome.examples) == ("pass", 1)
    assert "layers not claimed: AugMix, AutoContrast" in outcome.notes[0]


def test_where_every_example_needs_a_layer_that_is_not_claimed_the_test_is_not_claimed():
    outcome = run(building("LSTM", "GRU"), FakeSession("Dense"))
    assert (outcome.verdict, outcome.kind, outcome.examples) == ("not-claimed", None, 0)

    @requirement("model.weights")
    def undrawn(impl: Any) -> None:
        impl.build("LSTM")

    assert run(undrawn, FakeSession("Dense")).verdict == "not-claimed"


def test_a_failure_beside_an_example_put_aside_is_a_failure():
    assert run(building("LSTM", "Flatten"), FakeSession("Dense", "Flatten")).verdict == "fail"


def test_what_is_claimed_or_no_layer_of_keras_must_be_built():
    class Forgetful(FakeSession):
        def build(self, *layers: str) -> None:
            super().build(*layers)
            raise Unsupported("after all there is none")

    assert run(building("LSTM"), Forgetful("Dense", "LSTM")).verdict == "fail"
    assert run(building("Unheard"), FakeSession("Dense")).verdict == "fail"


def test_examples_are_multiplied_or_replaced():
    def counted(**drawing: Any) -> int:
        @requirement("model.weights")
        @examples(number=st.integers(0, 100_000), cost="save")
        def test(impl: Any, number: int) -> None: ...

        return run(test, **drawing).examples

    assert [counted(), counted(times=5), counted(max_examples=7), counted(max_examples=7, times=5)] == [4, 20, 7, 7]


def test_one_seed_draws_other_examples_for_every_test():
    drawing = runner.Drawing(seed=5)
    assert drawing.seed_of("test_x.py::test_y") != drawing.seed_of("test_x.py::test_z")
    assert drawing.seed_of("test_x.py::test_y") != runner.Drawing(seed=6).seed_of("test_x.py::test_y")
    assert runner.Drawing().seed_of("test_x.py::test_y") == runner.derived_seed("test_x.py::test_y")


FLOATS = np.array([0.0, 1.0, np.nan], np.float32)


def test_bit_for_bit_tells_what_equality_does_not():
    assert_same_array(FLOATS, FLOATS.copy(), "same")
    with pytest.raises(Mismatch, match="1 of 3 values differ"):
        assert_same_array(FLOATS, np.array([-0.0, 1.0, np.nan], np.float32), "negative zero")
    with pytest.raises(Mismatch, match="dtype"):
        assert_same_array(FLOATS, FLOATS.astype(np.float64), "dtype")
    with pytest.raises(Mismatch, match="shape"):
        assert_same_array(FLOATS, FLOATS.reshape(3, 1), "shape")


@pytest.mark.parametrize(
    ("scale", "error", "equal"), [(1.0, 9e-7, True), (1.0, 2e-6, False), (100.0, 9e-5, True), (100.0, 2e-4, False)]
)
def test_the_tolerance_is_relative_to_the_largest_value_and_absolute_below_one(scale: float, error: float, equal: bool):
    expected, actual = np.array([scale, 0.0]), np.array([scale, error])
    if equal:
        assert_same_array(expected, actual, "values", 1e-6)
    else:
        with pytest.raises(Mismatch):
            assert_same_array(expected, actual, "values", 1e-6)


def test_a_nan_or_infinity_where_a_number_was_is_a_difference():
    for wrong in (np.nan, np.inf):
        with pytest.raises(Mismatch):
            assert_same_array(np.array([1.0]), np.array([wrong]), "values", 1e-6)
    assert_same_array(np.array([np.inf]), np.array([np.inf]), "values", 1e-6)


def test_counts_and_names_are_compared_too():
    with pytest.raises(Mismatch, match="number of arrays"):
        assert_same_arrays([FLOATS], [], "weights")
    with pytest.raises(Mismatch, match="other names"):
        assert_same_numbers({"loss": 1.0}, {"loss": 1.0, "mae": 1.0}, "scores")


def test_shrinking_is_bounded_by_count():
    tried: list[int] = []

    @requirement("model.weights")
    @examples(numbers=st.lists(st.integers(0, 10_000), min_size=30, max_size=60))
    def test(impl: Any, numbers: list[int]) -> None:
        tried.append(len(numbers))
        assert len(set(numbers)) < 25

    outcome = run(test)
    assert (outcome.verdict, outcome.kind) == ("fail", "silent")
    # what is run before the failure, the bounded shrinking, and the first replays of examples that failed
    assert runner.SHRINKING_RUNS < len(tried) <= 3 * runner.SHRINKING_RUNS
    assert outcome.examples > len(tried)
