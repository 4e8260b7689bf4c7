"""What the tests of configs, the registry and clones share: rebuilding from a config, comparing, looking names up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, cast

from conformance.adapters import encoding
from conformance.blueprint import Blueprint, Custom, Functional, NestedModel, Sequential, chain, layer
from conformance.protocol.encoding import Opaque
from conformance.protocol.session import Description, Handle, LayerInfo, Session
from conformance.suite.compare import Array, Mismatch, assert_differs, assert_equal, canonical
from conformance.suite.models import custom_objects
from conformance.suite.refusals import attempted

Config: TypeAlias = Any
Place: TypeAlias = tuple[str | int, ...]
Difference: TypeAlias = tuple[str, Any, Any]

# The class whose from_config makes a model of that kind.
MODEL_CLASSES: Mapping[str, str] = {"sequential": "Sequential", "functional": "Model"}
MODEL_CLASS_NAMES = ("Sequential", "Functional", "Model")


def config_of(impl: Session, thing: Handle) -> Config:
    """The config of a layer or model, as a value."""
    return impl.get_config(thing).config


def plain_config_of(impl: Session, thing: Handle) -> Config:
    """The config of a layer or model, which is to be given back. Raises Mismatch where an object stands in it."""
    config = config_of(impl, thing)
    found = next(_objects(config), None)
    if found is not None:
        raise Mismatch("config", "plain values", f"{found.repr} in {sorted(config)}")
    return config


def _objects(value: Any) -> Iterator[Opaque]:
    if isinstance(value, Opaque):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        items = cast("Iterable[Any]", value.values() if isinstance(value, Mapping) else value)
        for item in items:
            yield from _objects(item)


def rebuilt(impl: Session, blueprint: Blueprint, config: Config) -> Handle:
    """A model made from its config alone: the value, not the dict that the original handed out."""
    known = custom_objects(blueprint) or None
    return impl.from_config(MODEL_CLASSES[blueprint.kind], config, custom_objects=known).object


def thawed(blueprint: Blueprint) -> Blueprint:
    """The same model, no nested model frozen as a whole: whether that flag survives is a question of its own."""
    nodes = tuple(
        replace(node, trainable=True, model=thawed(node.model)) if isinstance(node, NestedModel) else node
        for node in blueprint.nodes
    )
    return replace(blueprint, layers=nodes) if isinstance(blueprint, Sequential | Functional) else blueprint


def with_frozen_model(kind: str, inner: str) -> Blueprint:
    """A model of one kind that holds one of another, frozen as a whole."""
    nested = chain(layer("Dense", units=3, name="in"), kind=inner, name="inner")
    return chain(NestedModel("n", nested, trainable=False), layer("Dense", units=2, name="d"), kind=kind)


# Comparison


def assert_same_config(expected: Config, actual: Config, what: str) -> None:
    """Equal values of equal types: a tuple is not a list, a NumPy scalar not a number; names the first that differs."""
    difference = _difference(_encoded(expected), _encoded(actual), "config")
    if difference:
        place, left, right = difference
        raise Mismatch(f"{what}: {place} differs", left, right)


def assert_same_architecture(expected: Description, actual: Description, what: str) -> None:
    """Same kind, name and state, and the same layers, inputs and output shapes in the same order.

    Outputs have no names of their own in Keras: what a library calls them is not compared. Nor is the flag that a
    nested model has beside those of its layers: it has a test of its own.
    """
    for field in ("kind", "class_name", "name", "built", "trainable", "inputs"):
        assert_equal(getattr(expected, field), getattr(actual, field), f"{what}: another value of {field}")
    old, new = ([_without_model_flag(item) for item in side.layers] for side in (expected, actual))
    assert_equal(old, new, f"{what}: other layers")
    left, right = ([(tensor.shape, tensor.dtype) for tensor in side.outputs] for side in (expected, actual))
    assert_equal(left, right, f"{what}: other outputs")


def assert_all_differ(old: list[Array], new: list[Array]) -> None:
    """Each weight of a fresh model differs from the old one's, whose values no initializer gives."""
    assert_equal([array.shape for array in old], [array.shape for array in new], "other weights")
    for index, (left, right) in enumerate(zip(old, new, strict=True)):
        assert_differs([left], [right], f"weight {index} of the new model was not initialised anew")


def _without_model_flag(item: LayerInfo) -> LayerInfo:
    return replace(item, trainable=None) if item.class_name in MODEL_CLASS_NAMES else item


def _special(item: Any) -> Any:
    if isinstance(item, Custom):
        return {"$custom": item.id}
    return {"$object": {"class": item.class_name, "repr": item.repr}} if isinstance(item, Opaque) else None


def _encoded(config: Config) -> Any:
    return encoding.encode_value(config, None, _special)


def _difference(left: Any, right: Any, place: str) -> Difference | None:
    if canonical(left) == canonical(right):
        return None
    ours, theirs = _parts(left), _parts(right)
    if type(left) is not type(right) or not (ours or theirs):  # pyright: ignore[reportUnknownArgumentType]
        return place, left, right
    if ours.keys() != theirs.keys():
        return f"{place} (what is in it)", list(ours), list(theirs)
    found = (_difference(ours[key], theirs[key], f"{place}.{key}") for key in ours)
    return next(difference for difference in found if difference)


def _parts(value: Any) -> dict[Any, Any]:
    """The members of a dict by key, of a list by index; none of anything else."""
    if isinstance(value, list):
        return dict(enumerate(cast("list[Any]", value)))
    return dict(sorted(cast("dict[str, Any]", value).items())) if isinstance(value, dict) else {}


# Walking through a config


def members(config: Config, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value inside a config with its place, containers included."""
    if isinstance(config, Mapping):
        inner: list[tuple[str | int, Any]] = list(cast("Mapping[str, Any]", config).items())
    elif isinstance(config, list | tuple):
        inner = list(enumerate(cast("Sequence[Any]", config)))
    else:
        inner = []
    for key, value in inner:
        yield (*place, key), value
        yield from members(value, (*place, key))


def mutable_places(config: Config) -> list[Place]:
    """One place in each dict and list of the config that has any: what a caller could change there. Innermost first."""
    owners: dict[Place, Place] = {}
    values = {(): config, **dict(members(config))}
    for place in values:
        if place and not isinstance(values[place[:-1]], tuple):
            owners.setdefault(place[:-1], place)
    return sorted(owners.values(), key=len, reverse=True)


# Looking up


def marker_of(impl: Session, model: Handle, name: str) -> str | None:
    """The marker of the class that a model's layer ``name`` has; None for a class that is not of the named set."""
    return impl.describe(impl.layer(model, name)).marker


def found_marker(impl: Session, make: Callable[[], Handle], layer_name: str | None = None) -> str | None:
    """The marker of the class that ``make`` finds, alone or for one layer of a model; None where it is refused."""
    made = attempted(make)
    if made is None:
        return None
    return impl.describe(made).marker if layer_name is None else marker_of(impl, made, layer_name)
