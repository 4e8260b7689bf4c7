"""The one way from configs to JSON and back.

Tuples and shapes become lists, NumPy scalars and arrays become numbers and lists, an object with a config becomes
``{"class_name", "config"}`` and a function its name: what TensorFlow 2.4 writes. Anything else that JSON has no form
for (a set, bytes, some object) is refused, and the error says where in the config it is.

So that a user's own classes get back what their ``get_config`` gave, the text of a model says beside the config which
values in it were more than JSON: ``"value_kinds": {"/config/layers/1/config/size": "tuple"}``. Keys are JSON pointers
(RFC 6901), kinds ``tuple``, ``keys`` (of a dict, which are no texts), ``scalar:int64`` and ``array:int16:2x3``. Other readers ignore the key; built-in classes
take lists and numbers and need none.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from reference_impl.dtypes import numpy_dtype
from reference_impl.errors import LoadError
from reference_impl.serialization.generic import serialize
from reference_impl.serialization.registry import get_registered_name

VALUE_KINDS = "value_kinds"
_NUMBERS = "biuf"


def encode(value: Any, place: str = "config") -> Any:
    """``value`` in terms of dict, list, str, int, float, bool and None only; ``TypeError`` names the place."""
    return _Encoder(place).plain(value, "", False)


def dumps(value: Any, place: str = "config", **options: Any) -> str:
    """``value`` as JSON text; ``options`` go to :func:`json.dumps`. ``TypeError`` as in :func:`encode`.

    A serialised object (``class_name``, ``config``) gets the key ``value_kinds`` where it is needed.
    """
    encoder = _Encoder(place)
    plain = encoder.plain(value, "", False)
    if encoder.kinds and _is_object(plain):
        plain[VALUE_KINDS] = encoder.kinds
    return json.dumps(plain, **options)


def restore_values(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """``form``, as read from JSON, with the tuples and NumPy values its ``value_kinds`` tell of."""
    kinds = form.get(VALUE_KINDS)
    if not isinstance(kinds, Mapping):
        return form
    whole: Any = copy.deepcopy({key: value for key, value in form.items() if key != VALUE_KINDS})
    pointers = cast("Mapping[str, str]", kinds)
    # What is inside comes before what it is in: a tuple cannot be filled later.
    for pointer in sorted(pointers, key=lambda text: text.count("/"), reverse=True):
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        try:
            holder = whole
            for part in path:
                holder = holder[int(part) if isinstance(holder, list) else part]
            index: Any = int(last) if isinstance(holder, list) else last
            holder[index] = _of_kind(holder[index], pointers[pointer])
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise LoadError(
                f"value_kinds: {pointer!r} is said to be {pointers[pointer]!r}, which does not fit the config: {error!r}"
            ) from error
    return whole


def _of_kind(value: Any, kind: str) -> Any:
    if kind == "tuple":
        return tuple(value)
    if kind == "keys":
        return {json.loads(key): item for key, item in value.items()}
    word, dtype, *shape = kind.split(":")
    if word == "scalar":
        return numpy_dtype(dtype).type(value)
    if word == "array":
        sizes = [int(size) for size in shape[0].split("x") if size]
        return np.array(value, numpy_dtype(dtype)).reshape(sizes)
    raise ValueError(f"unknown kind {kind!r}")


@dataclass
class _Encoder:
    """One encoding: ``place`` names the whole in errors, ``kinds`` gathers what JSON does not tell."""

    place: str
    kinds: dict[str, str] = field(default_factory=dict[str, str])

    def plain(self, value: Any, pointer: str, own: bool) -> Any:
        """``value`` at ``pointer``; ``own``: within the config of a class that is not built in."""
        if isinstance(value, np.generic | np.ndarray):
            return self._numpy(cast("Any", value), pointer, own)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[Any, Any]", value), pointer, own)
        if isinstance(value, list | tuple):
            if own and type(cast("Any", value)) is tuple:
                self.kinds[pointer] = "tuple"
            items = enumerate(cast("list[Any]", value))
            return [self.plain(item, f"{pointer}/{i}", own) for i, item in items]
        if hasattr(value, "get_config"):
            return self.plain(serialize(value), pointer, own)
        if hasattr(value, "__array__"):
            return self._numpy(np.asarray(cast("npt.ArrayLike", value)), pointer, own)
        if callable(value) and hasattr(value, "__name__"):
            return get_registered_name(cast("Any", value))
        raise self._refusal(value, pointer)

    def _mapping(self, mapping: Mapping[Any, Any], pointer: str, own: bool) -> dict[str, Any]:
        if _is_object(mapping):
            own = mapping["class_name"] not in _builtin_names()
        plain: dict[str, Any] = {}
        if own and any(not isinstance(key, str) for key in mapping):
            if any(isinstance(key, str) for key in mapping):
                raise TypeError(
                    f"{self._named(pointer)} has keys that are texts and keys that are not ({list(mapping)!r:.60}); JSON "
                    "keys are strings, and which were not could not be told; use one kind"
                )
            self.kinds[pointer] = "keys"
        for key, item in mapping.items():
            text = self._key(key, pointer)
            plain[text] = self.plain(item, f"{pointer}/{text.replace('~', '~0').replace('/', '~1')}", own)
        return plain

    def _numpy(self, value: Any, pointer: str, own: bool) -> Any:
        if value.dtype.kind not in _NUMBERS and value.dtype.name != "bfloat16":
            raise self._refusal(value, pointer)
        if own:
            name, shape = value.dtype.name, "x".join(map(str, value.shape))
            self.kinds[pointer] = f"scalar:{name}" if isinstance(value, np.generic) else f"array:{name}:{shape}"
        return cast("Any", value).tolist()

    def _key(self, key: Any, pointer: str) -> str:
        if isinstance(key, str):
            return str(key)
        if key is None or (isinstance(key, bool | int | float) and (not isinstance(key, float) or math.isfinite(key))):
            return json.dumps(key)
        raise TypeError(
            f"{self._named(pointer)} has a key {key!r} of type {type(key).__name__}; JSON keys are strings; use one"
        )

    def _named(self, pointer: str) -> str:
        parts = [int(part) if part.isdecimal() else part for part in pointer.split("/")[1:]]
        return self.place + "".join(f"[{part!r}]" for part in parts)

    def _refusal(self, value: Any, pointer: str) -> TypeError:
        return TypeError(
            f"{self._named(pointer)} is a {type(value).__name__} ({value!r:.60}), which JSON has no form for; "
            "expected numbers, strings, lists, dicts, arrays or objects with get_config; change get_config"
        )


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value and "config" in value


@cache
def _builtin_names() -> set[str]:
    from reference_impl import constraints, initializers, layers, losses, metrics, optimizers, regularizers

    kinds = (layers, initializers, regularizers, constraints, losses, metrics, optimizers, optimizers.schedules)
    return {name for kind in kinds for name in kind.KIND.builtin()}
