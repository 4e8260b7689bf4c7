"""What goes wrong with the files of others alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance.mutants.mutant import mutant
from conformance.mutants.tools import coarse

LEGACY = "reference_impl.formats.hdf5.weights:load_weights"
V3 = "reference_impl.formats.keras_v3.weights:load_parts"
OWN = "2.4.0"  # what the reference writes as its version into HDF5 in the dialect of 2.4


@mutant("golden.reads[hdf5]", "golden.reads-weights[hdf5]", target=LEGACY)
def files_of_others_lose_precision(original: Any, group: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Only files of its own version are read in full precision."""
    original(group, model, *args, **kwargs)
    if _version(group) != OWN:
        _spoil(model)


@mutant("golden.later[hdf5]", "golden.later-weights[hdf5]", "golden.keras-3[hdf5]", target=LEGACY)
def files_of_later_versions_lose_precision(original: Any, group: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """A file of a later version is neither refused nor read right."""
    original(group, model, *args, **kwargs)
    if _version(group) != OWN:
        _spoil(model)


@mutant("golden.keras-3[keras]", "golden.keras-3-weights[weights-h5]", target=V3, dialect="keras-2.15")
def files_of_keras_3_lose_precision(original: Any, files: Sequence[Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """A file of Keras 3 is neither refused nor read right."""
    from reference_impl.formats.keras_v3.weights import generation_of

    original(files, model, *args, **kwargs)
    if any(generation_of(file) == "keras-3" for file in files):
        _spoil(model)


def _version(group: Any) -> str:
    version = group.attrs.get("keras_version", b"")
    return version.decode() if isinstance(version, bytes) else str(version)


def _spoil(model: Any) -> None:
    for variable in model.weights:
        variable.assign(coarse(np.asarray(variable.array)))
