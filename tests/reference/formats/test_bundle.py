"""Tensors in checkpoint files."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import ml_dtypes
import numpy as np
import pytest

from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.checkpoint import bundle, entry, ordered_code, table
from reference_impl.tracking import Array

DATA = Path(__file__).with_name("data")


def strings(*values: bytes) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array


TENSORS: dict[str, Array] = {
    name: np.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    for name in entry.DTYPES.values()
    if name != "string"
} | {
    "strings": strings(b"", b"one", b"x" * 300),
    "scalar": np.float32(2.5) + np.zeros((), "float32"),
    "empty": np.zeros((0, 3), "float32"),
    "a..b.Sc": np.ones(2, "float32"),
}


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    bundle.write_bundle(tmp_path / "deep" / "ckpt", TENSORS.items())
    return tmp_path / "deep" / "ckpt"


def read_all(prefix: Path) -> None:
    with bundle.Bundle(prefix) as found:
        for key in found.entries:
            found.tensor(key)


def test_every_dtype(prefix: Path) -> None:
    with bundle.Bundle(prefix) as found:
        assert set(found.entries) == set(TENSORS)
        for key, value in TENSORS.items():
            read = found.tensor(key)
            assert (read.dtype, read.shape, read.tolist()) == (value.dtype, value.shape, value.tolist())


def test_big_endian_and_strided_arrays_are_written_right(tmp_path: Path) -> None:
    value = np.arange(12, dtype=">f4").reshape(3, 4).T
    bundle.write_bundle(tmp_path / "c", [("v", value)])
    with bundle.Bundle(tmp_path / "c") as found:
        np.testing.assert_array_equal(found.tensor("v"), value)


def test_tensorflow_s_own_file_is_rewritten_byte_by_byte(tmp_path: Path) -> None:
    with bundle.Bundle(DATA / "guide-1") as found:
        keys = sorted(found.entries, key=lambda key: found.entries[key].offset)
        bundle.write_bundle(tmp_path / "guide-1", [(key, found.tensor(key)) for key in keys])
    for suffix in (".data-00000-of-00001", ".index"):
        assert (tmp_path / f"guide-1{suffix}").read_bytes() == (DATA / f"guide-1{suffix}").read_bytes()


def test_a_partitioned_tensor_is_put_together() -> None:
    with bundle.Bundle(DATA / "part") as found:
        value = found.tensor("part")
    # its parts are stored one after the other
    raw = np.fromfile(DATA / "part.data-00000-of-00001", "<f4")
    assert value.shape == (200, 3)
    np.testing.assert_array_equal(value.reshape(-1), raw[:600])


# -- without copies ----------------------------------------------------------------------------------------


def test_views_are_the_mapped_file_and_outlive_the_bundle(prefix: Path) -> None:
    with bundle.Bundle(prefix) as found:
        views = {key: found.tensor(key, copy=False) for key in TENSORS}
    bundle.data_path(prefix, 0, 1).unlink()
    for key, view in views.items():
        assert (view.dtype, view.tolist()) == (TENSORS[key].dtype, TENSORS[key].tolist())
        assert not view.flags.owndata
        assert view.flags.writeable == (key == "strings")


def test_copies_are_writeable_and_aligned(prefix: Path) -> None:
    with bundle.Bundle(prefix) as found:
        for key in TENSORS:
            assert found.tensor(key).flags.writeable
            assert found.tensor(key).flags.aligned


def test_views_are_verified(prefix: Path) -> None:
    path = bundle.data_path(prefix, 0, 1)
    damaged = bytearray(path.read_bytes())
    damaged[0] ^= 1
    path.write_bytes(damaged)
    with bundle.Bundle(prefix) as found, pytest.raises(LoadError, match="checksum"):
        found.tensor("float32", copy=False)
    with bundle.Bundle(prefix, verify=False) as found:
        found.tensor("float32", copy=False)


# -- many data files, and tensors in parts -----------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 2, 7, 30])
def test_many_shards(tmp_path: Path, shards: int) -> None:
    bundle.write_bundle(tmp_path / "c", TENSORS.items(), shards=shards)
    assert len(list(tmp_path.glob("c.data-*"))) == shards
    with bundle.Bundle(tmp_path / "c") as found:
        assert {key: found.tensor(key).tolist() for key in TENSORS} == {k: v.tolist() for k, v in TENSORS.items()}


def test_shards_are_about_equal(tmp_path: Path) -> None:
    bundle.write_bundle(tmp_path / "c", [(f"v{i}", np.ones(100, "f4")) for i in range(40)], shards=4)
    assert {path.stat().st_size for path in tmp_path.glob("c.data-*")} == {4000}


GRID = [((a, 2), (b, length)) for a in (0, 2) for b, length in ((0, 3), (3, 2))]


@pytest.mark.parametrize("dtype", ["float32", "string", "bfloat16"])
def test_tensors_in_parts(tmp_path: Path, dtype: str) -> None:
    value = np.arange(20).reshape(4, 5)
    value = value.astype("S").astype(object) if dtype == "string" else value.astype(numpy_dtype(dtype))
    bundle.write_bundle(tmp_path / "c", [("a", np.ones(2, "f4")), ("v", value)], shards=2, partitions={"v": GRID})
    with bundle.Bundle(tmp_path / "c") as found:
        assert list(found.entries) == ["a", "v"]
        assert found.tensor("v").tolist() == value.tolist()
        assert found.tensor("v").dtype == value.dtype


def test_tensorflow_s_own_parts_are_rewritten_byte_by_byte(tmp_path: Path) -> None:
    with bundle.Bundle(DATA / "part") as found:
        part = found.entries["part"].slices
        tensors = [(key, found.tensor(key)) for key in found.entries]
    bundle.write_bundle(tmp_path / "part", tensors, partitions={"part": part})
    for suffix in (".data-00000-of-00001", ".index"):
        assert (tmp_path / f"part{suffix}").read_bytes() == (DATA / f"part{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        ([((0, 4), (0, 4))], "do not fill"),
        ([((0, 4), (0, 3)), ((0, 4), (2, 2))], "overlap"),
        ([((0, 2), (0, 5)), ((1, 2), (0, 5))], "overlap"),
        ([((2, 4), (0, 5))], r"the slice \[\(2, 4\), \(0, 5\)\] of \[4, 5\]"),
    ],
)
def test_parts_that_do_not_fill_are_refused(tmp_path: Path, boxes: list[entry.Extents], found: str) -> None:
    with pytest.raises(ValueError, match=found):
        bundle.write_bundle(tmp_path / "c", [("v", np.zeros((4, 5), "f4"))], partitions={"v": boxes})
    assert not list(tmp_path.iterdir())


def test_arguments_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shards=0"):
        bundle.write_bundle(tmp_path / "c", [], shards=0)
    with pytest.raises(ValueError, match="found x"):
        bundle.write_bundle(tmp_path / "c", [], partitions={"x": []})


# -- memory ------------------------------------------------------------------------------------------------


def peak_of(action: Callable[[], object]) -> int:
    """Bytes that Python and NumPy held at most during ``action``, above what they held before."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("order", ["C", "F"])
def test_writing_holds_no_copy(tmp_path: Path, order: Literal["C", "F"]) -> None:
    value = np.ones((2000, 2000), ">f4", order=order)
    peak = peak_of(lambda: bundle.write_bundle(tmp_path / "c", [("v", value)]))
    assert peak < value.nbytes / 8


def test_reading_holds_the_array_alone(tmp_path: Path) -> None:
    value = np.ones((2000, 2000), "f4")
    bundle.write_bundle(tmp_path / "c", [("v", value)], partitions=None)
    with bundle.Bundle(tmp_path / "c") as found:
        assert peak_of(lambda: found.tensor("v")) < value.nbytes * 9 / 8
        assert peak_of(lambda: found.tensor("v", copy=False)) < value.nbytes / 8


# -- the order of keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, "80"), (63, "bf"), (-1, "7f"), (-64, "40"), (64, "c040"), (67, "c043"), (-65, "3fbf"), (8191, "dfff")],
)
def test_ordered_signed_numbers(number: int, code: str) -> None:
    assert ordered_code.encode_signed(number).hex() == code


def test_every_flipped_byte_of_the_data_is_noticed(prefix: Path) -> None:
    path = bundle.data_path(prefix, 0, 1)
    original = path.read_bytes()
    for position in range(len(original)):
        damaged = bytearray(original)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(LoadError, match=r"ckpt\.data"):
            read_all(prefix)


def test_a_cut_data_file_is_refused(prefix: Path) -> None:
    path = bundle.data_path(prefix, 0, 1)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LoadError, match="the file is cut"):
        read_all(prefix)


def test_missing_files_are_named(prefix: Path) -> None:
    bundle.data_path(prefix, 0, 1).unlink()
    with bundle.Bundle(prefix) as found, pytest.raises(FileNotFoundError, match="data-00000-of-00001"):
        found.tensor("float32")
    with pytest.raises(LoadError, match=r"nothing\.index"):
        bundle.Bundle(prefix.with_name("nothing"))


def _index(**changes: object) -> bytes:
    message = messages.BundleEntry(dtype=1, size=8)
    message.shape.dim.add(size=2)
    header = messages.BundleHeader(num_shards=1)
    for name, value in changes.items():
        target = header if name in ("num_shards", "endianness") else message
        if name == "dims":
            del message.shape.dim[:]
            for size in value:  # type: ignore[attr-defined]
                message.shape.dim.add(size=size)
        else:
            setattr(target, name, value)
    return table.write_table([(b"", messages.serialize(header)), (b"v", messages.serialize(message))])


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"dims": [1 << 60]}, "8 bytes for float32"),
        ({"dims": [-2]}, "shape"),
        ({"dims": [1 << 31, 1 << 31, 1 << 31]}, "8 bytes for float32"),
        ({"dtype": 99}, "element type number 99"),
        ({"dtype": 7, "dims": [1 << 60]}, "8 bytes for 1152921504606846976 strings"),
        ({"size": 1 << 60}, "1152921504606846976 bytes"),
        ({"offset": -5}, "byte -5"),
        ({"num_shards": 1 << 30}, "1073741824 data files"),
        ({"dims": [1] * 70}, "at most"),
        ({"dims": [0, 1 << 62, 1 << 62], "size": 0}, "one that memory can hold"),
        ({"num_shards": 0}, "0 data files"),
        ({"endianness": 1}, "byte order 1"),
    ],
)
def test_absurd_entries_are_refused(changes: dict[str, object], found: str) -> None:
    with pytest.raises(LoadError, match=found):
        entry.decode_index(_index(**changes), "x.index")


def test_tensors_that_share_bytes_are_refused() -> None:
    one = messages.BundleEntry(dtype=1, size=8, offset=0)
    two = messages.BundleEntry(dtype=1, size=8, offset=4)
    for message in (one, two):
        message.shape.dim.add(size=2)
    header = messages.BundleHeader(num_shards=1)
    index = table.write_table([(key, messages.serialize(m)) for key, m in ((b"", header), (b"a", one), (b"b", two))])
    with pytest.raises(LoadError, match="two tensors at byte 4 of shard 0"):
        entry.decode_index(index, "x.index")


def test_an_offset_behind_the_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.index").write_bytes(_index(offset=1 << 60))
    (tmp_path / "c.data-00000-of-00001").write_bytes(bytes(8))
    with bundle.Bundle(tmp_path / "c") as found, pytest.raises(LoadError, match="a file of 8 bytes"):
        found.tensor("v")


def test_writing_again_leaves_nothing_of_the_old(prefix: Path) -> None:
    stale = prefix.with_name("ckpt.data-00001-of-00002")
    other = prefix.with_name("ckpt2.data-00000-of-00001")
    stale.write_bytes(b"old")
    other.write_bytes(b"another checkpoint's")
    bundle.write_bundle(prefix, [("v", np.ones(2, "float32"))])
    names = {path.name for path in prefix.parent.iterdir()}
    assert names == {"ckpt.index", "ckpt.data-00000-of-00001", other.name}


def test_a_write_that_fails_leaves_the_old_whole(prefix: Path) -> None:
    before = {path.name: path.read_bytes() for path in prefix.parent.iterdir()}
    with pytest.raises(TypeError, match="holds no"):
        bundle.write_bundle(prefix, [("v", np.ones(2, "float32")), ("w", np.zeros(2, "datetime64[s]"))])
    assert {path.name: path.read_bytes() for path in prefix.parent.iterdir()} == before
