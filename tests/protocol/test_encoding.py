"""Arrays and values survive the encoding bit for bit, and nothing else gets through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from conformance.adapters import encoding as adapters_encoding
from conformance.adapters.encoding import PLAIN_DTYPES
from conformance.adapters.schema import check, load_operations
from conformance.blueprint import Custom
from conformance.protocol.encoding import (
    INLINE_LIMIT,
    EncodingError,
    Opaque,
    decode_array,
    decode_number,
    decode_value,
    encode_array,
    encode_number,
    encode_value,
)
from tests.protocol.toys import DETERMINED

OPERATIONS = load_operations()
SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def through_json(encoded: Any, definition: str) -> Any:
    """What arrives at the other end; it is valid under its schema."""
    arrived = json.loads(json.dumps(encoded, allow_nan=False))
    check(arrived, OPERATIONS.definitions[definition], OPERATIONS.definitions)
    return arrived


def assert_same(actual: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> None:
    assert actual.dtype == expected.dtype.newbyteorder("=")
    assert actual.shape == expected.shape
    assert actual.tobytes() == expected.astype(actual.dtype).tobytes()
    assert actual.flags.writeable
    assert actual.flags.c_contiguous


@pytest.mark.parametrize("dtype", sorted(PLAIN_DTYPES))
@settings(DETERMINED)
@given(data=st.data())
def test_arrays_of_every_dtype(dtype: str, data: st.DataObject) -> None:
    array = data.draw(npst.arrays(dtype, SHAPES))
    assert_same(decode_array(through_json(encode_array(array), "Array")), array)


@settings(DETERMINED)
@given(bits=npst.arrays("uint16", SHAPES))
def test_bfloat16(bits: np.ndarray[Any, Any]) -> None:
    array = bits.view(ml_dtypes.bfloat16)
    encoded = through_json(encode_array(array), "Array")
    assert encoded["dtype"] == "bfloat16"
    assert_same(decode_array(encoded), array)


def test_bfloat16_where_ml_dtypes_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = {"dtype": "bfloat16", "shape": [1], "data": "wD8="}
    monkeypatch.setattr(adapters_encoding, "_bfloat16", None)
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises(EncodingError, match="needs the package ml_dtypes"):
        decode_array(encoded)
    adapters_encoding.use_bfloat16(ml_dtypes.bfloat16)
    assert decode_array(encoded).tolist() == [1.5]


@pytest.mark.parametrize("order", [">", "<"])
def test_byte_order_is_little_on_the_way(order: str) -> None:
    array = np.array([1, 258], dtype=f"{order}u2")
    assert encode_array(array)["data"] == "AQACAQ=="
    assert decode_array(encode_array(array)).tolist() == [1, 258]


def test_elements_go_in_c_order() -> None:
    array = np.asfortranarray(np.arange(6, dtype="int8").reshape(2, 3))
    assert encode_array(array) == encode_array(np.ascontiguousarray(array))
    assert_same(decode_array(encode_array(array[:, ::-1])), array[:, ::-1])


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array(["a", "é"]), [b"a", "é".encode()]),
        (np.array([b"a", b"bc"]), [b"a", b"bc"]),
        (np.array([b"\x00\xff\x00", "x"], dtype=object), [b"\x00\xff\x00", b"x"]),
        (np.array([[b"a"], [b""]], dtype=object), [[b"a"], [b""]]),
        (np.array(b"0-d"), b"0-d"),
        (np.zeros((0, 2), "S1"), []),
    ],
)
def test_strings_arrive_as_bytes(array: Any, expected: Any) -> None:
    decoded = decode_array(through_json(encode_array(array), "Array"))
    assert decoded.dtype == object
    assert decoded.shape == array.shape
    assert decoded.tolist() == expected


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex128", ">f8"])
def test_large_arrays_go_to_a_file(dtype: str, tmp_path: Path) -> None:
    wanted = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    array = np.arange(INLINE_LIMIT).reshape(1024, -1).T.astype(wanted)
    encoded = through_json(encode_array(array, str(tmp_path)), "Array")
    assert set(encoded) == {"dtype", "shape", "npy"}
    assert_same(decode_array(encoded, str(tmp_path)), array)
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_the_limit(tmp_path: Path) -> None:
    assert "data" in encode_array(np.zeros(INLINE_LIMIT, "int8"), str(tmp_path))
    assert "data" in encode_array(np.zeros(INLINE_LIMIT + 1, "int8"))
    assert "npy" in encode_array(np.zeros(INLINE_LIMIT + 1, "int8"), str(tmp_path))


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (None, "found None, expected an Array"),
        ({"dtype": "float32", "data": ""}, "expected an Array"),
        ({"dtype": "float32", "shape": [-1], "data": ""}, r"found shape \[-1\]"),
        ({"dtype": "float32", "shape": [1.5], "data": ""}, r"found shape \[1.5\]"),
        ({"dtype": "object", "shape": [1], "data": ""}, "found dtype 'object'"),
        ({"dtype": "float32", "shape": [1], "data": "AAA="}, "found 2 bytes, expected 4"),
        ({"dtype": "float32", "shape": [1], "data": "****"}, "expected base64"),
        ({"dtype": "float32", "shape": [1]}, "expected base64"),
        ({"dtype": "string", "shape": [2], "data": ["YQ=="]}, "expected a list of 2 strings"),
        ({"dtype": "float32", "shape": [1], "npy": "/etc/hostname"}, "expected one in"),
        (
            {"dtype": "float32", "shape": [2], "npy": "f32"},
            r"holds float32 of shape \[3\], expected float32 of shape \[2\]",
        ),
        ({"dtype": "float64", "shape": [3], "npy": "f32"}, "holds float32 .* expected float64"),
        ({"dtype": "float32", "shape": [3], "npy": "pickle"}, "cannot be read: .*[Pp]ickle"),
        ({"dtype": "float32", "shape": [3], "npy": "none"}, "cannot be read: .*No such file"),
    ],
)
def test_what_is_no_array(encoded: Any, message: str, tmp_path: Path) -> None:
    if encoded and not str(encoded.get("npy", "/")).startswith("/"):
        np.save(tmp_path / "f32", np.zeros(3, "float32"))
        np.save(tmp_path / "pickle", np.array([{}], dtype=object), allow_pickle=True)
        encoded = {**encoded, "npy": str(tmp_path / (encoded["npy"] + ".npy"))}
    with pytest.raises(EncodingError, match=message):
        decode_array(encoded, str(tmp_path))


def test_dtypes_without_an_encoding() -> None:
    for array in (np.array("2020", "datetime64[Y]"), np.array([object()]), np.zeros(1, ml_dtypes.float8_e4m3fn)):
        with pytest.raises(EncodingError, match="has no encoding"):
            encode_array(array)


@settings(DETERMINED)
@given(st.integers() | st.floats())
def test_numbers(number: float) -> None:
    arrived = decode_number(through_json(encode_number(number), "Number"))
    assert type(arrived) is type(number)
    assert arrived == number or (arrived != arrived and number != number)


@pytest.mark.parametrize("number", [np.float32(0.1), np.int64(3), np.bool_(True), np.array(2.5)])
def test_numbers_of_numpy(number: Any) -> None:
    assert decode_number(encode_number(number)) == number


@pytest.mark.parametrize(
    "encoded", [None, True, "1", {"$float": "NaN"}, {"$float": ["nan"]}, {"$float": "nan", "x": 1}]
)
def test_what_is_no_number(encoded: Any) -> None:
    with pytest.raises(EncodingError, match="expected a number"):
        decode_number(encoded)


KEYS = st.text() | st.integers() | st.none() | st.booleans() | st.tuples(st.integers(), st.text())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.builds(Custom, st.text())
    | st.frozensets(st.integers() | st.text()).map(set)
    | npst.from_dtype(np.dtype("float16"), allow_nan=False)
    | npst.from_dtype(np.dtype("int64"))
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner), max_leaves=20
)


def shape_of(value: Any) -> Any:
    """The value with the type of each part beside it: 1, True and 1.0 are equal, and so are 0.0 and -0.0."""
    if isinstance(value, dict):
        return dict, [(shape_of(key), shape_of(member)) for key, member in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shape_of(member) for member in value]
    return type(value), repr(value) if not isinstance(value, set) else value


@settings(DETERMINED)
@given(VALUES)
def test_values_keep_their_types(value: Any) -> None:
    arrived = decode_value(through_json(encode_value(value), "Value"))
    assert shape_of(arrived) == shape_of(value)


def test_values_that_are_not_equal_to_themselves() -> None:
    nan = decode_value(through_json(encode_value((float("nan"), np.float64("nan"))), "Value"))
    assert [type(item) for item in nan] == [float, np.float64]
    assert all(item != item for item in nan)


def test_arrays_in_values() -> None:
    array = np.arange(3, dtype="int16")
    assert_same(decode_value(encode_value({"a": [array]}))["a"][0], array)


def test_scalars_of_bfloat16() -> None:
    arrived = decode_value(encode_value(ml_dtypes.bfloat16(1.5)))
    assert type(arrived) is ml_dtypes.bfloat16
    assert arrived == 1.5


def test_what_an_adapter_cannot_encode_is_named() -> None:
    class Thing:
        pass

    encoded = adapters_encoding.encode_value({"thing": Thing()})
    opaque = decode_value(encoded)["thing"]
    assert isinstance(opaque, Opaque)
    assert opaque.class_name.endswith("Thing")
    assert " at 0x" not in opaque.repr
    assert decode_value(adapters_encoding.encode_value({"thing": Thing()}))["thing"] == opaque


def test_an_adapter_is_asked_about_what_is_not_plain() -> None:
    encoded = adapters_encoding.encode_value(
        [len, print], special=lambda item: {"$custom": "f"} if item is len else None
    )
    assert encoded[0] == {"$custom": "f"}
    assert set(encoded[1]) == {"$object"}
    assert adapters_encoding.decode_value(encoded[:1], custom={"f": len}.__getitem__) == [len]


def test_subclasses_count_as_what_they_derive_from() -> None:
    class Text(str):
        __slots__ = ()

    class Listed(list[Any]):
        pass

    arrived = decode_value(encode_value(Listed([Text("a"), np.str_("b")])))
    assert [type(arrived), *map(type, arrived)] == [list, str, str]


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ({"$tuple": 3}, "expected a list"),
        ({"$tuple": [], "more": 1}, "expected one of"),
        ({"$unknown": 1}, r"value: found \{'\$unknown': 1\}, expected one of"),
        ({"a": [1, {"$float": "1.0"}]}, r"value\.a\[1\]: .*expected a number"),
        ({"$bytes": "?"}, "expected base64"),
        ({"$set": [[1]]}, "a member of a set: unhashable"),
        ({"$dict": [[[1], 2]]}, "unhashable"),
        ({"$dict": [1]}, "expected pairs"),
        ({"$scalar": {"dtype": "float32"}}, "expected members dtype and value"),
        ({"$scalar": {"dtype": "float32", "value": "AA=="}}, "found 1 bytes, expected 4"),
        ({"$custom": 3}, "means nothing here"),
        ({"$object": {"class": "x"}}, "expected members class and repr"),
    ],
)
def test_what_is_no_value(encoded: Any, message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        decode_value(encoded)


def test_a_custom_object_means_nothing_without_the_named_set() -> None:
    with pytest.raises(EncodingError, match="means nothing here"):
        adapters_encoding.decode_value({"$custom": "Foo:A"})
    with pytest.raises(EncodingError, match="cannot be made from its repr"):
        adapters_encoding.decode_value({"$object": {"class": "a", "repr": "b"}})
