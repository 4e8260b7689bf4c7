"""Weights in several HDF5 files, named by a JSON file, ``….weights.json``.

::

    {"metadata": {"total_size": bytes},
     "weight_map": {"/layers/dense/vars": "name_00000.weights.h5" or a list of such, …}}

The files lie beside the JSON file. Each is laid out as one file would be (see ``weights``), with a part of its datasets: those
of one object may be in several files. Keras 3 writes them for ``save_weights(path, max_shard_size=…)``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, cast

from reference_impl.errors import LoadError
from reference_impl.formats.hdf5 import heaps
from reference_impl.formats.hdf5.attributes import H5PY_ERRORS
from reference_impl.formats.hdf5.noticed import noticed
from reference_impl.formats.keras_v3 import weights

SUFFIX = ".weights.json"
_MAX_JSON = 256 << 20


def load(path: str, model: Any, skip_mismatch: bool = False) -> None:
    """Give ``model`` the weights in the files that ``path`` names, all or (``LoadError``) none."""
    import h5py  # pyright: ignore[reportMissingTypeStubs]

    with noticed(path), ExitStack() as opened:
        files: list[Any] = []
        for name in _names(path):
            shard = os.path.join(os.path.dirname(path), name)
            if not os.path.isfile(shard):
                raise LoadError(
                    f"{path}: names {name!r}, found no such file beside it; expected all files of the weights"
                )
            heaps.check_file(shard)
            try:
                files.append(opened.enter_context(h5py.File(shard, "r")))
            except H5PY_ERRORS as error:
                raise LoadError(
                    f"{shard}: found an HDF5 file that is damaged ({error}), expected a whole one"
                ) from error
        weights.load_parts(files, model, path, skip_mismatch=skip_mismatch)


def _names(path: str) -> list[str]:
    """The files named, each once and in order."""
    try:
        if os.path.getsize(path) > _MAX_JSON:
            raise LoadError(f"{path}: found {os.path.getsize(path)} bytes, expected at most {_MAX_JSON}")
        with open(path, encoding="utf-8") as file:
            form = json.load(file)
    except (ValueError, RecursionError) as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(f"{path}: found text that is not JSON ({error}), expected JSON") from error
    listed = cast("Mapping[str, Any]", form).get("weight_map") if isinstance(form, Mapping) else None
    if not isinstance(listed, Mapping):
        raise LoadError(f"{path}: found no 'weight_map', expected a dict of paths of variables and of files")
    names: dict[str, None] = {}
    for place, value in cast("Mapping[str, Any]", listed).items():
        for name in cast("list[Any]", value if isinstance(value, list) else [value]):
            if not isinstance(name, str) or not name or name != os.path.basename(name) or "\\" in name:
                raise LoadError(
                    f"{path}: weight_map: {place}: found {name!r}, expected the name of a file in this folder"
                )
            names[name] = None
    return list(names)
