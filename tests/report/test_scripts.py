"""Failures as scripts: what is printed runs in plain Keras, ends as it says, and is not offered where it does not."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from conformance.blueprint import Compile, Custom, chain, layer
from conformance.cli.scripts import tried
from conformance.implementations.registry import load_implementation, open_session
from conformance.protocol.errors import Refused
from conformance.spec import load_specification
from conformance.suite import repro, runner
from conformance.suite.case import case_of, example, examples, requirement
from conformance.suite.compare import assert_equal, assert_same_arrays, assert_silent, assert_warned
from conformance.suite.refusals import assert_refuses
from conformance.suite.repro_recorder import Recorder, conversation_of
from conformance.suite.repro_source import NotPrintable

MODEL = chain(layer("Dense", units=2, name="d"), shape=(3,))
ONES = [np.ones((1, 3), np.float32)]


@requirement("model.weights")
def a_refusal(impl: Any) -> None:
    impl.set_weights(impl.build(MODEL), [np.ones((1,), np.float32)])


@requirement("model.weights")
def no_error(impl: Any) -> None:
    assert_refuses(lambda: impl.get_config(impl.build(MODEL)), "asking for a config")


@requirement("model.weights")
def another_error(impl: Any) -> None:
    assert_refuses(lambda: impl.load("nothing.h5"), "loading nothing", kinds=("KeyError",))


@requirement("model.weights")
def words_missing(impl: Any) -> None:
    assert_refuses(lambda: impl.load("nothing.h5"), "loading nothing", mentions="a wise word")


@requirement("model.weights")
def other_arrays(impl: Any) -> None:
    model = impl.build(MODEL)
    before = impl.get_weights(model)
    impl.set_weights(model, [array + 1 for array in before])
    assert_same_arrays(before, impl.get_weights(model), "weights")


@requirement("model.weights")
def other_outputs(impl: Any) -> None:
    expected = [np.zeros((1, 2), np.float32)]
    assert_same_arrays(expected, impl.predict(impl.build(MODEL), ONES), "predictions", 1e-6)


@requirement("model.weights")
def another_value(impl: Any) -> None:
    model = impl.build(MODEL.with_compile(Compile({"class": "Adam", "args": {}}, "mse")))
    impl.train(model, [(ONES, [np.ones((1, 2), np.float32)])])
    assert_equal(7, impl.optimizer(model).iterations, "steps counted")


@requirement("model.weights")
def something_derived(impl: Any) -> None:
    found = impl.describe(impl.build(MODEL))
    assert_equal(0, len([one for one in found.layers if one.trainable]), "layers that can be trained")


@requirement("model.weights")
def a_loaded_file_that_the_test_changed(impl: Any, scratch: Path) -> None:
    model, path = impl.build(MODEL), scratch / "folder" / "model.h5"
    path.parent.mkdir()
    impl.save(model, path)
    path.write_bytes(path.read_bytes()[:100])
    impl.load(path)


@requirement("model.weights")
def no_warning(impl: Any) -> None:
    impl.build(MODEL)
    assert_warned(impl.messages, "beware", "a warning")


@requirement("model.weights")
def a_warning(impl: Any, scratch: Path) -> None:
    impl.run_source("import warnings\nwarnings.warn('beware of it')", "program", scratch)
    assert_silent(impl.messages, "beware", "what a program says")


@requirement("model.weights")
def a_custom_layer_in_a_scope(impl: Any) -> None:
    custom = chain(layer(Custom("MarkedCall:1"), "own"), shape=(3,))
    config = impl.get_config(impl.build(custom)).config
    with impl.scope({"MarkedCall": "MarkedCall:2"}):
        made = impl.from_config("Model", config)
        assert_equal("1", impl.describe(impl.layer(made.object, 1)).marker, "the class that was found")


@requirement("model.weights")
@examples(number=st.integers(1, 4))
@example(number=3)
def the_example_that_fails(impl: Any, number: int) -> None:
    model = impl.build(chain(layer("Dense", units=number), shape=(3,)))
    assert_equal(True, number < 3, "fewer than three units")
    impl.get_weights(model)


FAILING = [
    a_refusal, no_error, another_error, words_missing, other_arrays, other_outputs, another_value, something_derived,
    a_loaded_file_that_the_test_changed, no_warning, a_warning, a_custom_layer_in_a_scope,
]  # fmt: skip
ABOUT = repro.About("toy", ["MUST hold."], "test_x.py::test_y", "reference_impl", "keras-2.4", runner.RESET_SEED, {})


@pytest.fixture(scope="module")
def recording():
    with open_session(load_implementation("reference"), in_process=True) as session:
        yield session, Recorder(session)


def failure_of(function: Any, recording: Any) -> BaseException:
    session, recorder = recording
    case = case_of(function)
    assert case is not None
    drawing = runner.Drawing(shrink=False, on_failure=recorder.attach)
    outcome = runner.run(case, function, "t", None, {}, session, load_specification(), "keras-2.4", drawing)
    assert outcome.verdict == "fail", outcome.message
    assert outcome.error is not None
    return outcome.error


def run_script(script: str) -> str | None:
    return tried(script, Path(sys.executable), {"PYTHONPATH": str(Path(__file__).parents[2])}, 120)


@pytest.mark.parametrize("function", FAILING, ids=lambda function: function.__name__)
def test_a_failure_is_shown_by_a_script_with_nothing_of_ours(function: Any, recording: Any):
    script = repro.script_of(failure_of(function, recording), ABOUT)
    ast.parse(script)
    assert "conformance" not in script
    assert "MUST hold." in (ast.get_docstring(ast.parse(script)) or "")
    assert run_script(script) is None, script


def test_the_conversation_is_that_of_the_failing_example(recording: Any):
    conversation = conversation_of(failure_of(the_example_that_fails, recording))
    assert conversation is not None
    built = [turn.params["blueprint"] for turn in conversation.turns if turn.operation == "build"]
    assert [blueprint["layers"][0]["args"]["units"] for blueprint in built] == [3]


def test_a_script_that_does_not_show_the_fault_is_told_from_one_that_does(recording: Any):
    script = repro.script_of(failure_of(other_arrays, recording), ABOUT)
    mended = script.replace("values_4[0]", "values_2[0]").replace(".set_weights(", ".get_weights and print(")
    assert mended != script
    assert run_script(mended) == "the fault did not show"
    assert "it ended otherwise: NameError" in (run_script(script.replace("import numpy as np", "")) or "")
    assert run_script(script.replace("expected, actual =", "import os; os.kill(os.getpid(), 9) #")) == (
        "it was ended by signal 9"
    )


def test_what_has_no_plain_form_is_not_printed(recording: Any):
    failure = failure_of(other_arrays, recording)
    with pytest.raises(NotPrintable, match="the spelling of tinynet is not known"):
        repro.script_of(failure, replace(ABOUT, library="tinynet"))
    with pytest.raises(NotPrintable, match="nothing was recorded"):
        repro.script_of(Refused("load", "ValueError", (), "no"), ABOUT)
