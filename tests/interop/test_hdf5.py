"""HDF5 models and weights exchanged with the real libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reference_impl
from tests.interop.conftest import EXCHANGED, NEW
from tests.interop.libraries import assert_same, facts

WHOLE = [kind for kind in EXCHANGED if not kind.startswith("subclassed")]


@pytest.mark.parametrize("kind", EXCHANGED)
def test_the_reference_reads_their_weights(theirs: Path, kind: str) -> None:
    found = facts(theirs / kind / "found-weights.npz")
    assert_same(facts(theirs / kind / "truth.npz"), found, slots=False, rest=False)


@pytest.mark.parametrize("kind", EXCHANGED)
def test_they_read_the_reference_s_weights(ours: Path, kind: str) -> None:
    found = facts(ours / kind / "found-weights.npz")
    assert_same(facts(ours / kind / "truth.npz"), found, slots=False, rest=False)


@pytest.mark.parametrize("kind", WHOLE)
def test_the_reference_goes_on_with_their_model(theirs: Path, kind: str) -> None:
    assert_same(facts(theirs / kind / "truth.npz"), facts(theirs / kind / "found-model.npz"))


@pytest.mark.parametrize("kind", WHOLE)
def test_they_go_on_with_the_reference_s_model(ours: Path, kind: str) -> None:
    assert_same(facts(ours / kind / "truth.npz"), facts(ours / kind / "found-model.npz"))


@pytest.mark.parametrize("kind", NEW)
def test_the_reference_goes_on_with_a_new_optimizer(theirs: Path, kind: str) -> None:
    # The same variables in another order.
    truth, found = facts(theirs / kind / "truth.npz"), facts(theirs / kind / "found-model.npz")
    assert_same(truth, found, slots=False)
    stored = sorted(value.tobytes() for key, value in truth.items() if key.startswith("slot-"))
    assert sorted(value.tobytes() for key, value in found.items() if key.startswith("slot-")) == stored


def test_a_whole_file_of_theirs_serves_as_weights(theirs: Path) -> None:
    loaded = reference_impl.models.load_model(theirs / "functional-adam" / "model.h5", compile=False)
    before = loaded.get_weights()
    loaded.set_weights([np.zeros_like(value) for value in before])
    loaded.load_weights(theirs / "functional-adam" / "model.h5")
    for value, expected in zip(loaded.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)
