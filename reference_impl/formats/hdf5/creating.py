"""A new HDF5 file, written through a Python file that never fails while the HDF5 library looks.

The library does not survive a write that fails (a full disk): what it still holds of the file ends the process when it
is closed. So a failure is kept, the library goes on with what it takes for a file, and the failure is raised when the
library has let go of it.
"""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class _Patient(io.RawIOBase):
    """``file``, but the first failure to write is kept in ``failure`` and nothing is written after it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.failure is None:
            try:
                self._write_all(memoryview(data).cast("B"))
            except OSError as failure:
                self.failure = failure
        return size

    def _write_all(self, rest: memoryview) -> None:
        while rest:
            rest = rest[self._file.write(rest) :]  # a disk that is almost full takes a part

    def truncate(self, size: int | None = None, /) -> int:
        if self.failure is None:
            try:
                return self._file.truncate(size)
            except OSError as failure:
                self.failure = failure
        return size or 0

    def readinto(self, buffer: Any, /) -> int:
        return self._file.readinto(buffer)  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        """Nothing is held back."""


@contextmanager
def created(path: Path) -> Generator[Any]:
    """A new :class:`h5py.File` at ``path``. Raises OSError, when it is closed, if something could not be written."""
    import h5py

    with open(path, "w+b", buffering=0) as file:
        patient = _Patient(file)
        try:
            with h5py.File(patient, "w") as opened:
                yield opened
        finally:
            if patient.failure is not None:
                raise patient.failure
