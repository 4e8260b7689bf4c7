"""Chapter custom: Python bytecode in files, configs and JSON is not run.

The files here are made by hand, as anybody could make them who wants somebody else's machine to run code.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import base64
import inspect
import json
import marshal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from conformance.blueprint import chain, layer
from conformance.protocol.session import Handle, Session
from conformance.suite.case import requirement
from conformance.suite.compare import assert_silent, assert_true
from conformance.suite.handmade import FORMS, WRITERS, identity, sequential
from conformance.suite.models import MODEL_FILES, save
from conformance.suite.payloads import CODE_FORMS, lambda_layer
from conformance.suite.refusals import attempted

SPOKEN = "python code from a file was run"


def speak(x: Any) -> Any:
    """What the hand-made files hold as bytecode; the named set's ``custom_speaker`` says the same."""
    print("python code from a file was run")
    return x


COMPILER = (
    inspect.getsource(speak)
    + """

import base64
import marshal
print(base64.b64encode(marshal.dumps(speak.__code__)).decode(), end="")
"""
)


def bytecode(impl: Session, scratch: Path) -> str:
    """``speak`` marshalled, as base64: by the implementation's own interpreter if it lets us, since the bytecode of
    another Python would be refused for being that alone."""
    if "source" in impl.hello.capabilities:
        return impl.run_source(COMPILER, "compiler.py", scratch)
    return base64.b64encode(marshal.dumps(speak.__code__)).decode()


def assert_not_run(impl: Session, make: Callable[[dict[str, Any]], Handle], code: str) -> None:
    """``make`` takes a serialised model; of each form that it knows, told by a harmless layer, it must not run code."""

    def loaded(model: dict[str, Any]) -> Handle | None:
        return attempted(lambda: make(model))

    accepted = [form for form in FORMS if loaded(sequential(identity(), form=form))]
    assert_true(bool(accepted), "a hand-made model without code", expected="is loaded", actual="refused in every form")
    for spelling in CODE_FORMS.values():
        for form in accepted:
            model = loaded(sequential(lambda_layer(spelling(code)), form=form))
            assert_silent(impl.messages, SPOKEN, "what is said while a file with code is loaded")
            if model is not None:
                attempted(partial(impl.predict, model, np.ones((1, 3), np.float32)))
                assert_silent(impl.messages, SPOKEN, "what is said while a model from a file with code is run")


@requirement("custom.no-bytecode-config")
def test_bytecode_in_json_is_not_run(impl: Session, scratch: Path):
    assert_not_run(impl, lambda model: impl.from_json(json.dumps(model)), bytecode(impl, scratch))


@requirement("custom.no-bytecode-config")
def test_bytecode_in_a_config_is_not_run(impl: Session, scratch: Path):
    assert_not_run(impl, lambda model: impl.from_config("Sequential", model["config"]).object, bytecode(impl, scratch))


@requirement("custom.no-bytecode", formats=("hdf5", "keras"))
def test_bytecode_in_a_file_is_not_run(impl: Session, format: str, scratch: Path):
    path = scratch / MODEL_FILES[format]

    def load(model: dict[str, Any]) -> Handle:
        WRITERS[format](path, model)
        return impl.load(path)

    assert_not_run(impl, load, bytecode(impl, scratch))


@requirement("custom.no-bytecode", formats=("savedmodel",))
def test_bytecode_in_a_savedmodel_is_not_run(impl: Session, format: str, scratch: Path):
    """The folder holds the graph too, so that it loads without the code: only the code must not run."""
    speaking = layer("Lambda", function={"$custom": "custom_speaker"}, name="l")
    original = impl.build(chain(speaking, shape=(3,)))
    inputs = np.ones((1, 3), np.float32)
    expected = impl.predict(original, inputs)
    path = save(impl, original, scratch, format)

    impl.reset(1)
    loaded = attempted(lambda: impl.load(path))
    assert_silent(impl.messages, SPOKEN, "what is said while a SavedModel with code is loaded")
    if loaded is not None:
        found = impl.predict(loaded, inputs)
        assert_silent(impl.messages, SPOKEN, "what is said while a model from a SavedModel with code is run")
        assert_true(
            bool((found[0] == expected[0]).all()), "predictions of the stored graph", expected="equal", actual="other"
        )
