"""Reading a blueprint's JSON form, with the place of the first fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from conformance.blueprint.error import BlueprintError, at
from conformance.blueprint.model import (
    Blueprint,
    Call,
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

T = TypeVar("T")


def from_json(data: Value) -> Blueprint:
    """The blueprint whose JSON form is ``data``. Raises BlueprintError naming the first fault."""
    raw = _object(data)
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in _READERS:
        raise BlueprintError("kind", f"found {kind!r}, expected one of {', '.join(_READERS)}")
    return _READERS[kind](raw)


def _read_sequential(raw: dict[str, Value]) -> Blueprint:
    _fields(raw, required=("kind", "inputs", "layers"), optional=("name", "compile"))
    return Sequential(**_shared(raw), layers=_many(raw, "layers", read_layer))


def _read_functional(raw: dict[str, Value]) -> Blueprint:
    _fields(raw, required=("kind", "inputs", "layers", "calls", "outputs"), optional=("name", "compile"))
    return Functional(
        **_shared(raw),
        layers=_many(raw, "layers", read_layer),
        calls=_many(raw, "calls", _read_call),
        outputs=_many(raw, "outputs", _text),
    )


def _read_subclassed(raw: dict[str, Value]) -> Blueprint:
    _fields(raw, required=("kind", "class", "inputs"), optional=("name", "args", "compile"))
    with at("class"):
        cls = _read_class(raw["class"])
        if isinstance(cls, str):
            raise BlueprintError("", f"found {cls!r}, expected a custom class")
    return Subclassed(**_shared(raw), cls=cls, args=_named(raw, "args"))


_READERS: Mapping[str, Callable[[dict[str, Value]], Blueprint]] = {
    "sequential": _read_sequential,
    "functional": _read_functional,
    "subclassed": _read_subclassed,
}


def _shared(raw: dict[str, Value]) -> dict[str, Value]:
    with at("name"):
        name = None if raw.get("name") is None else _text(raw["name"])
    with at("compile"):
        compile_ = None if raw.get("compile") is None else _read_compile(raw["compile"])
    return {"name": name, "inputs": _many(raw, "inputs", _read_input), "compile": compile_}


def _read_input(data: Value) -> Input:
    raw = _object(data)
    _fields(raw, required=("name", "shape"), optional=("dtype",))
    with at("name"):
        name = _text(raw["name"])
    with at("dtype"):
        dtype = _text(raw.get("dtype", "float32"))
    return Input(name, _many(raw, "shape", _size), dtype)


def read_layer(data: Value) -> Node:
    """A layer or nested model from its JSON form. Raises BlueprintError."""
    raw = _object(data)
    if "model" in raw:
        _fields(raw, required=("id", "model"), optional=("trainable",))
        with at("model"):
            model = from_json(raw["model"])
        return NestedModel(_id(raw), model, _trainable(raw))
    _fields(raw, required=("id", "class"), optional=("args", "trainable"))
    with at("class"):
        cls = _read_class(raw["class"])
    return Layer(_id(raw), cls, _named(raw, "args"), _trainable(raw))


def _read_call(data: Value) -> Call:
    raw = _object(data)
    _fields(raw, required=("layer", "inputs", "output"))
    with at("layer"):
        called = _text(raw["layer"])
    with at("output"):
        output = _text(raw["output"])
    return Call(called, _many(raw, "inputs", _text), output)


def _read_compile(data: Value) -> Compile:
    raw = _object(data)
    _fields(raw, required=("optimizer",), optional=("loss", "metrics", "loss_weights"))
    return Compile(raw["optimizer"], raw.get("loss"), raw.get("metrics") or [], raw.get("loss_weights"))


def _read_class(data: Value) -> str | Custom:
    if isinstance(data, str):
        return data
    raw = _object(data)
    _fields(raw, required=("custom",))
    with at("custom"):
        return Custom(_text(raw["custom"]))


def _object(data: Value) -> dict[str, Value]:
    if not isinstance(data, dict):
        raise BlueprintError("", f"found {type(data).__name__}, expected an object")
    return cast("dict[str, Value]", data)


def _fields(raw: dict[str, Value], required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    for name in raw:
        if name not in required and name not in optional:
            raise BlueprintError("", f"unknown field {name!r}; expected {', '.join((*required, *optional))}")
    for name in required:
        if name not in raw:
            raise BlueprintError("", f"the field {name!r} is missing")


def _many(raw: dict[str, Value], name: str, read: Callable[[Value], T]) -> tuple[T, ...]:
    items = raw[name]
    if not isinstance(items, list):
        raise BlueprintError(name, f"found {type(items).__name__}, expected a list")
    result: list[T] = []
    for i, item in enumerate(cast("list[Value]", items)):
        with at(f"{name}[{i}]"):
            result.append(read(item))
    return tuple(result)


def _named(raw: dict[str, Value], name: str) -> dict[str, Value]:
    with at(name):
        return dict(_object(raw.get(name) or {}))


def _id(raw: dict[str, Value]) -> str:
    with at("id"):
        return _text(raw["id"])


def _trainable(raw: dict[str, Value]) -> bool:
    flag = raw.get("trainable", True)
    if not isinstance(flag, bool):
        raise BlueprintError("trainable", f"found {flag!r}, expected true or false")
    return flag


def _text(data: Value) -> str:
    if not isinstance(data, str):
        raise BlueprintError("", f"found {data!r}, expected a string")
    return data


def _size(data: Value) -> int | None:
    if data is not None and (not isinstance(data, int) or isinstance(data, bool) or data < 1):
        raise BlueprintError("", f"found {data!r}, expected a positive size or null")
    return data
