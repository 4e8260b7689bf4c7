"""Tensors in checkpoint files."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from reference_impl.errors import LoadError
from reference_impl.formats import messages
from reference_impl.formats.checkpoint import bundle, ordered_code, table
from reference_impl.tracking import Array

DATA = Path(__file__).with_name("data")


def strings(*values: bytes) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array


TENSORS: dict[str, Array] = {
    name: np.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    for name in bundle.DTYPES.values()
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


def test_tensorflow_s_own_file_is_rewritten_byte_by_byte() -> None:
    with bundle.Bundle(DATA / "guide-1") as found:
        keys = sorted(found.entries, key=lambda key: found.entries[key].offset)
        buffers, index = bundle.encode_bundle([(key, found.tensor(key)) for key in keys])
    assert b"".join(buffers) == (DATA / "guide-1.data-00000-of-00001").read_bytes()
    assert index == (DATA / "guide-1.index").read_bytes()


def test_a_partitioned_tensor_is_put_together() -> None:
    with bundle.Bundle(DATA / "part") as found:
        value = found.tensor("part")
    # its parts are stored one after the other
    raw = np.fromfile(DATA / "part.data-00000-of-00001", "<f4")
    assert value.shape == (200, 3)
    np.testing.assert_array_equal(value.reshape(-1), raw[:600])


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
    entry = messages.BundleEntry(dtype=1, size=8)
    entry.shape.dim.add(size=2)
    header = messages.BundleHeader(num_shards=1)
    for name, value in changes.items():
        target = header if name in ("num_shards", "endianness") else entry
        if name == "dims":
            del entry.shape.dim[:]
            for size in value:  # type: ignore[attr-defined]
                entry.shape.dim.add(size=size)
        else:
            setattr(target, name, value)
    return table.write_table([(b"", messages.serialize(header)), (b"v", messages.serialize(entry))])


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
        ({"num_shards": 0}, "0 data files"),
        ({"endianness": 1}, "byte order 1"),
    ],
)
def test_absurd_entries_are_refused(changes: dict[str, object], found: str) -> None:
    with pytest.raises(LoadError, match=found):
        bundle.parse_index(_index(**changes), "x.index")


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
