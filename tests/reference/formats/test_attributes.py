"""Texts in HDF5 attributes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from reference_impl.errors import LoadError
from reference_impl.formats.hdf5 import attributes


@pytest.fixture
def attrs(tmp_path: Path) -> Iterator[Any]:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        yield file.attrs


@pytest.mark.parametrize("names", [[], ["a"], ["kernel:0", "größe:0", ""], [f"name{i:05d}" * 10 for i in range(3000)]])
def test_lists_survive(attrs: Any, names: list[str]) -> None:
    attributes.write_list(attrs, "n", names)
    assert attributes.read_list(attrs, "n", "f") == names


def test_the_types_are_those_that_keras_2_4_reads(attrs: Any) -> None:
    attributes.write_list(attrs, "n", ["ab", "c"])
    attributes.write_list(attrs, "none", [])
    attributes.write_text(attrs, "t", "{}")
    assert attrs["n"].dtype == "S2"
    assert (attrs["none"].dtype, attrs["none"].shape) == ("float64", (0,))
    assert h5py.check_string_dtype(attrs.get_id("t").dtype).encoding == "ascii"


def test_long_lists_are_split_below_the_limit(attrs: Any) -> None:
    attributes.write_list(attrs, "n", ["x" * 100] * 2000)
    assert "n" not in attrs
    assert sorted(attrs) == ["n0", "n1", "n2", "n3"]
    assert all(attrs[name].nbytes <= attributes.HEADER_LIMIT for name in attrs)


def test_one_text_too_long_is_refused(attrs: Any) -> None:
    with pytest.raises(ValueError, match="has room for 64512"):
        attributes.write_list(attrs, "n", ["x" * 70000])


@pytest.mark.parametrize(
    "stored",
    [
        np.array([b"a", b"b"]),
        np.array(["a", "b"], dtype=h5py.string_dtype("utf-8")),
        np.array([b"a", b"b"], dtype=h5py.string_dtype("ascii")),
        np.array([b"a", b"b"], dtype=h5py.string_dtype("utf-8", 3)),
    ],
)
def test_all_string_types_are_read(attrs: Any, stored: Any) -> None:
    attrs["n"] = stored
    assert attributes.read_list(attrs, "n", "f") == ["a", "b"]


@pytest.mark.parametrize("stored", ["text", b"text", np.bytes_(b"text"), np.array("text", h5py.string_dtype())])
def test_all_texts_are_read(attrs: Any, stored: Any) -> None:
    attrs["t"] = stored
    assert attributes.read_text(attrs, "t", "f") == "text"
    assert attributes.read_text(attrs, "other", "f") is None


def test_what_is_no_text_is_refused(attrs: Any) -> None:
    attrs["t"] = 3
    attrs["n"] = np.ones(3)
    attrs["bad"] = b"\xff"
    for read, name in [
        (attributes.read_text, "t"),
        (attributes.read_list, "n"),
        (attributes.read_text, "bad"),
    ]:
        with pytest.raises(LoadError, match=f"f: attribute {name}: found"):
            read(attrs, name, "f")
