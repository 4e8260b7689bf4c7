"""Functions traced from every layer, run by TensorFlow: outputs, gradients, and what is assigned.

The functions are loaded as TensorFlow loads those of SavedModels, and called on batches of two sizes. ``loose`` functions
know no size but the last: what a layer needs to know beside that is in ``NEEDS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import tracing_cases
from tests.interop.cases import all_cases
from tests.interop.jobs import Jobs, Side, Work, assert_close, chosen, facts
from tests.interop.libraries import NAMES

CASES = {**all_cases(), **tracing_cases.CASES}
FORMS = ("batch", "loose")
MODES = ("inference", "training")
TOLERANCE = 2e-5

_NORMALIZED = "the axes that it normalises have weights, or are divided into groups"
NEEDS = {
    "normalization/batch-normalization-axes": _NORMALIZED,
    "normalization/batch-normalization-images-first": _NORMALIZED,
    "normalization/group-normalization-images": _NORMALIZED,
    "normalization/layer-normalization-axes": _NORMALIZED,
    "normalization/layer-normalization-axis-1": _NORMALIZED,
    "normalization/layer-normalization-last-two": _NORMALIZED,
    "preprocessing/random-crop": "its sizes are computed in Python from those of the images",
    "preprocessing/resizing-cropped": "its sizes are computed in Python from those of the images",
    "recurrent/lstm-unrolled": "an unrolled loop has as many steps as there are times",
    "wrappers/bidirectional-unrolled": "an unrolled loop has as many steps as there are times",
}

MATRIX = [
    (name, library, form, mode)
    for library in NAMES
    for name in CASES
    for form in FORMS
    for mode in MODES
    if not (form == "loose" and (name in NEEDS or "one_batch" in CASES[name]))
]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    jobs = Jobs(Path(__file__).with_name("tracing_program.py"), tmp_path_factory.mktemp("tracing"))
    items = [item for item in request.session.items if "test_tracing" in item.nodeid]
    cases = chosen(items, CASES.__contains__)
    written = list(dict.fromkeys(name for names in cases.values() for name in names))
    jobs.write(Side("reference"), Work(written, FORMS))
    for library, names in cases.items():
        jobs.read(library, Side("reference"), Work(names, FORMS))
    yield jobs
    jobs.close()


@pytest.mark.parametrize(("name", "library", "form", "mode"), MATRIX, ids=["-".join(entry) for entry in MATRIX])
def test_a_library_runs_the_function(runs: Jobs, name: str, library: str, form: str, mode: str) -> None:
    which = f"{form}-{mode}"
    expected = facts(runs.written(Side("reference")) / name, f"{which}.npz", f"{which}.txt")
    found = facts(runs.found(library, Side("reference")) / name, f"{which}.npz", f"{which}.txt")
    kinds = ("three-output", "three-after", "three-gradient", "two-output", "two-after", "two-gradient")
    if mode == "training" and CASES[name].get("random"):
        assert any(key.startswith(kinds) for key in found)
        return
    assert_close(expected, found, kinds, TOLERANCE)
