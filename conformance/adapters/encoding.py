"""Arrays and Python values as strict JSON, and back: the encoding of the protocol, for both of its ends.

operations.json (definitions Array, Number and Value) is the contract. Every array comes back bit for bit:
NaN payloads, signed zeros and bfloat16 included. `encode_value` keeps what JSON would blur: tuple and list,
NumPy scalar and number, NaN and infinities, bytes, sets, dicts whose keys are not plain strings.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import re
import tempfile
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeGuard

    Array = NDArray[Any]

INLINE_LIMIT = 1 << 20  # bytes; an array above it goes to a file, if there is a directory for it
PLAIN_DTYPES = frozenset(
    [
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    ]
)
FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
REPR_LIMIT = 200

# NumPy has no bfloat16 of its own. ml_dtypes has; old TensorFlows have one only they know: `use_bfloat16`.
_bfloat16: Optional[np.dtype[Any]] = None


class EncodingError(ValueError):
    """What cannot be encoded or decoded; `where` it is in the value (`value.layers[2].units`)."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__("{}: {}".format(where, problem))
        self.where = where
        self.problem = problem


def use_bfloat16(dtype: Any) -> None:
    """Let decoded bfloat16 arrays have this dtype (2 bytes an element)."""
    global _bfloat16
    _bfloat16 = np.dtype(dtype)


def _bfloat16_dtype(where: str) -> np.dtype[Any]:
    if _bfloat16 is None:
        try:
            from ml_dtypes import bfloat16
        except ImportError:
            raise EncodingError(where, "dtype bfloat16 needs the package ml_dtypes here") from None
        use_bfloat16(bfloat16)
    assert _bfloat16 is not None
    return _bfloat16


# Arrays


def encode_array(array: Any, directory: Optional[str] = None, where: str = "array") -> Dict[str, Any]:
    """The Array of anything np.asarray takes; beyond INLINE_LIMIT its elements go to a file in `directory`.

    Raises EncodingError for a dtype the protocol has no name for.
    """
    values = np.asarray(array)
    shape = list(values.shape)
    if values.dtype.kind in "SU" or (values.dtype.kind == "O" and _holds_strings(values)):
        data = [_base64(_as_bytes(item)) for item in values.ravel().tolist()]
        return {"dtype": "string", "shape": shape, "data": data}
    name = values.dtype.name
    if name == "bfloat16":
        bits = np.asarray(values, order="C").view(np.uint16)
    elif name in PLAIN_DTYPES:
        bits = values
    else:
        raise EncodingError(where, "an array of dtype {} has no encoding".format(name))
    bits = bits.astype(bits.dtype.newbyteorder("<"), copy=False)
    if directory is not None and bits.nbytes > INLINE_LIMIT:
        handle, path = tempfile.mkstemp(suffix=".npy", dir=directory)
        with os.fdopen(handle, "wb") as file:
            np.save(file, np.asarray(bits, order="C"), allow_pickle=False)
        return {"dtype": name, "shape": shape, "npy": path}
    return {"dtype": name, "shape": shape, "data": _base64(bits.tobytes())}


def decode_array(encoded: Any, directory: Optional[str] = None, where: str = "array") -> Array:
    """The array of an Array: native byte order, C order, writable; strings as an object array of bytes.

    A .npy file must lie in `directory`, and is deleted once read. Raises EncodingError for whatever is not an
    Array or contradicts itself.
    """
    if not _is_dict(encoded) or not _is_list(encoded.get("shape")):
        raise EncodingError(where, "found {}, expected an Array".format(_show(encoded)))
    name, shape = encoded.get("dtype"), encoded["shape"]
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        raise EncodingError(where, "found shape {}, expected sizes of 0 or more".format(_show(shape)))
    if name == "string":
        return _decode_strings(encoded.get("data"), shape, where)
    if name == "bfloat16":
        dtype, bits = _bfloat16_dtype(where), np.dtype(np.uint16)
    elif name in PLAIN_DTYPES:
        dtype = bits = np.dtype(name)
    else:
        raise EncodingError(where, "found dtype {}, which has no encoding".format(_show(name)))
    stored = _from_npy if "npy" in encoded else _from_bytes
    return stored(encoded, bits, directory, where).view(dtype)


def _from_bytes(encoded: Dict[str, Any], bits: np.dtype[Any], _: Optional[str], where: str) -> Array:
    data, shape = _from_base64(encoded.get("data"), where), encoded["shape"]
    size = math.prod(shape) * bits.itemsize
    if len(data) != size:
        raise EncodingError(
            where,
            "found {} bytes, expected {} for {} of shape {}".format(len(data), size, encoded["dtype"], shape),
        )
    return np.frombuffer(data, dtype=bits.newbyteorder("<")).astype(bits).reshape(shape)


def _from_npy(encoded: Dict[str, Any], bits: np.dtype[Any], directory: Optional[str], where: str) -> Array:
    path, shape = encoded["npy"], encoded["shape"]
    if directory is None or not isinstance(path, str) or not _lies_in(path, directory):
        raise EncodingError(where, "found the file {}, expected one in {}".format(_show(path), directory))
    try:
        array = np.load(path, allow_pickle=False)
        os.unlink(path)
    except (OSError, ValueError) as error:
        raise EncodingError(where, "the file {} cannot be read: {}".format(path, error)) from error
    found = getattr(array, "dtype", None), list(getattr(array, "shape", ()))
    if found != (bits.newbyteorder("<"), shape):
        raise EncodingError(where, "{} holds {} of shape {}, expected {} of shape {}".format(path, *found, bits, shape))
    return array.astype(bits, copy=False)


def _lies_in(path: str, directory: str) -> bool:
    return os.path.dirname(os.path.realpath(path)) == os.path.realpath(directory)


def _holds_strings(values: Array) -> bool:
    return all(isinstance(item, (bytes, str)) for item in values.ravel().tolist())


def _as_bytes(item: Any) -> bytes:
    return item.encode("utf-8", "surrogateescape") if isinstance(item, str) else item


def _decode_strings(data: Any, shape: List[int], where: str) -> Array:
    size = math.prod(shape)
    if not _is_list(data) or len(data) != size:
        raise EncodingError(where, "found {}, expected a list of {} strings".format(_show(data), size))
    array = np.empty(size, dtype=object)
    for index, item in enumerate(data):
        array[index] = _from_base64(item, where)
    return array.reshape(shape)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: Any, where: str) -> bytes:
    if isinstance(text, str):
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise EncodingError(where, "found {}, expected base64".format(_show(text)))


# Numbers


def encode_number(number: Any) -> Any:
    """A Number: an int or float as it is, NaN and infinities tagged. Takes anything float() takes."""
    if isinstance(number, (int, np.bool_, np.integer)):
        return int(cast(Any, number))
    value = float(number)
    if value != value:
        return {"$float": "nan"}
    if value in (FLOATS["inf"], FLOATS["-inf"]):
        return {"$float": "inf" if value > 0 else "-inf"}
    return value


def decode_number(encoded: Any, where: str = "number") -> float:
    """The number of a Number."""
    if isinstance(encoded, (int, float)) and not isinstance(encoded, bool):
        return encoded
    if _is_dict(encoded) and set(encoded) == {"$float"} and encoded["$float"] in list(FLOATS):
        return FLOATS[encoded["$float"]]
    raise EncodingError(where, "found {}, expected a number".format(_show(encoded)))


# Values


def encode_value(
    value: Any,
    directory: Optional[str] = None,
    special: Optional[Callable[[Any], Any]] = None,
    where: str = "value",
) -> Any:
    """The Value of a Python value.

    `special` is asked about whatever is not plain data (a class, a tensor): it returns an encoded value or
    None. What it does not know becomes `$object`, class name and repr, which can be compared but not decoded.
    Subclasses of dict, list, tuple, str and int count as these.
    """

    def encode(item: Any, place: str) -> Any:
        if item is None or isinstance(item, bool):
            return item
        if isinstance(item, np.ndarray):
            return {"$array": encode_array(item, directory, place)} if _encodable(item) else _opaque(item)
        if isinstance(item, np.generic) and not isinstance(item, (np.str_, np.bytes_)):
            return _encode_scalar(item, place) if _encodable(item) else _opaque(item)
        if isinstance(item, str):
            return str(item)
        if isinstance(item, int):
            return int(item)
        if isinstance(item, float):
            return encode_number(item)
        if isinstance(item, (bytes, bytearray)):
            return {"$bytes": _base64(bytes(item))}
        if isinstance(item, tuple):
            return {"$tuple": encode_all(item, place)}
        if isinstance(item, list):
            return encode_all(item, place)
        if isinstance(item, (set, frozenset)):
            return {"$set": sorted(encode_all(item, place), key=json.dumps)}
        if isinstance(item, dict):
            return encode_dict(item, place)
        known = special(item) if special is not None else None
        return _opaque(item) if known is None else known

    def encode_all(items: Any, place: str) -> List[Any]:
        return [encode(member, "{}[{}]".format(place, index)) for index, member in enumerate(items)]

    def encode_dict(items: Any, place: str) -> Dict[str, Any]:
        if all(isinstance(key, str) and not key.startswith("$") for key in items):
            return {str(key): encode(member, "{}.{}".format(place, key)) for key, member in items.items()}
        places = {key: "{}[{!r}]".format(place, key) for key in items}
        return {"$dict": [[encode(key, places[key]), encode(items[key], places[key])] for key in items]}

    return encode(value, where)


def decode_value(
    encoded: Any,
    directory: Optional[str] = None,
    custom: Optional[Callable[[str], Any]] = None,
    opaque: Optional[Callable[[str, str], Any]] = None,
    layer: Optional[Callable[[Any], Any]] = None,
    where: str = "value",
) -> Any:
    """The Python value of a Value. Raises EncodingError for what is no Value.

    `custom` gives the object of an id in the named set, `opaque` what stands for an `$object` of that class
    name and repr, `layer` the layer of a blueprint's layer entry; without them these tags raise.
    """

    def decode(item: Any, place: str) -> Any:
        if _is_list(item):
            return decode_all(item, place)
        if not _is_dict(item):
            return item
        tag = next((key for key in item if key.startswith("$")), None)
        if tag is None:
            return {key: decode(member, "{}.{}".format(place, key)) for key, member in item.items()}
        if len(item) != 1 or tag not in readers:
            raise EncodingError(place, "found {}, expected one of {}".format(_show(item), ", ".join(readers)))
        return readers[tag](item[tag], place)

    def decode_all(items: Any, place: str) -> List[Any]:
        if not _is_list(items):
            raise EncodingError(place, "found {}, expected a list".format(_show(items)))
        return [decode(member, "{}[{}]".format(place, index)) for index, member in enumerate(items)]

    def decode_scalar(content: Any, place: str) -> Any:
        members = _members(content, ("dtype", "value"), place)
        array = decode_array({"dtype": members["dtype"], "shape": [], "data": members["value"]}, None, place)
        return array[()]

    def decode_set(content: Any, place: str) -> Any:
        try:
            return set(decode_all(content, place))
        except TypeError as error:
            raise EncodingError(place, "a member of a set: {}".format(error)) from None

    def decode_dict(content: Any, place: str) -> Any:
        pairs = decode_all(content, place)
        try:
            return dict(pairs)
        except (TypeError, ValueError) as error:
            raise EncodingError(place, "found {}, expected pairs: {}".format(_show(content), error)) from None

    def decode_custom(content: Any, place: str) -> Any:
        if custom is None or not isinstance(content, str):
            raise EncodingError(place, "found custom object {}, which means nothing here".format(_show(content)))
        return custom(content)

    def decode_opaque(content: Any, place: str) -> Any:
        members = _members(content, ("class", "repr"), place)
        if opaque is None:
            raise EncodingError(place, "found {}, which cannot be made from its repr".format(_show(content)))
        return opaque(str(members["class"]), str(members["repr"]))

    def decode_layer(content: Any, place: str) -> Any:
        if layer is None:
            raise EncodingError(place, "found the layer {}, which means nothing here".format(_show(content)))
        return layer(content)

    readers: Dict[str, Callable[[Any, str], Any]] = {
        "$tuple": lambda content, place: tuple(decode_all(content, place)),
        "$float": lambda content, place: decode_number({"$float": content}, place),
        "$array": lambda content, place: decode_array(content, directory, place),
        "$scalar": decode_scalar,
        "$bytes": _from_base64,
        "$set": decode_set,
        "$dict": decode_dict,
        "$custom": decode_custom,
        "$object": decode_opaque,
        "$layer": decode_layer,
    }
    return decode(encoded, where)


def _members(content: Any, names: Any, where: str) -> Dict[str, Any]:
    if not _is_dict(content) or set(content) != set(names):
        raise EncodingError(where, "found {}, expected members {}".format(_show(content), " and ".join(names)))
    return content


def _is_list(value: Any) -> TypeGuard[List[Any]]:
    return isinstance(value, list)


def _is_dict(value: Any) -> TypeGuard[Dict[str, Any]]:
    return isinstance(value, dict)


def _encodable(item: Any) -> bool:
    dtype = item.dtype
    if dtype.kind == "O":
        return _holds_strings(item)
    return dtype.kind in "SU" or dtype.name == "bfloat16" or dtype.name in PLAIN_DTYPES


def _encode_scalar(item: Any, where: str) -> Dict[str, Any]:
    array = encode_array(item, None, where)
    return {"$scalar": {"dtype": array["dtype"], "value": array["data"]}}


def _opaque(item: Any) -> Dict[str, Any]:
    kind = item.__class__
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(item))  # an address would differ from run to run
    name = "{}.{}".format(kind.__module__, kind.__qualname__)
    return {"$object": {"class": name, "repr": text[:REPR_LIMIT]}}


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
