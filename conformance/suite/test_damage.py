"""Chapter damage: files cut, changed and mixed up; what is loaded has the right values, or nothing is loaded."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st

from conformance.blueprint import Compile, chain, layer
from conformance.protocol.session import Handle, Session
from conformance.suite.case import examples, requirement
from conformance.suite.compare import assert_same_arrays
from conformance.suite.handmade import text_attribute
from conformance.suite.models import WEIGHT_FILES, Arrays, prepared, save, set_distinct_weights
from conformance.suite.refusals import assert_refuses, attempted

MODEL = chain(layer("Dense", units=5, name="one"), layer("Dense", units=4, name="two"), shape=(3,))

# Where a file is damaged: shares of its length. The first and the last byte are always among them.
PLACES = st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3).map(lambda found: [0.0, *found, 0.9999])
BITS = st.integers(0, 7)


def files_of(path: Path) -> list[Path]:
    """The files that a save made: in the folder, or all whose names begin as the path's does."""
    if path.is_dir():
        return sorted(found for found in path.rglob("*") if found.is_file() and found.stat().st_size)
    named = sorted(found for found in path.parent.glob(f"{path.name}*") if found.stat().st_size)
    return [path] if path.is_file() else named


def assert_right_or_refused(impl: Session, load: Callable[[], Handle], expected: Arrays, what: str) -> None:
    """``load`` is refused, or gives an object with the expected weights."""
    loaded = attempted(load)
    if loaded is not None:
        assert_same_arrays(expected, impl.get_weights(loaded), f"weights loaded from {what}")


def cut(file: Path, place: float, bit: int) -> str:
    """Take away the end of a file."""
    content = file.read_bytes()
    file.write_bytes(content[: int(place * len(content))])
    return f"{file.name} cut from {len(content)} to {file.stat().st_size} bytes"


def flip(file: Path, place: float, bit: int) -> str:
    """Change one bit of a file."""
    content = bytearray(file.read_bytes())
    offset = int(place * len(content))
    content[offset] ^= 1 << bit
    file.write_bytes(content)
    return f"{file.name} with bit {bit} of byte {offset} of {len(content)} changed"


Damage = Callable[[Path, float, int], str]


def assert_noticed_in_a_model(
    impl: Session, format: str, scratch: Path, damage: Damage, places: Sequence[float], bit: int
) -> None:
    model = prepared(impl, MODEL, 5)
    expected = impl.get_weights(model)
    path = save(impl, model, scratch, format)
    for file in files_of(path):
        intact = file.read_bytes()
        for place in places:
            what = damage(file, place, bit)
            assert_right_or_refused(impl, lambda: impl.load(path), expected, what)
            file.write_bytes(intact)
    assert_same_arrays(expected, impl.get_weights(impl.load(path)), "weights loaded from the intact file")


def assert_noticed_in_weights(
    impl: Session, format: str, scratch: Path, damage: Damage, places: Sequence[float], bit: int
) -> None:
    model = prepared(impl, MODEL, 5)
    expected = impl.get_weights(model)
    path = scratch / WEIGHT_FILES[format]
    impl.save_weights(model, path)

    def load() -> Handle:
        impl.load_weights(model, path)
        return model

    for file in files_of(path):
        intact = file.read_bytes()
        for place in places:
            set_distinct_weights(impl, model, 99)
            what = damage(file, place, bit)
            assert_right_or_refused(impl, load, expected, what)
            file.write_bytes(intact)
    assert_same_arrays(expected, impl.get_weights(load()), "weights loaded from the intact file")


@requirement("damage.truncated-model")
@examples(places=PLACES, cost="train")
def test_a_cut_model_is_noticed(impl: Session, format: str, scratch: Path, places: list[float]):
    assert_noticed_in_a_model(impl, format, scratch, cut, places, 0)


@requirement("damage.truncated-weights")
@examples(places=PLACES, cost="train")
def test_a_cut_weights_file_is_noticed(impl: Session, format: str, scratch: Path, places: list[float]):
    assert_noticed_in_weights(impl, format, scratch, cut, places, 0)


@requirement("damage.flipped-model")
@examples(places=PLACES, bit=BITS, cost="save")
def test_a_changed_bit_of_a_model_is_noticed(impl: Session, format: str, scratch: Path, places: list[float], bit: int):
    assert_noticed_in_a_model(impl, format, scratch, flip, places, bit)


@requirement("damage.flipped-weights")
@examples(places=PLACES, bit=BITS, cost="save")
def test_a_changed_bit_of_a_weights_file_is_noticed(
    impl: Session, format: str, scratch: Path, places: list[float], bit: int
):
    assert_noticed_in_weights(impl, format, scratch, flip, places, bit)


@requirement("damage.swapped")
def test_files_of_different_saves_are_noticed(impl: Session, format: str, scratch: Path):
    model = prepared(impl, MODEL, 5)
    impl.save_weights(model, scratch / "first")
    set_distinct_weights(impl, model, 6)
    impl.save_weights(model, scratch / "second")
    (index,) = scratch.glob("second.index")
    shutil.copy(index, scratch / "first.index")
    before = set_distinct_weights(impl, model, 7)
    assert_refuses(
        lambda: impl.load_weights(model, scratch / "first"),
        "a checkpoint with the index of one save and the data of another",
    )
    assert_same_arrays(before, impl.get_weights(model), "weights after a load that was refused")


@contextmanager
def changed(impl: Session, format: str, scratch: Path) -> Generator[tuple[Handle, Path, h5py.File, str]]:
    """A model with other weights than its file has, the file open for changes, and where its last kernel is."""
    model = prepared(impl, MODEL, 5)
    path = scratch / WEIGHT_FILES[format]
    impl.save_weights(model, path)
    set_distinct_weights(impl, model, 99)
    with h5py.File(path, "r+") as file:
        kernels: list[str] = []
        file.visititems(lambda name, thing: kernels.append(name) if getattr(thing, "shape", ()) == (5, 4) else None)
        (kernel,) = kernels
        yield model, path, file, kernel


@requirement("damage.missing")
def test_a_missing_weight_is_noticed(impl: Session, format: str, scratch: Path):
    with changed(impl, format, scratch) as (model, path, file, kernel):
        del file[kernel]
    assert_refuses(lambda: impl.load_weights(model, path), "a weights file without one of the kernels")


@requirement("damage.wrong-kind")
def test_a_weight_of_another_kind_is_noticed(impl: Session, format: str, scratch: Path):
    for value in (np.zeros((4, 5), np.float32), np.zeros((5, 4, 1), np.float32), np.full((5, 4), b"text")):
        with changed(impl, format, scratch) as (model, path, file, kernel):
            del file[kernel]
            file[kernel] = value
        what = f"a kernel of shape {value.shape} and type {value.dtype} for one of shape (5, 4)"
        assert_refuses(lambda model=model, path=path: impl.load_weights(model, path), what)


@requirement("damage.no-text")
def test_something_else_where_a_text_should_be_is_refused(impl: Session, format: str, scratch: Path):
    """One bit of the attribute's type has changed: a sequence of bytes, or a kind of which there is none."""
    for bit in (1, 2):
        for name in ("training_config", "model_config"):
            path = save(impl, impl.build(MODEL.with_compile(Compile())), scratch, format)
            content = bytearray(path.read_bytes())
            kind, _ = text_attribute(content, name)
            content[kind + 1] ^= bit
            path.write_bytes(content)
            assert_refuses(lambda path=path: impl.load(path), f"a model whose {name} is no text")


@requirement("damage.more")
def test_an_unknown_attribute_changes_nothing(impl: Session, format: str, scratch: Path):
    with changed(impl, format, scratch) as (model, path, file, kernel):
        expected = {name: thing[()] for name, thing in datasets(file)}
        file.attrs["of_tomorrow"] = "x"
        file[kernel].attrs["of_tomorrow"] = 1
        for name in list(file):
            file[name].attrs["of_tomorrow"] = [1, 2]
    impl.load_weights(model, path)
    found = {array.shape: array for array in impl.get_weights(model)}
    for value in expected.values():
        assert_same_arrays([value], [found[value.shape]], "weights of a file with attributes that nobody knows")


def datasets(file: h5py.File) -> list[tuple[str, h5py.Dataset]]:
    """The datasets that hold the weights of :data:`MODEL`."""
    found: list[tuple[str, h5py.Dataset]] = []
    shapes = {(3, 5), (5,), (5, 4), (4,)}
    file.visititems(
        lambda name, thing: found.append((name, thing)) if getattr(thing, "shape", None) in shapes else None
    )
    return found


@requirement("damage.target-unchanged")
def test_a_refused_load_changes_nothing(impl: Session, format: str, scratch: Path):
    """The model differs from the file in its last layer alone, so that the first could be loaded."""
    impl.save_weights(prepared(impl, MODEL, 5), scratch / WEIGHT_FILES[format])
    other = chain(layer("Dense", units=5, name="one"), layer("Dense", units=6, name="two"), shape=(3,))
    model = impl.build(other)
    before = set_distinct_weights(impl, model, 99)
    assert_refuses(
        lambda: impl.load_weights(model, scratch / WEIGHT_FILES[format]), "weights of another model of the same layers"
    )
    assert_same_arrays(before, impl.get_weights(model), "weights after a load that was refused")


_NO_ROOM = """
import resource, signal
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
"""
_ROOM = """
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
signal.signal(signal.SIGXFSZ, handler)
"""


@contextmanager
def no_room(impl: Session, scratch: Path) -> Generator[None]:
    """No file may grow beyond a few hundred bytes, which is what a full disk looks like to a library.

    A library that crashes here takes the limit with it.
    """
    impl.run_source(_NO_ROOM, "no_room.py", scratch)
    yield
    impl.run_source(_ROOM, "room.py", scratch)


@contextmanager
def last_of_its_process(impl: Session) -> Generator[None]:
    """The HDF5 library may crash much later for a write that failed: whatever comes next gets another process."""
    try:
        yield
    finally:
        impl.stop()


@requirement("damage.interrupted-save")
def test_a_save_without_room_leaves_the_old_one(impl: Session, format: str, scratch: Path):
    with last_of_its_process(impl):
        model = prepared(impl, MODEL, 5)
        old = impl.get_weights(model)
        path = save(impl, model, scratch, format)
        set_distinct_weights(impl, model, 6)
        with no_room(impl, scratch):
            failed = attempted(lambda: (impl.save(model, path), True)) is None
        loaded = impl.load(path)
        if failed:
            assert_same_arrays(old, impl.get_weights(loaded), "weights of the file that a failed save was to replace")
        else:
            assert_same_arrays(
                impl.get_weights(model), impl.get_weights(loaded), "weights of a save that raised nothing"
            )
