"""Changes of the objects of HDF5 files."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from fuzz.mutations.raw import LARGEST, Random, some_bytes
from fuzz.mutations.texts import json_text
from reference_impl.formats.hdf5 import heaps


def hdf5_config(content: bytes) -> bytes:
    """The text of the model's config in an HDF5 file."""
    with h5py.File(io.BytesIO(content), "r") as file:
        text = file.attrs["model_config"]
        return text if isinstance(text, bytes) else str(text).encode()


def hdf5_file(random: Random, content: bytes) -> bytes:
    """An HDF5 file with some of its attributes, datasets, groups or links changed; bytes, if it is none."""
    if random.random() < 0.3:
        return some_bytes(random, content)
    stream = io.BytesIO(content)
    try:
        heaps.check(content, "")  # the library would go round for ever in what an earlier mutation made
        with h5py.File(stream, "r+") as file:
            for _ in range(random.choice((1, 1, 2, 3))):
                _change_hdf5(random, file)
    except Exception:  # whatever h5py raises for what an earlier mutation made
        return some_bytes(random, content)
    changed = stream.getvalue()
    return changed if len(changed) <= LARGEST else some_bytes(random, content)


def _change_hdf5(random: Random, file: Any) -> None:
    names: list[str] = []
    file.visit(names.append)
    holder = file[random.choice(["/", *sorted(names)])]
    attributes = sorted(holder.attrs)
    if attributes and random.random() < 0.5:
        _change_attribute(random, holder.attrs, random.choice(attributes))
        return
    if not names:
        return
    name, other = random.choice(sorted(names)), random.choice(sorted(names))
    kind = random.randrange(8)
    if kind == 0:
        del file[name]
    elif kind == 1:
        del file[name]
        file[name] = random.choice((h5py.SoftLink(f"/{other}"), h5py.ExternalLink("other.h5", "/x")))
    elif kind == 2:
        del file[name]
        file[name] = file[other]  # another name of the same; of a group above, a circle
    elif kind == 3:
        del file[name]
        file.create_group(name)
    elif kind == 4:
        del file[name]
        file.create_dataset(name, (random.choice((0, 3, 2**20, 2**40)), 4), "f4", chunks=(1, 4), fillvalue=1)
    elif isinstance(file[name], h5py.Dataset) and file[name].nbytes <= LARGEST:
        value = np.asarray(file[name][()])
        del file[name]
        file[name] = random.choice(_VALUES)(value)
    elif not isinstance(file[name], h5py.Dataset) and not f"{name}/".startswith(
        f"{other}/"
    ):  # a group copied into itself grows without end
        file.copy(file[other], f"{name}/copy{random.randrange(9)}")


def _change_attribute(random: Random, attributes: Any, name: str) -> None:
    dtype = attributes.get_id(name).dtype
    if dtype.hasobject and h5py.check_string_dtype(dtype) is None:  # h5py would read out of its memory
        del attributes[name]
        return
    value = attributes[name]
    kind = random.randrange(6)
    if kind == 0:
        del attributes[name]
    elif kind == 1:
        attributes[name] = random.choice((0, -1, 1.5, "x", b"\xff", [], [[1, 2]], np.bool_(True), h5py.Empty("f4")))
    elif isinstance(value, str | bytes):
        text = value.encode() if isinstance(value, str) else value
        attributes[name] = np.bytes_(json_text(random, text))
    else:
        items = list(np.ravel(value))
        random.choice((items.reverse, lambda: items.extend(items[:1]), items.clear, lambda: items.append(b"x")))()
        attributes[name] = np.array(items)


_VALUES: tuple[Callable[[Any], Any], ...] = (
    lambda value: value.astype("f8") if value.dtype.kind == "f" else value,
    lambda value: value.astype("S4"),
    lambda value: value.astype("i8") if value.dtype.kind in "fiu" else value,
    lambda value: value.T,
    lambda value: value[..., None],
    lambda value: value.ravel()[:1],
    lambda value: h5py.Empty("f4"),
    lambda value: np.full(value.shape, b"text"),
    lambda value: value.astype("c8") if value.dtype.kind == "f" else value,
    lambda value: np.zeros(value.shape, [("a", "f4"), ("b", "i4")]),
)
