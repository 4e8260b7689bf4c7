"""Blueprints as frozen dataclasses, and their JSON form.

::

    {"kind": "sequential", "name", "inputs": [INPUT]?, "layers": [LAYER, ...], "compile": COMPILE | null}
    {"kind": "functional", "name", "inputs": [INPUT, ...], "layers", "calls": [CALL, ...],
     "outputs": [tensor name, ...], "compile"}
    {"kind": "subclassed", "name": null, "class": {"custom": ID}, "args": {...}, "inputs": [INPUT], "compile"}

    INPUT   {"name", "shape" (without the batch), "dtype"}
    LAYER   {"id", "class": NAME | {"custom": ID}, "args": {...}, "trainable"}
         or {"id", "model": BLUEPRINT, "trainable"}
    CALL    {"layer": id, "inputs": [tensor names], "output": tensor name}
    COMPILE {"optimizer", "loss", "metrics", "loss_weights"}

How every builder must read it: one input or output of a Functional model is given bare, several as a list; a
layer called on one tensor gets it bare, on several a list; ``trainable: false`` is assigned once the layer or
nested model exists, ``true`` assigns nothing (it would thaw what is frozen inside); a subclassed model is
built by one call on ones of shape ``(1, *shape)``; without an input it stays unbuilt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeAlias, cast

from conformance.blueprint.error import BlueprintError

Value: TypeAlias = Any
"""An encoded value: JSON, with tagged objects for what JSON cannot say."""


class Record:
    """What every part of a blueprint can do."""

    renamed: ClassVar[Mapping[str, str]] = {"cls": "class"}

    def to_json(self) -> dict[str, Value]:
        """The JSON form; of a whole blueprint, :func:`conformance.blueprint.from_json` is its inverse."""
        kind: str | None = getattr(self, "kind", None)
        data: dict[str, Value] = {} if kind is None else {"kind": kind}
        for item in fields(cast("Any", self)):
            data[self.renamed.get(item.name, item.name)] = _json(getattr(self, item.name))
        return data


def _json(value: Any) -> Value:
    if isinstance(value, Record):
        return value.to_json()
    return [_json(item) for item in cast("tuple[Any, ...]", value)] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Custom(Record):
    """A custom object by its id in the named set, for example ``CustomLayer:units``."""

    renamed: ClassVar[Mapping[str, str]] = {"id": "custom"}

    id: str


@dataclass(frozen=True)
class Input(Record):
    """An input of a model. ``shape`` leaves out the batch; None in it is a dimension of any size."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Layer(Record):
    """A layer: its id within the blueprint, its class, its constructor's arguments (encoded values)."""

    id: str
    cls: str | Custom
    args: Mapping[str, Value] = field(default_factory=dict[str, Value])
    trainable: bool = True

    @property
    def name(self) -> str | None:
        """The explicit name, or None where the library chooses one."""
        return self.args.get("name")


@dataclass(frozen=True)
class NestedModel(Record):
    """A whole model used as a layer. It has one output; its own ``compile`` must be None."""

    id: str
    model: Blueprint
    trainable: bool = True

    @property
    def name(self) -> str | None:
        """The explicit name, or None where the library chooses one."""
        return self.model.name


Node: TypeAlias = Layer | NestedModel


@dataclass(frozen=True)
class Call(Record):
    """One use of a layer on named tensors, giving one named tensor. A layer called twice is shared."""

    layer: str
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True)
class Compile(Record):
    """What ``compile()`` is given: names, ``{"class", "args"}``, ``{"custom"}``; lists, dicts by output."""

    optimizer: Value = "sgd"
    loss: Value = "mse"
    metrics: Value = field(default_factory=list[Value])
    loss_weights: Value = None


@dataclass(frozen=True, kw_only=True)
class Blueprint(Record):
    """What the three kinds share. Raises BlueprintError on construction when it is not well formed."""

    kind: ClassVar[str]

    name: str | None = None
    inputs: tuple[Input, ...] = ()
    compile: Compile | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers and nested models, in the order of the blueprint; none for a subclassed model."""
        return ()

    @property
    def layer_names(self) -> tuple[str | None, ...]:
        """The explicit name of each layer (None: left to the library), without the inputs."""
        return tuple(node.name for node in self.nodes)

    def with_compile(self, compiled: Compile | None) -> Blueprint:
        """The same model with other compile information, or with none."""
        return replace(self, compile=compiled)

    def with_name(self, name: str | None) -> Blueprint:
        """The same model under another name."""
        return replace(self, name=name)

    def map_layers(self, change: Callable[[Layer], Layer]) -> Blueprint:
        """The same model with ``change`` applied to every layer, inside nested models too."""
        return self

    def all_layers(self) -> Iterable[Layer]:
        """Every layer, those of nested models included, in order."""
        for node in self.nodes:
            if isinstance(node, NestedModel):
                yield from node.model.all_layers()
            else:
                yield node

    def digest(self) -> str:
        """A hash (SHA-256, hexadecimal) of the canonical JSON: equal for equal blueprints, in any process."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Sequential(Blueprint):
    """Layers one after another; without an input it is unbuilt until it is called."""

    kind: ClassVar[str] = "sequential"

    layers: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        if len(self.inputs) > 1:
            raise BlueprintError("inputs", f"a sequential model has one at most, found {len(self.inputs)}")
        _check_nodes(self)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers and nested models, in order."""
        return self.layers

    def map_layers(self, change: Callable[[Layer], Layer]) -> Sequential:
        """The same model with ``change`` applied to every layer, inside nested models too."""
        return replace(self, layers=_mapped(self.layers, change))


@dataclass(frozen=True, kw_only=True)
class Functional(Blueprint):
    """A graph of layers: each call takes tensors already there and names a new one."""

    kind: ClassVar[str] = "functional"

    layers: tuple[Node, ...] = ()
    calls: tuple[Call, ...] = ()
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.inputs:
            raise BlueprintError("inputs", "a functional model needs at least one")
        if not self.outputs:
            raise BlueprintError("outputs", "a functional model needs at least one")
        _check_nodes(self)
        _check_wiring(self)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers and nested models, in order."""
        return self.layers

    def map_layers(self, change: Callable[[Layer], Layer]) -> Functional:
        """The same model with ``change`` applied to every layer, inside nested models too."""
        return replace(self, layers=_mapped(self.layers, change))


@dataclass(frozen=True, kw_only=True)
class Subclassed(Blueprint):
    """A model class of the named custom set. Its name, where it takes one, is in ``args``."""

    kind: ClassVar[str] = "subclassed"

    cls: Custom
    args: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def __post_init__(self) -> None:
        if self.name is not None:
            raise BlueprintError("name", "a subclassed model takes its name, if any, in args")
        if len(self.inputs) > 1:
            raise BlueprintError("inputs", f"a subclassed model is called on one, found {len(self.inputs)}")


def layer(cls: str | Custom, layer_id: str | None = None, trainable: bool = True, **args: Value) -> Layer:
    """A layer in one line: ``layer("Dense", units=4, name="d1")``. Its id is its name unless one is given."""
    return Layer(layer_id or args.get("name") or "", cls, args, trainable)


def chain(
    *layers: Node,
    shape: Sequence[int | None] = (4,),
    kind: str = "functional",
    name: str | None = None,
    compile: Compile | None = None,
    input_name: str = "x",
    dtype: str = "float32",
) -> Sequential | Functional:
    """Layers one after another on one input, as a sequential or a functional blueprint (``kind``).

    A layer without an id gets ``l0``, ``l1``, … by its place; tensors are ``t0``, ``t1``, … .
    """
    nodes = tuple(node if node.id else replace(node, id=f"l{i}") for i, node in enumerate(layers))
    inputs = (Input(input_name, tuple(shape), dtype),)
    if kind == "sequential":
        return Sequential(name=name, inputs=inputs, layers=nodes, compile=compile)
    tensors = (input_name, *(f"t{i}" for i in range(len(nodes))))
    calls = tuple(Call(node.id, (tensors[i],), tensors[i + 1]) for i, node in enumerate(nodes))
    return Functional(name=name, inputs=inputs, layers=nodes, calls=calls, outputs=tensors[-1:], compile=compile)


def _mapped(nodes: tuple[Node, ...], change: Callable[[Layer], Layer]) -> tuple[Node, ...]:
    return tuple(
        replace(node, model=node.model.map_layers(change)) if isinstance(node, NestedModel) else change(node)
        for node in nodes
    )


def _check_nodes(blueprint: Blueprint) -> None:
    ids: set[str] = set()
    names = {item.name: f"inputs[{i}]" for i, item in enumerate(blueprint.inputs)}
    if len(names) < len(blueprint.inputs):
        raise BlueprintError("inputs", f"two have one name: {[item.name for item in blueprint.inputs]}")
    for i, node in enumerate(blueprint.nodes):
        place = f"layers[{i}]"
        if not node.id:
            raise BlueprintError(f"{place}.id", "is empty")
        if node.id in ids:
            raise BlueprintError(f"{place}.id", f"{node.id!r} is taken by an earlier layer")
        ids.add(node.id)
        if node.name is not None and node.name in names:
            raise BlueprintError(place, f"the name {node.name!r} is taken by {names[node.name]}")
        if node.name is not None:
            names[node.name] = place
        if isinstance(node, NestedModel):
            _check_nested(node, f"{place}.model")


def _check_nested(node: NestedModel, place: str) -> None:
    if node.model.compile is not None:
        raise BlueprintError(f"{place}.compile", "a nested model is not compiled; it must be null")
    if isinstance(node.model, Functional) and len(node.model.outputs) != 1:
        raise BlueprintError(f"{place}.outputs", f"a nested model has one, found {len(node.model.outputs)}")


def _check_wiring(blueprint: Functional) -> None:
    ids = {node.id for node in blueprint.layers}
    tensors = {item.name for item in blueprint.inputs}
    for i, call in enumerate(blueprint.calls):
        place = f"calls[{i}]"
        if call.layer not in ids:
            raise BlueprintError(f"{place}.layer", f"there is no layer {call.layer!r}; found {sorted(ids)}")
        if not call.inputs:
            raise BlueprintError(f"{place}.inputs", "is empty")
        for tensor in call.inputs:
            if tensor not in tensors:
                raise BlueprintError(f"{place}.inputs", f"no tensor {tensor!r} yet; found {sorted(tensors)}")
        if call.output in tensors:
            raise BlueprintError(f"{place}.output", f"{call.output!r} is taken by an earlier tensor")
        tensors.add(call.output)
    for tensor in blueprint.outputs:
        if tensor not in tensors:
            raise BlueprintError("outputs", f"there is no tensor {tensor!r}; found {sorted(tensors)}")
    unused = ids - {call.layer for call in blueprint.calls}
    if unused:
        raise BlueprintError("layers", f"never called: {sorted(unused)}")
