"""Printing a blueprint as plain Keras code that runs as it stands.

The code needs nothing of ours: what it uses of the named custom set is printed with it.
The model is the variable ``model``.
"""

from __future__ import annotations

import base64
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy as np

from conformance.blueprint.custom_source import custom_source, identifier
from conformance.blueprint.error import BlueprintError
from conformance.blueprint.model import (
    Blueprint,
    Compile,
    Custom,
    Functional,
    Input,
    Layer,
    NestedModel,
    Node,
    Sequential,
    Subclassed,
    Value,
)
from conformance.blueprint.reading import read_layer

# Where Keras is imported from, unless the caller says otherwise (`tf_keras` for the package of that name).
KERAS: Mapping[str, str] = {
    "keras-2.4": "tensorflow.keras",
    "keras-2.8": "tensorflow.keras",
    "keras-2.15": "tensorflow.keras",
    "keras-3": "keras",
}


def to_source(blueprint: Blueprint, dialect: str, keras: str | None = None) -> str:
    """A script that builds (and compiles) the model as ``model``, in plain Keras.

    ``dialect`` is one of ``keras-2.4``, ``keras-2.8``, ``keras-2.15``, ``keras-3``; ``keras`` overrides the
    module that Keras is imported from (``"tf_keras"``). Raises ValueError for another dialect, BlueprintError
    for a value that has no Python form.
    """
    if dialect not in KERAS:
        raise ValueError(f"unknown dialect {dialect!r}; choose one of {', '.join(KERAS)}")
    printer = Printer()
    body = printer.model(blueprint)
    blocks = [
        header(dialect, keras),
        *(custom_source(custom, dialect) for custom in printer.customs),
        *printer.functions,
        "\n".join(body),
    ]
    return "\n\n".join(blocks) + "\n"


def layer_source(layer: Layer) -> str:
    """The expression that makes one layer, for example ``keras.layers.Dense(units=4)``."""
    return Printer().node(layer)


def header(dialect: str, keras: str | None = None) -> str:
    """The imports of a printed script: ``np``, ``keras``, in Keras 2 ``tf``, and ``ops`` for custom code."""
    module = keras or KERAS[dialect]
    lines = {
        "tensorflow.keras": ["import tensorflow as tf", "from tensorflow import keras"],
        "tf_keras": ["import tensorflow as tf", "import tf_keras as keras"],
        "keras": ["import keras"],
    }[module]
    ops = "keras.ops" if dialect == "keras-3" else "keras.backend"
    return "\n".join(["import numpy as np", *lines, "", f"ops = {ops}"])


class Printer:
    """Prints models; collects on the way the custom objects used and one function for each nested model."""

    def __init__(self) -> None:
        self.customs: list[str] = []
        self.functions: list[str] = []

    def model(self, blueprint: Blueprint) -> list[str]:
        """The statements that leave the model in the variable ``model``."""
        if isinstance(blueprint, Sequential):
            lines = self._sequential(blueprint)
        elif isinstance(blueprint, Functional):
            lines = self._functional(blueprint)
        elif isinstance(blueprint, Subclassed):
            lines = self._subclassed(blueprint)
        else:
            raise TypeError(f"not a blueprint: {blueprint!r}")
        return lines if blueprint.compile is None else [*lines, self.compile(blueprint.compile)]

    def _sequential(self, blueprint: Sequential) -> list[str]:
        lines: list[str] = []
        names = _identifiers([node.id for node in blueprint.layers])
        for node in blueprint.layers:
            lines += self._node_statements(names[node.id], node)
        items = [_input(item) for item in blueprint.inputs] + [names[node.id] for node in blueprint.layers]
        name = "" if blueprint.name is None else f", name={blueprint.name!r}"
        return [*lines, f"model = keras.Sequential([{', '.join(items)}]{name})"]

    def _functional(self, blueprint: Functional) -> list[str]:
        tensors = [item.name for item in blueprint.inputs] + [call.output for call in blueprint.calls]
        names = _identifiers([f"{node.id} layer" for node in blueprint.layers] + tensors)
        lines = [f"{names[item.name]} = {_input(item)}" for item in blueprint.inputs]
        for node in blueprint.layers:
            lines += self._node_statements(names[f"{node.id} layer"], node)
        for call in blueprint.calls:
            given = _one_or_list([names[tensor] for tensor in call.inputs])
            lines.append(f"{names[call.output]} = {names[f'{call.layer} layer']}({given})")
        inputs = _one_or_list([names[item.name] for item in blueprint.inputs])
        outputs = _one_or_list([names[tensor] for tensor in blueprint.outputs])
        name = "" if blueprint.name is None else f", name={blueprint.name!r}"
        return [*lines, f"model = keras.Model(inputs={inputs}, outputs={outputs}{name})"]

    def _subclassed(self, blueprint: Subclassed) -> list[str]:
        lines = [f"model = {self.custom(blueprint.cls.id)}({self._arguments(blueprint.args)})"]
        for item in blueprint.inputs:
            lines.append(f"model(np.ones({(1, *item.shape)!r}, {item.dtype!r}))")
        return lines

    def _node_statements(self, variable: str, node: Node) -> list[str]:
        lines = [f"{variable} = {self.node(node)}"]
        return lines if node.trainable else [*lines, f"{variable}.trainable = False"]

    def node(self, node: Node) -> str:
        """The expression that makes a layer; for a nested model a call of its own function."""
        if isinstance(node, Layer):
            return f"{self._class(node.cls)}({self._arguments(node.args)})"
        return self._nested(node)

    def _nested(self, node: NestedModel) -> str:
        body = self.model(node.model)
        function = f"nested_model_{len(self.functions) + 1}"
        self.functions.append("\n    ".join([f"def {function}():", *body, "return model"]))
        return f"{function}()"

    def compile(self, spec: Compile, model: str = "model") -> str:
        """The statement that compiles the model of that name."""
        parts = [f"optimizer={self._object('optimizers', spec.optimizer)}"]
        if spec.loss is not None:
            parts.append(f"loss={self._object('losses', spec.loss)}")
        if spec.metrics:
            parts.append(f"metrics={self._object('metrics', spec.metrics)}")
        if spec.loss_weights is not None:
            parts.append(f"loss_weights={self.value(spec.loss_weights)}")
        return f"{model}.compile({', '.join(parts)})"

    def _object(self, namespace: str, data: Value) -> str:
        """A loss, metric or optimizer, or a list or dict of them."""
        if isinstance(data, list):
            return f"[{', '.join(self._object(namespace, item) for item in cast('list[Value]', data))}]"
        if not isinstance(data, dict):
            return repr(data)
        raw = cast("dict[str, Value]", data)
        if set(raw) == {"custom"}:
            return self.custom(raw["custom"])
        if "class" in raw and set(raw) <= {"class", "args"}:
            made = self._class_in(namespace, raw["class"])
            return f"{made}({self._arguments(raw.get('args') or {})})"
        items = (f"{key!r}: {self._object(namespace, item)}" for key, item in raw.items())
        return "{" + ", ".join(items) + "}"

    def _class_in(self, namespace: str, cls: Value) -> str:
        return f"keras.{namespace}.{cls}" if isinstance(cls, str) else self.custom(cls["custom"])

    def _class(self, cls: str | Custom) -> str:
        return f"keras.layers.{cls}" if isinstance(cls, str) else self.custom(cls.id)

    def custom(self, custom: str) -> str:
        """The name of a member of the named set; its definition is noted in `customs`."""
        if custom not in self.customs:
            self.customs.append(custom)
        return identifier(custom)

    def _arguments(self, args: Mapping[str, Value]) -> str:
        return ", ".join(f"{key}={self.value(value)}" for key, value in args.items())

    def value(self, value: Value) -> str:
        """An encoded value as a Python expression."""
        if isinstance(value, list):
            return f"[{', '.join(map(self.value, cast('list[Value]', value)))}]"
        if not isinstance(value, dict):
            return repr(value)
        raw = cast("dict[str, Value]", value)
        tag = next(iter(raw), "")
        if len(raw) == 1 and tag.startswith("$"):
            return self._tagged(tag, raw[tag])
        return "{" + ", ".join(f"{key!r}: {self.value(item)}" for key, item in raw.items()) + "}"

    def _tagged(self, tag: str, data: Value) -> str:
        printers: Mapping[str, Callable[[Value], str]] = {
            "$tuple": lambda items: f"({', '.join(map(self.value, items))}{',' if len(items) == 1 else ''})",
            "$float": lambda text: f"float({text!r})",
            "$scalar": lambda raw: f"np.{raw['dtype']}({_numbers(raw['value'], raw['dtype'])[0]!r})",
            "$array": _array,
            "$bytes": lambda text: repr(base64.b64decode(text)),
            "$set": lambda items: f"{{{', '.join(map(self.value, items))}}}" if items else "set()",
            "$dict": lambda pairs: f"{{{', '.join(f'{self.value(key)}: {self.value(item)}' for key, item in pairs)}}}",
            "$custom": self.custom,
            "$layer": lambda raw: self.node(read_layer(raw)),
        }
        if tag not in printers:
            raise BlueprintError("", f"a value tagged {tag!r} has no Python form; tags that have: {list(printers)}")
        return printers[tag](data)


def _numbers(data: str, dtype: str) -> list[Any]:
    return np.frombuffer(base64.b64decode(data), np.dtype(dtype).newbyteorder("<")).tolist()


def _array(raw: Value) -> str:
    numbers = _numbers(raw["data"], raw["dtype"])
    return f"np.array({numbers!r}, {raw['dtype']!r}).reshape({tuple(raw['shape'])!r})"


def _input(item: Input) -> str:
    return f"keras.Input(shape={item.shape!r}, dtype={item.dtype!r}, name={item.name!r})"


def _one_or_list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"[{', '.join(items)}]"


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """Each name to a Python identifier of its own, as near to it as can be."""
    taken = {"keras", "tf", "np", "ops", "model"}
    result: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII) or "_"
        plain = f"_{plain}" if plain[0].isdigit() or keyword.iskeyword(plain) else plain
        unique, number = plain, 2
        while unique in taken:
            unique, number = f"{plain}_{number}", number + 1
        taken.add(unique)
        result[name] = unique
    return result
