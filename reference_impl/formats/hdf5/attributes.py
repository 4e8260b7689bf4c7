"""Texts and lists of texts kept as HDF5 attributes.

A text is written as a variable-length ASCII string, a list of texts as an array of fixed-width bytes
(UTF-8): the types that every Keras since 2.2 reads. h5py 2, under TensorFlow 2.4, gives a variable-length
*UTF-8* string back as ``str``, and Keras then fails in calling ``decode``. An empty list has no text to
take a type from; it is float64 of shape (0,).

HDF5 keeps an attribute in its object's header, which has room for less than 64 KiB. A longer list ``names``
is split into ``names0``, ``names1``, … of equal length, each at most 64512 bytes.

On reading all types occur: fixed or variable length, ASCII or UTF-8, bytes or ``str``, one text where a list is
expected. An attribute that claims more than any model needs is refused before memory is taken for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import numpy.typing as npt

from reference_impl.errors import LoadError

_h5: Any = h5py

HEADER_LIMIT = 64512
"""Bytes that an attribute may have."""

_READ_LIMIT = 1 << 28
"""Bytes an attribute may claim on reading."""

H5PY_ERRORS = (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError, MemoryError)
"""What h5py raises for damaged files, depending on where the damage is."""


def write_text(attributes: Any, name: str, text: str) -> None:
    """Store ``text``. h5py gives ``bytes`` the type wanted here."""
    attributes[name] = text.encode()


def write_list(attributes: Any, name: str, texts: list[str]) -> None:
    """Store ``texts``, in several attributes where they need it. ``ValueError`` if one text alone is too long."""
    encoded = [text.encode() for text in texts]
    for text in encoded:
        if len(text) > HEADER_LIMIT:
            raise ValueError(f"{name}: {text[:40]!r}… has {len(text)} bytes; HDF5 has room for {HEADER_LIMIT}")
        if text.endswith(b"\0"):
            raise ValueError(f"{name}: {text!r} ends with a zero byte, which HDF5 does not keep")
    array = np.asarray(encoded)
    chunks = 1
    while any(chunk.nbytes > HEADER_LIMIT for chunk in np.array_split(array, chunks)):
        chunks += 1
    if chunks == 1:
        attributes[name] = array
        return
    for index, chunk in enumerate(np.array_split(array, chunks)):
        attributes[f"{name}{index}"] = chunk


def read_text(attributes: Any, name: str, place: str) -> str | None:
    """The text ``name``; None where there is none. ``LoadError`` if it is no text; ``place`` is for messages."""
    try:
        if name not in attributes:
            return None
        return _text(_value(attributes, name).item())
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: attribute {name}: found {_short(error)}, expected a text") from error


def read_list(attributes: Any, name: str, place: str) -> list[str] | None:
    """The list ``name``, put together from its parts; None where there is none."""
    try:
        if name in attributes:
            return list(_texts(_value(attributes, name)))
        if f"{name}0" not in attributes:
            return None
        texts: list[str] = []
        for index in itertools.count():
            if f"{name}{index}" not in attributes:
                return texts
            texts += _texts(_value(attributes, f"{name}{index}"))
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: attribute {name}: found {_short(error)}, expected a list of texts") from error
    return None


def read_number(attributes: Any, name: str, place: str) -> int | None:
    """The whole number ``name``, not negative; None where there is none."""
    try:
        if name not in attributes:
            return None
        value = _value(attributes, name).item()
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise TypeError(f"{value!r}")
        return value
    except H5PY_ERRORS as error:
        raise LoadError(f"{place}: attribute {name}: found {_short(error)}, expected a number") from error


def _value(attributes: Any, name: str) -> npt.NDArray[Any]:
    stored = attributes.get_id(name)
    shape, (dtype, memory_type) = stored.shape, element_type(stored)
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > _READ_LIMIT:
        raise ValueError(f"an attribute that claims {claimed} bytes")
    if _h5.check_string_dtype(dtype) is None:
        if dtype.kind not in "biuf":  # h5py reads sequences of variable length out of its memory
            raise TypeError(f"a value of type {dtype}")
        return np.asarray(attributes[name])
    texts = np.zeros(shape, dtype)
    stored.read(texts, memory_type)
    return texts


def element_type(stored: Any) -> tuple[np.dtype[Any], Any]:
    """The dtype of an attribute's or dataset's elements, and h5py's type to read them as.

    ``stored`` is h5py's ``AttrID`` or ``DatasetID``, which would make both anew each time.
    """
    return _element_type(stored.get_type().encode())


@lru_cache(maxsize=64)
def _element_type(encoded: bytes) -> tuple[np.dtype[Any], Any]:
    dtype = _h5.h5t.decode(encoded).dtype
    return dtype, _h5.h5t.py_create(dtype)


def _texts(array: npt.NDArray[Any]) -> Iterator[str]:
    if array.size and array.dtype.kind not in "SUO":
        raise TypeError(f"an array of {array.dtype}")
    return (_text(item) for item in array.reshape(-1).tolist())


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode()
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode()  # h5py lets bytes through that are no UTF-8
    raise TypeError(f"a value of type {type(value).__name__}")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
