"""TF checkpoints exchanged with the real libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reference_impl
from reference_impl import naming
from tests.interop import program
from tests.interop.conftest import EXCHANGED
from tests.interop.libraries import assert_same, facts

PREFIX = "checkpoint-of-weights"


@pytest.mark.parametrize("kind", EXCHANGED)
def test_the_reference_reads_theirs(theirs: Path, kind: str) -> None:
    truth = facts(theirs / kind / "truth.npz")
    assert_same(truth, facts(theirs / kind / "found-checkpoint.npz"))
    np.testing.assert_allclose(facts(theirs / kind / "found-late.npz")["losses"], truth["losses"], atol=1e-6)


@pytest.mark.parametrize("kind", EXCHANGED)
def test_they_read_the_reference_s(ours: Path, kind: str) -> None:
    truth = facts(ours / kind / "truth.npz")
    assert_same(truth, facts(ours / kind / "found-checkpoint.npz"))
    np.testing.assert_allclose(facts(ours / kind / "found-late.npz")["losses"], truth["losses"], atol=1e-6)


@pytest.mark.parametrize("kind", EXCHANGED)
def test_equal_values_give_tensorflow_2_4_s_bytes(library: str, theirs: Path, tmp_path: Path, kind: str) -> None:
    if library != "tf2.4":
        pytest.skip("later versions write edges and fields that 2.4 does not have")
    written = theirs / kind / PREFIX
    naming.reset()
    model = program.make(reference_impl, kind)
    model.train_on_batch(program.X, program.Y)  # makes the optimizer's variables
    model.load_weights(written).assert_consumed()
    model.save_weights(tmp_path / PREFIX)
    for suffix in (".index", ".data-00000-of-00001"):
        there, here = (folder / f"{PREFIX}{suffix}" for folder in (written.parent, tmp_path))
        assert here.read_bytes() == there.read_bytes(), suffix
    assert (tmp_path / "checkpoint").read_text() == (written.parent / "checkpoint").read_text()


def test_new_optimizers_leave_only_their_own_state_unused(library: str, theirs: Path) -> None:
    if library == "tf2.4":
        pytest.skip("2.4 has the old optimizers only")
    model = program.make(reference_impl, "sequential-adam")
    model.load_weights(theirs / "sequential-new_adam" / PREFIX).assert_existing_objects_matched()
    truth = facts(theirs / "sequential-new_adam" / "truth.npz")
    for index, value in enumerate(model.get_weights()):
        np.testing.assert_array_equal(value, truth[f"weight-{index:03d}"])
