"""Every model of the corpus loads and computes what its writer does, or is refused for a reason."""

from __future__ import annotations

import pytest

from tests.corpus.reading import VARIABLE, Entry, entries, read

KINDS = ("HDF5", "v3", "SavedModel")
REFUSED = {
    "m089": "NestedDenseModel",
    "m090": "TestModel",
    "m091": "TestModel",
    "m103": "lambda_3",
}
"""Those that must not load, and the class or layer that the error names."""

FOUND = [entry for entry in entries() if entry.kind in KINDS]


@pytest.mark.skipif(not FOUND, reason=f"no corpus: {VARIABLE} names no folder with an INDEX.jsonl")
@pytest.mark.parametrize("entry", FOUND, ids=lambda entry: entry.name)
def test_model_of_the_corpus(entry: Entry) -> None:
    outcome = read(entry)
    expected = REFUSED.get(entry.name)
    assert outcome.status == ("refused" if expected else "read"), outcome.detail
    assert expected is None or expected in outcome.detail
