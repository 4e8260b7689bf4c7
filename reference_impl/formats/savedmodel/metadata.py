"""What Keras says of its objects in a SavedModel: JSON, with forms for what JSON has none.

===============================================================  =================================================
``{"class_name": "__tuple__", "items": […]}``                    a tuple
``{"class_name": "TensorShape", "items": [null, 3]}``            a ``TensorShape``
``{"class_name": "TypeSpec", "type_spec": …, "serialized": …}``  a ``TypeSpec`` of the form named (``TensorSpec``)
``{"class_name": "CompositeTensor", "spec": …, "tensors": …}``   the same, of its spec
``{"class_name": "__ellipsis__"}``                               ``...``
===============================================================  =================================================

The text of an object has ``class_name``, ``name``, ``trainable``, ``dtype``, ``config`` (where it has one), for a compiled
model ``training_config``, and ``build_input_shape`` or ``save_spec`` where its inputs are known. What else there is, only
TensorFlow's own loader looks at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from reference_impl.shapes import TensorShape

WITHOUT_CONFIG = "layer was saved without config"
"""The only key of the config of a layer whose class has none."""


@dataclass(frozen=True)
class TypeSpec:
    """What an argument must be: ``name`` is the kind (``TensorSpec`` …), ``parts`` say it (shape, dtype, name …)."""

    name: str
    parts: tuple[Any, ...]


def decode(text: str) -> dict[str, Any]:
    """The object that ``text`` says; ``ValueError`` if it is no JSON object."""
    found = json.loads(text, object_hook=_decoded)
    if not isinstance(found, dict):
        raise ValueError(f"a JSON {type(found).__name__}")
    return cast("dict[str, Any]", found)


def _decoded(form: dict[str, Any]) -> Any:
    """A JSON object, in which all others are decoded; one of the forms above is put into effect."""
    name = form.get("class_name")
    make = _FORMS.get(name) if isinstance(name, str) else None
    return form if make is None or form.keys() - _KEYS else make(form)


def _tuple(form: Mapping[str, Any]) -> Any:
    return tuple(form["items"])


def _shape(form: Mapping[str, Any]) -> Any:
    return None if form["items"] is None else TensorShape(form["items"])


def _spec(form: Mapping[str, Any]) -> Any:
    # A list of parts, or since 2.16 a tuple in its own form.
    return TypeSpec(str(form["type_spec"]), tuple(form["serialized"]))


_FORMS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "__tuple__": _tuple,
    "TensorShape": _shape,
    "TypeSpec": _spec,
    "CompositeTensor": lambda form: form["spec"],
    "__ellipsis__": lambda _: ...,
}
_KEYS = {"class_name", "items", "type_spec", "serialized", "spec", "tensors"}


# -- back --------------------------------------------------------------------------------------------------------


def encode(value: Any) -> str:
    """``value`` as text that :func:`decode` reads: keys in their order, without spaces more than TensorFlow has."""
    return json.dumps(encoded(value))


def encoded(value: Any) -> Any:
    """``value`` in terms of JSON; ``TypeError`` for what has no form."""
    if isinstance(value, TensorShape):
        return {"class_name": "TensorShape", "items": list(value)}
    if isinstance(value, TypeSpec):
        parts = [encoded(part) for part in value.parts]
        return {"class_name": "TypeSpec", "type_spec": value.name, "serialized": parts}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [encoded(item) for item in cast("tuple[Any, ...]", value)]}
    if value is ...:
        return {"class_name": "__ellipsis__"}
    if isinstance(value, Mapping):
        return {str(key): encoded(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list):
        return [encoded(item) for item in cast("list[Any]", value)]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"found a {type(value).__name__} ({value!r:.60}), which the metadata of Keras has no form for")
