"""Single TensorFlow ops as layers, as TensorFlow 2.0 to 2.3 wrote them into Functional models."""

from __future__ import annotations

import base64
import copy
import inspect
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from reference_impl import structure
from reference_impl.errors import LoadError
from reference_impl.layers.base import Layer
from reference_impl.ops.table import OPS
from reference_impl.tensors import apply, convert

_PREFIX = "tf_op_layer_"


class TensorFlowOpLayer(Layer):
    """An op of the table as a layer. ``node_def``: a NodeDef as JSON; ``constants``: inputs by their place.

    :class:`~reference_impl.LoadError` for a NodeDef in another form, and for an op that the table does not have.
    """

    def __init__(self, node_def: Any, name: str, constants: Mapping[Any, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(name=_PREFIX + name, **kwargs)
        if not isinstance(node_def, Mapping):
            raise LoadError(
                f"TensorFlowOpLayer {name!r}: found a node_def of type {type(node_def).__name__}, expected a JSON object "
                "(TensorFlow 2.2 and later write that)"
            )
        node = cast("Mapping[str, Any]", node_def)
        op = OPS.get(str(node.get("op")))
        if op is None:
            raise LoadError(f"TensorFlowOpLayer {name!r}: unknown op {node.get('op')!r}; it is not in the table of ops")
        self.__dict__["node_def"] = copy.deepcopy(dict(node))
        self.__dict__["constants"] = {int(place): np.asarray(value) for place, value in (constants or {}).items()}
        self.__dict__["_op"] = op.name
        self.__dict__["_attrs"] = _attributes(node.get("attr", {}), op.kernel, f"TensorFlowOpLayer {name!r}")
        self.built = True

    def call(self, inputs: Any) -> Any:
        operands: list[Any] = structure.flatten(inputs)
        for place, value in sorted(cast("dict[int, Any]", self.__dict__["constants"]).items()):
            operands.insert(place, value.tolist())
        return apply(self.__dict__["_op"], *map(convert, operands), **self.__dict__["_attrs"])

    def _cast(self, leaf: Any) -> Any:
        # An op takes its operands as they are.
        return leaf

    def get_config(self) -> dict[str, Any]:
        constants: dict[int, Any] = self.__dict__["constants"]
        return {
            **super().get_config(),
            "name": self.name.removeprefix(_PREFIX),
            "node_def": copy.deepcopy(self.__dict__["node_def"]),
            "constants": {str(place): value.tolist() for place, value in constants.items()},
        }


def _attributes(stored: Mapping[str, Any], kernel: Any, where: str) -> dict[str, Any]:
    """The attributes that the op minds: those its kernel takes. The dtypes of operands say themselves."""
    parameters: Mapping[str, inspect.Parameter] = {}
    if not isinstance(kernel, np.ufunc):
        parameters = inspect.signature(kernel).parameters
    anything = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    found: dict[str, Any] = {}
    for name, value in stored.items():
        if name in parameters or (anything and "type" not in value and not name.startswith("_")):
            found[name] = _value(value, f"{where}: attribute {name}")
    return found


def _value(stored: Mapping[str, Any], where: str) -> Any:
    for kind, read in _READERS.items():
        if kind in stored:
            return read(stored[kind])
    raise LoadError(f"{where}: found {dict(stored)!r}, expected one of {', '.join(_READERS)}")


def _list(stored: Mapping[str, Any]) -> list[Any]:
    return [_READERS[kind](item) for kind, items in stored.items() for item in items]


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def _dtype(name: str) -> str:
    """A dtype's name from TensorFlow's ``DT_…``."""
    plain = name.removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64", "half": "float16"}.get(plain, plain)


_READERS: dict[str, Any] = {"type": _dtype, "i": int, "f": float, "b": bool, "s": _text, "list": _list}
