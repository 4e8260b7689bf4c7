"""Chapter safety: weights files that point elsewhere, or claim what they do not hold."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from conformance.blueprint import chain, layer
from conformance.protocol.session import Handle, Session
from conformance.suite.case import requirement
from conformance.suite.compare import Mismatch, assert_same_arrays
from conformance.suite.handmade import text_attribute
from conformance.suite.models import WEIGHT_FILES, prepared, save
from conformance.suite.payloads import bounded_memory
from conformance.suite.refusals import attempted

MODEL = chain(layer("Dense", units=4, name="d"), shape=(3,))
BOMB_SHAPE = (1 << 14, 1 << 14)  # 1 GiB of float32


def kernel_of(file: h5py.File) -> str:
    """Where the one dataset of rank 2 is."""
    found: list[str] = []
    file.visititems(lambda name, thing: found.append(name) if getattr(thing, "ndim", 0) == 2 else None)
    (name,) = found
    return name


def saved(impl: Session, scratch: Path, format: str) -> tuple[Handle, Path]:
    """A model and its weights file; the file loads."""
    model = prepared(impl, MODEL, 11)
    path = scratch / WEIGHT_FILES[format]
    impl.save_weights(model, path)
    impl.load_weights(model, path)
    return model, path


def external_link(file: h5py.File, name: str, folder: Path, secret: Any) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = secret
    del file[name]
    file[name] = h5py.ExternalLink("other.h5", "secret")


def external_storage(file: h5py.File, name: str, folder: Path, secret: Any) -> None:
    (folder / "other.bin").write_bytes(secret.tobytes())
    del file[name]
    place = [(str(folder / "other.bin"), 0, secret.nbytes)]
    file.create_dataset(name, secret.shape, secret.dtype, external=place)


def virtual_dataset(file: h5py.File, name: str, folder: Path, secret: Any) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = secret
    del file[name]
    layout = h5py.VirtualLayout(secret.shape, secret.dtype)
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", secret.shape)
    file.create_virtual_dataset(name, layout)


POINTERS: tuple[Callable[[h5py.File, str, Path, Any], None], ...] = (external_link, external_storage, virtual_dataset)


@requirement("safety.external-link", formats=("hdf5", "weights-h5"))
def test_weights_of_another_file_are_not_read(impl: Session, format: str, scratch: Path):
    model, path = saved(impl, scratch, format)
    before = impl.get_weights(model)
    intact = path.read_bytes()
    secret = np.arange(12, dtype=np.float32).reshape(3, 4) + 100
    for point in POINTERS:
        path.write_bytes(intact)
        with h5py.File(path, "r+") as file:
            point(file, kernel_of(file), path.parent, secret)
        loaded = attempted(lambda: (impl.load_weights(model, path), True))
        after = impl.get_weights(model)
        if any(array.shape == secret.shape and np.array_equal(array, secret) for array in after):
            raise Mismatch(f"weights from {point.__name__.replace('_', ' ')}s", "refused", "the other file was read")
        if loaded:
            raise Mismatch(f"a file with an {point.__name__.replace('_', ' ')}", "refused", "loaded without an error")
        assert_same_arrays(before, after, "weights after a refused load")


@requirement("safety.text-bomb", formats=("hdf5",))
def test_a_text_that_is_not_there_takes_no_memory(impl: Session, format: str, scratch: Path):
    """Its place is wrong too, so that there is nothing to be read."""
    path = save(impl, prepared(impl, MODEL, 11), scratch, format)
    content = bytearray(path.read_bytes())
    _, value = text_attribute(content, "model_config")
    content[value : value + 12] = struct.pack("<IQ", 1 << 30, 0xFFFFFFFF)
    path.write_bytes(content)
    with bounded_memory(impl, scratch, "a text that claims 1 GiB and is not there"):
        loaded = attempted(lambda: impl.load(path))
    if loaded:
        raise Mismatch("a model whose config is not there", "refused", "loaded without an error")


@requirement("safety.shape-bomb", formats=("hdf5", "weights-h5"))
def test_a_dataset_that_is_not_there_takes_no_memory(impl: Session, format: str, scratch: Path):
    model, path = saved(impl, scratch, format)
    with h5py.File(path, "r+") as file:
        name = kernel_of(file)
        del file[name]
        file.create_dataset(name, BOMB_SHAPE, np.float32, chunks=(1 << 10, 1 << 10), fillvalue=1)
    with bounded_memory(impl, scratch, "a dataset that claims 1 GiB and holds nothing"):
        loaded = attempted(lambda: (impl.load_weights(model, path), True))
    if loaded:
        raise Mismatch(f"a kernel of shape {BOMB_SHAPE} for one of (3, 4)", "refused", "loaded without an error")
