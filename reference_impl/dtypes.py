"""Element types, spelled as TensorFlow spells them.

A :class:`DType` is a string: ``tf.float32 == "float32"``, it is a JSON value and an argument ``np.dtype`` takes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

NUMBERED: dict[int, str] = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    29: "int4",
    30: "uint4",
}
"""The names of the element types by TensorFlow's own numbers (its enum ``DataType``)."""


class DType(str):
    """The name of an element type, ``DType("float32")``."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)

    @property
    def as_numpy_dtype(self) -> type[Any]:
        """The NumPy scalar type; ``string`` gives ``object``."""
        return numpy_dtype(self).type

    @property
    def is_floating(self) -> bool:
        return self in ("float16", "bfloat16", "float32", "float64")

    @property
    def is_integer(self) -> bool:
        return self.startswith(("int", "uint"))

    @property
    def is_bool(self) -> bool:
        return self == "bool"

    def __repr__(self) -> str:
        return f"tf.{self!s}"


@lru_cache(maxsize=256)
def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype of ``dtype``. ``bfloat16`` needs ml_dtypes, ``string`` is ``object``."""
    if dtype == "string":
        return np.dtype(object)
    if dtype == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(str(dtype))


def as_dtype(dtype: Any) -> DType:
    """The :class:`DType` of a name, a NumPy dtype or a Python type. ``TypeError`` if it is none."""
    if isinstance(dtype, DType):
        return dtype
    return _known(cast("Any", dtype)) if isinstance(dtype, (str, np.dtype, type)) else _found(dtype)


def _found(dtype: Any) -> DType:
    if isinstance(dtype, str) and dtype in ("string", "bfloat16"):
        return DType(dtype)
    found = np.dtype(cast("npt.DTypeLike", dtype))
    return DType("string" if found.kind in "OSU" else found.name)


_known = lru_cache(maxsize=256)(_found)
"""NumPy puts the name of a dtype together whenever it is asked."""
