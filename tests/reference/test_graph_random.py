"""Random numbers in graphs: their distributions, and what they depend on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference_impl.graph.interpreter import run
from reference_impl.ops.randomness import set_seed
from reference_impl.tensors import convert
from reference_impl.variables import Variable
from tests.reference.graphs import const, function, library, node

FLOAT, INT = "float32", "int32"
SHAPE = const("shape", np.array([100, 100], np.int32))


def drawn(made: Any, output: str, dtype: str, *constants: Any) -> Any:
    whole = library(function("f", {}, {"y": dtype}, [SHAPE, *constants, made], {"y": output}))
    (found,) = run("f", whole, [])
    return found.value


def test_the_distributions_are_those_that_the_ops_name() -> None:
    set_seed(1)
    uniform = drawn(node("n", "RandomUniform", ["shape:output:0"], T=INT, dtype=FLOAT), "n:output:0", FLOAT)
    normal = drawn(node("n", "RandomStandardNormal", ["shape:output:0"], T=INT, dtype=FLOAT), "n:output:0", FLOAT)
    cut = drawn(node("n", "TruncatedNormal", ["shape:output:0"], T=INT, dtype=FLOAT), "n:output:0", FLOAT)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.02)
    assert normal.mean() == pytest.approx(0, abs=0.05)
    assert normal.std() == pytest.approx(1, abs=0.05)
    assert np.abs(cut).max() <= 2
    assert cut.std() == pytest.approx(0.88, abs=0.03)


def test_integers_choices_and_orders() -> None:
    set_seed(1)
    bounds = [const("low", np.int32(-2)), const("high", np.int32(3))]
    inputs = ["shape:output:0", "low:output:0", "high:output:0"]
    integers = drawn(node("n", "RandomUniformInt", inputs, T=INT, Tout=INT), "n:output:0", INT, *bounds)
    assert np.bincount(integers.ravel() + 2) / 10000 == pytest.approx([0.2] * 5, abs=0.02)
    chances = [const("logits", np.log(np.array([[0.5, 0.25, 0.25]], np.float32))), const("count", np.int32(10000))]
    made = node("n", "Multinomial", ["logits:output:0", "count:output:0"], T=FLOAT)
    chosen = drawn(made, "n:output:0", "int64", *chances)
    assert np.bincount(chosen[0]) / 10000 == pytest.approx([0.5, 0.25, 0.25], abs=0.02)
    order = const("order", np.arange(50, dtype=np.int32))
    shuffled = drawn(node("n", "RandomShuffle", ["order:output:0"], T=INT), "n:output:0", INT, order)
    assert shuffled.tolist() != list(range(50))
    assert sorted(shuffled.tolist()) == list(range(50))


def test_a_graph_without_a_seed_draws_anew_each_time_and_follows_the_process() -> None:
    made = node("n", "RandomUniform", ["shape:output:0"], T=INT, dtype=FLOAT)
    set_seed(3)
    first, second = drawn(made, "n:output:0", FLOAT), drawn(made, "n:output:0", FLOAT)
    assert (first != second).any()
    set_seed(3)
    assert (drawn(made, "n:output:0", FLOAT) == first).all()
    set_seed(4)
    assert (drawn(made, "n:output:0", FLOAT) != first).any()


def test_truncated_normal_numbers_of_a_seed() -> None:
    seed = const("seed", np.array([1, 2], np.int64))
    made = node("n", "StatelessTruncatedNormal", ["shape:output:0", "seed:output:0"], T=INT, Tseed="int64", dtype=FLOAT)
    first, second = (drawn(made, "n:output:0", FLOAT, seed) for _ in range(2))
    assert (first == second).all()
    assert np.abs(first).max() <= 2


def test_a_generator_goes_on_and_must_be_one() -> None:
    whole = library(
        function(
            "f",
            {"state": "resource"},
            {"y": FLOAT},
            [
                const("long", np.array([4], np.int64)),
                const("one", np.int64(1)),
                node("n", "StatefulUniform", ["state", "one:output:0", "long:output:0"], dtype=FLOAT),
            ],
            {"y": "n:output:0"},
        )
    )
    state = Variable(np.array([7, 0, 5], np.int64))
    first = run("f", whole, [state])[0].value
    assert state.array.tolist() == [7 + 4 * 256, 0, 5]
    assert (run("f", whole, [state])[0].value != first).any()
    state.assign(np.array([7, 0, 5], np.int64))
    assert (run("f", whole, [state])[0].value == first).all()
    with pytest.raises(ValueError, match=r"node n \(StatefulUniform\): .*expected the state of a generator"):
        run("f", whole, [Variable(convert(np.float32(1)))])
