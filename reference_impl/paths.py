"""What a caller may give for a path: a text, a PathLike, or a part of an open HDF5 file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, cast

_fspath: Callable[[Any], Any] = os.fspath


def as_text(path: Any) -> str:
    """``path`` as a text; ``TypeError`` for one of bytes."""
    text = _fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"found a path of bytes {text!r}, expected str or PathLike of str")
    return text


def open_group(path: Any) -> Any:
    """``path`` if it is an open HDF5 file or group, else None. Does not import h5py: who has one, has."""
    h5py = sys.modules.get("h5py")
    return path if h5py is not None and isinstance(path, cast("Any", h5py).Group) else None
