"""What the HDF5 library notices of a damaged file, wherever it does.

h5py raises errors of many types, and wherever something is looked at: to ask whether a group has a name can fail.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from reference_impl.errors import LoadError
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS


@contextmanager
def noticed(place: str) -> Generator[None]:
    """Errors that h5py raises inside become ``LoadError``; those of other code stay as they are."""
    try:
        yield
    except LoadError:
        raise
    except H5PY_ERRORS as error:
        if not _is_of_h5py(error):
            raise
        text = " ".join(str(error).split())[:200]
        raise LoadError(f"{place}: found an HDF5 file that is damaged ({text}), expected a whole one") from error


def _is_of_h5py(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and "h5py" in Path(frames[-1].filename).parts
