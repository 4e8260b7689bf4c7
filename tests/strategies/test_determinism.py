"""What is drawn depends on the seed alone: not on imported modules, environment variables or hash seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from conformance.strategies import no_mined_constants
from tests.environments import ROOT

DIGEST = """
import contextlib, hashlib, inspect, sys
from hypothesis import given, seed, settings, strategies as st
from conformance import strategies

how, drawn, *modules = sys.argv[1:]
for module in modules:
    __import__(module)
total = hashlib.sha256()

def published():  # each strategy that needs no argument
    made = {name: getattr(strategies, name) for name in strategies.__all__ if name.islower()}
    plain = [f for f in made.values() if all(p.default is not p.empty for p in inspect.signature(f).parameters.values())]
    return [strategy for f in plain if isinstance(strategy := f(), st.SearchStrategy)]

about = {
    "published": published(),
    "models": (strategies.models(), strategies.data_seeds()),
    "scalars": (st.integers(), st.floats(), st.text(), st.binary()),
}[drawn]

@seed(3)
@settings(max_examples=60, database=None, deadline=None)
@given(st.tuples(*about))
def collect(values):
    total.update(repr([v.to_json() if hasattr(v, "to_json") else v for v in values]).encode())

with strategies.no_mined_constants() if how == "guarded" else contextlib.nullcontext():
    collect()
print(total.hexdigest())
"""


def digest(how: str, drawn: str, folder: Path, *modules: str, **variables: str) -> str:
    """The digest of the values drawn in a fresh process that has imported ``modules`` from ``folder``."""
    paths = os.pathsep.join([str(ROOT), str(folder)])
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, how, drawn, *modules],
        env={**environment, "PYTHONPATH": paths, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def constants(tmp_path: Path) -> Path:
    """A folder with a module full of constants, as a host project has them."""
    numbers = [1000 + 7 * i for i in range(200)]
    words = [f"word{i}" for i in range(200)]
    text = f"N = {numbers}\nW = {words}\nF = {[n + 0.5 for n in numbers]}\nB = {[w.encode() for w in words]}\n"
    (tmp_path / "full_of_constants.py").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_module_full_of_constants_changes_what_hypothesis_draws(constants: Path):
    """The danger is real: without it the next tests show nothing."""
    assert digest("bare", "scalars", constants) != digest("bare", "scalars", constants, "full_of_constants")


@pytest.mark.parametrize("drawn", ["models", "published", "scalars"])
def test_under_the_guard_it_does_not(constants: Path, drawn: str):
    alone = digest("guarded", drawn, constants)
    assert alone == digest("guarded", drawn, constants, "full_of_constants", "conformance.protocol.session")
    assert alone == digest("guarded", drawn, constants, CI="true", PYTHONHASHSEED="11")


def test_the_models_do_not_even_need_it(constants: Path):
    assert digest("guarded", "models", constants) == digest("bare", "models", constants, "full_of_constants")


def test_leaving_puts_back_what_hypothesis_had():
    before = providers._get_local_constants  # pyright: ignore[reportPrivateUsage]
    with no_mined_constants():
        assert len(providers._get_local_constants()) == 0  # pyright: ignore[reportPrivateUsage]
        providers.CONSTANTS_CACHE["integer", ()] = ((1,), ())
    assert providers._get_local_constants is before  # pyright: ignore[reportPrivateUsage]
    assert ("integer", ()) not in providers.CONSTANTS_CACHE


def test_the_names_it_replaces_are_hypothesis_own():
    """A Hypothesis that calls them otherwise must be noticed here and not by examples that wander."""
    provider = providers.HypothesisProvider
    assert "_get_local_constants" in provider._local_constants.func.__code__.co_names  # pyright: ignore
    assert isinstance(st.integers(), st.SearchStrategy)
